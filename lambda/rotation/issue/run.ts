import { candidateCertificateId } from '../../../domain/fleet/certificate-id.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import type { CertificateRequest } from '../../../domain/pki/certificate-request.js';
import type { RotationRefusal } from '../../../domain/protocol/rotation.js';
import type { RotationRequestEvent } from '../../../domain/protocol/rotation-events.js';
import type { RegisteredCertificate } from '../../ports/registry.js';
import type { Rotation } from '../../ports/rotations.js';
import { record, refuse, type Asker } from '../answer.js';
import { takeBack } from './activate.js';
import { carryOut } from './carry-out.js';
import { decide, type IssueDecision } from './decide.js';
import { gather, type Gathered } from './gather.js';
import type { IssuePorts, IssueSettings } from './ports.js';

/** `observed`: only reported. */
export type IssueOutcome = 'issued' | 'observed' | RotationRefusal;

/**
 * One request of one device. Resolves when it is answered, also when it is refused; throws what is worth another delivery. The same request gives
 * the same certificate, however often and in whatever company it arrives.
 */
export async function run(ports: IssuePorts, settings: IssueSettings, event: RotationRequestEvent): Promise<IssueOutcome> {
  const gathered = await gather(ports, settings, event);
  const decision = decide(gathered.facts);
  const { thing, isTheirs, rotation, request } = gathered;
  if (settings.mode !== 'enforce') {
    const ids = { thingName: thing, certificateId: event.principal, jobId: event.jobId };
    ports.signals.info('would answer a rotation request', { ...ids, decision: decision.do, reason: decision.reason });
    return 'observed';
  }
  const { principal, jobId } = event;
  const asker: Asker = { thing, principal, jobId, act: 'issue', topicPrefix: settings.topicPrefix, isTheirs };
  if (decision.do === 'refuse' || rotation === undefined || request === undefined) return decline(ports, asker, decision, gathered);

  await record(ports, asker, 'intent', decision.reason, { csrSha256: request.sha256 });
  const granted = decision.do === 'grant' ? await reserve(ports, rotation, request, gathered.registered) : rotation;
  return typeof granted === 'string' ? refuse(ports, asker, granted) : carryOut(ports, settings, asker, granted, request);
}

async function decline(
  ports: IssuePorts,
  asker: Asker,
  { reason }: IssueDecision,
  { rotation, facts }: Gathered,
): Promise<RotationRefusal> {
  // Died between ACTIVE and the look that follows it: nobody has this certificate, and now nobody is to have it.
  const halfDone = rotation?.activatedAtMs === undefined && rotation?.thingName === asker.thing ? rotation.newCertificateId : undefined;
  if (halfDone !== undefined && (facts.contained || facts.principal === 'not-theirs')) await takeBack(ports, halfDone);
  return refuse(ports, asker, reason as RotationRefusal);
}

/** The rotation, granted to this request; or why it is not. */
async function reserve(
  ports: IssuePorts,
  { oldCertificateId }: Rotation,
  request: CertificateRequest,
  asking: RegisteredCertificate | undefined,
): Promise<Rotation | RotationRefusal> {
  const { rotations, clock } = ports;
  if (asking !== undefined) await rememberOldKey(ports, asking);
  const { sha256: csrSha256, keyId: newKeyId } = request;
  const reserved = await rotations.reserve(oldCertificateId, { csrSha256, newKeyId, atMs: clock.nowMs() });
  if (reserved === 'key-known') return 'key-reused';
  const rotation = await rotations.byOld(oldCertificateId);
  if (reserved === 'not-open' || rotation === undefined) return 'not-due';
  return rotation.csrSha256 === csrSha256 ? rotation : 'another-request';
}

/** So that no other thing can ever have the key of a certificate that went through a rotation. */
async function rememberOldKey({ rotations }: IssuePorts, { certificatePem }: RegisteredCertificate): Promise<void> {
  const certificate = Certificate.read(certificatePem);
  await rotations.rememberKey(certificate.issuerKeyId, candidateCertificateId(certificate.der));
}
