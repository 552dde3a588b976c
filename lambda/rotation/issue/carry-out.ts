/**
 * From a granted request to a certificate that may connect, and the answer:
 *
 *     order ─► fetch ─► compare ─► id on record ─► register INACTIVE ─► policies ─► thing ─► inventory ─► `registered` ─► ACTIVE ─► answer
 *
 * The process may die at any of these arrows, and the next delivery does again what is harmless to do again and then what is missing. Up to the
 * last but one arrow the certificate is INACTIVE and can do nothing; before it is ACTIVE it is on record as the new one of an open rotation,
 * with its thing and its policies. So whatever is ACTIVE is known, and a device that is never heard of again leaves nothing behind that the
 * rounds of `retire` would not find.
 */
import { candidateCertificateId } from '../../../domain/fleet/certificate-id.js';
import { commonNameOf } from '../../../domain/fleet/subject-name.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import type { CertificateRequest } from '../../../domain/pki/certificate-request.js';
import { ROTATION_VERSION, type RotationRefusal } from '../../../domain/protocol/rotation.js';
import { RequestRefusedByCa } from '../../ports/issuing-ca.js';
import type { RegisteredCertificate } from '../../ports/registry.js';
import type { Rotation } from '../../ports/rotations.js';
import { record, refuse, send, type Asker } from '../answer.js';
import { activate } from './activate.js';
import { advance } from './advance.js';
import { compare } from './as-ordered.js';
import { fetched, order } from './order.js';
import type { IssuePorts, IssueSettings } from './ports.js';

export async function carryOut(
  ports: IssuePorts,
  settings: IssueSettings,
  asker: Asker,
  rotation: Rotation,
  request: CertificateRequest,
): Promise<'issued' | RotationRefusal> {
  if (rotation.activatedAtMs !== undefined) return answer(ports, asker, rotation);
  const { enrolling } = ports;
  const pinned = (await ports.anchors.all()).find(({ anchorId }) => anchorId === settings.issuingAnchorId);
  if (pinned === undefined) throw new Error(`rotation: trust anchor "${settings.issuingAnchorId}" is not configured`);

  const ordered = await order(ports, settings, rotation, request).catch((error: unknown) => {
    if (error instanceof RequestRefusedByCa) return error;
    throw error;
  });
  // We read the request before and found it in order: the two of us disagree, and that is for a person.
  if (ordered instanceof RequestRefusedByCa) {
    ports.signals.count(METRICS.requestRefusedByCa);
    return refuse(ports, asker, 'bad-request', `the CA said ${ordered.saying}`);
  }
  const pem = await fetched(ports, ordered.newCertificateArn);
  const anchor = Certificate.read(pinned.certificatePem);
  const expected = { commonName: commonNameOf(rotation.thingName), spkiDer: request.spkiDer, validityDays: settings.validityDays, anchor };
  const comparison = compare(pem, expected, ports.clock.nowMs());
  if (!comparison.asOrdered) return refuse(ports, asker, 'not-as-ordered', comparison.differs);

  const id = candidateCertificateId(comparison.certificate.der);
  await advance(ports, rotation, ['requested', 'issued', 'escalated'], { state: 'issued', newCertificateId: id });
  const registered = await enrolling.register(pem, pinned.certificatePem, 'INACTIVE');
  if (registered !== id) throw new Error(`certificate ${id}: AWS IoT registered it as ${registered}, which is not on record`);
  for (const policy of await enrolling.policiesOf(rotation.oldCertificateId)) await enrolling.attachPolicy(id, policy);
  await enrolling.attachThing(id, rotation.thingName);

  const activation = await activate(ports, rotation, { ...comparison, id, certificateArn: ordered.newCertificateArn });
  return activation.active
    ? tell(ports, asker, activation.rotation, { certificateId: id, certificatePem: pem })
    : refuse(ports, asker, activation.reason);
}

/** Answers again, as often as the device asks: the answer is not retained and may be lost. */
async function answer(ports: IssuePorts, asker: Asker, rotation: Rotation): Promise<'issued' | RotationRefusal> {
  const registered = rotation.newCertificateId && (await ports.registry.describe(rotation.newCertificateId));
  // It was ACTIVE once. Whoever took that away had a reason, and a device's asking again does not undo it.
  return registered?.status === 'ACTIVE' ? tell(ports, asker, rotation, registered) : refuse(ports, asker, 'not-permitted');
}

/** Tells the device its certificate, which is ACTIVE. */
async function tell(
  ports: IssuePorts,
  asker: Asker,
  { newKeyId = '' }: Rotation,
  { certificateId, certificatePem }: Pick<RegisteredCertificate, 'certificateId' | 'certificatePem'>,
): Promise<'issued'> {
  const { thing, jobId, principal } = asker;
  await ports.inventory.setStatus(certificateId, 'ACTIVE', 'rotation', 'registration');
  await record(ports, asker, 'outcome', 'issued', { newCertificateId: certificateId, newKeyId });
  await send(ports, asker, { version: ROTATION_VERSION, status: 'issued', jobId, certificatePem, certificateId });
  ports.signals.count(METRICS.rotationIssued);
  const ids = { thingName: thing, certificateId: principal, newCertificateId: certificateId, jobId };
  ports.signals.info('certificate issued', { ...ids, reason: 'issued' });
  return 'issued';
}
