import type { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import type { TrustAnchor } from '../../domain/pki/trust-anchor.js';
import type { CaRecords } from '../ports/ca-records.js';
import type { CaSigner } from '../ports/ca-signer.js';
import type { Clock } from '../ports/clock.js';
import type { IssuingCa } from '../ports/issuing-ca.js';
import type { TrustAnchors } from '../ports/trust-anchors.js';
import { acmIssuingCa } from './issuing-ca.js';
import { fetchSigned } from './kms-issued.js';
import { issueSigned } from './kms-issuing-ca.js';

export interface IssuerParts {
  readonly privateCa: ACMPCAClient;
  /** The key of a signer, by its ARN. */
  readonly signerOf: (keyArn: string) => CaSigner;
  readonly records: CaRecords;
  readonly clock: Clock;
}

/** The CA that issues for one trust anchor: AWS Private CA, or the signer of an external one. Throws, at the first call, when it is neither. */
export function issuingCaOf(parts: IssuerParts, anchors: TrustAnchors, anchorId: string): Pick<IssuingCa, 'issue' | 'fetch'> {
  const { privateCa, records, clock, signerOf } = parts;
  const acm = acmIssuingCa(privateCa, anchors, anchorId);
  let kept: { readonly keyArn: string; readonly signer: CaSigner } | undefined;
  async function anchor(): Promise<TrustAnchor | undefined> {
    return (await anchors.all()).find((one) => one.anchorId === anchorId);
  }

  return {
    async issue(order) {
      const found = await anchor();
      if (found?.signer === undefined) return acm.issue(order);
      const { keyArn } = found.signer;
      if (kept?.keyArn !== keyArn) kept = { keyArn, signer: signerOf(keyArn) };
      return issueSigned({ records, clock, signer: kept.signer }, found, order);
    },
    async fetch(reference) {
      const found = await anchor();
      return found?.signer === undefined ? acm.fetch(reference) : fetchSigned(records, found, reference);
    },
  };
}
