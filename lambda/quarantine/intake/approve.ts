/**
 * Carries out a list that a person approved. The approval is bound to the hash. What has been cleared or judged benign since, is contained, or has left the registry, is
 * left out and told; what is contained for less goes to the higher rung: a person consented to answering these violations, not to answering none. APPROVED → APPLIED comes last, so that a run which dies is
 * repeated; every workflow is begun once, by its name.
 */
import { readHeldContainments } from '../../../domain/fleet/held-containments.js';
import { heldListHash } from '../../../domain/fleet/held-list.js';
import { wholeOf } from '../../../domain/fleet/octets.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import { neverListedBy } from '../../../domain/fleet/never-list.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { isDestructive } from '../../../domain/fleet/responses.js';
import { thingName, type ThingName } from '../../../domain/fleet/thing-name.js';
import type { WorkflowInput } from '../../../domain/protocol/containment-workflow.js';
import { whyOver } from '../../../domain/protocol/violation.js';
import { note } from '../evidence.js';
import { allInTurns } from '../in-turns.js';
import { violationOf, violatorOf } from '../sources.js';
import { begin } from './admit.js';
import { decide, whyNotMeant, type ThingDecision } from './decide.js';
import { escalate } from './escalate.js';
import type { LookPorts } from './look.js';
import { offenderOf, offenderOfFinding } from './offender.js';
import { BY, turnsOf, type IntakePorts, type IntakeSettings } from './ports.js';

const AT_ONCE = 10;

export async function carryOut(ports: IntakePorts, settings: IntakeSettings, hash: string): Promise<void> {
  const { clock, decisions, holds, lists, signals } = ports;
  const row = await holds.get(hash);
  const leave = (reason: Reason): void => signals.warn('approval not carried out', { hash, state: row?.state, reason });
  if (row === undefined) return leave('hold-unknown');
  if (row.state !== 'APPROVED') return leave('not-approved');
  const octets = await wholeOf(lists.load(row.listKey));
  if (heldListHash(octets) !== hash) {
    signals.count(METRICS.heldListAltered);
    return leave('list-altered');
  }
  const entries = readHeldContainments(octets);
  const entry = { subject: `HOLD#${hash}`, act: 'apply-list', reason: 'approved', runId: hash, by: row.decidedBy ?? BY } as const;
  await decisions.append({ ...entry, step: 'intent', atMs: clock.nowMs(), detail: { kind: 'contain', count: entries.length } });
  const looking = { ...ports, turns: turnsOf(ports, settings) };
  const judged = await allInTurns(AT_ONCE, entries, async (input) => ({ input, ...(await judge(looking, settings, input)) }));
  let escalated = 0;
  for (const { input, decision } of judged) {
    if (decision.do === 'contain') continue;
    const { thingName: thing, containmentId } = idOf(input);
    const isHigher = decision.do === 'escalate' && (await escalate(ports, thing, decision.response));
    if (isHigher) escalated += 1;
    const detail = { trigger: input.trigger.id, hash, ...(isHigher ? { response: input.response } : {}) };
    await note(ports, { thingName: thing, containmentId, by: BY }, 'outcome', 'consider', decision.reason, detail);
    if (OVER.has(decision.reason)) await judgeOthers(ports, settings, thing, input);
  }
  const begun = judged.filter(({ decision }) => decision.do === 'contain').map(({ input }) => ({ input, byPerson: true }));
  await begin(ports, begun);
  await holds.move(hash, 'APPROVED', 'APPLIED', BY, clock.nowMs());
  await decisions.append({ ...entry, step: 'outcome', atMs: clock.nowMs(), detail: { kind: 'contain', begun: begun.length, escalated } });
  signals.info('approved list of containments begun', { hash, begun: begun.length, escalated, of: entries.length, reason: 'approved' });
}

/** What it stood on the list for is over, or another thing's. */
const OVER: ReadonlySet<Reason> = new Set([
  'alarm-over',
  'marked-benign',
  'offender-moved',
  'offender-shut-out',
  'certificate-without-thing',
]);

/** A thing stands on a list once, so what else it did meanwhile was left out: its source tells of a violation once, so it is asked about anew, and the brake counts it. */
async function judgeOthers(
  { queue, violations }: IntakePorts,
  { responses }: IntakeSettings,
  thing: ThingName,
  { trigger }: WorkflowInput,
): Promise<void> {
  for await (const { violationId, behavior, metric, securityProfileName, startedAtMs, thingName: name } of violations.openOf(thing))
    if (violationId !== trigger.id && mayContain(responses, behavior))
      await queue.send({
        violationEventTime: startedAtMs,
        thingName: name,
        behavior: { name: behavior, ...(metric === undefined ? {} : { metric }) },
        violationEventType: 'in-alarm',
        violationId,
        securityProfileName,
      });
}

const mayContain = (responses: IntakeSettings['responses'], behavior: string): boolean =>
  Object.hasOwn(responses, behavior) && isDestructive(responses[behavior] ?? 'observe');

const idOf = ({ thingName: name, containmentId }: WorkflowInput) => ({ thingName: thingName(name), containmentId });

/** By what is so now: cleared, judged benign, another thing's doing, contained already, or for less, gone. */
async function judge(ports: LookPorts, { neverContain }: IntakeSettings, input: WorkflowInput): Promise<{ decision: ThingDecision }> {
  const { trigger, response, containmentId } = input;
  const thing = thingName(input.thingName);
  if (trigger.kind === 'violation') {
    const sourced = await violationOf(ports.violations, trigger, thing);
    const over = whyOver(sourced);
    if (sourced === undefined || over !== undefined) return leaving(over ?? 'alarm-over');
    const offender = await offenderOf(ports, violatorOf(trigger, thing), sourced.startedAtMs, sourced.clientId);
    const other = whyNotMeant(thing, offender);
    if (other !== undefined) return leaving(other);
  }
  if (trigger.kind === 'audit-finding') {
    const found = await ports.findings.read(trigger.id);
    if (found === undefined || found.isSuppressed) return leaving('finding-suppressed');
    const offender = await offenderOfFinding(ports, found);
    const other = offender && whyNotMeant(thing, offender);
    if (other !== undefined) return leaving(other);
  }
  const described = await ports.rights.describeThing(thing);
  const groups = neverContain.groups.length > 0 && described !== undefined ? await ports.rights.groupsOf(thing) : [];
  const decision = decide(
    {
      // The list was approved; that a thing is never contained by machine was decided before, and stands.
      byPerson: false,
      exists: described !== undefined,
      neverListed: described && neverListedBy(neverContain, { ...described, groups }),
      response,
      open: await ports.records.get(thing),
      containmentId,
      isPast: (await ports.records.past(thing, containmentId)) !== undefined,
    },
    'approved',
  );
  return { decision };
}

const leaving = (reason: Reason): { decision: ThingDecision } => ({ decision: { do: 'leave', reason } });
