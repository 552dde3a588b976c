/**
 * A CA whose certificates this fleet accepts. Its certificate is pinned: nothing that arrives with a CRL can change it.
 * Kept as two SSM parameters, because CloudFormation cannot put a PEM that it only knows at deployment into a JSON string:
 *
 *     <prefix>/trust/<anchorId>/certificate   the PEM
 *     <prefix>/trust/<anchorId>/settings      JSON: TrustAnchorSettings
 */
import { z } from 'zod';
import { Certificate } from './certificate.js';
import type { CrlIssuer } from './crl-reading.js';

export const TrustAnchorSettings = z.object({
  type: z.enum(['acm-pca', 'external']),
  /** acm-pca only. */
  certificateAuthorityArn: z.string().optional(),
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

/**
 * The anchor as the CRL reader wants it, for a CRL that was found under `objectKey`. Throws DerError when the pinned certificate cannot be read:
 * an anchor that is broken must not turn into "no anchor".
 */
export function crlIssuerOf(anchor: TrustAnchor, objectKey: string): CrlIssuer {
  const places = new Set(anchor.crl.distributionPoints.map((pattern) => distributionPointOf(pattern, objectKey)));
  return { certificate: Certificate.read(anchor.certificatePem), acceptDistributionPoint: (uri) => places.has(uri) };
}

/** `http://crl.example/{key}` and `crl/abc.crl` → `http://crl.example/crl/abc.crl`. URIs are compared as text: RFC 5280 knows no other comparison. */
export function distributionPointOf(pattern: string, objectKey: string): string {
  return pattern.replaceAll('{key}', () => objectKey).replaceAll('{name}', () => objectKey.slice(objectKey.lastIndexOf('/') + 1));
}
