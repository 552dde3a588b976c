import { GetCommand, QueryCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { certificateId } from '../../domain/fleet/certificate-id.js';
import type { Clock } from '../ports/clock.js';
import type { InventoryPages } from '../ports/inventory-pages.js';
import { batchGet, batchPut } from './dynamo-batch.js';
import {
  ACTIVE_COUNT_KEY,
  SHARDS,
  certificateFrom,
  certificateKey,
  reconciledKey,
  revocationFrom,
  revocationKey,
  statusShard,
  type Key,
} from './inventory-items.js';
import { conditionFailed, passesByItself, patiently } from './retry.js';

const PAGE_SIZE = 250;

/** Marks are of use until the end of their run only; DynamoDB clears them away by itself, some time after this. */
const MARK_DAYS = 30;

export function dynamoInventoryPages(client: DynamoDBDocumentClient, table: string, clock: Clock): InventoryPages {
  return {
    async byIds(ids) {
      const items = await batchGet(client, clock, table, [...new Set(ids)].map(certificateKey));
      return new Map(items.map((item) => certificateFrom(item).record).map((record) => [record.certificateId, record]));
    },

    async revocationsOf(certificates) {
      const keys = new Map<string, Key>();
      for (const { issuerId, serialNumber } of certificates) {
        const key = revocationKey(issuerId, serialNumber);
        keys.set(key.pk, key);
      }
      return (await batchGet(client, clock, table, [...keys.values()])).map(revocationFrom);
    },

    async statusPage(status, cursor) {
      const page = await client.send(
        new QueryCommand({
          TableName: table,
          IndexName: 'byStatus',
          KeyConditionExpression: 'statusShard = :shard',
          ExpressionAttributeValues: { ':shard': statusShard(status, cursor.shard) },
          Limit: PAGE_SIZE,
          // The start key of an index is made of the keys of the index and of the table: all of them follow from the certificateId.
          ...(cursor.after === undefined
            ? {}
            : {
                ExclusiveStartKey: {
                  statusShard: statusShard(status, cursor.shard),
                  certificateId: cursor.after,
                  ...certificateKey(cursor.after),
                },
              }),
        }),
      );
      const certificates = (page.Items ?? []).map((item) => certificateFrom(item).record);
      if (page.LastEvaluatedKey !== undefined) {
        return { certificates, next: { shard: cursor.shard, after: certificateId(String(page.LastEvaluatedKey['certificateId'])) } };
      }
      const nextShard = SHARDS[SHARDS.indexOf(cursor.shard) + 1];
      return nextShard === undefined ? { certificates } : { certificates, next: { shard: nextShard } };
    },

    async countChanges() {
      const { Item } = await client.send(new GetCommand({ TableName: table, Key: ACTIVE_COUNT_KEY, ConsistentRead: true }));
      return Number(Item?.['changes'] ?? 0);
    },

    async settleActiveCount(listed, changesBefore) {
      const count = { TableName: table, Key: ACTIVE_COUNT_KEY };
      try {
        await patiently(clock, passesByItself, () =>
          client.send(
            new UpdateCommand({
              ...count,
              UpdateExpression: 'SET #active = :listed, countedAtMs = :now',
              ConditionExpression: changesBefore === 0 ? 'attribute_not_exists(#changes)' : '#changes = :before',
              ExpressionAttributeNames: { '#active': 'active', '#changes': 'changes' },
              ExpressionAttributeValues: {
                ':listed': listed,
                ':now': clock.nowMs(),
                ...(changesBefore === 0 ? {} : { ':before': changesBefore }),
              },
            }),
          ),
        );
      } catch (error) {
        if (!conditionFailed(error)) throw error;
        const values = { ':now': clock.nowMs() };
        await patiently(clock, passesByItself, () =>
          client.send(new UpdateCommand({ ...count, UpdateExpression: 'SET countedAtMs = :now', ExpressionAttributeValues: values })),
        );
      }
    },

    async mark(ids, runId, nowMs) {
      const ttl = Math.floor(nowMs / 1000) + MARK_DAYS * 86_400;
      await batchPut(
        client,
        clock,
        table,
        [...new Set(ids)].map((id) => ({ ...reconciledKey(id), certificateId: id, runId, ttl })),
      );
    },

    async marked(ids, runId) {
      const rows = await batchGet(client, clock, table, [...new Set(ids)].map(reconciledKey), ['certificateId', 'runId']);
      return new Set(rows.filter((row) => row['runId'] === runId).map((row) => certificateId(String(row['certificateId']))));
    },
  };
}
