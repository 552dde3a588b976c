/**
 * The brake's rolling window, in one item of at most 61 counters:
 *
 *     now ────────────────────────────┐
 *     │ b │ b │ b │ … 60 buckets … │ b │   limit ≥ sum + count ?  then RUN#<runId> and WINDOW are written in ONE transaction
 *
 * A bucket counts until the whole of it has left the window: rounding goes towards braking. Two runs at once cannot both take what is left,
 * because the transaction demands the version of the window that the sum was made from.
 */
import { GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Brake } from '../ports/brake.js';
import type { Clock } from '../ports/clock.js';
import type { Ledger } from './ledger.js';
import { backOffMs, conditionFailed, passesByItself } from './retry.js';

const BUCKETS = 60;
const MAX_ATTEMPTS = 20;
/** A granted run is remembered this long, so that a retry out of a dead-letter queue (14 days at most) is not counted twice. */
const RUN_KEPT_SECONDS = 30 * 24 * 3600;

interface Window {
  readonly version: number;
  /** Count by bucket number. */
  readonly buckets: Readonly<Record<string, number>>;
}

export function dynamoBrake(ledger: Ledger, windowMinutes: number, clock: Clock): Brake {
  const windowMs = windowMinutes * 60_000;
  const bucketMs = windowMs / BUCKETS;

  const read = async (sk: string): Promise<unknown> =>
    (await ledger.client.send(new GetCommand({ TableName: ledger.table, Key: { pk: 'BRAKE', sk }, ConsistentRead: true }))).Item;

  return {
    async reserve(runId, count, limit, nowMs) {
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        // In this order: two deliveries of one CRL may be here at once, and a window that the other one has filled must not be seen without its
        // run. Read at the same time, the list that is being carried out would be held as well.
        const stored = (await read('WINDOW')) as Window | undefined;
        const run = await read(`RUN#${runId}`);
        const buckets = Object.fromEntries(
          Object.entries(stored?.buckets ?? {}).filter(([bucket]) => (Number(bucket) + 1) * bucketMs > nowMs - windowMs),
        );
        const usedInWindow = Object.values(buckets).reduce((sum, used) => sum + used, 0);
        if (run !== undefined || count === 0) return { granted: true, usedInWindow };
        if (usedInWindow + count > limit) return { granted: false, usedInWindow };

        const bucket = String(Math.floor(nowMs / bucketMs));
        const next: Window = { version: (stored?.version ?? 0) + 1, buckets: { ...buckets, [bucket]: (buckets[bucket] ?? 0) + count } };
        try {
          await ledger.client.send(
            new TransactWriteCommand({
              TransactItems: [
                {
                  Put: {
                    TableName: ledger.table,
                    Item: { pk: 'BRAKE', sk: `RUN#${runId}`, count, atMs: nowMs, ttl: Math.floor(nowMs / 1000) + RUN_KEPT_SECONDS },
                    ConditionExpression: 'attribute_not_exists(pk)',
                  },
                },
                {
                  Put: {
                    TableName: ledger.table,
                    Item: { pk: 'BRAKE', sk: 'WINDOW', ...next },
                    ConditionExpression: stored === undefined ? 'attribute_not_exists(pk)' : '#version = :version',
                    ...(stored !== undefined && {
                      ExpressionAttributeNames: { '#version': 'version' },
                      ExpressionAttributeValues: { ':version': stored.version },
                    }),
                  },
                },
              ],
            }),
          );
          return { granted: true, usedInWindow: usedInWindow + count };
        } catch (error) {
          if (!conditionFailed(error) && !passesByItself(error)) throw error;
          await clock.sleepUntil(clock.nowMs() + backOffMs(attempt));
        }
      }
      throw new Error(`brake: run ${runId} lost ${MAX_ATTEMPTS} times to other runs`);
    },
  };
}
