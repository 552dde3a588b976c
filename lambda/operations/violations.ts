/** What is in alarm, and what people judge it to be: a violation that is marked as false or benign contains nobody. */
import { VERIFICATION_STATES, type VerificationState } from '../../domain/protocol/violation.js';
import type { Decision } from '../ports/decision-log.js';
import type { JudgedViolation, JudgedViolations } from '../ports/judged-violations.js';
import { Misused, Refused, type Answer } from './answer.js';
import type { Application } from './application.js';
import { bad, facts, good, quiet, table, time, timeAndAge } from './words.js';

const VIOLATION_ID = /^[a-zA-Z0-9-]{1,128}$/;
/** As PutVerificationStateOnViolation takes it, for either origin. */
const DESCRIPTION = /^[^\p{Cc}]{1,1000}$/u;

export async function listViolations(application: Application, { thing }: { readonly thing?: string }): Promise<Answer> {
  const open: JudgedViolation[] = [];
  for await (const violation of watching(application).open(thing)) open.push(violation);
  open.sort((one, other) => one.startedAtMs - other.startedAtMs);
  const nowMs = application.clock.nowMs();
  return {
    json: { violations: open.map(asJson) },
    text: () =>
      open.length === 0
        ? good(`Nothing is in alarm${thing === undefined ? '' : ` for ${thing}`}.`)
        : [
            table(
              ['violation', 'thing', 'behaviour', 'value', 'since', 'detected by', 'marked as'],
              open.map(({ violationId, thingName, behavior, metricValue, startedAtMs, origin, verificationState = 'UNKNOWN' }) => [
                violationId,
                thingName,
                bad(behavior),
                valueOf(metricValue),
                timeAndAge(startedAtMs, nowMs),
                origin,
                verificationState === 'UNKNOWN' ? quiet(verificationState) : verificationState,
              ]),
            ),
            `To judge one: fleetwarden mark VIOLATION ${VERIFICATION_STATES.join('|')}`,
          ].join('\n'),
  };
}

/** The last word counts. What is contained already stays so: `fleetwarden release`. */
export async function markViolation(
  application: Application,
  violationId: string,
  word: string,
  { description }: { readonly description?: string },
): Promise<Answer> {
  const state = VERIFICATION_STATES.find((known): known is VerificationState => known === word.toUpperCase());
  if (state === undefined) throw new Misused(`state: got "${word}", expected ${VERIFICATION_STATES.join(', ')}`);
  if (!VIOLATION_ID.test(violationId)) throw new Misused(`violation: got "${violationId}", expected an id: see fleetwarden violations`);
  if (description !== undefined && !DESCRIPTION.test(description))
    throw new Misused(`description: got ${description.length} characters, expected 1 to 1000 in one line`);
  const violations = watching(application);
  const found = await violations.find(violationId);
  if (found === undefined) throw new Refused(`no violation ${violationId} is known: see fleetwarden violations`);
  const by = await application.caller();
  const decision: Omit<Decision, 'step'> = {
    subject: `THING#${found.thingName}`,
    act: 'mark',
    reason: 'operator',
    runId: violationId,
    by,
    atMs: application.clock.nowMs(),
    detail: { behaviour: found.behavior, verificationState: state, ...(description === undefined ? {} : { description }) },
  };
  await application.decisions.append({ ...decision, step: 'intent' });
  await violations.mark(found, state, description);
  await application.decisions.append({ ...decision, step: 'outcome', atMs: application.clock.nowMs() });
  return {
    json: { ...asJson({ ...found, verificationState: state }), by },
    text: () =>
      facts([
        ['violation', violationId],
        ['thing', found.thingName],
        ['behaviour', `${found.behavior}, ${found.isOpen ? 'in alarm' : 'over'}`],
        ['marked as', good(state)],
      ]),
  };
}

function watching({ judgedViolations }: Application): JudgedViolations {
  if (judgedViolations !== undefined) return judgedViolations;
  throw new Refused('nobody watches behaviour in this installation: set behaviour.detect in its configuration, and deploy');
}

const asJson = ({ startedAtMs, updatedAtMs, seenAtMs, verificationState = 'UNKNOWN', ...violation }: JudgedViolation) => ({
  ...violation,
  verificationState,
  startedAt: time(startedAtMs),
  updatedAt: time(seenAtMs ?? updatedAtMs),
});

function valueOf(value: JudgedViolation['metricValue']): string {
  const [only] = Object.values(value ?? {}).filter((member) => member !== undefined);
  return only === undefined ? '' : typeof only === 'number' ? String(only) : only.join(' ').slice(0, 60);
}
