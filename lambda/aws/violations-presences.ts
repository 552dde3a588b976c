/** Who is connected, since when, from where: one row a client, `PRESENCE#<bucket>` / `<clientId>`, in sixteen partitions by the MD5 of the client id. */
import { createHash } from 'node:crypto';
import { GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { PresenceRow, Presences } from '../ports/presences.js';
import type { Item, Ledger } from './ledger.js';
import { conditionFailed } from './retry.js';

const BUCKETS = Array.from({ length: 16 }, (_, bucket) => bucket.toString(16));
/** Version numbers begin again at 0 when a client was away for about an hour (IG life-cycle-events.html): beyond that the time says what is later. */
const VERSIONS_COUNT_MS = 3_600_000;
/** A client that connects is seen again within; one that stays away is remembered for longer. */
const KEPT_DAYS = { connected: 30, away: 400 } as const;
const DAY_SECONDS = 86_400;

const keyOf = (clientId: string) => ({ pk: `PRESENCE#${createHash('md5').update(clientId).digest('hex')[0]}`, sk: clientId });

const rowFrom = ({ pk: _pk, sk: _sk, ttl: _ttl, told: _told, ...row }: Item): PresenceRow => row as unknown as PresenceRow;

export function dynamoPresences({ client, table: TableName }: Ledger): Presences {
  return {
    async note(row) {
      const ttl = Math.floor(row.atMs / 1000) + (row.connected ? KEPT_DAYS.connected : KEPT_DAYS.away) * DAY_SECONDS;
      // Of one connection the end follows the beginning, and nothing follows the end.
      const sameVersion = row.connected ? '' : ' OR (versionNumber = :version AND connected = :true)';
      try {
        await client.send(
          new PutCommand({
            TableName,
            Item: { ...keyOf(row.clientId), ...row, ttl },
            ConditionExpression: `attribute_not_exists(pk) OR atMs < :longBefore OR (atMs <= :longAfter AND (versionNumber < :version${sameVersion}))`,
            ExpressionAttributeValues: {
              ':longBefore': row.atMs - VERSIONS_COUNT_MS,
              ':longAfter': row.atMs + VERSIONS_COUNT_MS,
              ':version': row.versionNumber,
              ...(row.connected ? {} : { ':true': true }),
            },
          }),
        );
      } catch (error) {
        if (!conditionFailed(error)) throw error;
      }
    },

    async get(clientId) {
      const { Item: found } = await client.send(new GetCommand({ TableName, Key: keyOf(clientId), ConsistentRead: true }));
      return found && rowFrom(found);
    },

    async *offlineSince(beforeMs) {
      for (const bucket of BUCKETS) {
        let ExclusiveStartKey: Record<string, unknown> | undefined;
        do {
          const page = await client.send(
            new QueryCommand({
              TableName,
              KeyConditionExpression: 'pk = :pk',
              FilterExpression: 'connected = :false AND atMs <= :before AND attribute_not_exists(told)',
              ExpressionAttributeValues: { ':pk': `PRESENCE#${bucket}`, ':false': false, ':before': beforeMs },
              ExclusiveStartKey,
            }),
          );
          for (const item of page.Items ?? []) yield rowFrom(item);
          ExclusiveStartKey = page.LastEvaluatedKey;
        } while (ExclusiveStartKey !== undefined);
      }
    },

    async markTold({ clientId, atMs, versionNumber }) {
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key: keyOf(clientId),
            UpdateExpression: 'SET told = :true',
            ConditionExpression: 'atMs = :at AND versionNumber = :version AND connected = :false',
            ExpressionAttributeValues: { ':true': true, ':false': false, ':at': atMs, ':version': versionNumber },
          }),
        );
      } catch (error) {
        if (!conditionFailed(error)) throw error; // it is back, or has been here since
      }
    },
  };
}
