/**
 * Is this the certificate that was asked for? Its key must be ours, and it must not be a CA's. Nothing else is judged here: subject, lifetime and extensions
 * are the cloud's affair, and the device's clock may be wrong. Whether AWS IoT accepts it, the trial connection tells.
 */
import { X509Certificate } from 'node:crypto';

/** Of the answer's PEM (domain/protocol/rotation.ts). */
export const MAX_CERTIFICATE_CHARACTERS = 16_384;

export function isForKey(certificatePem: string, subjectPublicKeyInfo: Uint8Array): boolean {
  if (certificatePem.length > MAX_CERTIFICATE_CHARACTERS) return false;
  try {
    const certificate = new X509Certificate(certificatePem);
    return !certificate.ca && certificate.publicKey.export({ type: 'spki', format: 'der' }).equals(subjectPublicKeyInfo);
  } catch {
    return false;
  }
}
