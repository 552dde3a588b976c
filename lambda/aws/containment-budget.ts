/**
 * What the brake of quarantine counts, in the ledger:
 *
 *     CONTAINMENT-BUDGET     WINDOW              goes up with each booking: whoever books names the one that he has counted under
 *     CONTAINMENT-BOOKED     <containmentId>     one containment that counts, until an hour after it is freed
 *
 * Two runs at once cannot both take what is left: the second finds another version than the one that it counted under, and counts again.
 */
import { GetCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../ports/clock.js';
import type { Booking, ContainmentBudget } from '../ports/containment-work.js';
import type { Item, Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';
import { backOffMs, conditionFailed, passesByItself } from './retry.js';

const MAX_ATTEMPTS = 20;
/** A transaction takes a hundred items; one is the version. */
const CHUNK = 90;
const HOUR_MS = 3_600_000;
/** A freed one counts by the hour; then it may go. */
const KEPT_SECONDS = 2 * 3600;

const VERSION = { pk: 'CONTAINMENT-BUDGET', sk: 'WINDOW' } as const;
const BOOKED = 'CONTAINMENT-BOOKED';

const bookingFrom = ({ pk: _pk, sk: _sk, ttl: _ttl, ...booking }: Item): Booking => booking as unknown as Booking;

export function dynamoContainmentBudget(ledger: Ledger, clock: Clock): ContainmentBudget {
  const { client, table: TableName } = ledger;

  async function booked(): Promise<readonly Booking[]> {
    const found: Booking[] = [];
    for await (const row of rowsOf(ledger, BOOKED)) found.push(bookingFrom(row));
    // DynamoDB deletes what has run out when it likes (FACTS E): it is left out here.
    const nowMs = clock.nowMs();
    return found.filter(({ freedAtMs, sinceMs }) => freedAtMs === undefined || sinceMs > nowMs - HOUR_MS);
  }

  async function version(): Promise<number> {
    const { Item } = await client.send(new GetCommand({ TableName, Key: VERSION, ConsistentRead: true }));
    return Number(Item?.['version'] ?? 0);
  }

  /** `false`: somebody has booked since `before` was read. */
  async function write(wanted: readonly Booking[], before: number): Promise<boolean> {
    try {
      await client.send(
        new TransactWriteCommand({
          TransactItems: [
            {
              Put: {
                TableName,
                Item: { ...VERSION, version: before + 1 },
                ConditionExpression: before === 0 ? 'attribute_not_exists(pk)' : 'version = :version',
                ...(before === 0 ? {} : { ExpressionAttributeValues: { ':version': before } }),
              },
            },
            ...wanted.map((booking) => ({ Put: { TableName, Item: { pk: BOOKED, sk: booking.containmentId, ...booking } } })),
          ],
        }),
      );
      return true;
    } catch (error) {
      if (!conditionFailed(error) && !passesByItself(error)) throw error;
      return false;
    }
  }

  async function free(containmentId: string, atMs: number): Promise<void> {
    try {
      await client.send(
        new UpdateCommand({
          TableName,
          Key: { pk: BOOKED, sk: containmentId },
          UpdateExpression: 'SET freedAtMs = if_not_exists(freedAtMs, :at), #ttl = :ttl',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: { ':at': atMs, ':ttl': Math.floor(atMs / 1000) + KEPT_SECONDS },
        }),
      );
    } catch (error) {
      if (!conditionFailed(error)) throw error; // never booked
    }
  }

  return {
    booked,

    async book(wanted, admits) {
      const written: string[] = [];
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
        let counted = await version();
        const there = await booked();
        const ids = new Set(wanted.map(({ containmentId }) => containmentId));
        // What was given back is not booked any more.
        const ours = new Set(
          there
            .filter(({ containmentId, freedAtMs }) => ids.has(containmentId) && freedAtMs === undefined)
            .map(({ containmentId }) => containmentId),
        );
        const missing = wanted.filter(({ containmentId }) => !ours.has(containmentId));
        if (missing.length === 0) return true;
        if (!(await admits(there.filter(({ containmentId }) => !ids.has(containmentId))))) {
          // A part of a long list was booked before somebody was faster: none of it is begun, and nobody would give it back.
          for (const containmentId of written) await free(containmentId, clock.nowMs());
          return false;
        }
        let isBooked = true;
        for (let start = 0; isBooked && start < missing.length; start += CHUNK) {
          const chunk = missing.slice(start, start + CHUNK);
          isBooked = await write(chunk, counted);
          if (isBooked) written.push(...chunk.map(({ containmentId }) => containmentId));
          counted += 1;
        }
        if (isBooked) return true;
        await clock.sleepUntil(clock.nowMs() + backOffMs(attempt));
      }
      throw new Error(`containment budget: lost ${MAX_ATTEMPTS} times to other runs`);
    },

    free: (_thing, containmentId, atMs) => free(containmentId, atMs),
  };
}
