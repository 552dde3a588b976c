/**
 * One batch of the intake queue. A storm is one batch, because the queue gathers for some seconds: so everything of it is counted before the first of it
 * is acted upon.
 *
 *     messages ─► read again at the source ─► thing, never-list ─► brake over the whole batch ─► workflows
 *                        └─ nothing, and why         └─ a person            └─ held, under its hash
 *
 * Settles in the order of the messages. What throws goes back to the queue alone, and nothing of it was begun.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import { neverListedBy } from '../../../domain/fleet/never-list.js';
import { RESPONSES } from '../../../domain/fleet/responses.js';
import { isThingName, thingName } from '../../../domain/fleet/thing-name.js';
import type { ContainmentControl, IntakeMessage } from '../../../domain/protocol/containment.js';
import { containmentIdOf } from '../../../domain/protocol/containment-workflow.js';
import { note } from '../evidence.js';
import { inTurns } from '../in-turns.js';
import { admit } from './admit.js';
import { carryOut } from './approve.js';
import { control } from './control.js';
import { escalate } from './escalate.js';
import { decide, decideNobody, type ThingDecision } from './decide.js';
import { look, sameness, type LookPorts, type Sighting, type TriggerMessage } from './look.js';
import { BY, turnsOf, type Candidate, type IntakePorts, type IntakeSettings } from './ports.js';

/** Longest delay of SQS. A message that waits is sent anew each time, so waiting uses up neither deliveries nor retention. */
const DEFER_SECONDS = 900;
const LOOKS_AT_ONCE = 20;

export async function run(
  ports: IntakePorts,
  settings: IntakeSettings,
  messages: readonly IntakeMessage[],
): Promise<readonly PromiseSettledResult<unknown>[]> {
  if (settings.mode === 'off') return messages.map(() => ({ status: 'fulfilled', value: 'off' }));
  const looking = { ...ports, turns: turnsOf(ports, settings) };
  const { stopped } = await ports.stop.state();
  if (stopped) ports.signals.count(METRICS.stopped);
  const candidates: Candidate[] = [];
  const seen = new Map<string, Promise<readonly Candidate[]>>();
  const results = await inTurns(LOOKS_AT_ONCE, messages, async (message): Promise<readonly Candidate[]> => {
    if (isControl(message)) return act(ports, settings, message, stopped);
    // Kept until the stop is lifted, and read again at its source then.
    if (stopped && settings.mode === 'enforce') return defer(ports, message);
    const same = seen.get(sameness(message)) ?? judge(looking, settings, message);
    seen.set(sameness(message), same);
    return same;
  });
  for (const found of await Promise.all([...seen.values()].map((one) => one.catch(() => [])))) candidates.push(...found);
  if (candidates.length === 0) return results;
  const strongest = onePerThing(candidates);
  ports.signals.count(METRICS.containmentsFound, strongest.length);
  if (settings.mode !== 'enforce') {
    const plan = strongest.slice(0, 50).map(({ input }) => `${input.thingName}:${input.response}`);
    ports.signals.info('would contain', { things: plan, found: strongest.length, reason: 'mode-observe' });
    return results;
  }
  const admitted = await settled(admit(ports, settings, strongest));
  if (admitted.status === 'fulfilled') return results;
  // Nothing of the batch is lost: every message that had a part in it comes again.
  return results.map((one) => (one.status === 'fulfilled' && one.value.length > 0 ? admitted : one));
}

const isControl = (message: IntakeMessage): message is ContainmentControl =>
  'kind' in message && (message.kind === 'release' || message.kind === 'extend' || message.kind === 'approved');

async function act(
  ports: IntakePorts,
  settings: IntakeSettings,
  message: ContainmentControl,
  stopped: boolean,
): Promise<readonly Candidate[]> {
  if (message.kind !== 'approved') await control(ports, message);
  else if (settings.mode !== 'enforce')
    ports.signals.info('would carry out an approved list', { hash: message.hash, reason: 'mode-observe' });
  else if (stopped) await defer(ports, message);
  else await carryOut(ports, settings, message.hash);
  return [];
}

async function defer({ queue }: IntakePorts, message: IntakeMessage): Promise<readonly Candidate[]> {
  await queue.send(message, DEFER_SECONDS);
  return [];
}

/** Reads one message again at its source and looks at its things. What is not to be contained is settled here. */
async function judge(ports: LookPorts, settings: IntakeSettings, message: TriggerMessage): Promise<readonly Candidate[]> {
  const sighting = await look(ports, settings, message);
  const { source, trigger, thingNames, nobody } = sighting;
  if (source.stands && nobody !== undefined) {
    await settle(ports, settings, sighting, nobody.name, decideNobody(sighting.response, nobody.reason), undefined);
    return [];
  }
  const names = thingNames.length > 0 ? thingNames : [''];
  if (!source.stands) {
    if (source.reason === 'forged') ports.signals.count(METRICS.violationForged);
    ports.signals.count(METRICS.violationsLeft);
    ports.signals.info('nothing is contained', { thingName: names[0], trigger: trigger.id, kind: trigger.kind, reason: source.reason });
    for (const name of names) if (name !== '') await noteLeft(ports, sighting, name, source.reason);
    return [];
  }
  const found: Candidate[] = [];
  for (const name of thingNames) {
    const candidate = await judgeThing(ports, settings, sighting, name);
    if (candidate !== undefined) found.push(candidate);
  }
  return found;
}

async function judgeThing(ports: IntakePorts, settings: IntakeSettings, sighting: Sighting, name: string): Promise<Candidate | undefined> {
  const { trigger, response, source } = sighting;
  if (!isThingName(name)) {
    await settle(ports, settings, sighting, name, { do: 'tell', reason: 'no-such-thing' }, undefined);
    return undefined;
  }
  const thing = thingName(name);
  const containmentId = containmentIdOf(trigger, name);
  const described = await ports.rights.describeThing(thing);
  const open = await ports.records.get(thing);
  const byPerson = trigger.kind === 'operator';
  const { neverContain } = settings;
  const groups = neverContain.groups.length > 0 && described !== undefined ? await ports.rights.groupsOf(thing) : [];
  const neverListed = described && neverListedBy(neverContain, { ...described, groups });
  const isPast = (await ports.records.past(thing, containmentId)) !== undefined;
  const facts = { byPerson, exists: described !== undefined, neverListed, response, open, containmentId, isPast };
  const decision = decide(facts, source.reason);
  const input = { containmentId, thingName: name, response: response ?? 'notify', trigger };
  if (decision.do === 'contain') return { input, byPerson };
  await settle(ports, settings, sighting, name, decision, neverListed);
  return undefined;
}

async function settle(
  ports: IntakePorts,
  settings: IntakeSettings,
  sighting: Sighting,
  name: string,
  decision: Exclude<ThingDecision, { do: 'contain' }>,
  neverListed: string | undefined,
): Promise<void> {
  const { trigger } = sighting;
  const ids = { thingName: name, trigger: trigger.id, behavior: trigger.behavior, reason: decision.reason };
  if (decision.do === 'page') ports.signals.count(METRICS.neverListed);
  if (decision.do === 'tell') ports.signals.count(METRICS.violationNotified);
  if (decision.do === 'page' || decision.do === 'tell') ports.signals.warn('a person is told', { ...ids, neverListed });
  else ports.signals.info('not contained anew', ids);
  await noteLeft(ports, sighting, name, decision.reason, neverListed === undefined ? {} : { neverListed });
  if (decision.do !== 'escalate' || settings.mode !== 'enforce') return;
  await escalate(ports, thingName(name), decision.response);
}

async function noteLeft(
  ports: IntakePorts,
  { trigger }: Sighting,
  name: string,
  reason: Parameters<typeof note>[4],
  detail: Readonly<Record<string, string>> = {},
): Promise<void> {
  const id = { thingName: name, containmentId: containmentIdOf(trigger, name), by: BY };
  await note(ports, id, 'outcome', 'consider', reason, { ...trigger.evidence, trigger: trigger.id, ...detail });
}

/** Of several triggers for one thing the strongest response counts; a person's word before a machine's. */
function onePerThing(candidates: readonly Candidate[]): readonly Candidate[] {
  const rank = ({ byPerson, input }: Candidate): number => (byPerson ? RESPONSES.length : 0) + RESPONSES.indexOf(input.response);
  const best = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const before = best.get(candidate.input.thingName);
    if (before === undefined || rank(candidate) > rank(before)) best.set(candidate.input.thingName, candidate);
  }
  return [...best.values()];
}

async function settled(work: Promise<unknown>): Promise<PromiseSettledResult<unknown>> {
  const [result] = await Promise.allSettled([work]);
  return result;
}
