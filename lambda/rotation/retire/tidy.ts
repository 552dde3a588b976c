/**
 * A campaign that ended long ago: its job and its thing group go, the campaign and its rotations stay on record. Thing groups, active jobs and job
 * ids count against quotas of the account (FACTS D2), and a continuous job never ends by itself.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import { DAY_MS } from '../../../domain/fleet/rotation-window.js';
import type { Campaign } from '../../ports/rotations.js';
import { BY, type RetirePorts } from './ports.js';

/** People look at the job of a campaign in the console for a while after its end. Longer than any execution may be IN_PROGRESS (FACTS D1). */
const KEPT_MS = 30 * DAY_MS;
/** So many in one round: AWS IoT deletes few jobs at a time, and nothing hurries. */
export const TIDIED_A_ROUND = 5;

const ENDED: readonly Campaign['state'][] = ['completed', 'aborted', 'cancelled'];

/** Fails to keeping. */
export function isToTidy({ state, updatedAtMs, tidiedAtMs }: Campaign, nowMs: number): boolean {
  return ENDED.includes(state) && tidiedAtMs === undefined && nowMs - updatedAtMs > KEPT_MS;
}

/** May be repeated: what is gone is gone. */
export async function tidy(ports: RetirePorts, campaignId: string, acting: boolean): Promise<void> {
  const { campaigns, clock, decisions, groups, jobs, signals } = ports;
  const campaign = await campaigns.get(campaignId);
  if (campaign === undefined || !isToTidy(campaign, clock.nowMs())) return;
  const { jobId, thingGroupName } = campaign;
  if (!acting) return signals.info('would tidy', { campaignId, jobId });
  await jobs.remove(jobId);
  await groups.delete(thingGroupName);
  await decisions.append({
    subject: `CAMPAIGN-LOG#${campaignId}`,
    step: 'outcome',
    act: 'tidy',
    reason: 'ended-long-ago',
    runId: campaignId,
    by: BY,
    atMs: clock.nowMs(),
    detail: { jobId },
  });
  await campaigns.tidied(campaignId, clock.nowMs());
  signals.count(METRICS.campaignTidied);
  signals.info('job and thing group of a campaign deleted', { campaignId, jobId, reason: 'ended-long-ago' });
}
