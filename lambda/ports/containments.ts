import type { ThingName } from '../../domain/fleet/thing-name.js';

/** Which things are isolated. Strongly consistent. A record that cannot be read throws: then nothing is granted either. */
export interface Containments {
  isContained(thing: ThingName): Promise<boolean>;
}
