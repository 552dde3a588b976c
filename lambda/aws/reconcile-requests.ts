/**
 * One row says from when the next request may leave. Between two requests at most one waits, as a delayed message:
 *
 *     ask ──► sent at once      ask, ask, ask ──► one, delayed      ask ──► nothing: that one begins after this ask
 *      0 s ───────────────────────── 5 s ─────────────────────────── 60 s ──► next may leave
 *
 * The message is sent before the row is written: to die in between costs a reconciliation too many, never one too few.
 */
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { ReconcileMessage } from '../../domain/protocol/inventory-events.js';
import type { ReconcileRequests } from '../ports/reconcile-requests.js';
import type { Ledger } from './ledger.js';
import { conditionFailed } from './retry.js';

const REQUEST = { pk: 'RECONCILE', sk: 'REQUEST' } as const;
const APART_MS = 60_000;

export function reconcileRequests(ledger: Ledger, client: SQSClient, queueUrl: string): ReconcileRequests {
  return {
    async ask(nowMs) {
      const { Item } = await ledger.client.send(new GetCommand({ TableName: ledger.table, Key: REQUEST, ConsistentRead: true }));
      const freeAtMs = Number(Item?.['freeAtMs'] ?? 0);
      if (freeAtMs > nowMs + APART_MS) return; // one waits already, and begins after now
      const atMs = Math.max(nowMs, freeAtMs);
      const message: ReconcileMessage = { kind: 'start', askedAtMs: nowMs };
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: JSON.stringify(message),
          DelaySeconds: Math.ceil((atMs - nowMs) / 1000),
        }),
      );
      try {
        await ledger.client.send(
          new PutCommand({
            TableName: ledger.table,
            Item: { ...REQUEST, freeAtMs: atMs + APART_MS },
            ConditionExpression: 'attribute_not_exists(pk) OR freeAtMs = :before',
            ExpressionAttributeValues: { ':before': freeAtMs },
          }),
        );
      } catch (error) {
        if (!conditionFailed(error)) throw error; // somebody asked at the same moment: as good
      }
    },
  };
}
