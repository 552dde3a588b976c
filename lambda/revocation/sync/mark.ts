import { createHash } from 'node:crypto';
import type { CrlObjectRef } from '../../ports/crl-store.js';
import type { HighWater } from '../../ports/high-water.js';
import type { Look } from './look.js';

export type Accepted = Extract<Look, { readonly found: 'accepted' }>;

/** A mark whose state object has not been made yet. */
export type Draft = Omit<HighWater, 'stateDigest'>;

/** The mark that this CRL would raise. Its state object never changes: its name holds the number and the digest of the CRL. */
export function mark({ bucket, key }: CrlObjectRef, { object, crl: { facts }, issuer, partition }: Accepted, nowMs: number): Draft {
  const { issuerKeyId } = issuer.certificate;
  const crlNumber = facts.crlNumber.toString();
  const folder = createHash('sha256').update(partition).digest('hex').slice(0, 16);
  return {
    issuerKeyId,
    partition,
    crlNumber,
    thisUpdate: new Date(facts.thisUpdateMs).toISOString(),
    nextUpdate: new Date(facts.nextUpdateMs).toISOString(),
    digest: facts.digest,
    stateKey: `state/${issuerKeyId}/${folder}/${crlNumber}-${facts.digest.slice(0, 16)}.serials`,
    entries: facts.entries,
    bucket,
    key,
    versionId: object.versionId,
    etag: object.etag,
    appliedAtMs: nowMs,
  };
}

/** The same mark, told where its CRL lies now. */
export const withObject = (highest: HighWater, { versionId, etag }: Draft): HighWater => ({ ...highest, versionId, etag });

/** What the audit trail calls this series of CRLs. */
export const subjectOf = ({ issuerKeyId, partition }: Pick<HighWater, 'issuerKeyId' | 'partition'>): string =>
  `CRL#${issuerKeyId}#${partition}`;
