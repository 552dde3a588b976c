/**
 * Runs states, one after the other, until one ends. Each state: entered event → InputPath → its work → OutputPath → exited event
 * (developer guide, "Processing input and output in Step Functions"):
 *
 *     input ─InputPath─► Parameters ─► work ─► ResultSelector ─► ResultPath (into the input) ─► OutputPath ─► output
 */
import type { Branch, Engine } from './engine.js';
import { attemptMap, attemptParallel } from './branches.js';
import { ruleMatches } from './choice.js';
import type { State, StateList } from './definition.js';
import { RuntimeFault, StateFailure } from './failure.js';
import { causeIn, inState } from './history.js';
import { type Sources, fill, find, valueAt, valueOf } from './payload-template.js';
import { putAt } from './reference-path.js';
import { type Attempted, withRetries } from './retry.js';
import { attemptTask } from './task.js';
import { timestampMs } from './timestamp.js';
import { type Json, type JsonObject, tooLarge } from './values.js';

interface Done {
  readonly output: Json;
  /** The next state; absent at the end. */
  readonly next?: string;
}

/** After so many states without a wait other work of the process gets its turn. */
const STATES_IN_A_ROW = 200;

/** Answers the output of the last state. Throws StateFailure, or Stopped. */
export async function runStates(engine: Engine, list: StateList, input: Json, branch: Branch, startAt = list.StartAt): Promise<Json> {
  let data = input;
  let name = startAt;
  for (let count = 1; ; count++) {
    const done = await runState(engine, name, list.States[name]!, data, branch);
    if (done.next === undefined) return done.output;
    [name, data] = [done.next, done.output];
    if (count % STATES_IN_A_ROW === 0) await engine.clock.track(new Promise((resolve) => setImmediate(resolve)));
    branch.cancellation.check();
  }
}

async function runState(engine: Engine, name: string, state: State, input: Json, branch: Branch): Promise<Done> {
  branch.current = { name, type: state.Type };
  if (branch.top) engine.onTopState(name, input);
  const text = JSON.stringify(input);
  const entered = engine.history.add(branch, `${state.Type}StateEntered`, 'stateEnteredEventDetails', {
    name,
    input: text,
    inputDetails: { truncated: false },
  });
  const place: Place = { engine, branch, name, state, input, entered, enteredTime: engine.clock.date().toISOString() };
  try {
    const done = await WORK[state.Type](place);
    branch.cancellation.check();
    const output = JSON.stringify(done.output);
    if (tooLarge(output))
      throw new StateFailure(
        'States.DataLimitExceeded',
        `The state/task '${name}' returned a result with a size exceeding the maximum number of bytes service limit.`,
      );
    engine.history.add(branch, `${state.Type}StateExited`, 'stateExitedEventDetails', {
      name,
      output,
      outputDetails: { truncated: false },
    });
    return done;
  } catch (error) {
    throw inState(error, name, entered);
  }
}

interface Place {
  readonly engine: Engine;
  readonly branch: Branch;
  readonly name: string;
  readonly state: State;
  readonly input: Json;
  readonly entered: number;
  readonly enteredTime: string;
}

const WORK: Readonly<Record<State['Type'], (place: Place) => Done | Promise<Done>>> = {
  Pass: (place) => {
    const { state } = place;
    const sources = inputOf(place);
    const result = state.Result ?? (state.Parameters === undefined ? sources.data : fill(state.Parameters, sources));
    return { output: outputOf(place, putAt(resultPath(state), place.input, result)), ...next(state) };
  },
  Succeed: (place) => ({ output: outputOf(place, inputOf(place).data) }),
  Fail: (place) => {
    const { state } = place;
    const sources = sourcesOf(place, place.input);
    throw new StateFailure(
      state.ErrorPath === undefined ? state.Error : failText(state.ErrorPath, 'ErrorPath', sources),
      state.CausePath === undefined ? state.Cause : failText(state.CausePath, 'CausePath', sources),
    );
  },
  Choice: (place) => {
    const { state } = place;
    const sources = inputOf(place);
    const lookup = (path: string): Json | undefined => {
      const found = find(path, sources);
      return found.found ? found.value : undefined;
    };
    const target = state.Choices!.find((rule) => ruleMatches(rule, lookup))?.Next ?? state.Default;
    if (target === undefined)
      throw new StateFailure(
        'States.NoChoiceMatched',
        causeIn(place.name, place.entered, 'Failed to transition out of the state. The state does not point to a next state.'),
      );
    return { output: outputOf(place, sources.data), next: target };
  },
  Wait: async (place) => {
    const { engine, branch, state } = place;
    const sources = inputOf(place);
    await branch.cancellation.sleep(engine.clock, waitMs(state, sources, engine.clock.nowMs()));
    return { output: outputOf(place, sources.data), ...next(state) };
  },
  Task: (place) => attempted(place, (sources) => attemptTask(place.engine, place.branch, { state: place.state, sources })),
  Parallel: (place) =>
    attempted(
      place,
      (sources) => {
        const { engine, branch, state } = place;
        return attemptParallel(
          engine,
          branch,
          state,
          state.Parameters === undefined ? sources.data : fill(state.Parameters, sources),
          runStates,
        );
      },
      'ParallelState',
    ),
  Map: (place) =>
    attempted(place, (sources) => attemptMap(place.engine, place.branch, place.name, place.state, sources, runStates), 'MapState'),
};

/** Retry, Catch, ResultSelector and ResultPath around the work of a Task, Parallel or Map. */
async function attempted(place: Place, work: (sources: Sources) => Promise<Json>, branching?: 'ParallelState' | 'MapState'): Promise<Done> {
  const { engine, branch, state, name, entered } = place;
  const attempt = async (retryCount: number): Promise<Json> => {
    try {
      const sources = inputOf(place, retryCount);
      const result = await work(sources);
      const selected = state.ResultSelector === undefined ? result : fill(state.ResultSelector, { ...sources, data: result });
      return outputOf(place, putAt(resultPath(state), place.input, selected));
    } catch (error) {
      throw inState(error, name, entered);
    }
  };
  // What fails before any branch has begun has no event of its own.
  const failed = (): void => {
    if (branching && branch.lastEventId !== entered) engine.history.add(branch, `${branching}Failed`);
  };
  const outcome: Attempted = await withRetries(engine, branch, state, attempt, failed);
  if ('result' in outcome) return { output: outcome.result, ...next(state) };
  return { output: putAt(resultPath(outcome.caught), place.input, outcome.error), next: outcome.caught.Next };
}

const resultPath = ({ ResultPath }: { readonly ResultPath?: string | null }): string | null =>
  ResultPath === undefined ? '$' : ResultPath;
const next = ({ Next }: State): { next?: string } => (Next === undefined ? {} : { next: Next });

/** What expressions of the state read, after InputPath. */
function inputOf(place: Place, retryCount = 0): Sources {
  const { state, input } = place;
  const whole = sourcesOf(place, input, retryCount);
  if (state.InputPath === undefined) return whole;
  return { ...whole, data: state.InputPath === null ? {} : valueAt(state.InputPath, whole) };
}

function outputOf(place: Place, result: Json): Json {
  const { OutputPath } = place.state;
  if (OutputPath === undefined) return result;
  return OutputPath === null ? {} : valueAt(OutputPath, sourcesOf(place, result));
}

/** The context object: developer guide, "Accessing execution data from the Context object". */
function sourcesOf({ engine, branch, name, state, enteredTime }: Place, data: Json, retryCount = 0): Sources {
  const counted: JsonObject = ['Task', 'Parallel', 'Map'].includes(state.Type) ? { RetryCount: retryCount } : {};
  const context: JsonObject = {
    ...engine.context(),
    State: { Name: name, EnteredTime: enteredTime, ...counted },
    ...(branch.map === undefined ? {} : { Map: branch.map }),
  };
  return { data, context, random: engine.random };
}

function failText(expression: string, field: string, sources: Sources): string {
  const value = valueOf(expression, field, sources);
  if (typeof value !== 'string') throw new RuntimeFault(`The '${field}' field must be a string but was: ${JSON.stringify(value)}`);
  return value;
}

/** Beyond it AWS refuses to wait. */
const LONGEST_WAIT_SECONDS = 2 ** 31 - 1;

function waitMs(state: State, sources: Sources, nowMs: number): number {
  const seconds = state.Seconds ?? (state.SecondsPath === undefined ? undefined : secondsAt(state.SecondsPath, sources));
  const ms = seconds === undefined ? momentOf(state, sources) - nowMs : seconds * 1000;
  if (ms > LONGEST_WAIT_SECONDS * 1000) throw new RuntimeFault('Wait state delay is too long.');
  return ms;
}

function secondsAt(path: string, sources: Sources): number {
  const found = find(path, sources);
  if (!found.found) throw new RuntimeFault(`The SecondsPath parameter does not reference an input value: ${path}`);
  const { value } = found;
  const refuse = (what: string): never => {
    throw new RuntimeFault(`The SecondsPath parameter ${what}: ${path} == ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  };
  if (typeof value !== 'number' || !Number.isInteger(value)) return refuse('cannot be parsed as a long value');
  return value < 0 ? refuse('references a negative value') : value;
}

function momentOf(state: State, sources: Sources): number {
  if (state.Timestamp !== undefined) return timestampMs(state.Timestamp)!;
  const path = state.TimestampPath!;
  const found = find(path, sources);
  if (!found.found) throw new RuntimeFault(`The TimestampPath parameter does not reference an input value: ${path}`);
  const atMs = timestampMs(found.value);
  if (atMs !== undefined) return atMs;
  const got = typeof found.value === 'string' ? found.value : JSON.stringify(found.value);
  throw new RuntimeFault(
    `The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: ${path} == ${got}`,
  );
}
