/** What goes wrong in an execution, in the words of the Amazon States Language ("Errors", https://states-language.net/#errors). */

/** An error that Retry and Catch see: its name and its cause. `cause` is absent where AWS gives none (time-outs). */
export class StateFailure extends Error {
  constructor(
    readonly error: string | undefined,
    readonly reason: string | undefined,
  ) {
    super(`${error ?? 'no error name'}: ${reason ?? 'no cause'}`);
  }
}

/** A fault of the definition or its data, found while a state runs: becomes States.Runtime, which nothing retries or catches. */
export class RuntimeFault extends Error {}

/** An intrinsic function that cannot be carried out on its arguments. */
export class IntrinsicFault extends Error {}

/** The branch was stopped from outside: a sibling failed, the execution was stopped or timed out. Never recorded as a failure. */
export class Stopped extends Error {}

/** Terminal whatever the definition says (developer guide, "Handling errors in Step Functions workflows"). */
const TERMINAL = ['States.Runtime'];
/** What ErrorEquals may say for a missed heartbeat, beside the name that the history has. */
const HEARTBEAT_NAMES = ['States.HeartbeatTimeout', 'States.Timeout'];

/** A task that missed its heartbeat: the history says States.Timeout, as AWS's does, and ErrorEquals may say either name. */
export class HeartbeatFailure extends StateFailure {
  constructor() {
    super('States.Timeout', undefined);
  }
}

/** Whether a retrier or catcher with these names is for the failure. */
export function matchesError(errorEquals: readonly string[], failure: StateFailure): boolean {
  const { error = '' } = failure;
  if (TERMINAL.includes(error)) return false;
  const names = failure instanceof HeartbeatFailure ? HEARTBEAT_NAMES : [error];
  return errorEquals.some((wanted) => {
    if (wanted === 'States.ALL') return true;
    if (wanted === 'States.TaskFailed') return !names.includes('States.Timeout');
    return names.includes(wanted);
  });
}
