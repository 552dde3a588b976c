/**
 * Every few minutes all that is contained, and at once one thing of which the inventory hears something new: certificates that have appeared on a contained thing
 * inherit the containment; what is ACTIVE and must not be is shut again; rights that somebody gave beside repair are told; a workflow that does not move is told,
 * and begun again where it is there no more (in `observe` only where it gives back); what the brake counts of a containment that never began is given up, and policies that
 * no containment needs any more are deleted.
 */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { ThingName } from '../../../domain/fleet/thing-name.js';
import { isNamedRepairPolicy } from '../../../domain/protocol/repair-policy.js';
import { executionOf } from '../../../domain/protocol/containment-workflow.js';
import { cutOff } from '../contain/cut.js';
import { swapPolicies } from '../contain/lock.js';
import { groupsWithPolicies } from '../contain/reopen.js';
import { certificateFound, certificateNow } from '../contain/snapshot.js';
import type { CertificateSnapshot, Containment } from '../../ports/containment-records.js';
import { NoSlotInTime } from '../../ports/pace.js';
import { listed, note } from '../evidence.js';
import { nextOf, REKEY_TIMEOUT_MS } from '../next.js';
import { nextSlot, type Slot } from '../pace.js';
import type { StepPorts, StepSettings } from '../ports.js';
import { giveUpAbandoned } from './bookings.js';
import { decideWatch, pulseOf, type PulseFacts } from './decide.js';
import { removeLeftovers } from './leftovers.js';
import type { WatchPorts } from './ports.js';

/** A regular look waits for nobody: who is being cut off, locked or released comes first. */
const LOOK_WAIT_MS = 1000;

/** `only`: just this thing. It is not counted: the regular look counts what is contained. */
export async function run(ports: WatchPorts, settings: StepSettings, only?: ThingName): Promise<void> {
  const { records, signals, stop } = ports;
  const { stopped } = await stop.state();
  if (stopped) signals.count(METRICS.stopped);
  const mayAct = !stopped && settings.mode === 'enforce';
  const contained = new Set<string>();
  const notLookedAt: string[] = [];
  let failure: unknown;
  for await (const containment of only === undefined ? records.all() : one(records, only)) {
    contained.add(containment.containmentId);
    try {
      if (notLookedAt.length > 0) notLookedAt.push(containment.thingName);
      else await lookAt(ports, settings, containment, mayAct, only === undefined ? { waitMs: LOOK_WAIT_MS } : { isUrgent: true });
    } catch (error) {
      // Many are being contained or released: those go first, and the next regular look is in five minutes.
      if (error instanceof NoSlotInTime) notLookedAt.push(containment.thingName);
      else failure = error; // the others are looked at first
    }
    try {
      await feelPulse(ports, settings, containment, stopped);
    } catch (error) {
      failure = error;
    }
  }
  if (only === undefined) signals.count(METRICS.thingsContained, contained.size);
  if (notLookedAt.length > 0) signals.info('not looked at', { count: notLookedAt.length, of: contained.size });
  // Under the stop nothing is begun, so nothing is missing.
  if (only === undefined && !stopped) {
    await giveUpAbandoned(ports, contained);
    await removeLeftovers(ports, settings, { waitMs: LOOK_WAIT_MS });
  }
  if (failure !== undefined) throw failure;
}

async function* one(records: StepPorts['records'], thing: ThingName): AsyncGenerator<Containment> {
  const containment = await records.get(thing);
  if (containment !== undefined) yield containment;
}

/**
 * An execution dies where somebody stops it, or its history is full; a word of release would then wake nobody. Another one is begun in its place, also under
 * the emergency stop: it finds in the ledger what is done, and does nothing that the stop forbids.
 */
async function feelPulse(ports: WatchPorts, settings: StepSettings, containment: Containment, stopped: boolean): Promise<void> {
  const { clock, records, signals, workflows } = ports;
  const { thingName, containmentId, state, restarts, response, trigger } = containment;
  const { next } = nextOf(containment, clock.nowMs());
  const pulse = pulseOf(pulseFacts(settings, containment, next), clock.nowMs());
  if (pulse === 'moves') return;
  const isRunning = await workflows.isRunning(executionOf(containmentId, restarts));
  if (pulse === 'stuck' && !stopped) {
    signals.count(METRICS.containmentStuck);
    signals.warn('containment does not move', { thingName, containmentId, state, next, isRunning, reason: 'workflow-missing' });
  }
  if (isRunning || !(settings.mode === 'enforce' || isLeaving(containment))) return;
  const moved = await records.move(thingName, containmentId, [state], { restarts: (restarts ?? 0) + 1 });
  if (moved === undefined) return; // it moves
  const execution = executionOf(containmentId, moved.restarts);
  await note(ports, containment, 'intent', 'restart', 'workflow-missing', { execution });
  await workflows.start({ containmentId, thingName, response, trigger }, execution);
}

/** Its release is on record: the workflow can do nothing but give back, and that goes on in `observe`. */
const isLeaving = ({ release }: Containment): boolean => release !== undefined;

function pulseFacts({ shutOffTimeoutMinutes }: StepSettings, containment: Containment, next: string): PulseFacts {
  const { shutOff, release, rekeyAskedAtMs = 0 } = containment;
  const due = { AwaitAnswer: (shutOff?.askedAtMs ?? 0) + shutOffTimeoutMinutes * 60_000, AwaitKey: rekeyAskedAtMs + REKEY_TIMEOUT_MS };
  return {
    ...containment,
    isWaiting: next === 'Watch',
    ...(next === 'AwaitAnswer' || next === 'AwaitKey' ? { answerDueAtMs: due[next] } : {}),
    ...(release === undefined ? {} : { releaseAtMs: release.atMs }),
  };
}

async function lookAt(ports: StepPorts, settings: StepSettings, containment: Containment, mayAct: boolean, slot: Slot): Promise<void> {
  const { thingName, state, snapshot, adopted, response } = containment;
  // Until the first cut the workflow itself is at work, and what is being given back is not to be shut again. Asked to shut off only, it is not cut at all.
  if (state === 'recorded' || state === 'releasing' || state === 'released') return;
  const known = new Set([...snapshot.certificates, ...adopted].map(({ certificateId }) => certificateId));
  const found: CertificateSnapshot[] = [];
  for (const id of await ports.rights.certificatesOf(thingName)) {
    await nextSlot(ports, settings, slot);
    const seen = await certificateNow(ports, id);
    if (seen === undefined || seen.status === 'REVOKED') continue;
    const mayBeActive = state === 'reopened' && (containment.reopened ?? []).includes(id);
    const isRekey = containment.rekeying === true ? await isNewOfOurs(ports, containment, id) : isReplacement(containment, id);
    const isKnown = known.has(id);
    const isShared = !isKnown && !isRekey && (await isOfOthers(ports, thingName, id));
    const decision = decideWatch({ status: seen.status, isKnown, mayBeActive, isRekey, isShared });
    if (decision.do === 'tell') {
      await weakened(ports, containment, { certificateId: id, reason: decision.reason });
      continue;
    }
    if (decision.do === 'leave') {
      if (!isRekey) await tellOfRights(ports, settings, containment, seen);
      continue;
    }
    await note(ports, containment, mayAct ? 'intent' : 'outcome', 'inherit', decision.reason, { certificateId: id, status: seen.status });
    if (!mayAct) continue;
    if (decision.do === 'adopt') {
      await nextSlot(ports, settings, slot);
      found.push((await certificateFound(ports, id)) ?? seen);
    } else await cutOff(ports, settings, { thingName, snapshot: { ...snapshot, certificates: [] }, adopted: [seen] });
  }
  const groups = await groupsWithPolicies(ports, settings, thingName, slot);
  if (groups.length > 0 && response !== 'shut-off') await weakened(ports, containment, { groups: listed(groups) });
  if (found.length > 0) await adopt(ports, settings, containment, found);
}

/** Is it attached to things that are not contained? */
async function isOfOthers({ records, registry }: StepPorts, thing: ThingName, id: CertificateId): Promise<boolean> {
  for (const name of await registry.thingsOf(id)) if (name !== thing && (await records.get(name)) === undefined) return true;
  return false;
}

/** On record first, with what it was allowed, and then taken: a release gives it back as it was found. */
async function adopt(
  ports: StepPorts,
  settings: StepSettings,
  containment: Containment,
  seen: readonly CertificateSnapshot[],
): Promise<void> {
  const { records, signals } = ports;
  const { thingName, containmentId, state } = containment;
  // Two looks at once: how the first one found a certificate is what counts.
  const adopted = (await records.get(thingName))?.adopted ?? [];
  const found = seen.filter(({ certificateId: id }) => !adopted.some(({ certificateId }) => certificateId === id));
  if (found.length === 0) return;
  const moved = await records.move(thingName, containmentId, [state], { adopted: [...adopted, ...found] });
  if (moved === undefined) return; // it has gone on: the next look finds it there
  await cutOff(ports, settings, { thingName, snapshot: { ...moved.snapshot, certificates: [] }, adopted: found });
  for (const certificate of found) await swapPolicies(ports, settings, certificate, moved.namedRepair?.policyName);
  signals.count(METRICS.certificatesAdopted, found.length);
  await note(ports, containment, 'outcome', 'inherit', 'adopted-certificate', {
    certificates: listed(found.map(({ certificateId }) => certificateId)),
  });
}

async function tellOfRights(
  ports: StepPorts,
  { application, repairPolicy }: StepSettings,
  containment: Containment,
  seen: CertificateSnapshot,
): Promise<void> {
  const isLocked = containment.settledAtMs !== undefined;
  const more = seen.policies.filter((name) => name !== repairPolicy && !isNamedRepairPolicy(application, name));
  if (!isLocked || more.length === 0) return;
  await weakened(ports, containment, { certificateId: seen.certificateId, policies: listed(more) });
}

async function weakened(ports: StepPorts, containment: Containment, detail: Readonly<Record<string, string>>): Promise<void> {
  const { thingName, containmentId, settledAtMs } = containment;
  if (settledAtMs === undefined) return;
  ports.signals.count(METRICS.containmentWeakened);
  ports.signals.warn('containment weakened', { thingName, containmentId, reason: 'rights-added', ...detail });
}

/** Proved already: what the old one was allowed is given to it with the release, which is next. */
const isReplacement = ({ replaced = [] }: Containment, id: CertificateId): boolean => replaced.some(({ fresh }) => fresh === id);

async function isNewOfOurs({ rotations }: StepPorts, { snapshot }: Containment, id: CertificateId): Promise<boolean> {
  const rotation = await rotations.byNew(id);
  return rotation !== undefined && snapshot.certificates.some(({ certificateId }) => certificateId === rotation.oldCertificateId);
}
