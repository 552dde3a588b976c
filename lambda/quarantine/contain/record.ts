/** Intent and snapshot, before anything is done. The row is written once: a repetition finds it and never overwrites what it says. */
import { METRICS } from '../../../domain/fleet/metrics.js';
import { thingName, type ThingName } from '../../../domain/fleet/thing-name.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import type { Trigger, WorkflowInput } from '../../../domain/protocol/containment-workflow.js';
import { whyOver } from '../../../domain/protocol/violation.js';
import type { Containment } from '../../ports/containment-records.js';
import { listed, note } from '../evidence.js';
import type { StepPorts, StepSettings } from '../ports.js';
import { violationOf } from '../sources.js';
import { takeSnapshot } from './snapshot.js';

export const REASON_OF: Readonly<Record<Trigger['kind'], Reason>> = {
  violation: 'violation',
  'audit-finding': 'audit-finding',
  custom: 'custom-violation',
  operator: 'operator',
};

/** `undefined`: the thing is gone, contained by another containment, or its alarm is over. Then there is nothing to do. */
export async function record(
  ports: StepPorts,
  settings: StepSettings,
  { containmentId, thingName: name, response, trigger }: WorkflowInput,
): Promise<Containment | undefined> {
  const thing = thingName(name);
  const id = { thingName: thing, containmentId, by: trigger.by };
  const why = REASON_OF[trigger.kind];
  await note(ports, id, 'intent', 'contain', why, { ...trigger.evidence, response, trigger: trigger.id, why: trigger.reason });
  if ((await ports.rights.describeThing(thing)) === undefined) {
    await note(ports, id, 'outcome', 'contain', 'no-such-thing');
    return undefined;
  }
  // Begun, and then held up by an emergency stop: the alarms that it was pressed for may be over, or judged benign, when it is lifted.
  const over = await overBy(ports, thing, trigger);
  if (over !== undefined) {
    await note(ports, id, 'outcome', 'contain', over);
    return undefined;
  }
  const snapshot = await takeSnapshot(ports, settings, thing);
  const atMs = ports.clock.nowMs();
  const containment: Containment = {
    containmentId,
    thingName: thing,
    state: 'recorded',
    response,
    trigger,
    snapshot,
    adopted: [],
    startedAtMs: atMs,
    updatedAtMs: atMs,
    endsAtMs: atMs + settings.timeBoxMs,
  };
  const opened = await ports.records.open(containment);
  if (opened === 'other') {
    await note(ports, id, 'outcome', 'contain', 'already-contained');
    return undefined;
  }
  // Two at once: the first snapshot counts.
  if (opened === 'ours') return ports.records.get(thing);
  await note(ports, id, 'outcome', 'contain', 'recorded', {
    certificates: listed(snapshot.certificates.map(({ certificateId, status }) => `${certificateId}:${status}`)),
    policies: listed([...new Set(snapshot.certificates.flatMap(({ policies }) => policies))]),
    groups: listed(snapshot.groups.map((group) => group.name)),
    dynamicGroups: listed(snapshot.dynamicGroups),
    endsAt: new Date(containment.endsAtMs).toISOString(),
  });
  ports.signals.count(METRICS.contained);
  ports.signals.warn('thing contained', { thingName: thing, containmentId, response, reason: why });
  return containment;
}

/** Why the alarm behind it counts no more; `undefined`: it does. A source that cannot be read throws. */
export async function overBy(
  { violations }: Pick<StepPorts, 'violations'>,
  thing: ThingName,
  trigger: Trigger,
): Promise<Reason | undefined> {
  return trigger.kind === 'violation' ? whyOver(await violationOf(violations, trigger, thing)) : undefined;
}
