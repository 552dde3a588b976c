import type { ThingName } from '../../domain/fleet/thing-name.js';

/** Asks quarantine to look at a thing that is contained, before its regular look. */
export interface WatchRequests {
  /**
   * A look that begins at `nowMs` or later will follow: of one thing at most one each quarter of a minute, however often this is called, and of all together
   * one a second in the long run. Beyond that it is left to the regular look.
   */
  ask(thing: ThingName, nowMs: number): Promise<void>;
}
