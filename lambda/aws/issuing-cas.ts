import type { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import type { TrustAnchor } from '../../domain/pki/trust-anchor.js';
import type { IssuingCa } from '../ports/issuing-ca.js';
import type { TrustAnchors } from '../ports/trust-anchors.js';
import { acmIssuingCa } from './issuing-ca.js';

/** The CA behind each trust anchor. `undefined`: it is not at AWS Private CA, and no machine of ours can ask it to revoke. */
export function issuingCas(client: ACMPCAClient, anchors: TrustAnchors): { of(anchor: TrustAnchor): IssuingCa | undefined } {
  return {
    of: ({ anchorId, certificateAuthorityArn }) =>
      certificateAuthorityArn === undefined ? undefined : acmIssuingCa(client, anchors, anchorId),
  };
}
