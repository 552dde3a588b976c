import type { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import type { TrustAnchor } from '../../domain/pki/trust-anchor.js';
import type { CaRecords } from '../ports/ca-records.js';
import type { Clock } from '../ports/clock.js';
import type { IssuingCa } from '../ports/issuing-ca.js';
import type { IssuingCas } from '../ports/issuing-cas.js';
import type { PublishQueue } from '../ports/publish-queue.js';
import type { TrustAnchors } from '../ports/trust-anchors.js';
import { acmIssuingCa } from './issuing-ca.js';
import { fetchSigned, supersedeSigned } from './kms-issued.js';

/** For anchors with a signer of ours. */
export interface SignerBooks {
  readonly records: CaRecords;
  readonly clock: Clock;
  /** Absent where no anchor has a signer. */
  readonly publish?: PublishQueue;
}

/** Anchors at AWS Private CA can be asked, and those whose key we hold; behind another external one stands a CA that we do not know. */
export function issuingCas(client: ACMPCAClient, anchors: TrustAnchors, books: SignerBooks): IssuingCas {
  const caOf = (anchor: TrustAnchor): Pick<IssuingCa, 'fetch' | 'supersede'> | undefined => {
    if (anchor.signer !== undefined)
      return {
        fetch: (reference) => fetchSigned(books.records, anchor, reference),
        supersede: (serialNumber) => supersedeSigned(books, anchor, serialNumber),
      };
    return anchor.certificateAuthorityArn === undefined ? undefined : acmIssuingCa(client, anchors, anchor.anchorId);
  };
  return {
    async fetch(anchor, reference) {
      return caOf(anchor)?.fetch(reference);
    },
    async supersede(anchor, serialNumber) {
      const ca = caOf(anchor);
      await ca?.supersede(serialNumber);
      return ca !== undefined;
    },
  };
}
