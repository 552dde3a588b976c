import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { ReconcileMessage } from '../../domain/protocol/inventory-events.js';
import type { ReconcileRequests } from '../ports/reconcile-requests.js';
import type { Ledger } from './ledger.js';
import { askApart } from './requests-apart.js';

const REQUEST = { pk: 'RECONCILE', sk: 'REQUEST' } as const;
const APART_MS = 60_000;

export function reconcileRequests(ledger: Ledger, client: SQSClient, queueUrl: string): ReconcileRequests {
  return {
    async ask(nowMs) {
      const message: ReconcileMessage = { kind: 'start', askedAtMs: nowMs };
      const send = (DelaySeconds: number) =>
        client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds }));
      await askApart(ledger, { key: REQUEST, apartMs: APART_MS, send }, nowMs);
    },
  };
}
