/**
 * Is a new CRL to be published? Fails to *publishing*: a CRL too many costs one signature and revokes nobody who is not on record as revoked; a CRL too few
 * keeps a lost device in the fleet.
 */
import type { Reason } from '../../../domain/fleet/reasons.js';

/** What is known of the CRL that lies in the bucket. */
export interface Published {
  readonly nextUpdateMs: number;
  readonly thisUpdateMs: number;
  readonly begunAtMs: number;
  readonly listDigest: string;
}

/** Clocks of two functions may differ by so much: a revocation that was on record that shortly before a CRL was begun may have been missed by it. */
const CLOCKS_MS = 10_000;

/** Before the list is read: the CRL in the bucket was begun after the revocation that this message tells of. Most messages of a campaign end here. */
export function isCovered(published: Published | undefined, isThere: boolean, revokedAtMs: number | undefined): boolean {
  return isThere && published !== undefined && revokedAtMs !== undefined && published.begunAtMs > revokedAtMs + CLOCKS_MS;
}

export interface PublishFacts {
  /** The last one; `undefined`: none yet. */
  readonly published: Published | undefined;
  /** Is an object there, under the key of this CRL? */
  readonly isThere: boolean;
  /** Of what a CRL would name now. */
  readonly listDigest: string;
}

export type PublishDecision =
  | {
      readonly do: 'publish';
      readonly reason: Extract<Reason, 'first-crl' | 'crl-object-missing' | 'revocations-waiting' | 'crl-half-over'>;
    }
  | { readonly do: 'nothing'; readonly reason: Extract<Reason, 'crl-current'> };

export function decide({ published, isThere, listDigest }: PublishFacts, nowMs: number): PublishDecision {
  if (published === undefined) return { do: 'publish', reason: 'first-crl' };
  if (!isThere) return { do: 'publish', reason: 'crl-object-missing' };
  if (listDigest !== published.listDigest) return { do: 'publish', reason: 'revocations-waiting' };
  // As AWS Private CA does: at the middle of its validity, so that half of it is left for whatever goes wrong.
  if (nowMs >= published.thisUpdateMs + (published.nextUpdateMs - published.thisUpdateMs) / 2)
    return { do: 'publish', reason: 'crl-half-over' };
  return { do: 'nothing', reason: 'crl-current' };
}
