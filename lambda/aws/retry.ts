import type { Clock } from '../ports/clock.js';

const MAX_ATTEMPTS = 8;
const FIRST_DELAY_MS = 25;
const MAX_DELAY_MS = 2_000;

/**
 * Repeats `attempt` while it fails with a failure that passes by itself (`passes`), at most eight times in all, with exponential back-off
 * and full jitter: two writers that met once must not meet again in step. The last failure is thrown.
 */
export async function patiently<T>(clock: Clock, passes: (error: unknown) => boolean, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (failures + 1 >= MAX_ATTEMPTS || !passes(error)) throw error;
      await clock.sleepUntil(clock.nowMs() + backOffMs(failures));
    }
  }
}

/** Full jitter: uniform between nothing and the exponential bound. */
export function backOffMs(failures: number): number {
  return Math.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
}

/** The class name of an AWS error; empty for anything else. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

const PASSING = new Set([
  'TransactionConflictException',
  'TransactionInProgressException',
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'InternalServerError',
]);

/** Codes of `CancellationReasons` that say "not now" rather than "not so". */
const PASSING_REASONS = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

/** One item's reason in a TransactionCanceledException; its code is `None` for the items that were not at fault. */
export function cancellationReasons(error: unknown): readonly string[] {
  if (errorName(error) !== 'TransactionCanceledException') return [];
  const { CancellationReasons: reasons = [] } = error as { readonly CancellationReasons?: readonly { readonly Code?: string }[] };
  return reasons.map(({ Code }) => Code ?? 'None');
}

/**
 * Did a DynamoDB call fail for a reason that passes by itself? The SDK repeats throttled calls on its own, but neither a transaction that met
 * another one nor one that was throttled item by item (docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html).
 */
export function passesByItself(error: unknown): boolean {
  if (PASSING.has(errorName(error))) return true;
  const reasons = cancellationReasons(error);
  return reasons.some((code) => PASSING_REASONS.has(code)) && !reasons.includes('ConditionalCheckFailed');
}

/** A condition of ours did not hold: what we read before has changed. */
export function conditionFailed(error: unknown): boolean {
  return errorName(error) === 'ConditionalCheckFailedException' || cancellationReasons(error).includes('ConditionalCheckFailed');
}
