import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { WatchMessage } from '../../domain/protocol/containment-workflow.js';
import type { WatchRequests } from '../ports/watch-requests.js';
import type { Ledger } from './ledger.js';
import { askApart } from './requests-apart.js';

/** A look is some ten calls of AWS IoT for each certificate: whoever connects again and again must not use up their quotas. */
const APART_MS = 15_000;

export function watchRequests(ledger: Ledger, client: SQSClient, queueUrl: string): WatchRequests {
  return {
    async ask(thing, nowMs) {
      const message: WatchMessage = { kind: 'look', thingName: thing };
      const send = (DelaySeconds: number) =>
        client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds }));
      await askApart(ledger, { key: { pk: 'LOOK', sk: thing }, apartMs: APART_MS, send }, nowMs);
    },
  };
}
