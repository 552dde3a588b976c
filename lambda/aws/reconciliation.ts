import { randomUUID } from 'node:crypto';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { ReconcileCheckpoint, ReconcileQueue, Reconciliation } from '../ports/reconciliation.js';
import type { Item, Ledger } from './ledger.js';
import { conditionFailed } from './retry.js';

const CHECKPOINT = { pk: 'RECONCILE', sk: 'CHECKPOINT' } as const;
const REPORT_KEPT_DAYS = 400;

const toCheckpoint = ({ pk: _pk, sk: _sk, writer: _writer, ttl: _ttl, ...checkpoint }: Item): ReconcileCheckpoint =>
  checkpoint as unknown as ReconcileCheckpoint;

export function dynamoReconciliation(ledger: Ledger): Reconciliation {
  const stored = async (): Promise<Item | undefined> =>
    (await ledger.client.send(new GetCommand({ TableName: ledger.table, Key: CHECKPOINT, ConsistentRead: true }))).Item;

  return {
    async checkpoint() {
      const item = await stored();
      return item && toCheckpoint(item);
    },

    async save(checkpoint, previous) {
      const writer = randomUUID();
      try {
        await ledger.client.send(
          new PutCommand({
            TableName: ledger.table,
            Item: { ...CHECKPOINT, ...checkpoint, writer },
            ...(previous === undefined
              ? { ConditionExpression: 'attribute_not_exists(pk)' }
              : {
                  ConditionExpression: '#runId = :runId AND #sequence = :sequence',
                  ExpressionAttributeNames: { '#runId': 'runId', '#sequence': 'sequence' },
                  ExpressionAttributeValues: { ':runId': previous.runId, ':sequence': previous.sequence },
                }),
          }),
        );
        return true;
      } catch (error) {
        if (!conditionFailed(error)) throw error;
        // The SDK repeats a write whose answer was lost, and then finds its own: taking that for a lost race would end the run.
        return (await stored())?.['writer'] === writer;
      }
    },

    async report(checkpoint) {
      const ttl = Math.floor(checkpoint.updatedAtMs / 1000) + REPORT_KEPT_DAYS * 86_400;
      await ledger.client.send(
        new PutCommand({
          TableName: ledger.table,
          Item: { pk: CHECKPOINT.pk, sk: `REPORT#${checkpoint.runId}`, ...checkpoint, ttl },
        }),
      );
    },

    async lastReport() {
      const { Items = [] } = await ledger.client.send(
        new QueryCommand({
          TableName: ledger.table,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :report)',
          ExpressionAttributeValues: { ':pk': CHECKPOINT.pk, ':report': 'REPORT#' },
          ScanIndexForward: false,
          Limit: 1,
          ConsistentRead: true,
        }),
      );
      return Items[0] && toCheckpoint(Items[0]);
    },
  };
}

export function sqsReconcileQueue(client: SQSClient, queueUrl: string): ReconcileQueue {
  return {
    async send(message, DelaySeconds) {
      await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds }));
    },
  };
}
