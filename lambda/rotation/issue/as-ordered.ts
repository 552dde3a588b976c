import { Certificate } from '../../../domain/pki/certificate.js';
import { SUBJECT_ALT_NAME } from '../../../domain/pki/certificate-request.js';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const DAY_MS = 86_400_000;
/** ACM PCA begins a certificate an hour before it issues it (PAPI IssueCertificate); DAYS may be counted from either. */
const SLACK_MS = 2 * 3_600_000;

export interface Order {
  readonly commonName: string;
  /** DER of the SubjectPublicKeyInfo of the request. */
  readonly spkiDer: Uint8Array;
  readonly validityDays: number;
  readonly anchor: Certificate;
}

export type Comparison =
  | { readonly asOrdered: true; readonly certificate: Certificate }
  /** What is wrong, in words for the log: none of them comes from the certificate. */
  | { readonly asOrdered: false; readonly differs: string };

/**
 * Is this the certificate that was ordered? A CA that is misconfigured, or whose template changes, must not give a device another name, another's
 * key or the rights of a CA: nothing is registered that has not passed here. Fails to `false`: what cannot be read is not as ordered.
 */
export function compare(pem: string, order: Order, nowMs: number): Comparison {
  try {
    const certificate = Certificate.read(pem);
    const differs = difference(certificate, order, nowMs);
    return differs === undefined ? { asOrdered: true, certificate } : { asOrdered: false, differs };
  } catch {
    return { asOrdered: false, differs: 'it cannot be read' };
  }
}

function difference(certificate: Certificate, { commonName, spkiDer, validityDays, anchor }: Order, nowMs: number): string | undefined {
  const { subject, isCa, extendedKeyUsages = [], notBeforeMs, notAfterMs, serialNumber } = certificate;
  if (serialNumber === '') return 'it has no serial number';
  if (!certificate.wasSignedBy(anchor)) return 'its issuer is not the pinned CA';
  if (!Buffer.from(certificate.spkiDer).equals(spkiDer)) return 'its key is not that of the request';
  if (subject !== `CN=${commonName}`) return 'its subject is not the thing';
  if (certificate.extension(SUBJECT_ALT_NAME) !== undefined) return 'it has alternative names';
  if (isCa) return 'it is a CA certificate';
  if (extendedKeyUsages.length !== 1 || extendedKeyUsages[0] !== CLIENT_AUTH) return 'its use is not client authentication alone';
  if (notBeforeMs > nowMs + SLACK_MS || notAfterMs <= nowMs) return 'it is not valid now';
  if (notAfterMs - notBeforeMs > validityDays * DAY_MS + SLACK_MS) return 'it lives longer than ordered';
  return undefined;
}
