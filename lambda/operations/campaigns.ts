import { randomBytes } from 'node:crypto';
import type { Reason } from '../../domain/fleet/reasons.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import type { RotationState } from '../../domain/protocol/rotation.js';
import type { CampaignControl, StartMessage } from '../../domain/protocol/rotation-work.js';
import type { Decision } from '../ports/decision-log.js';
import type { Campaign, Rotation } from '../ports/rotations.js';
import { Misused, Refused, type Answer } from './answer.js';
import type { Application } from './application.js';
import { bad, doubtful, facts, good, quiet, sentenceOf, table, time, timeAndAge, title } from './words.js';

const STATE_COLOUR: Readonly<Record<Campaign['state'], (text: string) => string>> = {
  planned: doubtful,
  running: good,
  paused: doubtful,
  completed: quiet,
  aborted: bad,
  cancelled: bad,
};

/** So many members are named on the screen; `--json` has all. */
const SHOWN = 50;

/** Asks for a new certificate of one thing, now. The same caller asking twice gets one rotation: one is open at most. */
export async function rotate(application: Application, given: string): Promise<Answer> {
  const thing = parseThing(given);
  const by = await application.caller();
  const requestId = randomBytes(6).toString('hex');
  await ask(application, { kind: 'rotate', thingName: thing, by, requestId });
  const campaignId = `operator-${requestId}`;
  return {
    json: { asked: 'rotate', thingName: thing, campaignId, by },
    text: () => good(`Asked for a rotation of ${thing}. See: fleetwarden campaign show ${campaignId}`),
  };
}

function parseThing(given: string): string {
  try {
    return thingName(given);
  } catch (error) {
    throw new Misused(error instanceof Error ? error.message : String(error));
  }
}

async function ask({ startQueue, parameters }: Application, message: StartMessage): Promise<void> {
  if (startQueue === undefined)
    throw new Refused('rotation is off in this installation: set rotation.mode in its configuration, and deploy');
  if (parameters.rotationMode !== 'enforce')
    throw new Refused(`rotation is in mode ${parameters.rotationMode}: it only observes; set rotation.mode to enforce, and deploy`);
  await startQueue.send(message);
}

/** Every campaign, the newest first. */
export async function listCampaigns({ campaigns }: Application): Promise<Answer> {
  const all: Campaign[] = [];
  for await (const campaign of campaigns.all()) all.push(campaign);
  all.sort((one, other) => other.createdAtMs - one.createdAtMs);
  return {
    json: { campaigns: all.map(campaignJson) },
    text: () =>
      all.length === 0
        ? quiet('There has been no campaign.')
        : table(
            ['campaign', 'state', 'devices', 'why', 'found by', 'since', 'deadline'],
            all.map((campaign) => [
              campaign.campaignId,
              STATE_COLOUR[campaign.state](campaign.state),
              String(campaign.size),
              campaign.reason,
              campaign.foundBy,
              time(campaign.createdAtMs),
              time(campaign.deadlineMs),
            ]),
          ),
  };
}

const campaignJson = ({ createdAtMs, updatedAtMs, deadlineMs, turnAtMs, ...campaign }: Campaign) => ({
  ...campaign,
  createdAt: time(createdAtMs),
  updatedAt: time(updatedAtMs),
  deadline: time(deadlineMs),
  ...(turnAtMs !== undefined && { turnAt: time(turnAtMs) }),
});

async function find({ campaigns }: Application, campaignId: string): Promise<Campaign> {
  const found = await campaigns.get(campaignId);
  if (found === undefined) throw new Refused(`there is no campaign ${campaignId}: see fleetwarden campaigns`);
  return found;
}

/** One campaign: how many of its devices are how far, as the ledger and AWS IoT Jobs have it now. */
export async function showCampaign(application: Application, campaignId: string): Promise<Answer> {
  const campaign = await find(application, campaignId);
  const progress: Partial<Record<RotationState, number>> = {};
  const members: Rotation[] = [];
  for await (const rotation of application.rotations.ofCampaign(campaignId)) {
    progress[rotation.state] = (progress[rotation.state] ?? 0) + 1;
    members.push(rotation);
  }
  const job = await application.jobs.describe(campaign.jobId);
  const decisions: Decision[] = [];
  for await (const row of application.decisions.of(`CAMPAIGN-LOG#${campaignId}`)) decisions.push(row);
  const rows = members.map(({ thingName: thing, oldCertificateId, newCertificateId, state, stateReason, updatedAtMs }) => ({
    thingName: thing,
    oldCertificateId,
    newCertificateId,
    state,
    stateReason,
    updatedAt: time(updatedAtMs),
  }));
  return {
    json: { campaign: campaignJson(campaign), progress, job, members: rows, decisions },
    text: () => {
      const { state, reason, foundBy, createdAtMs, deadlineMs, turnAtMs, jobId } = campaign;
      const waits = state === 'planned' && turnAtMs !== undefined;
      const counts = Object.entries(progress).map(([name, count]) => [`  ${name}`, String(count)] as const);
      const executions = Object.entries(job?.counts ?? {}).filter(([, count]) => count > 0);
      return [
        facts([
          ['campaign', title(campaignId)],
          ['state', STATE_COLOUR[state](state)],
          ['why', sentenceOf(reason)],
          ['found by', foundBy],
          ['since', timeAndAge(createdAtMs, application.clock.nowMs())],
          ['deadline', timeAndAge(deadlineMs, application.clock.nowMs())],
          // Its devices are told when those of earlier campaigns can have been served.
          ...(waits ? [['turn', timeAndAge(turnAtMs, application.clock.nowMs())] as const] : []),
          ['devices', String(members.length)],
          ...counts,
          ['job', `${jobId} ${job?.status ?? '(none)'}`],
          ...executions.map(([name, count]) => [`  ${name}`, String(count)] as const),
        ]),
        '',
        table(
          ['thing', 'state', 'since', 'why'],
          rows.slice(0, SHOWN).map((row) => [row.thingName, row.state, row.updatedAt, sentenceOf(row.stateReason ?? '')]),
        ),
        ...(rows.length > SHOWN ? [quiet(`… and ${rows.length - SHOWN} more: --json`)] : []),
        ...decisions.map(({ atMs, act, step, reason: why, by }) =>
          [quiet(time(atMs)), step === 'intent' ? `${act} …` : title(act), sentenceOf(why), quiet(`by ${by}`)].join('  '),
        ),
      ].join('\n');
    },
  };
}

const REASON: Readonly<Record<CampaignControl, Reason>> = {
  pause: 'campaign-paused',
  resume: 'campaign-resumed',
  cancel: 'campaign-cancelled',
};
const FROM: Readonly<Record<CampaignControl, readonly Campaign['state'][]>> = {
  pause: ['planned', 'running'],
  resume: ['paused'],
  cancel: ['planned', 'running', 'paused'],
};
const SAYS: Readonly<Record<CampaignControl, string>> = {
  pause: 'Asked to pause it: devices that have begun may finish, the others wait.',
  resume: 'Asked to resume it: the devices that waited go into a campaign of their own. See: fleetwarden campaigns',
  cancel: 'Asked to cancel it: what is not proved is taken back. What is still due is found again by the next expiry query.',
};

/** Pause, resume, cancel. The row that says who asked comes first; `start` carries it out. */
export async function controlCampaign(application: Application, campaignId: string, control: CampaignControl): Promise<Answer> {
  const campaign = await find(application, campaignId);
  if (!FROM[control].includes(campaign.state))
    throw new Refused(`campaign ${campaignId} is ${campaign.state}, expected ${FROM[control].join(' or ')} to ${control} it`);
  const by = await application.caller();
  const atMs = application.clock.nowMs();
  const row = { act: control, reason: REASON[control], runId: campaignId, by, atMs };
  await application.decisions.append({ subject: `CAMPAIGN-LOG#${campaignId}`, step: 'intent', ...row });
  await ask(application, { kind: 'control', campaignId, control, by });
  return { json: { asked: control, campaignId, by, at: time(atMs) }, text: () => good(SAYS[control]) };
}
