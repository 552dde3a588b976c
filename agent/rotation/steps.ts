/**
 * One step of a rotation: from what is done to what is done next. A step may be cut off anywhere and is then repeated from its beginning; each of
 * its effects can be repeated. Its result is stored by the caller before the next one begins. `undefined`: the rotation is over.
 */
import { ROTATION_VERSION } from '../../domain/protocol/rotation.js';
import { deviceTopic } from '../../domain/protocol/topics.js';
import type { Device, Session } from '../device.js';
import { createCertificateRequest } from '../keys/certificate-request.js';
import { ask } from './answer.js';
import { failing } from './failing.js';
import { isForKey } from './received-certificate.js';
import type { In, Rotation } from './record.js';

export async function step(rotation: Rotation, device: Device, session: Session): Promise<Rotation | undefined> {
  switch (rotation.state) {
    case 'accepted':
      return { ...rotation, state: 'key-made', key: await device.keys.generate(rotation.label) };
    case 'key-made':
      return { ...rotation, state: 'request-sent', csr: await request(rotation, device) };
    case 'request-sent':
      return obtain(rotation, device, session);
    case 'certificate-stored':
      // This connection is the trial: it stands, and the answers to this device can be heard on it.
      return certified(rotation, 'trial-connected');
    case 'trial-connected':
      return certified(rotation, 'proof-sent');
    case 'proof-sent':
      return prove(rotation, device, session);
    case 'proved':
      await device.identities.switchTo(rotation.fresh);
      return certified(rotation, 'switched');
    case 'switched':
      await device.identities.discard(rotation.old);
      return certified(rotation, 'old-deleted');
    case 'old-deleted':
      // Over already: cancelled meanwhile, or this very update was made before a power cut.
      await session.jobs.update(rotation, 'SUCCEEDED', { certificateId: rotation.certificateId });
      return undefined;
    case 'failing':
      return withdraw(rotation, device, session);
  }
}

async function request({ key }: In<'key-made'>, { keys, thingName }: Device): Promise<string> {
  return (await createCertificateRequest(keys, key, thingName)).toString('base64');
}

async function obtain(rotation: In<'request-sent'>, device: Device, session: Session): Promise<Rotation> {
  const { jobId, csr, key, label } = rotation;
  const { thingName, topicPrefix } = device;
  const payload = JSON.stringify({ version: ROTATION_VERSION, jobId, csr });
  const answer = await ask(
    {
      jobId,
      wanted: 'issued',
      tries: device.settings.requestTries,
      send: () => session.connection.publish(deviceTopic(topicPrefix, thingName, 'rotation/request'), payload, 1),
      isOver: () => isJobOver(rotation, session),
    },
    device,
    session,
  );
  if (answer === undefined) return failing(rotation, 'no-answer');
  if (answer === 'over') return failing(rotation, 'job-over');
  if (answer.status === 'refused') return failing(rotation, answer.reason);
  if (answer.status !== 'issued' || !isForKey(answer.certificatePem, await device.keys.publicKey(key)))
    return failing(rotation, 'wrong-certificate');
  const certificate = await device.identities.storeCertificate(label, answer.certificatePem);
  const { executionNumber, versionNumber, old } = rotation;
  return {
    state: 'certificate-stored',
    jobId,
    executionNumber,
    versionNumber,
    label,
    old,
    fresh: { certificate, key },
    certificateId: answer.certificateId,
    refusals: 0,
  };
}

/** Until the cloud says yes or no: having sent a proof, the device cannot know by itself which of its certificates is the one to keep. */
async function prove(rotation: In<'proof-sent'>, device: Device, session: Session): Promise<Rotation> {
  const { jobId } = rotation;
  const topic = deviceTopic(device.topicPrefix, device.thingName, 'rotation/proof');
  const payload = JSON.stringify({ version: ROTATION_VERSION, jobId });
  const answer = await ask(
    {
      jobId,
      wanted: 'proved',
      tries: Number.POSITIVE_INFINITY,
      send: () => session.connection.publish(topic, payload, 1),
      // A job that is over does not end this: the proof may have been taken before.
      isOver: () => Promise.resolve(false),
    },
    device,
    session,
  );
  if (typeof answer !== 'object') return rotation;
  return answer.status === 'proved'
    ? certified(rotation, 'proved')
    : failing(rotation, answer.status === 'refused' ? answer.reason : 'no-answer');
}

/**
 * The connection stands on the old certificate. Only now may the new pair go; and if a proof was sent, only when the old one holds for so long that the
 * cloud cannot have taken that proof:
 *
 *     device   proof ──► queue … … ──► taken: old INACTIVE, cut off within minutes        no answer yet; the new one must still be there
 */
async function withdraw(rotation: In<'failing'>, device: Device, session: Session): Promise<undefined> {
  if (rotation.proofSent) await device.clock.sleep(device.settings.settleMs, session.signal);
  const key = rotation.fresh?.key ?? (await device.keys.find(rotation.label));
  await device.identities.discard({ certificate: rotation.fresh?.certificate ?? `certificates/${rotation.label}.pem`, key });
  if (rotation.reason !== 'job-over') await session.jobs.update(rotation, 'FAILED', { reason: rotation.reason });
  return undefined;
}

/** Is the execution no longer the one that was accepted? */
export async function isJobOver({ jobId, executionNumber }: Rotation, { jobs }: Session): Promise<boolean> {
  const execution = await jobs.describe(jobId);
  return !execution || execution.status !== 'IN_PROGRESS' || execution.executionNumber !== executionNumber;
}

type Certified = 'trial-connected' | 'proof-sent' | 'proved' | 'switched' | 'old-deleted';

function certified<S extends Certified>(rotation: In<'certificate-stored'> | In<Certified>, state: S): In<Certified> {
  const { jobId, executionNumber, versionNumber, label, old, fresh, certificateId } = rotation;
  return { state, jobId, executionNumber, versionNumber, label, old, fresh, certificateId };
}
