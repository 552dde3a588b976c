import type { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import type { TrustAnchor } from '../../domain/pki/trust-anchor.js';
import type { IssuingCa } from '../ports/issuing-ca.js';
import type { IssuingCas } from '../ports/issuing-cas.js';
import type { TrustAnchors } from '../ports/trust-anchors.js';
import { acmIssuingCa } from './issuing-ca.js';

/** Anchors at AWS Private CA can be asked; behind an external one stands a CA that we do not know. */
export function issuingCas(client: ACMPCAClient, anchors: TrustAnchors): IssuingCas {
  const caOf = ({ anchorId, certificateAuthorityArn }: TrustAnchor): IssuingCa | undefined =>
    certificateAuthorityArn === undefined ? undefined : acmIssuingCa(client, anchors, anchorId);
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
