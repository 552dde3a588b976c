/**
 * Expiry and age of certificates. Of devices those that are ACTIVE or PENDING_TRANSFER, of CAs those that are ACTIVE
 * (https://docs.aws.amazon.com/iot-device-defender/latest/devguide/audit-chk-device-cert-approaching-expiration.html and its neighbours).
 */
import type { IotState, RegisteredCertificate } from '../state.js';
import type { Evaluation, NonCompliance, Resource } from './non-compliance.js';

const DAY_MS = 24 * 60 * 60_000;

const inUse = (state: IotState): RegisteredCertificate[] =>
  [...state.certificates.values()].filter(({ status }) => status === 'ACTIVE' || status === 'PENDING_TRANSFER');

function expiry(notAfterMs: number, nowMs: number, days: number): Omit<NonCompliance, 'resource'> | undefined {
  if (notAfterMs <= nowMs) return { reason: 'Certificate is past its expiration.', reasonCode: 'CERTIFICATE_PAST_EXPIRATION' };
  if (notAfterMs - nowMs > days * DAY_MS) return undefined;
  return { reason: 'Certificate is approaching its expiration.', reasonCode: 'CERTIFICATE_APPROACHING_EXPIRATION' };
}

export function deviceCertificatesExpiring(state: IotState, days: number): Evaluation {
  const certificates = inUse(state);
  const nonCompliant = certificates.flatMap((certificate): NonCompliance[] => {
    const found = expiry(certificate.notAfterMs, state.now(), days);
    return found ? [{ resource: withExpiry(deviceCertificate(certificate), certificate.notAfterMs), ...found }] : [];
  });
  return { total: certificates.length, nonCompliant };
}

export function caCertificatesExpiring(state: IotState, days: number): Evaluation {
  const cas = [...state.cas.values()].filter(({ status }) => status === 'ACTIVE');
  const nonCompliant = cas.flatMap(({ certificateId, notAfterMs }): NonCompliance[] => {
    const found = expiry(notAfterMs, state.now(), days);
    const resource: Resource = { resourceType: 'CA_CERTIFICATE', resourceIdentifier: { caCertificateId: certificateId } };
    return found ? [{ resource: withExpiry(resource, notAfterMs), ...found }] : [];
  });
  return { total: cas.length, nonCompliant };
}

/** The age counts from the registration. */
export function deviceCertificatesAged(state: IotState, days: number): Evaluation {
  const certificates = inUse(state);
  const nonCompliant = certificates
    .filter(({ createdAtMs }) => state.now() - createdAtMs >= days * DAY_MS)
    .map((certificate) => ({
      resource: deviceCertificate(certificate),
      reason: 'Certificate is older than the age threshold.',
      reasonCode: 'CERTIFICATE_PAST_AGE_THRESHOLD',
    }));
  return { total: certificates.length, nonCompliant };
}

export const deviceCertificate = ({ certificateId }: { readonly certificateId: string }): Resource => ({
  resourceType: 'DEVICE_CERTIFICATE',
  resourceIdentifier: { deviceCertificateId: certificateId },
});

/** Epoch milliseconds as a string (FACTS C4). */
const withExpiry = (resource: Resource, notAfterMs: number): Resource => ({
  ...resource,
  additionalInfo: { EXPIRATION_TIME: String(notAfterMs) },
});
