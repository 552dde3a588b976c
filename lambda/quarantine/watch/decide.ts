/** What is to be done about a certificate of a contained thing. Fails towards INACTIVE: what the containment does not know or did not open is shut. */
import type { Reason } from '../../../domain/fleet/reasons.js';

export interface WatchFacts {
  readonly status: string;
  /** Is it in the snapshot, or adopted since? */
  readonly isKnown: boolean;
  /** Did the containment make it ACTIVE for repair, and has not taken that back? */
  readonly mayBeActive: boolean;
  /** The new certificate of a rotation that the release waits for. */
  readonly isRekey: boolean;
}

export type WatchDecision = { readonly do: 'leave' } | { readonly do: 'adopt' | 'shut'; readonly reason: Reason };

export function decideWatch({ status, isKnown, mayBeActive, isRekey }: WatchFacts): WatchDecision {
  if (isRekey) return { do: 'leave' };
  if (!isKnown) return { do: 'adopt', reason: 'adopted-certificate' };
  if (status === 'ACTIVE' && !mayBeActive) return { do: 'shut', reason: 'active-again' };
  return { do: 'leave' };
}

/** A step takes minutes at most, a wait says until when: what has not moved for so long is stuck. */
export const STUCK_AFTER_MS = 30 * 60_000;

export interface PulseFacts {
  readonly state: string;
  readonly updatedAtMs: number;
  readonly settledAtMs?: number;
  readonly endsAtMs: number;
  /** Is it where it waits for a word? */
  readonly isWaiting: boolean;
}

/** Has the workflow stopped moving although it is its turn? */
export function isStuck({ state, updatedAtMs, settledAtMs, endsAtMs, isWaiting }: PulseFacts, nowMs: number): boolean {
  const dueAtMs = isWaiting ? endsAtMs : state === 'locked' ? Math.max(updatedAtMs, settledAtMs ?? 0) : updatedAtMs;
  return nowMs - dueAtMs > STUCK_AFTER_MS;
}
