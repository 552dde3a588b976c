/**
 * The round of the schedule: who has been away too long, and what is open about clients of which nothing arrives any more. It looks at the state of things
 * and not at events: one that fails half way is done by the next.
 */
import type { Behaviour } from '../../../domain/fleet/behaviours.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { LoggingSettings } from '../../ports/logging-settings.js';
import type { PresenceRow, Presences } from '../../ports/presences.js';
import type { StoredStanding } from '../../ports/standings.js';
import { inParallel } from '../in-parallel.js';
import type { BehaviourSettings } from '../settings.js';
import { announce, apply, giveUp, type StandingPorts } from '../standing/apply.js';
import { silence } from '../watch/evaluate.js';
import type { Planned } from '../watch/plan.js';
import { decideAway, decideLogging, decideStanding, lastWindowOver, type RoundDecision } from './decide.js';

export interface OfflinePorts extends StandingPorts {
  readonly logging: Pick<LoggingSettings, 'options'>;
  readonly presences: Presences;
}

/** Read so many, then deal with them: neither one by one nor all in memory. */
const CHUNK = 200;

export async function run(ports: OfflinePorts, settings: BehaviourSettings): Promise<void> {
  const away = settings.plan.all.filter(({ metric }) => metric.gathering === 'offline').map(({ behaviour }) => behaviour);
  if (away.length > 0) await lookForAbsent(ports, settings, away);
  await eachChunk(ports.standings.all(), (stored) => settle(ports, settings, stored));
  if (settings.sources.has('logs')) await lookAtLogging(ports);
}

/** Last: whatever comes of it, the round has been made. */
async function lookAtLogging({ logging, signals }: OfflinePorts): Promise<void> {
  const notLogged = decideLogging(await logging.options());
  if (notLogged === undefined) return;
  signals.count(METRICS.refusalsNotLogged, 1);
  signals.warn('refusals are not logged', { ...notLogged });
}

async function lookForAbsent(ports: OfflinePorts, settings: BehaviourSettings, away: readonly Behaviour[]): Promise<void> {
  const nowMs = ports.clock.nowMs();
  const shortestMinutes = Math.min(...away.map(({ value }) => Number(value)));
  await eachChunk(ports.presences.offlineSince(nowMs - shortestMinutes * 60_000), async (row) => {
    let told = 0;
    for (const behaviour of away) {
      const decision = decideAway(behaviour, row.atMs, nowMs);
      if (decision.do === 'count' && (await count(ports, settings, behaviour, row, decision))) told += 1;
    }
    if (told === away.length) await ports.presences.markTold(row);
  });
}

async function settle(ports: OfflinePorts, settings: BehaviourSettings, stored: StoredStanding): Promise<void> {
  const { standing } = stored;
  const planned = settings.plan.all.find(({ behaviour }) => behaviour.name === standing.behaviour);
  const isCurrent = planned !== undefined && settings.criteriaOf(planned.behaviour).hash === standing.criteria;
  const presence = planned?.metric.gathering === 'offline' ? await ports.presences.get(standing.clientId) : undefined;
  const decision = decideStanding(
    {
      ...standing,
      isPending: standing.pending !== undefined,
      isCurrent,
      ...(planned?.metric.gathering === 'offline' ? { isConnected: presence?.connected ?? false } : {}),
      ...(planned === undefined ? {} : silenceOf(planned, settings)),
    },
    settings.windowMs,
    ports.clock.nowMs(),
  );
  if (decision.do === 'announce') await announce(ports, settings.announcing, stored);
  if (decision.do === 'give-up') await giveUp(ports, settings.announcing, stored, settings.profileName);
  if (decision.do === 'count' && planned !== undefined) await count(ports, settings, planned.behaviour, standing, decision);
}

function silenceOf(planned: Planned, { sources }: BehaviourSettings) {
  const judged = silence(planned, sources);
  return judged === undefined ? {} : { silence: judged };
}

/** As the datapoint of the last window that is over. Resolves to whether a violation is open then. */
async function count(
  ports: OfflinePorts,
  { announcing, criteriaOf, windowMs }: BehaviourSettings,
  behaviour: Behaviour,
  { clientId, thingName, ...row }: Pick<PresenceRow, 'clientId' | 'thingName' | 'address'>,
  { isNormal, value }: Extract<RoundDecision, { readonly do: 'count' }>,
): Promise<boolean> {
  const windowEndMs = lastWindowOver(windowMs, ports.clock.nowMs());
  const window = { windowStartMs: windowEndMs - windowMs, windowEndMs };
  return apply(
    ports,
    announcing,
    { clientId, thingName: thingName ?? clientId, isNormal, value, ...window, silenceIsNormal: false },
    criteriaOf(behaviour),
    { clientId, ...window, ...(row.address === undefined ? {} : { address: row.address }) },
  );
}

async function eachChunk<T>(all: AsyncIterable<T>, act: (one: T) => Promise<unknown>): Promise<void> {
  let chunk: T[] = [];
  for await (const one of all) {
    chunk.push(one);
    if (chunk.length < CHUNK) continue;
    await inParallel(chunk, act);
    chunk = [];
  }
  await inParallel(chunk, act);
}
