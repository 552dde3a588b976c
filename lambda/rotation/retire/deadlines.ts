/** Open rotations whose deadline comes closer: a job may wait for an offline device for ever (FACTS D1), the certificate does not. */
import { METRICS } from '../../../domain/fleet/metrics.js';
import { DAY_MS } from '../../../domain/fleet/rotation-window.js';
import type { RotationState } from '../../../domain/protocol/rotation.js';
import type { Rotation } from '../../ports/rotations.js';
import { decideDeadline, type DeadlineDecision } from './decide.js';
import { BY, type RetirePorts, type RetireSettings } from './ports.js';
import { eachInTime } from './rounds.js';
import { withdraw } from './withdraw.js';

/** No certificate yet: at the deadline they become `escalated`. With one registered the state stays, so that a late proof still counts. */
const WITHOUT_CERTIFICATE: readonly RotationState[] = ['planned', 'offered', 'requested', 'issued'];

export async function watchDeadlines(ports: RetirePorts, settings: RetireSettings, acting: boolean): Promise<void> {
  const { clock, rotations } = ports;
  const ahead = Math.max(0, ...settings.escalateDays) * DAY_MS;
  const complete = await eachInTime(ports, settings, rotations.dueBefore(clock.nowMs() + ahead + 1), (rotation) =>
    watchOne(ports, settings, rotation, acting),
  );
  if (!complete && acting) await ports.queue.send({ kind: 'deadlines' });
}

async function watchOne(ports: RetirePorts, settings: RetireSettings, rotation: Rotation, acting: boolean): Promise<void> {
  const { clock, inventory, signals } = ports;
  const past = clock.nowMs() >= rotation.deadlineMs;
  const record = past ? await inventory.byId(rotation.oldCertificateId) : undefined;
  const decision = decideDeadline({ ...rotation, notAfterMs: record?.notAfterMs }, settings.escalateDays, clock.nowMs());
  if (decision.do === 'nothing') return;
  if (!acting) return signals.info(`would ${decision.do}`, { certificateId: rotation.oldCertificateId, reason: decision.reason });
  if (decision.do === 'withdraw') return void (await withdraw(ports, settings, rotation, decision.reason));
  return tell(ports, rotation, decision);
}

/** The row, the metric, and last the mark: who dies in between tells twice rather than never. */
async function tell(ports: RetirePorts, rotation: Rotation, { days, reason }: Extract<DeadlineDecision, { do: 'tell' }>): Promise<void> {
  const { clock, decisions, rotations, signals } = ports;
  const { oldCertificateId, thingName, campaignId, state, deadlineMs } = rotation;
  await decisions.append({
    subject: `CERT#${oldCertificateId}`,
    step: 'outcome',
    act: 'escalate',
    reason,
    runId: campaignId,
    by: BY,
    atMs: clock.nowMs(),
    detail: { thingName, state, days, deadline: new Date(deadlineMs).toISOString() },
  });
  signals.count(days === 0 ? METRICS.rotationDeadlineMissed : METRICS.rotationEscalated);
  signals.warn('device has not replaced its certificate', { certificateId: oldCertificateId, thingName, campaignId, state, days, reason });
  const next = days === 0 && WITHOUT_CERTIFICATE.includes(state) ? 'escalated' : state;
  await rotations.move(oldCertificateId, [state], { state: next, escalatedDays: days });
}
