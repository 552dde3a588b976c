/**
 * The end of a time box. Fails towards staying contained: `release` is done only where nothing speaks against it; otherwise people are told, and the box
 * begins anew.
 */
import type { Reason } from '../../../domain/fleet/reasons.js';
import type { TimeBoxEnd } from '../../../domain/fleet/time-box.js';

export interface TimeBoxFacts {
  readonly endsAtMs: number;
  /** Violations of the thing that are in alarm now. */
  readonly openViolations: number;
  /** Since when nothing of it is in alarm: the latest change of any of its violations that are known; at the earliest the beginning. */
  readonly quietSinceMs: number;
  readonly deactivated: boolean;
}

export type TimeBoxDecision =
  | { readonly do: 'wait'; readonly reason: Reason }
  | { readonly do: 'extend'; readonly reason: Reason }
  | { readonly do: 'release'; readonly reason: Reason }
  /** Extended, and a person is told. */
  | { readonly do: 'page'; readonly reason: Reason };

export function decideTimeBox(facts: TimeBoxFacts, then: TimeBoxEnd, coolDownMs: number, nowMs: number): TimeBoxDecision {
  if (nowMs < facts.endsAtMs) return { do: 'wait', reason: 'within-time-box' };
  if (then === 'extend') return { do: 'extend', reason: 'time-box-over' };
  if (then === 'page') return { do: 'page', reason: 'time-box-over' };
  if (facts.openViolations > 0) return { do: 'page', reason: 'violation-open' };
  // It did not answer when it was asked to stop: whether it would now is not known.
  if (facts.deactivated) return { do: 'page', reason: 'device-silent' };
  if (nowMs - facts.quietSinceMs < coolDownMs) return { do: 'extend', reason: 'cooling-down' };
  return { do: 'release', reason: 'clear-and-cool' };
}
