/**
 * One step of the workflow that takes. Resolves to where it goes on; throws what is worth another try. Every step asks the ledger first what is
 * done, so that it may be repeated, come late, or come twice at once.
 */
import type { ContainmentState } from '../../../domain/protocol/containment.js';
import { isStronger } from '../../../domain/fleet/responses.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import { thingName } from '../../../domain/fleet/thing-name.js';
import type { ContainCall, ContainStep, StepAnswer, WorkflowInput } from '../../../domain/protocol/containment-workflow.js';
import type { Containment } from '../../ports/containment-records.js';
import { listed, note } from '../evidence.js';
import { nextOf, patience } from '../next.js';
import { nextSlot } from '../pace.js';
import type { StepPorts, StepSettings } from '../ports.js';
import { cutOff } from './cut.js';
import { lock } from './lock.js';
import { letInByName } from './named.js';
import { overBy, record } from './record.js';
import { reopen } from './reopen.js';
import { askShutOff, checkAnswer } from './shut-off.js';
import { awaitWord, watch } from './watch.js';

const PAUSE_SECONDS = { least: 60, most: 300 } as const;
const OPEN: readonly ContainmentState[] = ['recorded', 'cut', 'locked', 'reopened', 'deactivated'];
const RELEASED: StepAnswer = { next: 'Released', seconds: 0 };

export async function run(ports: StepPorts, settings: StepSettings, { step, input, taskToken }: ContainCall): Promise<StepAnswer> {
  const { clock, records } = ports;
  const thing = thingName(input.thingName);
  if (step !== 'Record') {
    const containment = await ours(ports, input);
    if (containment === undefined) return RELEASED;
    // Waiting is no change: it goes on under the emergency stop, and so does a release that is on record.
    if (step === 'Settle' || step === 'AwaitWord') return awaitWord(ports, containment, taskToken);
    const next = nextOf(containment, clock.nowMs());
    if (containment.release !== undefined || !mayDo(step, next)) return next;
    if (step === 'Watch') return watch(ports, settings, containment);
    if (await isHalted(ports, settings)) return paused(containment.updatedAtMs, clock.nowMs());
    if (step === 'ShutOff' || step === 'CheckAnswer') await nextSlot(ports, settings, { of: 'jobs' });
    const moved = await ACTS[step](ports, settings, containment);
    return moved === undefined ? again(ports, input) : nextOf(moved, clock.nowMs());
  }
  const there = await records.get(thing);
  if (there?.containmentId === input.containmentId) return nextOf(there, clock.nowMs());
  if (there !== undefined) return giveWay(ports, input, there);
  if ((await records.past(thing, input.containmentId)) !== undefined) return RELEASED;
  if (await isHalted(ports, settings)) return paused(input.trigger.atMs, clock.nowMs());
  const containment = await record(ports, settings, input);
  if (containment === undefined) return giveWay(ports, input, await records.get(thing));
  return nextOf(containment, clock.nowMs());
}

/**
 * There is nothing to contain, or another containment was begun at the same moment: then it takes over what is asked for more than it does. What was booked
 * for this one is given back: nobody will release it.
 */
async function giveWay(ports: StepPorts, input: WorkflowInput, there: Containment | undefined): Promise<StepAnswer> {
  const { budget, clock, records, workflows } = ports;
  const isHigher = there !== undefined && isStronger(input.response, there.response);
  // This one may be late, as above: what is over by now raises nothing.
  if (isHigher && (await overBy(ports, there.thingName, input.trigger)) === undefined) {
    const moved = await records.move(there.thingName, there.containmentId, OPEN, { response: input.response });
    if (moved?.taskToken !== undefined) await workflows.wake(moved.taskToken);
  }
  await budget.free(thingName(input.thingName), input.containmentId, clock.nowMs());
  return RELEASED;
}

/** A step is done only where the ledger says that it is its turn: one that comes late finds another. */
function mayDo(step: ContainStep, { next }: StepAnswer): boolean {
  return next === step || (step === 'CheckAnswer' && next === 'AwaitAnswer');
}

async function again(ports: StepPorts, input: WorkflowInput): Promise<StepAnswer> {
  const containment = await ours(ports, input);
  return containment === undefined ? RELEASED : nextOf(containment, ports.clock.nowMs());
}

async function ours({ records }: StepPorts, { thingName: name, containmentId }: WorkflowInput): Promise<Containment | undefined> {
  const there = await records.get(thingName(name));
  return there?.containmentId === containmentId ? there : undefined;
}

const paused = (sinceMs: number, nowMs: number): StepAnswer => ({
  next: 'Paused',
  seconds: patience(sinceMs, nowMs, PAUSE_SECONDS.least, PAUSE_SECONDS.most),
});

/** In `observe` a containment that was begun before is not carried further; its release is. */
async function isHalted({ stop, signals }: StepPorts, { mode }: StepSettings): Promise<boolean> {
  const { stopped } = await stop.state();
  if (stopped) signals.count(METRICS.stopped);
  return stopped || mode !== 'enforce';
}

/** Resolves to the containment as it is then; `undefined`: somebody else moved it. */
type Act = (ports: StepPorts, settings: StepSettings, containment: Containment) => Promise<Containment | undefined>;

const cutAct: Act = async (ports, settings, containment) => {
  await note(ports, containment, 'intent', 'cut', 'recorded');
  const cut = await cutOff(ports, settings, containment);
  await note(ports, containment, 'outcome', 'cut', 'cut-off', {
    certificates: listed(cut),
    clientIds: listed(containment.snapshot.clientIds),
  });
  return move(ports, containment, 'recorded', { state: 'cut' });
};

const lockAct: Act = async (ports, settings, containment) => {
  await note(ports, containment, 'intent', 'lock', 'cut-off');
  const { containment: named, leftOut } = await letInByName(ports, settings, containment);
  const { policiesTaken, groupsLeft, rotationsCancelled, notSeen } = await lock(ports, settings, named);
  await note(ports, containment, 'outcome', 'lock', 'rights-swapped', {
    policies: listed(policiesTaken),
    groups: listed(groupsLeft),
    rotations: listed(rotationsCancelled),
    ...(named.namedRepair === undefined ? {} : { letInAs: listed(named.namedRepair.clientIds) }),
    ...(leftOut.length === 0 ? {} : { notLetInAs: listed(leftOut) }),
    ...(notSeen === undefined ? {} : { quarantineGroup: notSeen }),
  });
  return move(ports, containment, 'cut', { state: 'locked', settledAtMs: ports.clock.nowMs() + settings.settleMs });
};

const reopenAct: Act = async (ports, settings, containment) => {
  await note(ports, containment, 'intent', 'reopen', 'rights-swapped');
  const { active, withRights } = await reopen(ports, settings, containment);
  const detail = { certificates: listed(active), ...(withRights.length > 0 ? { withRights: listed(withRights) } : {}) };
  if (withRights.length > 0) ports.signals.count(METRICS.containmentWeakened);
  const reason = withRights.length > 0 ? 'rights-remain' : active.length > 0 ? 'in-repair' : 'stays-shut';
  await note(ports, containment, 'outcome', 'reopen', reason, detail);
  const nowMs = ports.clock.nowMs();
  // With nothing to come back on, nobody could answer a shut-off: that it is shut is on record at once.
  return active.length > 0
    ? move(ports, containment, 'locked', { state: 'reopened', reopenedAtMs: nowMs, reopened: active })
    : move(ports, containment, 'locked', { state: 'deactivated', deactivatedAtMs: nowMs });
};

const deactivateAct: Act = async (ports, settings, containment) => {
  const reason = containment.shutOff?.outcome === 'refused' ? 'shut-off-refused' : 'shut-off-unanswered';
  const why = containment.shutOff === undefined ? 'cut-off' : reason;
  await note(ports, containment, 'intent', 'deactivate', why);
  const cut = await cutOff(ports, settings, containment);
  await note(ports, containment, 'outcome', 'deactivate', why, { certificates: listed(cut) });
  return move(ports, containment, containment.state, { state: 'deactivated', deactivatedAtMs: ports.clock.nowMs() });
};

const ACTS: Readonly<Record<Exclude<ContainStep, 'Record' | 'Settle' | 'AwaitWord' | 'Watch'>, Act>> = {
  Cut: cutAct,
  Lock: lockAct,
  Reopen: reopenAct,
  ShutOff: askShutOff,
  CheckAnswer: checkAnswer,
  Deactivate: deactivateAct,
};

const move = (
  { records, clock }: StepPorts,
  { thingName: thing, containmentId }: Containment,
  from: Containment['state'],
  change: Parameters<StepPorts['records']['move']>[3],
): Promise<Containment | undefined> => records.move(thing, containmentId, [from], { ...change, updatedAtMs: clock.nowMs() });
