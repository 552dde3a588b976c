/**
 * One campaign, as IoT Jobs and the ledger have it now: who failed is withdrawn, what a crash left is settled, and when nobody is left the campaign is
 * complete. Level, not edge: no event of a job is needed, and a lost one costs a quarter of an hour.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { OPEN_ROTATION_STATES, type RotationState } from '../../../domain/protocol/rotation.js';
import type { JobExecutionStatus } from '../../ports/jobs.js';
import type { Campaign, Rotation } from '../../ports/rotations.js';
import { decideMember } from './decide.js';
import { BY, type RetirePorts, type RetireSettings } from './ports.js';
import { eachInTime } from './rounds.js';
import { settle, withdraw } from './withdraw.js';

const OPEN: readonly RotationState[] = OPEN_ROTATION_STATES;
const ENDED: readonly JobExecutionStatus[] = ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'REJECTED', 'REMOVED', 'CANCELED'];
/** DescribeJobExecution of the control plane has ten a second (FACTS D2; the 200 are those of devices), and `issue` asks there too. */
const EXECUTIONS_PER_SECOND = 5;

type Job = { readonly status: string; readonly counts: Readonly<Record<JobExecutionStatus, number>> } | undefined;

export async function watchCampaign(ports: RetirePorts, settings: RetireSettings, campaignId: string, acting: boolean): Promise<void> {
  const { campaigns, jobs, queue, rotations, signals } = ports;
  const found = await campaigns.get(campaignId);
  if (found === undefined || found.state === 'planned') return;
  const job = await jobs.describe(found.jobId);
  const campaign = acting ? await noticeAbort(ports, found, job) : found;

  const progress: Partial<Record<RotationState, number>> = {};
  const unsettled: Rotation[] = [];
  for await (const rotation of rotations.ofCampaign(campaignId)) {
    if (rotation.campaignId !== campaignId) continue;
    progress[rotation.state] = (progress[rotation.state] ?? 0) + 1;
    if (OPEN.includes(rotation.state) || (rotation.state === 'withdrawn' && rotation.settledAtMs === undefined)) unsettled.push(rotation);
  }
  signals.info('campaign', { campaignId, state: campaign.state, job: job?.status, ...progress });
  const ask = whetherToAsk(campaign, job, progress);
  let left = 0;
  const complete = await eachInTime(ports, settings, unsettled, async (rotation) => {
    left += 1; // also what throws is left
    if (await lookAtMember(ports, settings, campaign, job, rotation, ask, acting)) left -= 1;
  });
  if (!acting) return;
  if (!complete) return queue.send({ kind: 'campaign', campaignId });
  if (left === 0) await conclude(ports, campaign, progress);
}

/**
 * Most devices are offline or waiting, and asking for each of them every quarter of an hour would use up the quota: they are asked about where
 * more executions have ended than rotations. A device that has proved itself and not yet said so hides one that failed, until it says so or times out.
 */
function whetherToAsk({ state }: Campaign, job: Job, progress: Partial<Record<RotationState, number>>): boolean {
  if (job === undefined || state !== 'running') return true;
  const ended = ENDED.reduce((sum, status) => sum + job.counts[status], 0);
  const closed = (progress.proved ?? 0) + (progress.retired ?? 0) + (progress.withdrawn ?? 0);
  return ended > closed;
}

/** Resolves to whether nothing is left to do for this member. */
async function lookAtMember(
  ports: RetirePorts,
  settings: RetireSettings,
  campaign: Campaign,
  job: Job,
  rotation: Rotation,
  ask: boolean,
  acting: boolean,
): Promise<boolean> {
  const { clock, rotations, signals } = ports;
  const { state, updatedAtMs, thingName, oldCertificateId, settledAtMs } = rotation;
  const execution = await executionOf(ports, settings, job, rotation, ask);
  const facts = { state, sinceMs: updatedAtMs, settled: settledAtMs !== undefined, campaign: campaign.state, execution };
  const decision = decideMember(facts, settings.proofTimeoutMs, clock.nowMs());
  if (!acting) {
    if (decision.do !== 'nothing') signals.info(`would ${decision.do}`, { certificateId: oldCertificateId, thingName, execution });
    return false;
  }
  switch (decision.do) {
    case 'nothing':
      return false;
    case 'settle':
      return settle(ports, settings, rotation);
    case 'withdraw':
      return withdraw(ports, settings, rotation, decision.reason);
    case 'plan-again':
      await rotations.move(oldCertificateId, ['offered'], { state: 'planned', updatedAtMs: clock.nowMs() });
      return false;
  }
}

async function executionOf(
  { jobs, pace, clock }: RetirePorts,
  { proofTimeoutMs }: RetireSettings,
  job: Job,
  { state, updatedAtMs, jobId, thingName }: Rotation,
  ask: boolean,
): Promise<string> {
  if (state === 'withdrawn' || state === 'planned') return 'unknown';
  if (job === undefined) return 'none';
  const overdue = state !== 'offered' && state !== 'escalated' && clock.nowMs() - updatedAtMs > proofTimeoutMs;
  if (!ask && !overdue) return 'unknown';
  await clock.sleepUntil(await pace.reserve('job-executions', 1, EXECUTIONS_PER_SECOND, clock.nowMs()));
  return (await jobs.execution(jobId, thingName))?.status ?? 'none';
}

/** The job is CANCELED although no person has said so here: its abort criteria were met, or somebody cancelled it at AWS IoT itself. */
async function noticeAbort(ports: RetirePorts, campaign: Campaign, job: Job): Promise<Campaign> {
  const { campaignId, state, size } = campaign;
  if (state !== 'running' || job?.status !== 'CANCELED') return campaign;
  const failed = job.counts.FAILED + job.counts.TIMED_OUT + job.counts.REJECTED;
  await note(ports, campaign, 'abort', 'abort-criteria', { failed, size });
  ports.signals.count(METRICS.campaignAborted);
  ports.signals.warn('campaign aborted', { campaignId, reason: 'abort-criteria', failed, size });
  await ports.campaigns.move(campaignId, ['running'], 'aborted', ports.clock.nowMs());
  return { ...campaign, state: 'aborted' };
}

async function conclude(ports: RetirePorts, campaign: Campaign, progress: Partial<Record<RotationState, number>>): Promise<void> {
  if (campaign.state !== 'running') return;
  await note(ports, campaign, 'complete', 'all-settled', progress);
  await ports.campaigns.move(campaign.campaignId, ['running'], 'completed', ports.clock.nowMs());
  ports.signals.count(METRICS.campaignCompleted);
  ports.signals.info('campaign complete', { campaignId: campaign.campaignId, ...progress });
}

function note(
  { decisions, clock }: RetirePorts,
  { campaignId }: Campaign,
  act: string,
  reason: Reason,
  detail: Readonly<Record<string, number>>,
): Promise<void> {
  const atMs = clock.nowMs();
  return decisions.append({ subject: `CAMPAIGN-LOG#${campaignId}`, step: 'outcome', act, reason, runId: campaignId, by: BY, atMs, detail });
}
