/** Contain, release, extend, and what is contained. The function on the intake queue carries out what is asked for: it has the brake and the interlocks. */
import { randomBytes } from 'node:crypto';
import { DESTRUCTIVE_RESPONSES, type Response } from '../../domain/fleet/responses.js';
import { thingName, type ThingName } from '../../domain/fleet/thing-name.js';
import type { IntakeMessage } from '../../domain/protocol/containment.js';
import { containmentIdOf } from '../../domain/protocol/containment-workflow.js';
import type { Containment } from '../ports/containment-records.js';
import { Misused, Refused, type Answer } from './answer.js';
import type { Application } from './application.js';
import { bad, doubtful, duration, facts, good, quiet, table, time, timeAndAge, title } from './words.js';

const HOURS = /^[1-9]\d{0,3}$/;
const MAX_HOURS = 8760;
const MAX_REASON = 256;

/** A person contains one thing. Of two requests for a thing that is contained already, the stronger response counts. */
export async function contain(
  application: Application,
  given: string,
  { reason, response }: { readonly reason: string; readonly response: string },
): Promise<Answer> {
  const thing = parseThing(given);
  const asked = DESTRUCTIVE_RESPONSES.find((word): word is (typeof DESTRUCTIVE_RESPONSES)[number] => word === response);
  if (asked === undefined) throw new Misused(`response: got "${response}", expected ${DESTRUCTIVE_RESPONSES.join(', ')}`);
  const by = await application.caller();
  const requestId = randomBytes(6).toString('hex');
  await ask(application, { kind: 'operator', thingName: thing, response: asked, by, reason: reasonOf(reason), requestId });
  const containmentId = containmentIdOf({ kind: 'operator', id: requestId }, thing);
  return {
    json: { asked: 'contain', thingName: thing, response: asked, containmentId, by },
    text: () => good(`Asked to contain ${thing} (${asked}). See: fleetwarden contained, fleetwarden why ${thing}`),
  };
}

export async function release(
  application: Application,
  given: string,
  { reason, rekey = false, force = false }: { readonly reason: string; readonly rekey?: boolean; readonly force?: boolean },
): Promise<Answer> {
  const thing = parseThing(given);
  const containment = await theContainment(application, thing);
  if (rekey && application.parameters.rotationMode !== 'enforce')
    throw new Refused(
      'a new key takes a rotation, and rotation does not enforce in this installation: release without --rekey, or switch it on',
    );
  const by = await application.caller();
  await send(application, { kind: 'release', thingName: thing, by, reason: reasonOf(reason), rekey, force });
  return {
    json: { asked: 'release', thingName: thing, containmentId: containment.containmentId, rekey, force, by },
    text: () => good(`Asked to release ${thing}${rekey ? ' with a new key' : ''}. What differs then: fleetwarden why ${thing}`),
  };
}

export async function extend(application: Application, given: string, hours: string): Promise<Answer> {
  const thing = parseThing(given);
  if (!HOURS.test(hours) || Number(hours) > MAX_HOURS) throw new Misused(`hours: got "${hours}", expected 1 to ${MAX_HOURS}`);
  const { containmentId } = await theContainment(application, thing);
  const by = await application.caller();
  await send(application, { kind: 'extend', thingName: thing, by, hours: Number(hours) });
  return {
    json: { asked: 'extend', thingName: thing, containmentId, hours: Number(hours), by },
    text: () => good(`Asked to keep ${thing} contained for ${hours} hours from now on.`),
  };
}

/** Everything that is contained, the oldest first. */
export async function listContained({ containments, clock }: Application): Promise<Answer> {
  const all: Containment[] = [];
  for await (const containment of containments.all()) all.push(containment);
  all.sort((one, other) => one.startedAtMs - other.startedAtMs);
  const nowMs = clock.nowMs();
  return {
    json: { contained: all.map((containment) => ({ ...containmentJson(containment), secondsLeft: secondsLeft(containment, nowMs) })) },
    text: () =>
      all.length === 0
        ? good('Nothing is contained.')
        : table(
            ['thing', 'state', 'response', 'since', 'by what', 'shut off', 'time left'],
            all.map((containment) => [
              containment.thingName,
              STATE_COLOUR[containment.state](stateOf(containment)),
              containment.response,
              timeAndAge(containment.startedAtMs, nowMs),
              `${containment.trigger.kind}: ${containment.trigger.reason}`,
              containment.shutOff === undefined ? '' : (containment.shutOff.outcome ?? 'asked'),
              duration(containment.endsAtMs - nowMs),
            ]),
          ),
  };
}

export const STATE_COLOUR: Readonly<Record<Containment['state'], (text: string) => string>> = {
  recorded: doubtful,
  cut: bad,
  locked: bad,
  reopened: doubtful,
  deactivated: bad,
  releasing: good,
  released: quiet,
};

export const stateOf = ({ state, release: asked, rekeying }: Containment): string =>
  rekeying === true ? `${state}, waits for a new key` : asked !== undefined && state !== 'releasing' ? `${state}, to be released` : state;

export const secondsLeft = ({ endsAtMs }: Containment, nowMs: number): number => Math.max(0, Math.round((endsAtMs - nowMs) / 1000));

/** Without what is of use to the workflow alone. */
export function containmentJson({ taskToken: _token, startedAtMs, updatedAtMs, endsAtMs, ...containment }: Containment) {
  return { ...containment, startedAt: time(startedAtMs), updatedAt: time(updatedAtMs), endsAt: time(endsAtMs) };
}

export function containmentFacts(containment: Containment): string {
  const { thingName: thing, state, response, trigger, snapshot, startedAtMs, endsAtMs, release: asked } = containment;
  return facts([
    ['thing', title(thing)],
    ['contained', `${STATE_COLOUR[state](stateOf(containment))} (${response})`],
    ['since', time(startedAtMs)],
    ['time box ends', time(endsAtMs)],
    ['by what', `${trigger.kind} ${trigger.id}: ${trigger.reason}, by ${trigger.by}`],
    ...Object.entries(trigger.evidence).map(([name, value]) => [`  ${name}`, String(value)] as const),
    ...snapshot.certificates.map(
      ({ certificateId, status, policies }) => ['had', `${certificateId} ${status} ${policies.join(' ')}`] as const,
    ),
    ['groups', snapshot.groups.map(({ name, policies }) => (policies.length > 0 ? `${name} (${policies.join(' ')})` : name)).join(', ')],
    ...(asked === undefined ? [] : [['release', `asked for by ${asked.by}: ${asked.reason}`] as const]),
  ]);
}

function parseThing(given: string): ThingName {
  try {
    return thingName(given);
  } catch (error) {
    throw new Misused(error instanceof Error ? error.message : String(error));
  }
}

function reasonOf(given: string): string {
  const reason = given.trim();
  if (reason === '' || reason.length > MAX_REASON)
    throw new Misused(`reason: got ${reason.length} characters, expected 1 to ${MAX_REASON}`);
  return reason;
}

async function theContainment({ containments }: Application, thing: ThingName): Promise<Containment> {
  const found = await containments.get(thing);
  if (found === undefined) throw new Refused(`${thing} is not contained: see fleetwarden contained`);
  return found;
}

/** Begins something: only where quarantine acts. */
async function ask(application: Application, message: IntakeMessage & { readonly response: Response }): Promise<void> {
  const { quarantineMode } = application.parameters;
  if (application.intakeQueue !== undefined && quarantineMode !== 'enforce')
    throw new Refused(`quarantine is in mode ${quarantineMode}: it only observes; set quarantine.mode to enforce, and deploy`);
  await send(application, message);
}

/** Also in `observe`: what is contained can be let go. */
async function send({ intakeQueue }: Application, message: IntakeMessage): Promise<void> {
  if (intakeQueue === undefined)
    throw new Refused('quarantine is off in this installation: set quarantine.mode in its configuration, and deploy');
  await intakeQueue.send(message);
}
