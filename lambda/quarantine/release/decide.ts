/** Fails towards not letting in: a certificate is made ACTIVE again only where it was ACTIVE before, and nobody else has had a reason to end that. */
import type { CertificateStatus } from '../../../domain/fleet/certificate-status.js';
import type { RevocationFact } from '../contain/revocation-of.js';

export interface RestoreFacts {
  /** As the first containment found it. */
  readonly before: CertificateStatus;
  /** In the registry now; `undefined`: deleted. */
  readonly now?: CertificateStatus;
  /** Things that are contained and have it, too. */
  readonly otherHolders: number;
  /** Did the containment make it ACTIVE for repair? Then an INACTIVE one was deactivated by somebody else. */
  readonly wasReopened: boolean;
  readonly deactivatedByUs: boolean;
  readonly revocation: RevocationFact;
  /** Was it INACTIVE before because its CA had it on hold? Then it is for the hold to say what it is now. @default no */
  readonly wasOnHold?: boolean;
  /** The device has a new certificate in its place. */
  readonly replaced: boolean;
}

export type StatusDecision =
  | { readonly do: 'activate' }
  /** It stays INACTIVE, by the hold alone from now on: whoever lifts the hold makes it ACTIVE. */
  | { readonly do: 'hand-over' }
  /** It is as it should be. */
  | { readonly do: 'leave' }
  /** It is not as it was, and stays so: people are told why. */
  | {
      readonly do: 'keep';
      readonly why: 'deleted' | 'revoked' | 'on-hold' | 'unreadable' | 'deactivated-by-somebody' | 'held-by-another-thing' | 'replaced';
    };

export function decideStatus(facts: RestoreFacts): StatusDecision {
  const { now } = facts;
  const before = facts.wasOnHold === true ? 'ACTIVE' : facts.before;
  if (now === undefined) return { do: 'keep', why: 'deleted' };
  if (facts.otherHolders > 0) return { do: 'keep', why: 'held-by-another-thing' };
  if (facts.replaced) return { do: 'keep', why: 'replaced' };
  if (now === before) return { do: 'leave' };
  if (now === 'REVOKED') return { do: 'keep', why: 'revoked' };
  if (before !== 'ACTIVE' || now !== 'INACTIVE') return { do: 'leave' };
  if (facts.revocation === 'on-record') return facts.wasOnHold === true ? { do: 'leave' } : { do: 'keep', why: 'on-hold' };
  if (facts.revocation === 'unreadable') return { do: 'keep', why: 'unreadable' };
  if (facts.wasReopened && !facts.deactivatedByUs) return { do: 'keep', why: 'deactivated-by-somebody' };
  return facts.revocation === 'idle-hold' ? { do: 'hand-over' } : { do: 'activate' };
}

/** What is to be done to the policies of one certificate, so that it has what it had, and what people gave it since. */
export function planPolicies(
  before: readonly string[],
  now: readonly string[],
  repairPolicy: string,
): { readonly detach: readonly string[]; readonly attach: readonly string[]; readonly kept: readonly string[] } {
  return {
    detach: now.includes(repairPolicy) && !before.includes(repairPolicy) ? [repairPolicy] : [],
    attach: before.filter((name) => !now.includes(name)),
    kept: now.filter((name) => name !== repairPolicy && !before.includes(name)),
  };
}
