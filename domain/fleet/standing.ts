import type { MetricValue, ViolationNotification } from '../protocol/violation.js';

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
