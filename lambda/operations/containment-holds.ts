/** Lists of containments over the brake: the same commands as for lists of revocations. `undefined`: no list of containments is meant. */
import { readHeldContainments } from '../../domain/fleet/held-containments.js';
import { heldListHash } from '../../domain/fleet/held-list.js';
import { wholeOf } from '../../domain/fleet/octets.js';
import type { Reason } from '../../domain/fleet/reasons.js';
import type { WorkflowInput } from '../../domain/protocol/containment-workflow.js';
import type { HoldState } from '../../domain/protocol/revocation.js';
import type { ContainmentHold } from '../ports/containment-work.js';
import { Refused, type Answer } from './answer.js';
import type { Application } from './application.js';
import { bad, doubtful, facts, good, quiet, sentenceOf, table, time, title } from './words.js';

const FIRST = 20;
const STATE_COLOUR = { HELD: bad, APPROVED: doubtful, APPLIED: good, REJECTED: quiet } as const;

const holdJson = ({ createdAtMs, decidedAtMs, ...hold }: ContainmentHold) => ({
  ...hold,
  createdAt: time(createdAtMs),
  decidedAt: decidedAtMs === undefined ? undefined : time(decidedAtMs),
});

/** The answer of `holds`, and the lists of containments below it; what waits for a decision first. */
export async function withContainments({ containmentHolds }: Application, revocations: Answer): Promise<Answer> {
  const all: ContainmentHold[] = [];
  for await (const hold of containmentHolds.all()) all.push(hold);
  all.sort((one, other) => Number(other.state === 'HELD') - Number(one.state === 'HELD') || other.createdAtMs - one.createdAtMs);
  return {
    json: { ...(revocations.json as object), containments: all.map(holdJson) },
    text: () =>
      all.length === 0
        ? revocations.text()
        : [
            revocations.text(),
            '',
            table(
              ['hash', 'state', 'things', 'why', 'since', 'decided by'],
              all.map((hold) => [
                hold.hash.slice(0, 16),
                STATE_COLOUR[hold.state](hold.state),
                String(hold.count),
                sentenceOf(hold.reason),
                time(hold.createdAtMs),
                hold.decidedBy ?? '',
              ]),
            ),
          ].join('\n'),
  };
}

async function find({ containmentHolds }: Application, given: string): Promise<ContainmentHold | undefined> {
  const prefix = given.toLowerCase();
  if (!/^[0-9a-f]{8,64}$/.test(prefix)) return undefined;
  const matching: ContainmentHold[] = [];
  for await (const hold of containmentHolds.all()) if (hold.hash.startsWith(prefix)) matching.push(hold);
  if (matching.length > 1)
    throw new Refused(`${given} is the beginning of ${matching.length} lists: ${matching.map(({ hash }) => hash).join(', ')}`);
  return matching[0];
}

async function load({ lists }: Application, hold: ContainmentHold): Promise<readonly WorkflowInput[]> {
  const octets = await wholeOf(lists.load(hold.listKey));
  const hash = heldListHash(octets);
  if (hash !== hold.hash)
    throw new Refused(`the stored list ${hold.listKey} has hash ${hash}, expected ${hold.hash}: somebody has altered it`);
  return readHeldContainments(octets);
}

function holdFacts(hold: ContainmentHold): string {
  return facts([
    ['hash', title(hold.hash)],
    ['state', STATE_COLOUR[hold.state](hold.state)],
    ['asks to', 'contain these things'],
    ['things', String(hold.count)],
    ['why held', sentenceOf(hold.reason)],
    ['since', time(hold.createdAtMs)],
    ...(hold.decidedBy === undefined ? [] : [['decided by', `${hold.decidedBy} at ${time(hold.decidedAtMs ?? 0)}`] as const]),
  ]);
}

const line = ({ thingName, response, trigger }: WorkflowInput): string => `${thingName}  ${response}  ${trigger.kind}: ${trigger.reason}`;

export async function showContainmentHold(application: Application, given: string): Promise<Answer | undefined> {
  const hold = await find(application, given);
  if (hold === undefined) return undefined;
  const entries = await load(application, hold);
  return { json: { ...holdJson(hold), entries }, text: () => [holdFacts(hold), '', ...entries.map(line)].join('\n') };
}

/**
 * Approves one very list, once. The row that says so is written before the list is moved, and the message that makes it happen is sent after; whoever dies
 * in between repeats the command, which then only sends the message again.
 */
export async function approveContainments(
  application: Application,
  given: string,
  confirm: (question: string) => Promise<boolean>,
): Promise<Answer | undefined> {
  const hold = await find(application, given);
  if (hold === undefined) return undefined;
  const { containmentHolds, decisions, clock, intakeQueue } = application;
  if (intakeQueue === undefined) throw new Refused('quarantine is off in this installation: nobody would carry it out');
  const entries = await load(application, hold);
  if (hold.state === 'APPROVED') {
    await intakeQueue.send({ kind: 'approved', hash: hold.hash });
    return settled(hold, 'APPROVED', hold.decidedBy ?? '', clock.nowMs(), `Approved before, by ${hold.decidedBy}: told again.`);
  }
  if (hold.state !== 'HELD') throw new Refused(`list ${hold.hash} is ${hold.state}, expected HELD: an approval is used once`);
  const more = entries.length > FIRST ? [`… and ${entries.length - FIRST} more: fleetwarden holds show ${hold.hash.slice(0, 16)}`] : [];
  const question = [holdFacts(hold), '', ...entries.slice(0, FIRST).map(line), ...more, '', 'Contain these things?'].join('\n');
  if (!(await confirm(question))) throw new Refused('not approved: nothing was changed');
  const by = await application.caller();
  const atMs = clock.nowMs();
  await decisions.append({ ...rowOf(hold, 'approve', 'approved', by, atMs), step: 'intent' });
  if (!(await containmentHolds.move(hold.hash, 'HELD', 'APPROVED', by, atMs))) throw await changed(application, hold, 'HELD');
  await intakeQueue.send({ kind: 'approved', hash: hold.hash });
  await decisions.append({ ...rowOf(hold, 'approve', 'approved', by, atMs), step: 'outcome' });
  return settled(
    hold,
    'APPROVED',
    by,
    atMs,
    `Approved. ${hold.count} things are looked at again, and contained where they are still in alarm.`,
  );
}

const SETTLE = {
  reject: { reason: 'rejected', from: 'HELD', to: 'REJECTED' },
  reopen: { reason: 'reopened', from: 'REJECTED', to: 'HELD' },
} as const satisfies Record<string, { readonly reason: Reason; readonly from: HoldState; readonly to: HoldState }>;

export async function settleContainments(application: Application, given: string, act: keyof typeof SETTLE): Promise<Answer | undefined> {
  const hold = await find(application, given);
  if (hold === undefined) return undefined;
  const { reason, from, to } = SETTLE[act];
  const by = await application.caller();
  const atMs = application.clock.nowMs();
  if (!(await application.containmentHolds.move(hold.hash, from, to, by, atMs))) throw await changed(application, hold, from);
  await application.decisions.append({ ...rowOf(hold, act, reason, by, atMs), step: 'outcome' });
  return settled(hold, to, by, atMs, `List ${hold.hash.slice(0, 16)} is ${to} now.`);
}

const rowOf = (hold: ContainmentHold, act: string, reason: Reason, by: string, atMs: number) => ({
  subject: `HOLD#${hold.hash}`,
  act,
  reason,
  runId: hold.hash,
  by,
  atMs,
  detail: { kind: 'contain', count: hold.count },
});

async function changed({ containmentHolds }: Application, { hash }: ContainmentHold, from: HoldState): Promise<Refused> {
  const now = await containmentHolds.get(hash);
  return new Refused(
    `list ${hash} is ${now?.state}${now?.decidedBy === undefined ? '' : ` by ${now.decidedBy}`}, expected ${from}: nothing was changed`,
  );
}

function settled(hold: ContainmentHold, state: HoldState, by: string, atMs: number, text: string): Answer {
  return { json: { hash: hold.hash, kind: 'contain', state, count: hold.count, by, at: time(atMs) }, text: () => good(text) };
}
