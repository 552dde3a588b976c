import { METRICS } from '../../../domain/fleet/metrics.js';
import { ROTATION_VERSION, type RotationRefusal } from '../../../domain/protocol/rotation.js';
import type { ProveMessage, RotationProofEvent } from '../../../domain/protocol/rotation-events.js';
import type { Rotation } from '../../ports/rotations.js';
import { record, refuse, send, type Asker } from '../answer.js';
import { decide, isStale } from './decide.js';
import { gather } from './gather.js';
import type { ProvePorts, ProveSettings } from './ports.js';
import { proofFrom } from './presence.js';

/** `observed`: only reported. `nothing`: a connection that proves nothing, or nothing new; whatever comes too late. */
export type ProveOutcome = 'proved' | 'observed' | 'nothing' | RotationRefusal;

/**
 * One message. A connection stands for a proof and is checked like one; only that nobody is told where it is refused, because the device has not
 * asked for anything.
 */
export async function run(ports: ProvePorts, settings: ProveSettings, message: ProveMessage): Promise<ProveOutcome> {
  const [said, atMs] = message.kind === 'proof' ? ['proof', message.receivedAtMs] : ['connection', message.connectedAtMs];
  if (isStale(atMs, ports.clock.nowMs())) {
    ports.signals.info('too late to be a proof', { what: said, certificateId: message.principal, reason: 'stale-proof' });
    return 'nothing';
  }
  if (message.kind === 'proof') return runProof(ports, settings, message, true);
  const proof = await proofFrom(ports, message);
  return proof === undefined ? 'nothing' : runProof(ports, settings, proof, false);
}

/**
 * One proof of one device: a message that came over its new certificate. Resolves when it is answered, also when it is refused; throws what is worth
 * another delivery.
 *
 *     proved on record ─► old certificate INACTIVE ─► inventory ─► answer
 *
 * The proof is on record before the old certificate is touched, and nothing else ever makes one INACTIVE: so of every certificate that a rotation
 * took out of use it can be shown that another one worked. No DeleteConnection: the device is connected with the new certificate under the
 * same client id, and that connection is the one it would cut.
 */
async function runProof(ports: ProvePorts, settings: ProveSettings, event: RotationProofEvent, hasAsked: boolean): Promise<ProveOutcome> {
  const { thing, facts, rotation, isTheirs } = await gather(ports, settings, event);
  const decision = decide(facts);
  const { principal, jobId } = event;
  const ids = { thingName: thing, certificateId: principal, jobId, reason: decision.reason };
  if (settings.mode !== 'enforce') {
    ports.signals.info('would answer a rotation proof', { ...ids, decision: decision.do });
    return 'observed';
  }
  const asker: Asker = { thing, principal, jobId, act: 'prove', topicPrefix: settings.topicPrefix, isTheirs: isTheirs && hasAsked };
  if (decision.do === 'refuse' || rotation === undefined)
    return refuse(ports, asker, decision.do === 'refuse' ? decision.reason : 'not-the-new-certificate');

  const { oldCertificateId } = rotation;
  if (decision.do === 'prove' && !(await prove(ports, settings, rotation))) return refuse(ports, asker, 'not-the-new-certificate');
  await deactivateOld(ports, asker, rotation);
  await record(ports, asker, 'outcome', 'proved', { oldCertificateId });
  await send(ports, asker, { version: ROTATION_VERSION, status: 'proved', jobId, certificateId: principal });
  if (decision.do === 'prove') ports.signals.count(METRICS.rotationProved);
  ports.signals.info('certificate proved', { ...ids, oldCertificateId });
  return 'proved';
}

/** `false`: withdrawn since we looked. */
async function prove({ rotations, clock }: ProvePorts, { graceMs }: ProveSettings, { oldCertificateId }: Rotation): Promise<boolean> {
  const nowMs = clock.nowMs();
  const proof = { state: 'proved', provedAtMs: nowMs, retireAtMs: nowMs + graceMs, updatedAtMs: nowMs } as const;
  if ((await rotations.move(oldCertificateId, ['registered', 'escalated'], proof)) !== undefined) return true;
  const now = await rotations.byOld(oldCertificateId);
  return now?.state === 'proved' || now?.state === 'retired'; // proved by the same message, delivered twice at once
}

/** Level, not edge: looks at the old certificate as it is now, so that a repetition does what an earlier delivery died before. */
async function deactivateOld(ports: ProvePorts, asker: Asker, { oldCertificateId }: Rotation): Promise<void> {
  const old = await ports.registry.describe(oldCertificateId);
  if (old?.status === 'ACTIVE') {
    await record(ports, { ...asker, principal: oldCertificateId }, 'intent', 'proved', { newCertificateId: asker.principal });
    await ports.registry.setStatus(oldCertificateId, 'INACTIVE');
  }
  if (old !== undefined && old.status !== 'REVOKED')
    await ports.inventory.setStatus(oldCertificateId, 'INACTIVE', 'rotated', 'registration');
}
