/** Fails towards not letting in: a certificate is made ACTIVE again only where it was ACTIVE before, and nobody else has had a reason to end that. */
import type { CertificateStatus } from '../../../domain/fleet/certificate-status.js';

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
  /** `unreadable`: which certificate it is, and so whether a revocation is on record for it, cannot be told. */
  readonly revocation: 'none' | 'on-record' | 'unreadable';
  /** The device has a new certificate in its place. */
  readonly replaced: boolean;
}

export type StatusDecision =
  | { readonly do: 'activate' }
  /** It is as it should be. */
  | { readonly do: 'leave' }
  /** It is not as it was, and stays so: people are told why. */
  | {
      readonly do: 'keep';
      readonly why: 'deleted' | 'revoked' | 'on-hold' | 'unreadable' | 'deactivated-by-somebody' | 'held-by-another-thing' | 'replaced';
    };

export function decideStatus(facts: RestoreFacts): StatusDecision {
  const { before, now } = facts;
  if (now === undefined) return { do: 'keep', why: 'deleted' };
  if (facts.otherHolders > 0) return { do: 'keep', why: 'held-by-another-thing' };
  if (facts.replaced) return { do: 'keep', why: 'replaced' };
  if (now === before) return { do: 'leave' };
  if (now === 'REVOKED') return { do: 'keep', why: 'revoked' };
  if (before !== 'ACTIVE' || now !== 'INACTIVE') return { do: 'leave' };
  if (facts.revocation === 'on-record') return { do: 'keep', why: 'on-hold' };
  if (facts.revocation === 'unreadable') return { do: 'keep', why: 'unreadable' };
  if (facts.wasReopened && !facts.deactivatedByUs) return { do: 'keep', why: 'deactivated-by-somebody' };
  return { do: 'activate' };
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
