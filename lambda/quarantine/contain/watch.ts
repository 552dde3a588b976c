/** Waiting for release: until somebody speaks, or the time box is over. */
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { StepAnswer } from '../../../domain/protocol/containment-workflow.js';
import type { ContainmentState } from '../../../domain/protocol/containment.js';
import type { Containment } from '../../ports/containment-records.js';
import { note } from '../evidence.js';
import { nextOf, secondsUntil } from '../next.js';
import { BY, type StepPorts, type StepSettings } from '../ports.js';
import { openViolationsOf, violationOf } from '../sources.js';
import { decideTimeBox } from './time-box.js';

/** States in which a containment waits. */
const WAITING: readonly ContainmentState[] = ['recorded', 'cut', 'locked', 'reopened', 'deactivated'];

export async function watch(ports: StepPorts, settings: StepSettings, containment: Containment): Promise<StepAnswer> {
  const { clock, records, signals } = ports;
  const { thingName, containmentId, endsAtMs, state } = containment;
  const nowMs = clock.nowMs();
  if (nowMs < endsAtMs) return { next: 'AwaitWord', seconds: secondsUntil(endsAtMs, nowMs) };
  const facts = { endsAtMs, deactivated: state === 'deactivated', ...(await quietness(ports, containment)) };
  const decision = decideTimeBox(facts, settings.timeBoxThen, settings.coolDownMs, nowMs);
  if (decision.do === 'page') {
    signals.count(METRICS.timeBoxOver);
    signals.warn('time box over', { thingName, containmentId, reason: decision.reason });
  }
  await note(ports, containment, 'outcome', 'time-box', decision.reason, { decided: decision.do, openViolations: facts.openViolations });
  const change =
    decision.do === 'release'
      ? { release: { by: BY, reason: decision.reason, rekey: false, force: false, atMs: nowMs } }
      : { endsAtMs: nowMs + (decision.reason === 'cooling-down' ? settings.coolDownMs : settings.timeBoxMs) };
  const moved = await records.move(thingName, containmentId, WAITING, { ...change, updatedAtMs: nowMs });
  if (moved === undefined) return { next: 'Record', seconds: 0 };
  const next = nextOf(moved, nowMs);
  return next.next === 'Watch' ? { next: 'AwaitWord', seconds: secondsUntil(moved.endsAtMs, nowMs) } : next;
}

/**
 * What is in alarm for the thing, and since when nothing is. All of it counts, also what a device that is contained cannot take back: a machine releases only
 * what is known to be over, a person may know better (speaksAgainst). A source that cannot be read throws: nobody is released on what is not known.
 */
async function quietness({ violations }: StepPorts, containment: Containment): Promise<{ openViolations: number; quietSinceMs: number }> {
  const { thingName, trigger, startedAtMs } = containment;
  let openViolations = 0;
  for await (const _ of openViolationsOf(violations, containment)) openViolations += 1;
  if (trigger.kind !== 'violation') return { openViolations, quietSinceMs: startedAtMs };
  const sourced = await violationOf(violations, trigger, thingName);
  return { openViolations, quietSinceMs: Math.max(startedAtMs, sourced?.updatedAtMs ?? 0) };
}

/**
 * The token that wakes the workflow is put on record, and then the record is read again: whoever asks for something writes first and then looks for
 * the token. One of the two sees the other, so no word is lost.
 */
export async function awaitWord(ports: StepPorts, before: Containment, taskToken: string | undefined): Promise<StepAnswer> {
  const { clock, records, workflows } = ports;
  if (taskToken === undefined) return nextOf(before, clock.nowMs());
  const { thingName, containmentId } = before;
  const waiting = await records.move(thingName, containmentId, WAITING, { taskToken });
  const next = waiting === undefined ? undefined : nextOf(waiting, clock.nowMs());
  const goesOn = next === undefined || (next.next !== 'Settle' && next.next !== 'Watch');
  if (goesOn) await workflows.wake(taskToken);
  return { next: 'AwaitWord', seconds: 1 };
}
