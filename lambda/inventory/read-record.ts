import { candidateCertificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { Certificate } from '../../domain/pki/certificate.js';
import type { TrustAnchor } from '../../domain/pki/trust-anchor.js';
import type { CertificateRecord } from '../ports/inventory.js';

export type ReadRecord =
  | { readonly readable: true; readonly record: CertificateRecord; readonly isCa: boolean }
  | { readonly readable: false; readonly reason: string };

/** What the teller knows beside the PEM. Without an id: the one that AWS IoT is expected to give. */
type Told = Pick<CertificateRecord, 'status' | 'source' | 'certificateArn'> & { readonly certificateId?: CertificateId };

/**
 * PEM → record. A certificate that is not what RFC 5280 says (no positive serial number, bytes left over) has no place in an inventory by
 * issuer and serial number: it is unreadable, with the reason, and its neighbours go on.
 */
export function readRecord(pem: string, told: Told): ReadRecord {
  try {
    const certificate = Certificate.read(pem);
    const { issuerId, serialNumber, notBeforeMs, notAfterMs, isCa } = certificate;
    const certificateId = told.certificateId ?? candidateCertificateId(certificate.der);
    return { readable: true, isCa, record: { ...told, certificateId, issuerId, serialNumber, notBeforeMs, notAfterMs } };
  } catch (error) {
    return { readable: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The issuerIds of certificates that these anchors sign. Throws when a pinned certificate cannot be read: that is a fault of ours, not an orphan. */
export function issuerIdsOf(anchors: readonly TrustAnchor[]): ReadonlySet<string> {
  return new Set(anchors.map(({ certificatePem }) => Certificate.read(certificatePem).subjectId));
}
