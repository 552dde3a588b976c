/**
 * A new key before anything is given back: the thing stays contained, and rotation lets it through while `rekeying` stands on its row. The new certificate
 * gets the repair policy, as the old one has it; what the old one was allowed goes to the new one with the release.
 *
 *     rekeying on record ─► rotation asked for ─► … the device proves its new certificate … ─► release
 *                                              └─► no proof in time: it stays contained, a person is told
 */
import { createHash } from 'node:crypto';
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { OPEN_ROTATION_STATES } from '../../../domain/protocol/rotation.js';
import type { ContainmentState } from '../../../domain/protocol/containment.js';
import type { Containment } from '../../ports/containment-records.js';
import type { StartQueue } from '../../ports/rotation-queues.js';
import { note } from '../evidence.js';
import { REKEY_TIMEOUT_MS } from '../next.js';
import { nextSlot } from '../pace.js';
import { BY, type ReleasePorts, type StepSettings } from '../ports.js';

type Replaced = NonNullable<Containment['replaced']>;

const OPEN: readonly ContainmentState[] = ['recorded', 'cut', 'locked', 'reopened', 'deactivated'];

const requestIdOf = ({ containmentId, release }: Containment): string =>
  createHash('sha256')
    .update(`${containmentId} ${release?.atMs ?? 0}`)
    .digest('hex')
    .slice(0, 12);

export async function askForKey(ports: ReleasePorts, settings: StepSettings, containment: Containment): Promise<Containment | undefined> {
  const { clock, rekey, records } = ports;
  const { thingName, containmentId, state, release } = containment;
  const certificate = await onlyActive(ports, settings, containment);
  if (rekey === undefined || state !== 'reopened' || certificate === undefined) return giveUp(ports, containment, 'rekey-impossible');
  await note(ports, { ...containment, by: release?.by ?? BY }, 'intent', 're-key', 'rekey-asked', { certificateId: certificate });
  const marked = await records.move(thingName, containmentId, ['reopened'], { rekeying: true, rekeyAskedAtMs: clock.nowMs() });
  if (marked !== undefined) await rekey.rotate(thingName, BY, requestIdOf(marked));
  return marked;
}

/** Resolves to the containment as it is then: the same, as long as the device has time. */
export async function checkKey(ports: ReleasePorts, containment: Containment): Promise<Containment | undefined> {
  const { clock, rekey, rotations } = ports;
  const { thingName, snapshot, release, rekeyAskedAtMs = 0 } = containment;
  if (release === undefined) return containment;
  const replaced: { old: CertificateId; fresh: CertificateId }[] = [];
  let isOpen = false;
  for (const { certificateId } of snapshot.certificates) {
    const rotation = await rotations.byOld(certificateId);
    if (rotation === undefined || rotation.createdAtMs < rekeyAskedAtMs) continue;
    if (rotation.provedAtMs !== undefined && rotation.newCertificateId !== undefined)
      replaced.push({ old: certificateId, fresh: rotation.newCertificateId });
    else isOpen ||= (OPEN_ROTATION_STATES as readonly string[]).includes(rotation.state);
  }
  if (replaced.length > 0) return rekeyed(ports, containment, replaced);
  if (clock.nowMs() - rekeyAskedAtMs > REKEY_TIMEOUT_MS) return giveUp(ports, containment, 'rekey-unanswered');
  // The message may never have been sent: the same request twice is one rotation.
  if (!isOpen) await rekey?.rotate(thingName, BY, requestIdOf(containment));
  return containment;
}

async function rekeyed(ports: ReleasePorts, containment: Containment, replaced: Replaced): Promise<Containment | undefined> {
  const { thingName, containmentId, release } = containment;
  await note(ports, containment, 'outcome', 're-key', 'rekeyed', { certificateId: replaced[0]?.fresh ?? '' });
  return ports.records.move(thingName, containmentId, OPEN, {
    replaced,
    rekeying: undefined,
    ...(release === undefined ? {} : { release: { ...release, rekey: false } }),
    updatedAtMs: ports.clock.nowMs(),
  });
}

/** It stays contained: without a new key it is not what was asked for. */
async function giveUp(ports: ReleasePorts, containment: Containment, reason: Reason): Promise<Containment | undefined> {
  const { clock, records, signals } = ports;
  const { thingName, containmentId } = containment;
  // Before anything is said: a proof may come at this very moment, and then the old certificate works no more.
  const replaced = await withdraw(ports, containment);
  if (replaced.length > 0) return rekeyed(ports, containment, replaced);
  signals.count(METRICS.rekeyFailed);
  signals.warn('not released', { thingName, containmentId, reason });
  await note(ports, containment, 'outcome', 're-key', reason);
  return records.move(thingName, containmentId, OPEN, {
    release: undefined,
    rekeying: undefined,
    rekeyAskedAtMs: undefined,
    updatedAtMs: clock.nowMs(),
  });
}

/** Resolves to what was proved after all. */
async function withdraw(
  { clock, rotations, rotationJobs }: ReleasePorts,
  { thingName, snapshot, rekeyAskedAtMs = Infinity }: Containment,
): Promise<Replaced> {
  const replaced: { old: CertificateId; fresh: CertificateId }[] = [];
  for (const { certificateId } of snapshot.certificates) {
    const rotation = await rotations.byOld(certificateId);
    if (rotation === undefined) continue;
    const change = { state: 'withdrawn', stateReason: 'thing-contained', updatedAtMs: clock.nowMs() } as const;
    if ((await rotations.move(certificateId, OPEN_ROTATION_STATES, change)) !== undefined) {
      await rotationJobs.cancelExecution(rotation.jobId, thingName);
      continue;
    }
    const now = await rotations.byOld(certificateId);
    if (now?.provedAtMs !== undefined && now.newCertificateId !== undefined && now.createdAtMs >= rekeyAskedAtMs)
      replaced.push({ old: certificateId, fresh: now.newCertificateId });
  }
  return replaced;
}

async function onlyActive(ports: ReleasePorts, settings: StepSettings, { snapshot }: Containment): Promise<CertificateId | undefined> {
  const active: CertificateId[] = [];
  for (const { certificateId } of snapshot.certificates) {
    await nextSlot(ports, settings);
    if ((await ports.registry.describe(certificateId))?.status === 'ACTIVE') active.push(certificateId);
  }
  return active.length === 1 ? active[0] : undefined;
}

/** The rotation that is asked for new keys, where there is one. */
export function rotateBy(queue: StartQueue | undefined): Pick<ReleasePorts, 'rekey'> {
  if (queue === undefined) return {};
  return { rekey: { rotate: (thingName, by, requestId) => queue.send({ kind: 'rotate', thingName, by, requestId }) } };
}
