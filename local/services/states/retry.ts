/** Retry and Catch around one attempt of a Task, Parallel or Map (https://states-language.net/#errors). */
import type { Branch, Engine } from './engine.js';
import type { Catcher, Retrier, State } from './definition.js';
import { StateFailure, matchesError } from './failure.js';
import type { Json } from './values.js';

export type Attempted = { readonly result: Json } | { readonly caught: Catcher; readonly error: Json };

/** Defaults of a retrier. */
const INTERVAL_SECONDS = 1;
const ATTEMPTS = 3;
const BACKOFF_RATE = 2;

/** `onGivenUp` runs once no retrier is left, before a catcher takes over or the failure goes on. */
export async function withRetries(
  engine: Engine,
  branch: Branch,
  state: State,
  attempt: (retryCount: number) => Promise<Json>,
  onGivenUp: (failure: StateFailure) => void = () => undefined,
): Promise<Attempted> {
  const used = new Map<Retrier, number>();
  for (let retryCount = 0; ; retryCount++) {
    try {
      return { result: await attempt(retryCount) };
    } catch (error) {
      if (!(error instanceof StateFailure)) throw error;
      const retrier = state.Retry?.find(({ ErrorEquals }) => matchesError(ErrorEquals, error));
      const times = retrier ? (used.get(retrier) ?? 0) : 0;
      if (retrier && times < (retrier.MaxAttempts ?? ATTEMPTS)) {
        used.set(retrier, times + 1);
        await branch.cancellation.sleep(engine.clock, delayMs(retrier, times, engine.random));
        continue;
      }
      onGivenUp(error);
      const caught = state.Catch?.find(({ ErrorEquals }) => matchesError(ErrorEquals, error));
      if (!caught) throw error;
      return { caught, error: { ...(error.error === undefined ? {} : { Error: error.error }), Cause: error.reason ?? '' } };
    }
  }
}

function delayMs(retrier: Retrier, times: number, random: () => number): number {
  const grown = (retrier.IntervalSeconds ?? INTERVAL_SECONDS) * (retrier.BackoffRate ?? BACKOFF_RATE) ** times;
  const seconds = Math.min(grown, retrier.MaxDelaySeconds ?? Infinity);
  return (retrier.JitterStrategy === 'FULL' ? seconds * random() : seconds) * 1000;
}
