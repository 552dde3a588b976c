/** The device is asked to stop, by a job that it may still receive; no answer in time, or a refusal, and it is deactivated. */
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { quarantineNames } from '../../../domain/protocol/containment-workflow.js';
import { SHUT_OFF_DETAIL, SHUT_OFF_VERSION } from '../../../domain/protocol/shut-off.js';
import type { Containment, ShutOffOutcome } from '../../ports/containment-records.js';
import { note } from '../evidence.js';
import type { StepPorts, StepSettings } from '../ports.js';

/** What the status of an execution means; `undefined`: nothing yet. A status that AWS adds one day is no answer. */
export function answerOf(status: string | undefined, askedAtMs: number, timeoutMs: number, nowMs: number): ShutOffOutcome | undefined {
  if (status === 'SUCCEEDED') return 'done';
  if (status !== undefined && ENDED_WITHOUT.has(status)) return 'refused';
  return nowMs - askedAtMs >= timeoutMs ? 'unanswered' : undefined;
}
const ENDED_WITHOUT: ReadonlySet<string> = new Set(['FAILED', 'REJECTED', 'TIMED_OUT', 'CANCELED', 'REMOVED']);

const STATES = ['recorded', 'reopened'] as const;

export async function askShutOff(ports: StepPorts, settings: StepSettings, containment: Containment): Promise<Containment | undefined> {
  const { thingName, containmentId, trigger } = containment;
  const jobId = quarantineNames(settings.application).job('shut-off', containmentId);
  await note(ports, containment, 'intent', 'shut-off', 'shut-off-asked', { jobId });
  const created = await ports.jobs.create(
    jobId,
    thingName,
    { operation: 'shut-off', version: SHUT_OFF_VERSION, containmentId, reason: trigger.kind },
    settings.shutOffTimeoutMinutes,
  );
  const askedAtMs = ports.clock.nowMs();
  // Deleted meanwhile: nobody is left to ask, and nobody to answer.
  const shutOff = { jobId, askedAtMs, ...(created === 'gone' ? { outcome: 'unanswered' as const } : {}) };
  return ports.records.move(thingName, containmentId, STATES, { shutOff, updatedAtMs: askedAtMs });
}

export async function checkAnswer(ports: StepPorts, settings: StepSettings, containment: Containment): Promise<Containment | undefined> {
  const { thingName, containmentId, shutOff } = containment;
  if (shutOff === undefined) return containment;
  const execution = await ports.jobs.execution(shutOff.jobId, thingName);
  const nowMs = ports.clock.nowMs();
  const outcome = answerOf(execution?.status, shutOff.askedAtMs, settings.shutOffTimeoutMinutes * 60_000, nowMs);
  if (outcome === undefined) return containment;
  if (outcome === 'done') ports.signals.count(METRICS.shutOffDone);
  else ports.signals.count(METRICS.shutOffUnanswered);
  const said = execution?.said[SHUT_OFF_DETAIL['shut-off']];
  const took = Math.round((nowMs - shutOff.askedAtMs) / 1000);
  await note(ports, containment, 'outcome', 'shut-off', REASON[outcome], {
    jobId: shutOff.jobId,
    seconds: took,
    ...(execution === undefined ? {} : { status: execution.status }),
    // A device wrote it: kept for people, in one short line.
    ...(said === undefined ? {} : { stopped: said.slice(0, 128).replaceAll(/[^\x20-\x7e]/g, '?') }),
  });
  if (outcome === 'unanswered') await ports.jobs.cancel(shutOff.jobId);
  return ports.records.move(thingName, containmentId, STATES, { shutOff: { ...shutOff, outcome }, updatedAtMs: nowMs });
}

const REASON: Readonly<Record<ShutOffOutcome, Reason>> = {
  done: 'shut-off-done',
  refused: 'shut-off-refused',
  unanswered: 'shut-off-unanswered',
};
