/**
 * Whether AWS IoT lets a client certificate in: registered, ACTIVE, within its validity — by the desk's clock — and nothing else. It reads no CRL
 * (https://docs.aws.amazon.com/iot/latest/developerguide/x509-client-certs.html). Fails closed.
 */
import { createHash, type X509Certificate } from 'node:crypto';
import type { Cloud } from '../cloud.js';
import type { AuthNReason } from './iot-log.js';

export type Authentication =
  | { readonly ok: true; readonly certificateId: string; readonly certificate: X509Certificate }
  | { readonly ok: false; readonly reason: AuthNReason; readonly details: string; readonly certificateId?: string };

const REASON_OF_STATUS: Readonly<Record<string, AuthNReason>> = { REVOKED: 'DEVICE_CERTIFICATE_REVOKED' };

export function authenticate(cloud: Cloud, certificate: X509Certificate | undefined): Authentication {
  const { registry } = cloud.parts;
  if (!certificate || !registry) return { ok: false, reason: 'NOT_AUTHENTICATED', details: 'The client presented no certificate' };
  const certificateId = createHash('sha256').update(certificate.raw).digest('hex');
  let registered = registry.certificate(certificateId);
  if (!registered || registered.status === 'PENDING_ACTIVATION') {
    // Just-in-time registration: announced on the first connection and on each one while it is pending; refused all the same.
    registry.registerJustInTime(certificate.toString());
    registered = registry.certificate(certificateId);
  }
  if (!registered)
    return { ok: false, reason: 'DEVICE_CERTIFICATE_NOT_REGISTERED', details: 'The certificate is not registered', certificateId };
  if (registered.status !== 'ACTIVE') {
    return {
      ok: false,
      reason: REASON_OF_STATUS[registered.status] ?? 'DEVICE_CERTIFICATE_INACTIVE',
      details: `The certificate is ${registered.status}`,
      certificateId,
    };
  }
  const now = cloud.world.clock.nowMs();
  if (now < Date.parse(certificate.validFrom))
    return { ok: false, reason: 'NOT_AUTHENTICATED', details: 'The certificate is not valid yet', certificateId };
  if (now > Date.parse(certificate.validTo))
    return { ok: false, reason: 'NOT_AUTHENTICATED', details: 'The certificate has expired', certificateId };
  return { ok: true, certificateId, certificate };
}
