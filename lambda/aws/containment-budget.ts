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
/** A booking that is older is renewed by whoever counts on it: one that nobody renews for hours is given up. */
const RENEWED_AFTER_MS = 10 * 60_000;
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

  /** Only as long as it is open: one that is freed at this very moment is booked anew, in the next attempt. */
  const renewal = ({ containmentId }: Booking, atMs: number) => ({
    Update: {
      TableName,
      Key: { pk: BOOKED, sk: containmentId },
      UpdateExpression: 'SET renewedAtMs = :at',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(freedAtMs)',
      ExpressionAttributeValues: { ':at': atMs },
    },
  });
  const putting = (booking: Booking) => ({ Put: { TableName, Item: { pk: BOOKED, sk: booking.containmentId, ...booking } } });

  /** `false`: somebody has booked since `before` was read, or freed what was to be renewed. */
  async function write(changes: readonly (ReturnType<typeof renewal> | ReturnType<typeof putting>)[], before: number): Promise<boolean> {
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
            ...changes,
          ],
        }),
      );
      return true;
    } catch (error) {
      if (!conditionFailed(error) && !passesByItself(error)) throw error;
      return false;
    }
  }

  const free = (containmentId: string, atMs: number): Promise<boolean> => freeWhere(containmentId, atMs, 'attribute_exists(pk)', {});

  /** `false`: never booked, or not as the condition says. */
  async function freeWhere(containmentId: string, atMs: number, condition: string, values: Record<string, number>): Promise<boolean> {
    try {
      await client.send(
        new UpdateCommand({
          TableName,
          Key: { pk: BOOKED, sk: containmentId },
          UpdateExpression: 'SET freedAtMs = if_not_exists(freedAtMs, :at), #ttl = :ttl',
          ConditionExpression: condition,
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: { ':at': atMs, ':ttl': Math.floor(atMs / 1000) + KEPT_SECONDS, ...values },
        }),
      );
      return true;
    } catch (error) {
      if (conditionFailed(error)) return false;
      throw error;
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
        const ours = there.filter(({ containmentId, freedAtMs }) => ids.has(containmentId) && freedAtMs === undefined);
        const known = new Set(ours.map(({ containmentId }) => containmentId));
        const missing = wanted.filter(({ containmentId }) => !known.has(containmentId));
        const nowMs = clock.nowMs();
        const stale = ours.filter(({ sinceMs, renewedAtMs = sinceMs }) => renewedAtMs < nowMs - RENEWED_AFTER_MS);
        if (missing.length + stale.length === 0) return true;
        if (missing.length > 0 && !(await admits(there.filter(({ containmentId }) => !ids.has(containmentId))))) {
          // A part of a long list was booked before somebody was faster: none of it is begun, and nobody would give it back.
          for (const containmentId of written) await free(containmentId, clock.nowMs());
          return false;
        }
        let isBooked = true;
        const changes = [...missing.map(putting), ...stale.map((one) => renewal(one, nowMs))];
        for (let start = 0; isBooked && start < changes.length; start += CHUNK) {
          isBooked = await write(changes.slice(start, start + CHUNK), counted);
          if (isBooked) written.push(...missing.slice(start, start + CHUNK).map(({ containmentId }) => containmentId));
          counted += 1;
        }
        if (isBooked) return true;
        await clock.sleepUntil(clock.nowMs() + backOffMs(attempt));
      }
      throw new Error(`containment budget: lost ${MAX_ATTEMPTS} times to other runs`);
    },

    async free(_thing, containmentId, atMs) {
      await free(containmentId, atMs);
    },

    async giveUp({ containmentId, sinceMs, renewedAtMs }, atMs) {
      const asRead = renewedAtMs === undefined ? 'attribute_not_exists(renewedAtMs)' : 'renewedAtMs = :renewed';
      return freeWhere(containmentId, atMs, `attribute_not_exists(freedAtMs) AND sinceMs = :since AND ${asRead}`, {
        ':since': sinceMs,
        ...(renewedAtMs === undefined ? {} : { ':renewed': renewedAtMs }),
      });
    },
  };
}
