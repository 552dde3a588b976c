/**
 * A CA whose certificates this fleet accepts. Its certificate is pinned: nothing that arrives with a CRL can change it.
 * Kept as two SSM parameters, because CloudFormation cannot put a PEM that it only knows at deployment into a JSON string:
 *
 *     <prefix>/trust/<anchorId>/certificate   the PEM
 *     <prefix>/trust/<anchorId>/settings      JSON: TrustAnchorSettings
 */
import { z } from 'zod';
import { readSignerReference, SignerSettings } from '../protocol/signer.js';

export const TrustAnchorSettings = z.object({
  type: z.enum(['acm-pca', 'external']),
  /** acm-pca only. */
  certificateAuthorityArn: z.string().optional(),
  /** external only: we hold its key and issue for it (docs/signer.md). */
  signer: SignerSettings.optional(),
  crl: z.object({
    type: z.enum(['COMPLETE', 'PARTITIONED']),
    /** Where its CRL objects lie in the CRL bucket: `crl/` (AWS's own default for ACM PCA) or `external/<anchorId>/`. Ends with a slash. */
    prefix: z.string().regex(/^[^/].*\/$/),
    /**
     * URIs under which a CRL may say that it is published (IDP distributionPoint). `{key}` stands for the object key, `{name}` for its last segment.
     * A CRL with a distributionPoint that matches none of these, for the object that it was found in, is refused.
     */
    distributionPoints: z.array(z.string()),
  }),
});
export type TrustAnchorSettings = z.infer<typeof TrustAnchorSettings>;

export interface TrustAnchor extends TrustAnchorSettings {
  readonly anchorId: string;
  readonly certificatePem: string;
}

/** Whether this CA gave that reference: the ARN of a certificate begins with the ARN of its CA, a reference of a signer names its anchor. */
export function gaveReference({ anchorId, certificateAuthorityArn: arn, signer }: TrustAnchor, reference: string): boolean {
  if (arn !== undefined) return reference.startsWith(`${arn}/`);
  return signer !== undefined && readSignerReference(reference)?.anchorId === anchorId;
}
