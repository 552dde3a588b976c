/**
 * The device's rights are swapped while it is out: what its certificates were allowed goes, the repair policy alone comes; groups that carry policies
 * are left; it joins the quarantine group, which carries none and is there to be seen. A policy takes minutes to count (FACTS B7), hence the wait that
 * follows. What people attached since the snapshot is left alone and told.
 */
import { isNamedRepairPolicy } from '../../../domain/protocol/repair-policy.js';
import { OPEN_ROTATION_STATES } from '../../../domain/protocol/rotation.js';
import type { CertificateSnapshot, Containment } from '../../ports/containment-records.js';
import { nextSlot, ofPolicies } from '../pace.js';
import type { StepPorts, StepSettings } from '../ports.js';
import { deactivate } from './cut.js';

export type LockPorts = Pick<StepPorts, 'clock' | 'inventory' | 'pace' | 'registry' | 'rights' | 'rotationJobs' | 'rotations'>;

export interface Locked {
  readonly policiesTaken: readonly string[];
  readonly groupsLeft: readonly string[];
  readonly rotationsCancelled: readonly string[];
  /** Why the thing is not in the quarantine group; absent: it is. */
  readonly notSeen?: 'gone' | 'refused';
}

export async function lock(ports: LockPorts, settings: StepSettings, containment: Containment): Promise<Locked> {
  const { thingName, snapshot, adopted, namedRepair } = containment;
  const policiesTaken: string[] = [];
  let wasOpen = false;
  for (const seen of [...snapshot.certificates, ...adopted]) {
    const { taken, wasActive } = await swapPolicies(ports, settings, seen, namedRepair?.policyName);
    policiesTaken.push(...taken);
    wasOpen ||= wasActive;
  }
  if (wasOpen) for (const clientId of snapshot.clientIds) await ports.registry.deleteConnection(clientId);
  const groupsLeft = snapshot.groups.filter(({ policies }) => policies.length > 0).map(({ name }) => name);
  for (const name of groupsLeft) await ports.rights.leaveGroup(name, thingName);
  const joined = await ports.rights.joinGroup(settings.quarantineGroup, thingName);
  const rotationsCancelled = await cancelRotations(ports, containment);
  return { policiesTaken, groupsLeft, rotationsCancelled, ...(joined === 'joined' ? {} : { notSeen: joined }) };
}

/**
 * First out, then in: a certificate takes ten policies at most. It is INACTIVE meanwhile, so there is no moment at which it matters: one that was made ACTIVE
 * since the cut (a person; the end of a certificateHold) is shut first.
 */
export async function swapPolicies(
  ports: Pick<LockPorts, 'clock' | 'inventory' | 'pace' | 'rights' | 'registry'>,
  settings: Pick<StepSettings, 'application' | 'perSecond' | 'repairPolicy'>,
  { certificateId, policies }: CertificateSnapshot,
  named?: string,
): Promise<{ readonly taken: readonly string[]; readonly wasActive: boolean }> {
  const { application, repairPolicy } = settings;
  const wanted = [repairPolicy, ...(named === undefined ? [] : [named])];
  // Another contained thing that has this certificate may have a policy of its own on it.
  const taken = policies.filter((name) => name !== repairPolicy && !isNamedRepairPolicy(application, name));
  await nextSlot(ports, settings, { calls: ofPolicies(Math.max(taken.length, named === undefined ? 0 : wanted.length)) });
  const registered = await ports.registry.describe(certificateId);
  // What is revoked can do nothing any more, and keeps what it had.
  if (registered === undefined || registered.status === 'REVOKED') return { taken: [], wasActive: false };
  const wasActive = registered.status === 'ACTIVE' && (await deactivate(ports, settings, { certificateId }));
  for (const name of taken) await ports.rights.detachPolicy(certificateId, name);
  for (const name of wanted) {
    const attached = await ports.rights.attachPolicy(certificateId, name);
    if (attached !== 'attached') throw new Error(`repair policy ${name} on certificate ${certificateId}: ${attached}`);
  }
  return { taken, wasActive };
}

/** The row first: a rotation that is withdrawn is not taken up again, whatever becomes of its execution. */
async function cancelRotations(
  { rotations, rotationJobs, clock }: LockPorts,
  { thingName, snapshot, adopted }: Containment,
): Promise<readonly string[]> {
  const cancelled: string[] = [];
  for (const { certificateId } of [...snapshot.certificates, ...adopted]) {
    const rotation = await rotations.byOld(certificateId);
    if (rotation === undefined || rotation.thingName !== thingName) continue;
    const atMs = clock.nowMs();
    const withdrawn = await rotations.move(certificateId, OPEN_ROTATION_STATES, {
      state: 'withdrawn',
      stateReason: 'thing-contained',
      updatedAtMs: atMs,
    });
    // Withdrawn by an earlier delivery that died before the execution was cancelled: so it is cancelled (again).
    if (withdrawn === undefined && !(rotation.state === 'withdrawn' && rotation.stateReason === 'thing-contained')) continue;
    await rotationJobs.cancelExecution(rotation.jobId, thingName);
    cancelled.push(rotation.jobId);
  }
  return cancelled;
}
