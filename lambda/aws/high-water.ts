import { GetCommand, PutCommand, QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { LEDGER_INDEXES } from '../../domain/protocol/ledger-table.js';
import type { HighWater, HighWaterMarks } from '../ports/high-water.js';
import type { Item, Ledger } from './ledger.js';
import { conditionFailed } from './retry.js';

const BY_OBJECT: keyof typeof LEDGER_INDEXES = 'byObject';
const keyOf = (issuerKeyId: string, partition: string) => ({ pk: `CRL#${issuerKeyId}#${partition}`, sk: 'HIGH_WATER' });
const toMark = ({ pk: _pk, sk: _sk, objectRef: _ref, ...mark }: Item): HighWater => mark as unknown as HighWater;

export function dynamoHighWaterMarks(ledger: Ledger): HighWaterMarks {
  return {
    async get(issuerKeyId, partition) {
      const { Item } = await ledger.client.send(
        new GetCommand({ TableName: ledger.table, Key: keyOf(issuerKeyId, partition), ConsistentRead: true }),
      );
      return Item && toMark(Item);
    },

    async ofObject(bucket, key) {
      const { Items } = await ledger.client.send(
        new QueryCommand({
          TableName: ledger.table,
          IndexName: BY_OBJECT,
          KeyConditionExpression: 'objectRef = :ref',
          ExpressionAttributeValues: { ':ref': `${bucket}/${key}` },
        }),
      );
      // A CA whose partition was renamed leaves its older mark behind; the last one raised from this object is the one in use.
      return (Items ?? []).map(toMark).sort((a, b) => b.appliedAtMs - a.appliedAtMs)[0];
    },

    async raise(mark, previous) {
      try {
        await ledger.client.send(
          new PutCommand({
            TableName: ledger.table,
            Item: { ...keyOf(mark.issuerKeyId, mark.partition), objectRef: `${mark.bucket}/${mark.key}`, ...mark },
            ...(previous === undefined
              ? { ConditionExpression: 'attribute_not_exists(pk)' }
              : {
                  ConditionExpression: 'digest = :digest AND crlNumber = :crlNumber',
                  ExpressionAttributeValues: { ':digest': previous.digest, ':crlNumber': previous.crlNumber },
                }),
          }),
        );
        return true;
      } catch (error) {
        if (conditionFailed(error)) return false;
        throw error;
      }
    },

    async *all() {
      let ExclusiveStartKey: Record<string, unknown> | undefined;
      do {
        // The index holds the marks and nothing else: this scan reads as many items as there are CRLs, not the audit trail.
        const page = await ledger.client.send(new ScanCommand({ TableName: ledger.table, IndexName: BY_OBJECT, ExclusiveStartKey }));
        yield* (page.Items ?? []).map(toMark);
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey !== undefined);
    },
  };
}
