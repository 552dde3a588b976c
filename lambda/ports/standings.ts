import type { ViolationNotification, MetricValue } from '../../domain/protocol/violation.js';

/**
 * How one client stands with one behaviour, kept only while there is something to keep: datapoints that were not normal, or a violation that is open.
 * Of a fleet that behaves there is none.
 */
export interface Standing {
  readonly clientId: string;
  readonly thingName: string;
  readonly behaviour: string;
  /** Hash of the criteria that it was counted by: other criteria begin anew. */
  readonly criteria: string;
  /** End of the last window that was counted. A window counts once. */
  readonly lastWindowEndMs: number;
  readonly abnormalInRow: number;
  readonly normalInRow: number;
  /** Open since. */
  readonly violationId?: string;
  readonly startedAtMs?: number;
  readonly metricValue?: MetricValue;
  /** Decided, and not known to be published: whoever finds it publishes it, before anything else. */
  readonly pending?: ViolationNotification;
  readonly updatedAtMs: number;
}

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
