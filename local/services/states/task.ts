/** One attempt of a Task: schedule, call, and where it waits for its token, the answer; with its time-outs on the desk's clock. */
import type { Branch, Engine, TaskResource } from './engine.js';
import type { State } from './definition.js';
import { HeartbeatFailure, RuntimeFault, StateFailure } from './failure.js';
import { type Sources, fill, valueAt } from './payload-template.js';
import { taskResource } from './task-resource.js';
import { type Json, type JsonObject, tooLarge } from './values.js';

/** What an attempt needs of its state: the data after InputPath, and the context object to which the token is added. */
export interface TaskInput {
  readonly state: State;
  readonly sources: Sources;
}

export async function attemptTask(engine: Engine, branch: Branch, { state, sources }: TaskInput): Promise<Json> {
  const resource = taskResource(state.Resource!)!;
  const token = resource.waitsForToken ? engine.openToken() : undefined;
  const known: Sources = token ? { ...sources, context: { ...(sources.context as JsonObject), Task: { Token: token.text } } } : sources;
  // A call that was given up comes back all the same: its answer must not go into the history.
  let over = false;
  try {
    const timeoutSeconds = state.TimeoutSecondsPath === undefined ? state.TimeoutSeconds : seconds(state.TimeoutSecondsPath, known);
    const heartbeatSeconds = state.HeartbeatSecondsPath === undefined ? state.HeartbeatSeconds : seconds(state.HeartbeatSecondsPath, known);
    const parameters = state.Parameters === undefined ? known.data : fill(state.Parameters, known);
    const text = JSON.stringify(parameters);
    if (tooLarge(text)) throw dataLimit(resource, 'input');
    const events = resource.service === 'function' ? functionEvents(engine, branch, resource) : serviceEvents(engine, branch, resource);
    events.scheduled(text, timeoutSeconds, heartbeatSeconds);
    events.started();
    const call = async (): Promise<Json> => {
      const called = checked(await engine.clock.track(engine.callService(resource, parameters)), resource);
      if (!answer || over) return called;
      events.submitted(JSON.stringify(called));
      return answer;
    };
    const answer = token?.answered.then((output) => checked(output, resource));
    // An answer that comes before the call has ended counts at once.
    const work = answer ? Promise.race([call(), answer]) : call();
    const limits = new TimeLimits(engine, timeoutSeconds, heartbeatSeconds);
    token?.onHeartbeat(() => limits.heard());
    return await settle(branch, events, limits, work);
  } finally {
    over = true;
    token?.close();
  }
}

async function settle(branch: Branch, events: TaskEvents, limits: TimeLimits, work: Promise<Json>): Promise<Json> {
  let result: Json;
  try {
    result = await branch.cancellation.race(Promise.race([work, limits.exceeded]));
  } catch (error) {
    if (error instanceof TimedOut) {
      events.timedOut();
      throw error.failure;
    }
    if (error instanceof StateFailure) events.failed(error);
    throw error;
  } finally {
    limits.stop();
    work.catch(() => undefined);
  }
  events.succeeded(JSON.stringify(result));
  return result;
}

/** A time limit has passed: another event than a failure's. */
class TimedOut extends Error {
  constructor(readonly failure: StateFailure) {
    super('timed out');
  }
}

class TimeLimits {
  readonly exceeded: Promise<never>;
  private reject: (error: TimedOut) => void = () => undefined;
  private readonly cancelTimeout: () => void;
  private cancelHeartbeat: () => void = () => undefined;

  constructor(
    private readonly engine: Engine,
    timeoutSeconds: number | undefined,
    private readonly heartbeatSeconds: number | undefined,
  ) {
    this.exceeded = new Promise<never>((_, reject) => {
      this.reject = reject;
    });
    this.exceeded.catch(() => undefined);
    this.cancelTimeout = this.after(timeoutSeconds, () => new StateFailure('States.Timeout', undefined));
    this.heard();
  }

  heard(): void {
    this.cancelHeartbeat();
    this.cancelHeartbeat = this.after(this.heartbeatSeconds, () => new HeartbeatFailure());
  }

  stop(): void {
    this.cancelTimeout();
    this.cancelHeartbeat();
  }

  private after(limitSeconds: number | undefined, failure: () => StateFailure): () => void {
    if (limitSeconds === undefined) return () => undefined;
    return this.engine.clock.after(limitSeconds * 1000, () => this.reject(new TimedOut(failure())));
  }
}

interface TaskEvents {
  scheduled(parameters: string, timeoutInSeconds: number | undefined, heartbeatInSeconds: number | undefined): void;
  started(): void;
  submitted(output: string): void;
  succeeded(output: string): void;
  failed(failure: StateFailure): void;
  timedOut(): void;
}

const whole = { truncated: false };

/** Optimised integrations: `Task…` events that name the service and its action. */
function serviceEvents(engine: Engine, branch: Branch, task: TaskResource): TaskEvents {
  const named = { resourceType: task.service, resource: task.action };
  const add = (what: string, details: Readonly<Record<string, unknown>>): void => {
    engine.history.add(branch, `Task${what}`, `task${what}EventDetails`, { ...named, ...details });
    engine.countTask(task, what);
  };
  return {
    scheduled: (parameters, timeoutInSeconds, heartbeatInSeconds) =>
      add('Scheduled', { region: engine.region, parameters, timeoutInSeconds, heartbeatInSeconds }),
    started: () => add('Started', {}),
    submitted: (output) => add('Submitted', { output, outputDetails: whole }),
    succeeded: (output) => add('Succeeded', { output, outputDetails: whole }),
    failed: ({ error, reason }) => add('Failed', { error, cause: reason }),
    timedOut: () => add('TimedOut', { error: 'States.Timeout' }),
  };
}

/** A function's own ARN as the resource: `LambdaFunction…` events. */
function functionEvents(engine: Engine, branch: Branch, task: TaskResource): TaskEvents {
  const add = (what: string, details?: Readonly<Record<string, unknown>>): void => {
    engine.history.add(branch, `LambdaFunction${what}`, details && `lambdaFunction${what}EventDetails`, details);
    engine.countTask(task, what);
  };
  return {
    scheduled: (input, timeoutInSeconds) => add('Scheduled', { resource: task.arn, input, inputDetails: whole, timeoutInSeconds }),
    started: () => add('Started'),
    submitted: () => undefined,
    succeeded: (output) => add('Succeeded', { output, outputDetails: whole }),
    failed: ({ error, reason }) => add('Failed', { error, cause: reason }),
    timedOut: () => add('TimedOut', { error: 'States.Timeout' }),
  };
}

function seconds(path: string, sources: Sources): number {
  const value = valueAt(path, sources);
  if (typeof value !== 'number' || !Number.isInteger(value) || value <= 0)
    throw new RuntimeFault(`The path '${path}' must refer to a positive integer: ${JSON.stringify(value)}`);
  return value;
}

function checked(result: Json, resource: TaskResource): Json {
  if (tooLarge(JSON.stringify(result))) throw dataLimit(resource, 'result');
  return result;
}

function dataLimit(resource: TaskResource, what: string): StateFailure {
  const task = resource.service === 'function' ? resource.arn : resource.service;
  const how = what === 'result' ? 'returned a result' : 'has an input';
  return new StateFailure(
    'States.DataLimitExceeded',
    `The state/task '${task}' ${how} with a size exceeding the maximum number of bytes service limit.`,
  );
}
