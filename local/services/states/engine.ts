/** What the interpreter has around it: the execution that it runs, the world, and the ways out of it. */
import type { DeskClock } from '../../world/clock.js';
import type { Cancellation } from './cancellation.js';
import type { History } from './history.js';
import type { TaskToken } from './task-tokens.js';
import type { Json, JsonObject } from './values.js';

export interface Engine {
  readonly clock: DeskClock;
  readonly random: () => number;
  readonly history: History;
  readonly region: string;
  /** `Execution` and `StateMachine` of the context object. */
  readonly context: () => JsonObject;
  /** Calls a service as the state machine's role. Throws StateFailure. */
  callService(resource: TaskResource, parameters: Json): Promise<Json>;
  openToken(): TaskToken;
  /** A state of the execution's own line begins: where a redrive would go on. */
  onTopState(name: string, input: Json): void;
  /** Metrics of a task: `Scheduled`, `Started`, `Succeeded`, `Failed`, `TimedOut`. */
  countTask(resource: TaskResource, what: string): void;
}

/** `Resource` of a task, taken apart. */
export interface TaskResource {
  readonly arn: string;
  /** `lambda`, `sqs`, `sns`; a function's own ARN is called without envelope. */
  readonly service: 'lambda' | 'sqs' | 'sns' | 'events' | 'function';
  /** `invoke.waitForTaskToken`, as the history has it. */
  readonly action: string;
  readonly waitsForToken: boolean;
}

/** One line of states under way: the execution itself, a branch of a Parallel, an iteration of a Map. */
export interface Branch {
  readonly cancellation: Cancellation;
  lastEventId: number;
  /** The execution's own line, not a branch of it. */
  readonly top?: boolean;
  /** `Map` of the context object. */
  readonly map?: JsonObject;
  /** The state in which the branch is, for the events of a branch that is stopped. */
  current?: { readonly name: string; readonly type: string };
  /** It has come to its end: nothing to stop. */
  over?: boolean;
}
