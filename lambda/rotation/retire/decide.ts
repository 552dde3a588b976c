/**
 * Fails towards keeping: a certificate is taken out of the fleet only where the other one of its thing is plainly ACTIVE. What is doubtful is kept,
 * and a person is told.
 */
import type { Reason } from '../../../domain/fleet/reasons.js';
import { DAY_MS } from '../../../domain/fleet/rotation-window.js';
import type { RotationState } from '../../../domain/protocol/rotation.js';

/** CertificateStatus of AWS IoT; `absent`: not in the registry. */
export type Standing = string;

// --- the old certificate, once the new one is proved

export interface RetireFacts {
  readonly state: RotationState;
  /** When the new certificate was proved: the fact without which nothing is retired. */
  readonly provedAtMs?: number;
  readonly retireAtMs?: number;
  readonly old: Standing;
  readonly new: Standing;
  readonly contained: boolean;
}

export type RetireDecision =
  | { readonly do: 'retire'; readonly reason: Reason }
  /** Nothing yet. */
  | { readonly do: 'wait'; readonly reason: Reason }
  /** Nothing, and a person is told. */
  | { readonly do: 'keep'; readonly reason: Reason };

/** `prove` makes the old one INACTIVE right after the state is written: it may be on its way. */
const PROVING_MS = 3_600_000;

export function decideRetire(facts: RetireFacts, nowMs: number): RetireDecision {
  const { state, provedAtMs, retireAtMs } = facts;
  if (state !== 'proved' || provedAtMs === undefined || retireAtMs === undefined) return { do: 'wait', reason: 'never-proved' };
  if (nowMs < retireAtMs) return { do: 'wait', reason: 'in-grace' };
  // A contained device may have neither: what it had must be found as it was when it is released.
  if (facts.contained) return { do: 'wait', reason: 'thing-contained' };
  if (facts.new !== 'ACTIVE') return { do: 'keep', reason: 'new-not-active' };
  if (facts.old === 'ACTIVE') {
    return nowMs - provedAtMs < PROVING_MS ? { do: 'wait', reason: 'old-active-again' } : { do: 'keep', reason: 'old-active-again' };
  }
  return { do: 'retire', reason: 'grace-over' };
}

// --- a certificate that a CA issued for a rotation

export interface OrphanFacts {
  /** Does the rotation whose key it has say that this is its new certificate? */
  readonly isNamed: boolean;
  readonly standing: Standing;
  readonly isRevoked: boolean;
}

/** Only what nobody names and nobody has registered: whatever is in the registry has an owner, and a rotation takes care of its own. */
export function decideOrphan({ isNamed, standing, isRevoked }: OrphanFacts): {
  readonly do: 'supersede' | 'leave';
  readonly reason: Reason;
} {
  if (isNamed) return { do: 'leave', reason: 'issued' };
  if (isRevoked) return { do: 'leave', reason: 'handled-before' };
  return standing === 'absent' ? { do: 'supersede', reason: 'orphan-at-ca' } : { do: 'leave', reason: 'in-registry' };
}

// --- a rotation that is not proved

/** May the new certificate, if there is one, be taken back? Only while the old one keeps the device in the fleet. */
export function decideTakeBack(
  old: { readonly standing: Standing; readonly notAfterMs?: number },
  fresh: Standing,
  nowMs: number,
): { readonly do: 'take-back' } | { readonly do: 'keep'; readonly reason: Reason } {
  // What is not ACTIVE keeps no device in the fleet, so nothing is lost with it.
  if (fresh !== 'ACTIVE') return { do: 'take-back' };
  const alive = old.standing === 'ACTIVE' && old.notAfterMs !== undefined && old.notAfterMs > nowMs;
  return alive ? { do: 'take-back' } : { do: 'keep', reason: 'old-not-active' };
}

export interface MemberFacts {
  readonly state: RotationState;
  readonly sinceMs: number;
  /** Of a withdrawn one: is everything taken back? */
  readonly settled: boolean;
  readonly campaign: 'planned' | 'running' | 'paused' | 'completed' | 'aborted' | 'cancelled';
  /** Status of its job execution; `none`: there is no such execution; `unknown`: not asked. */
  readonly execution: string;
}

export type MemberDecision =
  | { readonly do: 'nothing' }
  | { readonly do: 'withdraw'; readonly reason: Reason }
  /** The device had not begun when the campaign was paused: it waits to be resumed. */
  | { readonly do: 'plan-again' }
  /** Withdrawn before, and not everything is taken back yet. */
  | { readonly do: 'settle' };

const ENDED_BADLY: Readonly<Record<string, Reason>> = {
  FAILED: 'execution-failed',
  REJECTED: 'execution-rejected',
  TIMED_OUT: 'execution-timed-out',
  CANCELED: 'execution-gone',
  REMOVED: 'execution-gone',
};
/** A launch that is under way, or its next delivery, has so long before a member without an execution is given up. */
const LAUNCHING_MS = 3_600_000;

export function decideMember(facts: MemberFacts, proofTimeoutMs: number, nowMs: number): MemberDecision {
  const { state, campaign, execution } = facts;
  const ageMs = nowMs - facts.sinceMs;
  if (state === 'withdrawn') return facts.settled ? { do: 'nothing' } : { do: 'settle' };
  if (state === 'proved' || state === 'retired') return { do: 'nothing' };
  const ended = campaign === 'cancelled' || campaign === 'aborted';
  if (state === 'planned') {
    if (ended) return { do: 'withdraw', reason: 'campaign-ended' };
    // Paused or not launched yet: it waits. Running: it came too late for the job, and the next run finds it again.
    return campaign === 'running' && ageMs > LAUNCHING_MS ? { do: 'withdraw', reason: 'moved-on' } : { do: 'nothing' };
  }
  if (campaign === 'paused' && state === 'offered' && (execution === 'CANCELED' || execution === 'none')) return { do: 'plan-again' };
  const bad = ENDED_BADLY[execution];
  if (bad !== undefined) return { do: 'withdraw', reason: bad };
  if (execution === 'none') return ageMs > LAUNCHING_MS ? { do: 'withdraw', reason: 'execution-gone' } : { do: 'nothing' };
  // The device says that it is done, or says nothing any more, and no proof has come.
  const begun = state === 'requested' || state === 'issued' || state === 'registered';
  if ((begun || execution === 'SUCCEEDED') && ageMs > proofTimeoutMs) return { do: 'withdraw', reason: 'never-proved' };
  return { do: 'nothing' };
}

// --- a rotation whose deadline comes closer

export interface DeadlineFacts {
  readonly state: RotationState;
  readonly createdAtMs: number;
  readonly deadlineMs: number;
  /** The last mark at which people were told. */
  readonly escalatedDays?: number;
  /** notAfter of the old certificate; `undefined`: not known. */
  readonly notAfterMs?: number;
}

export type DeadlineDecision =
  | { readonly do: 'nothing' }
  | { readonly do: 'tell'; readonly days: number; readonly reason: Reason }
  /** The old certificate has ended: nothing that this rotation offers can reach the device any more. */
  | { readonly do: 'withdraw'; readonly reason: Reason };

export function decideDeadline(facts: DeadlineFacts, marks: readonly number[], nowMs: number): DeadlineDecision {
  const { state, createdAtMs, deadlineMs, escalatedDays = Infinity, notAfterMs } = facts;
  if (nowMs >= deadlineMs) {
    if (escalatedDays > 0) return { do: 'tell', days: 0, reason: 'deadline-missed' };
    // With a new certificate registered it is kept open: that certificate is the only way in that the device has left.
    const over = notAfterMs !== undefined && notAfterMs <= nowMs && state !== 'registered';
    return over ? { do: 'withdraw', reason: 'expired' } : { do: 'nothing' };
  }
  // A mark that had passed before the rotation was opened is no news: short-lived certificates would escalate from their first day on.
  const passed = marks.filter((days) => nowMs >= deadlineMs - days * DAY_MS && createdAtMs < deadlineMs - days * DAY_MS);
  const nearest = Math.min(...passed);
  return nearest < escalatedDays ? { do: 'tell', days: nearest, reason: 'deadline-near' } : { do: 'nothing' };
}
