/**
 * From a planned campaign to devices that are told:
 *
 *     its turn ─► thing group ─► its members ─► job (SNAPSHOT: who is in the group now) ─► members offered ─► campaign running
 *
 * Each step may be repeated; the job has a deterministic id, so that it is created once. The job is what devices see: it comes after the last
 * member, because whoever joins the group later gets no execution.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import { ROTATION_OPERATION, ROTATION_VERSION } from '../../../domain/protocol/rotation.js';
import type { Campaign, Rotation } from '../../ports/rotations.js';
import { BY, type StartPorts, type StartSettings } from './ports.js';
import { waitsForTurn } from './turn.js';

/** Membership is changed at the pace of this name, by all workers together. */
const PACE = 'thing-groups';
const AT_ONCE = 20;
const MAX_ATTEMPTS = 3;

export async function launch(ports: StartPorts, settings: StartSettings, campaignId: string): Promise<void> {
  const { campaigns, clock, decisions, groups, jobs, rotations, signals } = ports;
  const campaign = await campaigns.get(campaignId);
  if (campaign?.state !== 'planned') return signals.info('nothing to launch', { campaignId, state: campaign?.state });
  const { jobId, thingGroupName, reason } = campaign;
  const members = await membersOf(ports, campaignId);
  if (await waitsForTurn(ports, settings, campaign, members.length)) return;
  const entry = {
    subject: `CAMPAIGN-LOG#${campaignId}`,
    act: 'launch',
    runId: campaignId,
    by: BY,
    detail: { jobId, size: members.length },
  };
  await decisions.append({ ...entry, step: 'intent', reason, atMs: clock.nowMs() });
  await groups.create(thingGroupName, campaignId);
  const grouped = await inSlots(ports, settings.groupsPerSecond, members, ({ thingName }) => groups.add(thingGroupName, thingName));
  await jobs.create(jobId, thingGroupName, documentOf(campaign), settings.rollout);
  for (let start = 0; start < grouped.length; start += AT_ONCE) {
    const some = grouped.slice(start, start + AT_ONCE);
    await Promise.all(
      some.map(({ oldCertificateId }) =>
        rotations.move(oldCertificateId, ['planned'], { state: 'offered', campaignId, jobId, updatedAtMs: clock.nowMs() }),
      ),
    );
  }
  if (!(await campaigns.move(campaignId, ['planned'], 'running', clock.nowMs(), grouped.length))) return withdrawJob(ports, campaignId);
  await decisions.append({ ...entry, step: 'outcome', reason: 'launched', atMs: clock.nowMs() });
  signals.count(METRICS.campaignLaunched);
  signals.info('campaign launched', { campaignId, jobId, size: grouped.length, leftOut: members.length - grouped.length, reason });
}

/** A person paused or cancelled it while it was being launched; another delivery may also have been faster. */
async function withdrawJob({ campaigns, jobs, signals }: StartPorts, campaignId: string): Promise<void> {
  const now = await campaigns.get(campaignId);
  if (now?.state === 'paused') await jobs.cancel(now.jobId, 'campaign-paused', false);
  if (now?.state === 'cancelled') await jobs.cancel(now.jobId, 'campaign-cancelled', true);
  signals.info('campaign launched by another delivery, or stopped meanwhile', { campaignId, state: now?.state });
}

/** Planned or offered: a launch that died may have offered some. A rotation that moved on to another campaign is no member any more. */
async function membersOf({ rotations }: StartPorts, campaignId: string): Promise<readonly Rotation[]> {
  const members: Rotation[] = [];
  for await (const rotation of rotations.ofCampaign(campaignId)) {
    if (rotation.campaignId === campaignId && (rotation.state === 'planned' || rotation.state === 'offered')) members.push(rotation);
  }
  return members;
}

/**
 * Puts each member into the group in a slot of its own; what fails gets another slot, three in all. Resolves to those that are in. One thing that
 * was deleted, or is in ten groups already, must not keep the others waiting: it stays planned, `retire` withdraws it, and the next run
 * tries again. Where not one could be added, the whole message is tried again.
 */
async function inSlots(
  { pace, clock, signals }: Pick<StartPorts, 'pace' | 'clock' | 'signals'>,
  perSecond: number,
  members: readonly Rotation[],
  add: (member: Rotation) => Promise<void>,
): Promise<readonly Rotation[]> {
  const chunk = Math.max(1, Math.min(AT_ONCE, Math.floor(perSecond)));
  const waiting = members.map((member) => ({ member, failures: 0 }));
  const added: Rotation[] = [];
  let failure: unknown;
  while (waiting.length > 0) {
    const some = waiting.splice(0, chunk);
    const startMs = await pace.reserve(PACE, some.length, perSecond, clock.nowMs());
    const results = await Promise.allSettled(
      some.map(async ({ member }, index) => {
        await clock.sleepUntil(startMs + (index * 1000) / perSecond);
        await add(member);
        return member;
      }),
    );
    for (const [index, result] of results.entries()) {
      const tried = some[index];
      if (tried === undefined) continue;
      if (result.status === 'fulfilled') {
        added.push(result.value);
        continue;
      }
      failure = result.reason;
      if (tried.failures + 1 < MAX_ATTEMPTS) waiting.push({ ...tried, failures: tried.failures + 1 });
      else
        signals.warn('left out of the campaign', {
          thingName: tried.member.thingName,
          reason: 'not-in-group',
          error: String(failure).slice(0, 200),
        });
    }
  }
  if (members.length > 0 && added.length === 0) throw failure;
  return added;
}

const documentOf = ({ campaignId, reason, deadlineMs }: Campaign) => ({
  operation: ROTATION_OPERATION as typeof ROTATION_OPERATION,
  version: ROTATION_VERSION as typeof ROTATION_VERSION,
  campaignId,
  reason,
  deadline: new Date(deadlineMs).toISOString(),
});
