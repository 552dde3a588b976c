/**
 * The device is asked to stop, by a job that it may still receive; no answer in time, or a refusal, and it is deactivated. Where commands are on, the same is
 * told by an AWS IoT command beside the job: a device that is connected answers that at once. A command can only shorten the way to `done`. Fails towards
 * asking on: what a command does not say, or cannot, is left to the job.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { quarantineNames } from '../../../domain/protocol/containment-workflow.js';
import { SHUT_OFF_DETAIL, SHUT_OFF_VERSION } from '../../../domain/protocol/shut-off.js';
import type { Containment, ShutOffOutcome } from '../../ports/containment-records.js';
import { note } from '../evidence.js';
import type { StepPorts, StepSettings } from '../ports.js';

/**
 * What the statuses of the job and of the command mean; `undefined`: nothing yet. A status that AWS adds one day is no answer. The refusal of the device to
 * the job outweighs what it said to the command; that the job was ended by somebody else does not.
 */
export function answerOf(
  job: string | undefined,
  askedAtMs: number,
  timeoutMs: number,
  nowMs: number,
  command?: string,
): ShutOffOutcome | undefined {
  if (job === 'SUCCEEDED') return 'done';
  if (job !== undefined && REFUSED_BY_DEVICE.has(job)) return 'refused';
  if (command === 'SUCCEEDED') return 'done';
  if (job !== undefined && ENDED_WITHOUT.has(job)) return 'refused';
  return nowMs - askedAtMs >= timeoutMs ? 'unanswered' : undefined;
}
const REFUSED_BY_DEVICE: ReadonlySet<string> = new Set(['FAILED', 'REJECTED']);
const ENDED_WITHOUT: ReadonlySet<string> = new Set(['TIMED_OUT', 'CANCELED', 'REMOVED']);

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
  // Deleted meanwhile: nobody is left to ask, and nobody to answer.
  const asked = created === 'gone' ? { outcome: 'unanswered' as const } : await tell(ports, containment);
  const askedAtMs = ports.clock.nowMs();
  return ports.records.move(thingName, containmentId, STATES, { shutOff: { jobId, askedAtMs, ...asked }, updatedAtMs: askedAtMs });
}

/** By command. Repeated, it is the same execution: the token is the containment. */
async function tell(
  { commands, signals }: StepPorts,
  { thingName, containmentId, trigger }: Containment,
): Promise<{ executionId?: string }> {
  if (commands === undefined) return {};
  try {
    return { executionId: await commands.start(thingName, { containmentId, reason: trigger.kind }, containmentId) };
  } catch (error) {
    signals.warn('no command', { thingName, containmentId, error: nameOf(error) });
    return {};
  }
}

export async function checkAnswer(ports: StepPorts, settings: StepSettings, containment: Containment): Promise<Containment | undefined> {
  const { thingName, containmentId, shutOff } = containment;
  if (shutOff === undefined) return containment;
  const job = await ports.jobs.execution(shutOff.jobId, thingName);
  const command = await heard(ports, containment);
  const nowMs = ports.clock.nowMs();
  const timeoutMs = settings.shutOffTimeoutMinutes * 60_000;
  const outcome = answerOf(job?.status, shutOff.askedAtMs, timeoutMs, nowMs, command?.status);
  if (outcome === undefined) return containment;
  const byCommand = outcome === 'done' && job?.status !== 'SUCCEEDED';
  const way = byCommand ? 'command' : 'job';
  if (outcome === 'done') ports.signals.count(METRICS.shutOffDone);
  else ports.signals.count(METRICS.shutOffUnanswered);
  if (byCommand) ports.signals.count(METRICS.shutOffByCommand);
  const said = (byCommand ? command : job)?.said[SHUT_OFF_DETAIL['shut-off']];
  const took = Math.round((nowMs - shutOff.askedAtMs) / 1000);
  await note(ports, containment, 'outcome', 'shut-off', REASON[outcome], {
    jobId: shutOff.jobId,
    seconds: took,
    ...(job === undefined ? {} : { status: job.status }),
    ...(shutOff.executionId === undefined ? {} : { executionId: shutOff.executionId }),
    ...(outcome === 'done' ? { way } : {}),
    // A device wrote it: kept for people, in one short line.
    ...(said === undefined ? {} : { stopped: said.slice(0, 128).replaceAll(/[^\x20-\x7e]/g, '?') }),
  });
  // Nobody waits for it any more. One that has been answered meanwhile has ended.
  if (outcome === 'unanswered' || byCommand) await ports.jobs.cancel(shutOff.jobId);
  return ports.records.move(thingName, containmentId, STATES, {
    shutOff: { ...shutOff, outcome, ...(outcome === 'done' ? { way } : {}) },
    updatedAtMs: nowMs,
  });
}

async function heard(
  { commands, signals }: StepPorts,
  { thingName, containmentId, shutOff }: Containment,
): Promise<{ readonly status: string; readonly said: Readonly<Record<string, string>> } | undefined> {
  if (commands === undefined || shutOff?.executionId === undefined) return undefined;
  try {
    return await commands.execution(shutOff.executionId, thingName);
  } catch (error) {
    signals.warn('no answer to a command', { thingName, containmentId, error: nameOf(error) });
    return undefined;
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');

const REASON: Readonly<Record<ShutOffOutcome, Reason>> = {
  done: 'shut-off-done',
  refused: 'shut-off-refused',
  unanswered: 'shut-off-unanswered',
};
