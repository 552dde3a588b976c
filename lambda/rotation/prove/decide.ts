/**
 * Fails to keeping the old certificate: it is taken out of use only when the new one is shown to work and to be allowed what the old one was. What is
 * missing or unknown is a refusal, and the old certificate goes on working.
 */
import { PROOF_HOLDS_SECONDS } from '../../../domain/protocol/rotation-events.js';
import type { RotationRefusal, RotationState } from '../../../domain/protocol/rotation.js';

export interface ProveFacts {
  /** The rotation whose new certificate authenticated the connection; `undefined`: there is none. Nothing else is looked up then. */
  readonly rotation?: { readonly state: RotationState; readonly jobId: string; readonly activatedAtMs?: number };
  /** Job that the message names. */
  readonly jobId: string;
  /** Is that certificate ACTIVE, and attached to exactly the thing under whose name the message came? */
  readonly principal: 'active-and-theirs' | 'not-theirs' | 'not-asked';
  readonly stopped: boolean;
  readonly contained: boolean;
  /** Policies and things of the two certificates. */
  readonly old?: Rights;
  readonly fresh?: Rights;
}

/**
 * What a certificate itself brings to a connection. Policies of thing groups come by the thing, and the thing is the same: so equal attachments are
 * equal rights, and GetEffectivePolicies (5 a second for the whole account, FACTS B12) need not be asked for each device of a campaign.
 */
export interface Rights {
  readonly policies: readonly string[];
  readonly things: readonly string[];
}

export type ProveDecision =
  | { readonly do: 'refuse'; readonly reason: RotationRefusal }
  | { readonly do: 'prove'; readonly reason: 'works' }
  /** Proved before: what is missing is done, and it is answered again. */
  | { readonly do: 'go-on'; readonly reason: 'proved-before' };

/** Too old to be true: the device may have gone back, and thrown its new key away. It is not answered either: who still waits sends another. */
export function isStale(receivedAtMs: number, nowMs: number): boolean {
  return nowMs - receivedAtMs > PROOF_HOLDS_SECONDS * 1000;
}

const refuse = (reason: RotationRefusal): ProveDecision => ({ do: 'refuse', reason });

export function decide({ rotation, jobId, principal, stopped, contained, old, fresh }: ProveFacts): ProveDecision {
  if (rotation === undefined || rotation.jobId !== jobId) return refuse('not-the-new-certificate');
  const isProved = rotation.state === 'proved' || rotation.state === 'retired';
  const isWaiting = rotation.state === 'registered' || rotation.state === 'escalated';
  if (!isProved && !(isWaiting && rotation.activatedAtMs !== undefined)) return refuse('not-the-new-certificate');
  if (principal !== 'active-and-theirs') return refuse('not-your-certificate');
  if (stopped) return refuse('stopped');
  if (contained) return refuse('contained');
  if (isProved) return { do: 'go-on', reason: 'proved-before' };
  if (old === undefined || fresh === undefined || !mayDoAsMuch(fresh, old)) return refuse('not-permitted');
  return { do: 'prove', reason: 'works' };
}

function mayDoAsMuch(fresh: Rights, old: Rights): boolean {
  const policies = new Set(fresh.policies);
  const things = new Set(fresh.things);
  return old.policies.every((policy) => policies.has(policy)) && old.things.every((thing) => things.has(thing));
}
