import type { Standing } from '../../domain/fleet/standing.js';

/** As read: `version` is the condition of the next write. */
export interface StoredStanding {
  readonly standing: Standing;
  readonly version: number;
}

/** Evidence, beside what the notification says. */
export interface Evidence {
  readonly clientId: string;
  readonly windowStartMs: number;
  readonly windowEndMs: number;
  readonly address?: string;
}

export interface Standings {
  /** Strongly consistent. */
  get(clientId: string, behaviour: string): Promise<StoredStanding | undefined>;
  /** Those of all clients that are in the same buckets as these. */
  nearby(clientIds: Iterable<string>): AsyncIterable<StoredStanding>;
  all(): AsyncIterable<StoredStanding>;
  /**
   * Writes `after` if `before` still stands, and with it, where `after.pending` is new, the violation as a source has it: in one transaction, so that
   * nothing is ever announced that cannot be read again. `false`: somebody was faster.
   */
  write(before: StoredStanding | undefined, after: Standing, evidence?: Evidence): Promise<boolean>;
  /** `false`: somebody was faster. */
  remove(before: StoredStanding): Promise<boolean>;
}
