import type { HeldEntry } from '../../domain/fleet/held-list.js';
import type { Reason } from '../../domain/fleet/reasons.js';
import type { HoldState } from '../../domain/protocol/revocation.js';
import type { Decision } from '../ports/decision-log.js';
import type { Hold, Holds } from '../ports/holds.js';
import { Refused, type Answer } from './answer.js';
import type { Application } from './application.js';
import { findHold, holdFacts, loadList } from './hold-lists.js';
import { good, time } from './words.js';

const FIRST_SERIALS = 10;

/** Asks a person; resolves to whether the answer was yes. */
export type Confirm = (question: string) => Promise<boolean>;

const decisionOf = (hold: Hold, act: string, reason: Reason, by: string, atMs: number): Omit<Decision, 'step'> => ({
  subject: `HOLD#${hold.hash}`,
  act,
  reason,
  runId: hold.hash,
  by,
  atMs,
  detail: { anchorId: hold.anchorId, crlNumber: hold.crlNumber, count: hold.count },
});

/**
 * Approves one very list, once. The row that says so is written before the list is moved, and the message that makes it happen is sent
 * after; whoever dies in between repeats the command, which then only sends the message again.
 */
export async function approve(application: Application, given: string, confirm: Confirm): Promise<Answer> {
  const { holds, decisions, syncQueue, clock } = application;
  const hold = await findHold(application, given);
  const entries = await loadList(application, hold);
  if (hold.state === 'APPROVED') {
    await syncQueue.send({ kind: 'approved', hash: hold.hash });
    return settled(
      hold,
      'APPROVED',
      hold.decidedBy ?? '',
      clock.nowMs(),
      `Approved before, by ${hold.decidedBy}: sync has been told again.`,
    );
  }
  if (hold.state !== 'HELD')
    throw new Refused(`list ${hold.hash} is ${hold.state}, expected HELD: an approval is used once, a rejected list is reopened first`);
  if (!(await confirm(question(hold, entries)))) throw new Refused('not approved: nothing was changed');

  const by = await application.caller();
  const decision = decisionOf(hold, 'approve', 'approved', by, clock.nowMs());
  await decisions.append({ ...decision, step: 'intent' });
  await move(holds, hold, 'HELD', 'APPROVED', by, decision.atMs);
  await syncQueue.send({ kind: 'approved', hash: hold.hash });
  await decisions.append({ ...decision, step: 'outcome' });
  return settled(hold, 'APPROVED', by, decision.atMs, `Approved. ${hold.count} entries go to the revoke queue now.`);
}

function question(hold: Hold, entries: Iterable<HeldEntry>): string {
  const first: string[] = [];
  for (const { serialNumber, reason } of entries) {
    if (first.length === FIRST_SERIALS) break;
    first.push(`  ${serialNumber}  ${reason}`);
  }
  const more =
    hold.count > first.length ? [`  … and ${hold.count - first.length} more: fleetwarden holds show ${hold.hash.slice(0, 16)}`] : [];
  const warning = hold.kind === 'revoke' ? 'REVOKED cannot be undone on AWS IoT. ' : '';
  return [holdFacts(hold), '', 'first serial numbers', ...first, ...more, '', `${warning}Approve this list?`].join('\n');
}

function settled(hold: Hold, state: HoldState, by: string, atMs: number, text: string): Answer {
  return { json: { hash: hold.hash, state, count: hold.count, by, at: time(atMs) }, text: () => good(text) };
}

/** HELD → REJECTED: nothing on the list is done, and it does not come up again unless it is reopened. */
export async function reject(application: Application, given: string): Promise<Answer> {
  return settle(application, given, 'reject', 'rejected', 'HELD', 'REJECTED');
}

/** REJECTED → HELD: up for decision again. */
export async function reopen(application: Application, given: string): Promise<Answer> {
  return settle(application, given, 'reopen', 'reopened', 'REJECTED', 'HELD');
}

async function settle(
  application: Application,
  given: string,
  act: string,
  reason: Reason,
  from: HoldState,
  to: HoldState,
): Promise<Answer> {
  const hold = await findHold(application, given);
  const by = await application.caller();
  const decision = decisionOf(hold, act, reason, by, application.clock.nowMs());
  await move(application.holds, hold, from, to, by, decision.atMs);
  await application.decisions.append({ ...decision, step: 'outcome' });
  return settled(hold, to, by, decision.atMs, `List ${hold.hash.slice(0, 16)} is ${to} now.`);
}

/** Conditional: of two people who decide at once, one decides and the other is told. */
async function move(holds: Holds, hold: Hold, from: HoldState, to: HoldState, by: string, atMs: number): Promise<void> {
  if (await holds.move(hold.hash, from, to, by, atMs)) return;
  const now = await holds.get(hold.hash);
  throw new Refused(
    `list ${hold.hash} is ${now?.state}${now?.decidedBy === undefined ? '' : ` by ${now.decidedBy}`}, expected ${from}: nothing was changed`,
  );
}
