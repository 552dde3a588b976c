/**
 * Ends a rotation that was not proved: the old certificate stays, the new one is taken back.
 *
 *     withdrawn ─► new certificate superseded ─► execution cancelled ─► out of the group ─► settled
 *
 * The state comes first, in one conditional write: of `prove` and this, one wins. Had the certificate gone first, a proof that arrives in between
 * would deactivate the old one, and the device would have none. What a crash leaves is settled by the next round.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { OPEN_ROTATION_STATES } from '../../../domain/protocol/rotation.js';
import { campaignResourceName } from '../../../domain/protocol/rotation-work.js';
import type { Rotation } from '../../ports/rotations.js';
import { decideTakeBack } from './decide.js';
import { nextSlot } from '../pace.js';
import { BY, type RetirePorts, type RetireSettings } from './ports.js';
import { find, supersede } from './supersede.js';

/** `false`: proved, or withdrawn by somebody else, in the meantime; or kept, because the new certificate is all that the device has. */
export async function withdraw(ports: RetirePorts, settings: RetireSettings, rotation: Rotation, reason: Reason): Promise<boolean> {
  const { decisions, rotations, clock } = ports;
  if (!(await mayTakeBack(ports, settings, rotation))) return false;
  await decisions.append({ ...entryOf(rotation, reason), step: 'intent', atMs: clock.nowMs() });
  const atMs = clock.nowMs();
  const withdrawn = await rotations.move(rotation.oldCertificateId, OPEN_ROTATION_STATES, {
    state: 'withdrawn',
    stateReason: reason,
    updatedAtMs: atMs,
  });
  if (withdrawn === undefined) return false;
  ports.signals.count(METRICS.rotationWithdrawn);
  return settle(ports, settings, withdrawn);
}

/** Of a withdrawn rotation: takes back what it has brought about. May be repeated. */
export async function settle(ports: RetirePorts, settings: RetireSettings, rotation: Rotation): Promise<boolean> {
  const { clock, decisions, groups, jobs, rotations, signals } = ports;
  const { oldCertificateId, newCertificateId, newCertificateArn, campaignId, jobId, thingName, stateReason = '' } = rotation;
  if (!(await mayTakeBack(ports, settings, rotation))) return false;
  if (newCertificateId !== undefined || newCertificateArn !== undefined) {
    const fresh = await find(ports, newCertificateId, newCertificateArn);
    if (fresh !== undefined) await supersede(ports, fresh, campaignId);
  }
  await jobs.cancelExecution(jobId, thingName);
  await groups.remove(campaignResourceName(settings.application, campaignId), thingName);
  await decisions.append({ ...entryOf(rotation, stateReason), step: 'outcome', atMs: clock.nowMs() });
  await rotations.move(oldCertificateId, ['withdrawn'], { state: 'withdrawn', settledAtMs: clock.nowMs(), campaignId });
  signals.info('rotation withdrawn', { certificateId: oldCertificateId, newCertificateId, thingName, campaignId, reason: stateReason });
  return true;
}

async function mayTakeBack(
  ports: RetirePorts,
  { perSecond }: RetireSettings,
  { oldCertificateId, newCertificateId, thingName, campaignId }: Rotation,
): Promise<boolean> {
  if (newCertificateId === undefined) return true;
  await nextSlot(ports, perSecond, 'settling');
  const fresh = await ports.registry.describe(newCertificateId);
  const old = await find(ports, oldCertificateId);
  const standing = old?.registered?.status ?? 'absent';
  const decision = decideTakeBack({ standing, notAfterMs: old?.notAfterMs }, fresh?.status ?? 'absent', ports.clock.nowMs());
  if (decision.do === 'take-back') return true;
  ports.signals.count(METRICS.retirementBlocked);
  ports.signals.warn('new certificate kept', { certificateId: newCertificateId, thingName, campaignId, reason: decision.reason });
  return false;
}

const entryOf = ({ oldCertificateId, newCertificateId, campaignId, thingName, state }: Rotation, reason: string) => ({
  subject: `CERT#${oldCertificateId}`,
  act: 'withdraw',
  reason,
  runId: campaignId,
  by: BY,
  detail: { thingName, state, ...(newCertificateId === undefined ? {} : { newCertificateId }) },
});
