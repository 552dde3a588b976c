import { createHash } from 'node:crypto';

/** The id of a certificate in the AWS IoT registry: 64 lower-case hexadecimal digits. */
export type CertificateId = string & { readonly __brand: 'CertificateId' };

/** Throws RangeError unless `text` is 64 hexadecimal digits. */
export function certificateId(text: string): CertificateId {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new RangeError(`certificateId: got "${text.slice(0, 80)}", expected 64 hexadecimal digits`);
  return text.toLowerCase() as CertificateId;
}

/**
 * The id that AWS IoT is expected to give to a certificate: SHA-256 of its DER form. AWS nowhere says so outright (FACTS B1), so this is
 * a *candidate*: confirm it with DescribeCertificate and compare issuer and serial number before anything is changed.
 */
export function candidateCertificateId(der: Uint8Array): CertificateId {
  return certificateId(createHash('sha256').update(der).digest('hex'));
}
