/** One attempt of a Parallel or an inline Map: branches side by side; the first that fails stops the others. */
import { Cancellation } from './cancellation.js';
import type { State, StateList } from './definition.js';
import type { Branch, Engine } from './engine.js';
import { RuntimeFault, Stopped } from './failure.js';
import { type Sources, fill, valueAt } from './payload-template.js';
import { type Json, type JsonObject, isArray } from './values.js';

/** The interpreter: a branch is run as the whole is. */
type RunStates = (engine: Engine, list: StateList, input: Json, branch: Branch) => Promise<Json>;

/** An inline map has at most 40 iterations at a time (developer guide, "Using Map state in Inline mode"). */
const MOST_CONCURRENT = 40;
/** States whose interruption the history knows. */
const WITH_ABORTED = ['Task', 'Wait', 'Parallel', 'Map'];

export async function attemptParallel(engine: Engine, branch: Branch, state: State, input: Json, run: RunStates): Promise<Json> {
  const started = engine.history.add(branch, 'ParallelStateStarted');
  const all = branch.cancellation.child();
  const branches = state.Branches!.map((): Branch => ({ cancellation: all.child(), lastEventId: started, ...inherited(branch) }));
  const results = await together(
    state.Branches!.map((list, index) => async () => {
      const output = await run(engine, list, input, branches[index]!);
      branches[index]!.over = true;
      return output;
    }),
    state.Branches!.length,
    (index) => {
      branch.lastEventId = branches[index]!.lastEventId;
      abort(engine, all, branches, index);
    },
  );
  const last = Math.max(started, ...branches.map(({ lastEventId }) => lastEventId));
  engine.history.append(last, 'ParallelStateSucceeded');
  branch.lastEventId = last;
  return results;
}

export async function attemptMap(
  engine: Engine,
  branch: Branch,
  name: string,
  state: State,
  sources: Sources,
  run: RunStates,
): Promise<Json> {
  const items = itemsOf(state, sources);
  const concurrency = Math.min(concurrencyOf(state, sources) || MOST_CONCURRENT, MOST_CONCURRENT);
  const selector = state.ItemSelector ?? state.Parameters;
  const started = engine.history.add(branch, 'MapStateStarted', 'mapStateStartedEventDetails', { length: items.length });
  const all = branch.cancellation.child();
  const iterations: Branch[] = [];
  let slotFreedBy = started;
  let lastSucceeded = started;
  const iterate = async (index: number): Promise<Json> => {
    const map: JsonObject = { Item: { Index: index, Value: items[index]! } };
    const iteration: Branch = { cancellation: all.child(), lastEventId: slotFreedBy, map };
    iterations[index] = iteration;
    const details = { name, index };
    engine.history.add(iteration, 'MapIterationStarted', 'mapIterationStartedEventDetails', details);
    const input =
      selector === undefined ? items[index]! : fill(selector, { ...sources, context: { ...(sources.context as JsonObject), Map: map } });
    const output = await run(engine, (state.ItemProcessor ?? state.Iterator)!, input, iteration);
    iteration.over = true;
    slotFreedBy = iteration.lastEventId;
    lastSucceeded = engine.history.append(iteration.lastEventId, 'MapIterationSucceeded', 'mapIterationSucceededEventDetails', details);
    return output;
  };
  const results = await together(
    items.map((_, index) => () => iterate(index)),
    concurrency,
    (index) => {
      const failedAt = iterations[index]!.lastEventId;
      branch.lastEventId = failedAt;
      engine.history.append(failedAt, 'MapIterationFailed', 'mapIterationFailedEventDetails', { name, index });
      abort(engine, all, iterations, index, name);
    },
  );
  engine.history.append(lastSucceeded, 'MapStateSucceeded');
  branch.lastEventId = lastSucceeded;
  return results;
}

/** A branch within an iteration still sees the item. */
const inherited = ({ map }: Branch): { map?: JsonObject } => (map === undefined ? {} : { map });

/** Runs at most `concurrency` at once, in order. `onFailure` runs for the first that fails; its error goes on. */
async function together(tasks: readonly (() => Promise<Json>)[], concurrency: number, onFailure: (index: number) => void): Promise<Json[]> {
  const results: Json[] = [];
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (next < tasks.length && !failed) {
      const index = next++;
      try {
        results[index] = await tasks[index]!();
      } catch (error) {
        if (failed) return;
        failed = true;
        // Stopped from outside: nothing of this state failed.
        if (!(error instanceof Stopped)) onFailure(index);
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, tasks.length) }, worker));
  return results;
}

/** Stops the branches that are still under way and says so. */
function abort(engine: Engine, all: Cancellation, branches: readonly Branch[], failedIndex: number, mapName?: string): void {
  const failedAt = branches[failedIndex]!.lastEventId;
  all.cancel();
  for (const [index, { current, over }] of branches.entries()) {
    if (index === failedIndex || over) continue;
    if (mapName !== undefined)
      engine.history.append(failedAt, 'MapIterationAborted', 'mapIterationAbortedEventDetails', { name: mapName, index });
    if (current && WITH_ABORTED.includes(current.type)) engine.history.append(failedAt, `${current.type}StateAborted`);
  }
}

function itemsOf(state: State, sources: Sources): readonly Json[] {
  const items = state.ItemsPath === undefined ? sources.data : valueAt(state.ItemsPath, sources);
  if (!isArray(items)) throw new RuntimeFault(`Reference path "${state.ItemsPath ?? '$'}" must point to array.`);
  return items;
}

function concurrencyOf(state: State, sources: Sources): number {
  if (state.MaxConcurrencyPath === undefined) return state.MaxConcurrency ?? 0;
  const value = valueAt(state.MaxConcurrencyPath, sources);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    const got = typeof value === 'string' ? value : JSON.stringify(value);
    throw new RuntimeFault(
      `The MaxConcurrencyPath field refers to value "${got}" which is not a valid integer: ${state.MaxConcurrencyPath}`,
    );
  }
  return value;
}
