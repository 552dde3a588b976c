/**
 * What is to be done about a certificate of a contained thing. Fails towards INACTIVE: what the containment does not know or did not open is shut, unless
 * somebody else would be cut off by that.
 */
import type { Reason } from '../../../domain/fleet/reasons.js';

export interface WatchFacts {
  readonly status: string;
  /** Is it in the snapshot, or adopted since? */
  readonly isKnown: boolean;
  /** Did the containment make it ACTIVE for repair, and has not taken that back? */
  readonly mayBeActive: boolean;
  /** The new certificate of a rotation that the release waits for. */
  readonly isRekey: boolean;
  /** Is it attached to a thing that is not contained, too? Whoever attaches a certificate here must not cut off another thing by it. @default no */
  readonly isShared?: boolean;
}

export type WatchDecision =
  | { readonly do: 'leave' }
  /** Left, and people are told. */
  | { readonly do: 'tell'; readonly reason: Reason }
  | { readonly do: 'adopt' | 'shut'; readonly reason: Reason };

export function decideWatch({ status, isKnown, mayBeActive, isRekey, isShared = false }: WatchFacts): WatchDecision {
  if (isRekey) return { do: 'leave' };
  if (!isKnown && isShared) return { do: 'tell', reason: 'shared-certificate' };
  if (!isKnown) return { do: 'adopt', reason: 'adopted-certificate' };
  if (status === 'ACTIVE' && !mayBeActive) return { do: 'shut', reason: 'active-again' };
  return { do: 'leave' };
}

/**
 * A message that is given up (its dead-letter queue alarms) leaves a booking that no release will ever free. So old it is asked about: whoever counts on it
 * again has renewed it, a delivery takes ten minutes at most, and what DescribeExecution does not show yet is seconds old.
 */
export const ABANDONED_AFTER_MS = 2 * 3_600_000;

export interface BookingFacts {
  readonly ageMs: number;
  readonly isRunning: boolean;
  /** Is the thing contained under it? */
  readonly hasRow: boolean;
}

/** Fails towards counting: only what neither runs nor contains anybody is given up. */
export function isAbandoned({ ageMs, isRunning, hasRow }: BookingFacts): boolean {
  return ageMs >= ABANDONED_AFTER_MS && !isRunning && !hasRow;
}

/** A step takes minutes at most, a wait says until when: what has not moved for so long is stuck. */
export const STUCK_AFTER_MS = 30 * 60_000;
/** … and for so long it is asked whether its workflow is still there: a step may take its five minutes and be repeated. */
export const LATE_AFTER_MS = 10 * 60_000;

export interface PulseFacts {
  readonly state: string;
  readonly updatedAtMs: number;
  readonly settledAtMs?: number;
  readonly endsAtMs: number;
  /** Is it where it waits for a word? */
  readonly isWaiting: boolean;
  /** Until when a device may answer that it was asked something; absent: it was not. */
  readonly answerDueAtMs?: number;
  /** Its release was asked for. */
  readonly releaseAtMs?: number;
}

export type Pulse = 'moves' | 'late' | 'stuck';

/** Has the workflow stopped moving although it is its turn? */
export function pulseOf(facts: PulseFacts, nowMs: number): Pulse {
  const { state, updatedAtMs, settledAtMs = 0, endsAtMs, isWaiting, answerDueAtMs = 0, releaseAtMs = 0 } = facts;
  const turn = Math.max(updatedAtMs, answerDueAtMs, releaseAtMs);
  const dueAtMs = isWaiting ? endsAtMs : state === 'locked' ? Math.max(turn, settledAtMs) : turn;
  if (nowMs - dueAtMs > STUCK_AFTER_MS) return 'stuck';
  return nowMs - dueAtMs > LATE_AFTER_MS ? 'late' : 'moves';
}
