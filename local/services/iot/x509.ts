import { X509Certificate, createHash } from 'node:crypto';
import { AwsError } from '../../models/service.js';

export interface ReadCertificate {
  readonly x509: X509Certificate;
  readonly pem: string;
  /** SHA-256 of the DER form: what the desk takes as AWS's certificateId (FACTS B1). */
  readonly certificateId: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Reads exactly one PEM certificate. Throws CertificateValidationException, as AWS does for text that is not one. */
export function readCertificate(pem: unknown): ReadCertificate {
  if (typeof pem !== 'string' || (pem.match(/-----BEGIN CERTIFICATE-----/g) ?? []).length !== 1) {
    throw new AwsError('CertificateValidationException', 'The certificate could not be parsed: expected exactly one PEM certificate');
  }
  try {
    return describe(new X509Certificate(pem));
  } catch {
    throw new AwsError('CertificateValidationException', 'The certificate could not be parsed');
  }
}

export function describe(x509: X509Certificate): ReadCertificate {
  return {
    x509,
    pem: x509.toString(),
    certificateId: createHash('sha256').update(x509.raw).digest('hex'),
    notBeforeMs: Date.parse(x509.validFrom),
    notAfterMs: Date.parse(x509.validTo),
  };
}

/** Whether `issuer` signed `subject`: names and identifiers agree and the signature verifies. */
export function signedBy(subject: X509Certificate, issuer: X509Certificate): boolean {
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}
