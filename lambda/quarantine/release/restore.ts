/**
 * What the containment took is given back, no more and no less: the snapshot, minus what is gone, plus what people changed meanwhile. Each step looks at
 * what is there now, so that it may be repeated; the row of the containment goes last, because as long as it is there, everybody else keeps away.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import { quarantineNames } from '../../../domain/protocol/containment-workflow.js';
import { SHUT_OFF_VERSION } from '../../../domain/protocol/shut-off.js';
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { CertificateSnapshot, Containment } from '../../ports/containment-records.js';
import type { RegisteredCertificate } from '../../ports/registry.js';
import { openAgain } from '../contain/reopen.js';
import { revocationsOf } from '../contain/revocation-of.js';
import type { RevocationRecord } from '../../ports/inventory.js';
import { listed, note } from '../evidence.js';
import { nextSlot, ofPolicies } from '../pace.js';
import type { ReleasePorts, StepSettings } from '../ports.js';
import { decideStatus, planPolicies } from './decide.js';

/** What is not as it was, in words for people: `policy pump-extra on 3f…: kept`. */
type Report = string[];

export async function restore(ports: ReleasePorts, settings: StepSettings, containment: Containment): Promise<void> {
  const { thingName, containmentId, shutOff, release, snapshot, adopted } = containment;
  await note(ports, { ...containment, by: release?.by }, 'intent', 'release', 'release-asked', { why: release?.reason ?? '' });
  const report: Report = [];
  const wasAsked = mayHaveBeenAsked(containment);
  if (wasAsked && shutOff?.outcome === undefined)
    await ports.jobs.cancel(quarantineNames(settings.application).job('shut-off', containmentId));
  // Out first: a certificate has ten policies at most.
  await takeNames(ports, settings, containment);
  await restoreGroups(ports, settings, containment, report);
  const claimed = [...snapshot.certificates, ...adopted];
  for (const { certificateId } of claimed) await restoreCertificate(ports, settings, containment, certificateId, report);
  if (wasAsked) await askToResume(ports, settings, containment, report);
  for (const { certificateId } of claimed) await ports.claims.forget(certificateId);
  await note(ports, { ...containment, by: release?.by }, 'outcome', 'release', 'released', {
    certificates: listed(claimed.map(({ certificateId }) => certificateId)),
    differs: listed(report),
    seconds: Math.round((ports.clock.nowMs() - containment.startedAtMs) / 1000),
  });
  await ports.budget.free(thingName, containmentId, ports.clock.nowMs());
  await ports.records.close(thingName, containmentId, ports.clock.nowMs());
  ports.signals.count(METRICS.released);
  ports.signals.info('thing released', { thingName, containmentId, differs: report });
}

/**
 * Also where no answer is on record, and not even the question: the step that asks may have died with both under way, and a device that was told to stop, and
 * not to go on, stands still for ever. To be told to resume for nothing is nothing (docs/protocol.md § 10).
 */
const mayHaveBeenAsked = ({ shutOff, response, reopenedAtMs }: Containment): boolean =>
  shutOff !== undefined || response === 'shut-off' || reopenedAtMs !== undefined;

async function restoreGroups(ports: ReleasePorts, settings: StepSettings, containment: Containment, report: Report): Promise<void> {
  const { thingName, snapshot, state, settledAtMs } = containment;
  // Out first: a thing is in ten groups at most.
  await ports.rights.leaveGroup(settings.quarantineGroup, thingName);
  const now = new Set(await ports.rights.groupsOf(thingName));
  const before = new Set([...snapshot.groups.map(({ name }) => name), ...snapshot.dynamicGroups]);
  for (const { name, policies } of snapshot.groups) {
    if (now.has(name)) continue;
    // Groups without policies were never left by us, and none by one that was only asked to shut off: who is not in one any more was taken out by somebody.
    if (policies.length === 0 || wasOnlyAsked(containment)) {
      report.push(`group ${name}: left meanwhile`);
      continue;
    }
    const joined = await ports.rights.joinGroup(name, thingName);
    if (joined !== 'joined') report.push(`group ${name}: ${joined}`);
  }
  const wasSwapped = state !== 'recorded' && settledAtMs !== undefined;
  if (!wasSwapped) return;
  for (const name of now) {
    if (before.has(name)) continue;
    await nextSlot(ports, settings);
    const group = await ports.rights.describeGroup(name);
    if (group?.isDynamic === false) report.push(`group ${name}: joined meanwhile, kept`);
  }
}

async function restoreCertificate(
  ports: ReleasePorts,
  settings: StepSettings,
  containment: Containment,
  id: CertificateId,
  report: Report,
): Promise<void> {
  const { thingName, replaced = [], reopened = [], deactivatedAtMs } = containment;
  // Nobody has claimed it: it was never touched, or an earlier delivery has given it back.
  const claim = await ports.claims.letGo(id, thingName);
  if (claim === undefined) return;
  await nextSlot(ports, settings, { calls: ofPolicies(claim.snapshot.policies.length) });
  const successor = replaced.find(({ old }) => old === id);
  const registered = await ports.registry.describe(id);
  const { fact, idleHold } = await revocationsOf(ports, id, registered);
  const decision = decideStatus({
    before: claim.snapshot.status,
    now: registered?.status,
    otherHolders: claim.holders.length,
    wasReopened: reopened.includes(id),
    deactivatedByUs: deactivatedAtMs !== undefined,
    revocation: fact,
    wasOnHold: claim.snapshot.onHold === true,
    replaced: successor !== undefined,
  });
  if (decision.do === 'keep') report.push(`certificate ${id}: ${decision.why}`);
  if (decision.do === 'keep' && decision.why === 'held-by-another-thing') return;
  if (decision.do === 'hand-over') await handOver(ports, id, idleHold, report);
  if (successor !== undefined)
    return restorePolicies(ports, settings, containment, { ...claim.snapshot, certificateId: successor.fresh }, report);
  if (registered === undefined) return;
  await restorePolicies(ports, settings, containment, claim.snapshot, report);
  if (decision.do === 'activate') await activate(ports, containment, registered, report);
}

/** Asked to shut off and perhaps deactivated: its rights were left alone. */
const wasOnlyAsked = ({ response, settledAtMs }: Containment): boolean => response === 'shut-off' && settledAtMs === undefined;

async function restorePolicies(
  ports: ReleasePorts,
  { repairPolicy }: StepSettings,
  containment: Containment,
  { certificateId, policies }: Pick<CertificateSnapshot, 'certificateId' | 'policies'>,
  report: Report,
): Promise<void> {
  const now = await ports.rights.policiesOf(certificateId);
  if (now === undefined) return;
  const { detach, attach, kept } = planPolicies(policies, now, repairPolicy);
  for (const name of detach) await ports.rights.detachPolicy(certificateId, name);
  // Without the repair policy on it, nobody has taken anything from this certificate: another thing that has it may have been locked.
  const wasTaken = !wasOnlyAsked(containment) || now.includes(repairPolicy);
  for (const name of attach) {
    if (!wasTaken) {
      report.push(`policy ${name} on ${certificateId}: detached meanwhile`);
      continue;
    }
    const attached = await ports.rights.attachPolicy(certificateId, name);
    if (attached !== 'attached') report.push(`policy ${name} on ${certificateId}: ${attached}`);
  }
  for (const name of kept) report.push(`policy ${name} on ${certificateId}: attached meanwhile, kept`);
}

/** From all that may have it, a new certificate that has copied it among them: then the regular look can delete it. */
async function takeNames(ports: ReleasePorts, settings: StepSettings, containment: Containment): Promise<void> {
  const { thingName, namedRepair, snapshot, adopted, replaced = [] } = containment;
  if (namedRepair === undefined) return;
  const ids = new Set([...snapshot.certificates, ...adopted].map(({ certificateId }) => certificateId));
  for (const { fresh } of replaced) ids.add(fresh);
  for (const id of await ports.rights.certificatesOf(thingName)) ids.add(id);
  await nextSlot(ports, settings, { calls: ofPolicies(ids.size) });
  for (const id of ids) await ports.rights.detachPolicy(id, namedRepair.policyName);
}

/** The hold came when the certificate was INACTIVE by us, so it has never been the reason: without a word it would be INACTIVE for ever. */
async function handOver(ports: ReleasePorts, id: CertificateId, hold: RevocationRecord | undefined, report: Report): Promise<void> {
  if (hold === undefined || !(await ports.revocationHolds.takeOver(hold.issuerId, hold.serialNumber)))
    throw new Error(`certificate ${id}: its revocation has changed at this very moment`);
  report.push(`certificate ${id}: on-hold`);
}

/** Another thing that has this certificate may be contained at this very moment: it claims first and then looks, we make it ACTIVE first and then look. */
async function activate(ports: ReleasePorts, { thingName }: Containment, registered: RegisteredCertificate, report: Report): Promise<void> {
  const { certificateId: id } = registered;
  if (!(await openAgain(ports, registered))) {
    report.push(`certificate ${id}: on-hold`);
    return;
  }
  const after = await ports.claims.letGo(id, thingName);
  if (after !== undefined && after.holders.length > 0) {
    await ports.registry.setStatus(id, 'INACTIVE');
    report.push(`certificate ${id}: held-by-another-thing`);
    return;
  }
  await ports.inventory.setStatus(id, 'ACTIVE', 'released', 'containment');
}

async function askToResume(
  ports: ReleasePorts,
  settings: StepSettings,
  { thingName, containmentId, trigger }: Containment,
  report: Report,
): Promise<void> {
  const jobId = quarantineNames(settings.application).job('resume', containmentId);
  const document = { operation: 'resume', version: SHUT_OFF_VERSION, containmentId, reason: trigger.kind } as const;
  await nextSlot(ports, settings, { of: 'jobs' });
  if ((await ports.jobs.create(jobId, thingName, document, settings.shutOffTimeoutMinutes)) === 'gone')
    report.push('thing: deleted meanwhile');
}
