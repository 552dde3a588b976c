/**
 * What a person may do with a campaign. AWS IoT Jobs cannot be paused, so:
 *
 *     pause    the job is cancelled without force: who has begun may finish, who has not is planned again
 *     resume   who has not begun goes into a campaign of its own, with a job of its own; the paused one is cancelled
 *     cancel   the job is cancelled with force; `retire` takes back what is not proved
 *
 * The state of the campaign is moved first: from then on the rounds of `retire` carry on whatever a crash leaves.
 */
import { createHash } from 'node:crypto';
import type { Reason } from '../../../domain/fleet/reasons.js';
import type { CampaignControl, StartMessage } from '../../../domain/protocol/rotation-work.js';
import type { Campaign, Rotation } from '../../ports/rotations.js';
import { makeCampaign, type Occasion, open } from './open.js';
import type { StartPorts, StartSettings } from './ports.js';

const REASON: Readonly<Record<CampaignControl, Reason>> = {
  pause: 'campaign-paused',
  resume: 'campaign-resumed',
  cancel: 'campaign-cancelled',
};

export async function control(
  ports: StartPorts,
  settings: StartSettings,
  { campaignId, control: act, by }: Extract<StartMessage, { kind: 'control' }>,
): Promise<void> {
  const { campaigns, clock, decisions, signals } = ports;
  const campaign = await campaigns.get(campaignId);
  if (campaign === undefined) return signals.warn('no such campaign', { campaignId, control: act, by });
  const done = await ACTS[act](ports, settings, campaign, by);
  signals.info('campaign controlled', { campaignId, control: act, by, done });
  if (!done) return;
  await decisions.append({
    subject: `CAMPAIGN-LOG#${campaignId}`,
    step: 'outcome',
    act,
    reason: REASON[act],
    runId: campaignId,
    by,
    atMs: clock.nowMs(),
  });
}

/** `false`: the campaign is in no state for it. */
type Act = (ports: StartPorts, settings: StartSettings, campaign: Campaign, by: string) => Promise<boolean>;

const halt =
  (from: readonly Campaign['state'][], to: 'paused' | 'cancelled', force: boolean): Act =>
  async ({ campaigns, jobs, clock }, _settings, { campaignId, jobId, state }) => {
    // In that state already: a delivery that died after the move, so the job is cancelled (again).
    if (state !== to && !(await campaigns.move(campaignId, from, to, clock.nowMs()))) return false;
    if ((await jobs.describe(jobId)) !== undefined) await jobs.cancel(jobId, `campaign-${to}`, force);
    return true;
  };

const resume: Act = async (ports, settings, campaign, by) => {
  const { campaigns, clock, queue, rotations } = ports;
  const { campaignId, reason, deadlineMs } = campaign;
  if (campaign.state !== 'paused') return false;
  const successor = successorOf(campaign);
  const occasion: Occasion = { reason, foundBy: campaign.foundBy, by };
  let moved = 0;
  for await (const rotation of rotations.ofCampaign(campaignId)) {
    if (rotation.campaignId !== campaignId || !(await leave(ports, rotation))) continue;
    const record = await ports.inventory.byId(rotation.oldCertificateId);
    if (record?.status !== 'ACTIVE') continue;
    if (moved === 0) await makeCampaign(ports, settings, successor, occasion, deadlineMs);
    moved += 1;
    await open(ports, settings, successor, occasion, { record, decision: { do: 'open', reason, deadlineMs: rotation.deadlineMs } });
  }
  if ((await campaigns.get(successor))?.state === 'planned') await queue.send({ kind: 'launch', campaignId: successor });
  // Its job is cancelled for good. Who had begun before the pause may still finish in it.
  return campaigns.move(campaignId, ['paused'], 'cancelled', clock.nowMs());
};

/** Who has not begun leaves this campaign. Left it before, in a delivery that died: so it has. */
async function leave({ rotations, jobs, clock }: StartPorts, rotation: Rotation): Promise<boolean> {
  const { oldCertificateId, campaignId, jobId, thingName, state, stateReason } = rotation;
  if (state === 'withdrawn') return stateReason === 'moved-on';
  if (state !== 'planned' && state !== 'offered') return false;
  if (state === 'offered') {
    const execution = await jobs.execution(jobId, thingName);
    if (execution !== undefined && execution.status !== 'CANCELED') return false;
  }
  const atMs = clock.nowMs();
  const next = { state: 'withdrawn', stateReason: 'moved-on', settledAtMs: atMs, updatedAtMs: atMs, campaignId } as const;
  return (await rotations.move(oldCertificateId, ['planned', 'offered'], next)) !== undefined;
}

/** `due-2026-11-22` → `due-2026-11-22-r1f0c2a…`: by the time of the pause, so that a campaign can be paused and resumed more than once. */
function successorOf({ campaignId, updatedAtMs }: Campaign): string {
  const origin = campaignId.replace(/-r[0-9a-f]{6}$/, '');
  return `${origin}-r${createHash('sha256').update(`${campaignId} ${updatedAtMs}`).digest('hex').slice(0, 6)}`;
}

const ACTS: Readonly<Record<CampaignControl, Act>> = {
  pause: halt(['planned', 'running'], 'paused', false),
  resume,
  cancel: halt(['planned', 'running', 'paused'], 'cancelled', true),
};
