import { candidateCertificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { thingName, type ThingName } from '../../domain/fleet/thing-name.js';
import { Certificate } from '../../domain/pki/certificate.js';
import type { SerialNumber } from '../../domain/pki/serial-number.js';
import type { RevokeMessage, RevokeOutcome } from '../../domain/protocol/revocation.js';
import type { CertificateRecord, RevocationRecord } from '../../lambda/ports/inventory.js';
import { createCa, type TestCa } from '../builders/ca.js';
import { START_MS } from './memory/memory-cloud.js';

/** One device certificate, in all the forms in which a test needs it. */
export interface DeviceCertificate {
  readonly thing: ThingName;
  readonly pem: string;
  readonly certificateId: CertificateId;
  readonly issuerId: string;
  readonly serialNumber: SerialNumber;
}

export async function deviceCertificate(ca: TestCa, name: string): Promise<DeviceCertificate> {
  const { certificatePem: pem } = await ca.issue({ subject: `CN=${name}` });
  const { der, issuerId, serialNumber } = Certificate.read(pem);
  return { thing: thingName(name), pem, certificateId: candidateCertificateId(der), issuerId, serialNumber };
}

export async function deviceCertificates(ca: TestCa, count: number): Promise<DeviceCertificate[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => deviceCertificate(ca, `dev-${index + 1}`)));
}

export const fleetCa = (name = 'CN=Fleet CA,O=Example,C=DE'): Promise<TestCa> => createCa({ name });

export function revokeMessage(device: DeviceCertificate, changes: Partial<RevokeMessage> = {}): RevokeMessage {
  return {
    version: 1,
    action: 'revoke',
    anchorId: 'fleet-ca',
    serialNumber: device.serialNumber,
    reason: 'keyCompromise',
    source: 'crl',
    crlNumber: '7',
    runId: 'run-of-the-crl',
    ...changes,
  };
}

export function revocation(
  device: DeviceCertificate,
  outcome: RevokeOutcome | undefined = 'not-registered',
  message: Partial<RevokeMessage> = {},
): RevocationRecord {
  return {
    issuerId: device.issuerId,
    serialNumber: device.serialNumber,
    state: outcome === undefined ? 'acting' : 'done',
    ...(outcome === undefined ? {} : { outcome }),
    message: revokeMessage(device, message),
    updatedAtMs: START_MS - 3600_000,
  };
}

export function recordOf(device: DeviceCertificate, changes: Partial<CertificateRecord> = {}): CertificateRecord {
  const { notBeforeMs, notAfterMs } = Certificate.read(device.pem);
  const { certificateId, issuerId, serialNumber } = device;
  return { certificateId, issuerId, serialNumber, notBeforeMs, notAfterMs, status: 'ACTIVE', source: 'registration', ...changes };
}
