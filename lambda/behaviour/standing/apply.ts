/**
 * Brings one datapoint to its end. The process may die between any two lines: whoever comes next finds the standing, and in it what is still to be
 * announced.
 *
 *     standing + violation (one transaction) ─► publish ─► decision on record ─► standing without `pending`, or gone
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { ViolationEventType } from '../../../domain/protocol/violation.js';
import type { Clock } from '../../ports/clock.js';
import type { DecisionLog } from '../../ports/decision-log.js';
import type { Signals } from '../../ports/signals.js';
import type { Standing } from '../../../domain/fleet/standing.js';
import type { Evidence, Standings, StoredStanding } from '../../ports/standings.js';
import type { ViolationTopic } from '../../ports/violation-topic.js';
import { decide, invalidate, type Criteria, type Datapoint, type StandingDecision } from './decide.js';

export interface StandingPorts {
  readonly clock: Clock;
  readonly decisions: DecisionLog;
  readonly signals: Signals;
  readonly standings: Standings;
  readonly topic: ViolationTopic;
}

export interface Announcing {
  /** For the audit trail: which function. */
  readonly by: string;
  /** Behaviours whose violation people are told of. */
  readonly notifies: (behaviour: string) => boolean;
}

const MAX_ATTEMPTS = 10;
const COUNTED = {
  'in-alarm': METRICS.violationsRaised,
  'alarm-cleared': METRICS.violationsCleared,
  'alarm-invalidated': METRICS.violationsInvalidated,
} as const satisfies Record<ViolationEventType, string>;
const REASONS = {
  'in-alarm': 'not-normal',
  'alarm-cleared': 'normal-again',
  'alarm-invalidated': 'behaviour-not-judged',
} as const;

/** Resolves to whether a violation is open then. */
export async function apply(
  ports: StandingPorts,
  announcing: Announcing,
  datapoint: Datapoint,
  criteria: Criteria,
  evidence: Evidence,
): Promise<boolean> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const stored = await ports.standings.get(datapoint.clientId, criteria.behaviour.name);
    if (stored?.standing.pending !== undefined) {
      await announce(ports, announcing, stored);
      continue;
    }
    const decision = decide(stored?.standing, datapoint, criteria, ports.clock.nowMs());
    if (decision.do === 'nothing') return stored?.standing.violationId !== undefined;
    if (await carryOut(ports, announcing, stored, decision, evidence))
      return decision.do === 'write' && decision.standing.violationId !== undefined && decision.reason !== 'alarm-cleared';
  }
  throw new Error(`standing of ${datapoint.clientId}, ${criteria.behaviour.name}: lost ${MAX_ATTEMPTS} times to other writers`);
}

/** `false`: somebody was faster, or the standing began anew: look again. */
async function carryOut(
  ports: StandingPorts,
  announcing: Announcing,
  before: StoredStanding | undefined,
  decision: Exclude<StandingDecision, { readonly do: 'nothing' }>,
  evidence?: Evidence,
): Promise<boolean> {
  if (decision.do === 'remove') return before === undefined || ports.standings.remove(before);
  if (!(await ports.standings.write(before, decision.standing, evidence))) return false;
  if (decision.standing.pending === undefined) return true;
  await announce(ports, announcing, { standing: decision.standing, version: (before?.version ?? 0) + 1 });
  return decision.reason !== 'alarm-invalidated';
}

/** A violation that can be judged no more. Somebody who was faster has done as well. */
export async function giveUp(ports: StandingPorts, announcing: Announcing, stored: StoredStanding, profileName: string): Promise<void> {
  if (stored.standing.violationId === undefined) await ports.standings.remove(stored);
  else {
    const decision = invalidate(stored.standing, profileName, ports.clock.nowMs());
    if (decision.do !== 'nothing') await carryOut(ports, announcing, stored, decision);
  }
}

/** Publishes what is pending, and then forgets it: in this order a death in between says it twice, never not at all. */
export async function announce(
  { topic, decisions, standings, signals }: StandingPorts,
  { by, notifies }: Announcing,
  stored: StoredStanding,
): Promise<void> {
  const { pending, ...standing } = stored.standing;
  if (pending === undefined) return;
  await topic.publish(pending);
  const { violationEventType, violationId, thingName, behavior } = pending;
  const reason = REASONS[violationEventType];
  await decisions.append({
    subject: `THING#${thingName}`,
    step: 'outcome',
    act: violationEventType,
    reason,
    runId: violationId,
    by,
    atMs: pending.violationEventTime,
    detail: { behaviour: behavior.name, clientId: standing.clientId, value: JSON.stringify(pending.metricValue ?? {}).slice(0, 1000) },
  });
  signals.count(COUNTED[violationEventType]);
  if (violationEventType === 'in-alarm' && notifies(behavior.name)) signals.count(METRICS.violationToNotify);
  signals.info(`violation ${violationEventType}`, {
    thingName,
    clientId: standing.clientId,
    behaviour: behavior.name,
    violationId,
    reason,
  });
  const isOver = violationEventType !== 'in-alarm';
  await (isOver ? standings.remove(stored) : standings.write(stored, standing satisfies Standing));
}
