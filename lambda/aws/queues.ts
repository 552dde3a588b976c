import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { RevokeMessage } from '../../domain/protocol/revocation.js';
import type { RevokeQueue, SyncQueue } from '../ports/queues.js';

const BATCH = 10; // SendMessageBatch takes ten
const CALLS_AT_ONCE = 8;
const MAX_ATTEMPTS = 4;

export function sqsRevokeQueue(client: SQSClient, queueUrl: string): RevokeQueue {
  /** SQS may take some of a batch and refuse others: only those are sent again. */
  async function sendBatch(messages: readonly RevokeMessage[]): Promise<void> {
    let waiting = messages.map((message, index) => ({ Id: String(index), MessageBody: JSON.stringify(message) }));
    for (let attempt = 1; waiting.length > 0; attempt++) {
      const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: waiting }));
      const failed = new Set(Failed.map(({ Id }) => Id));
      waiting = waiting.filter(({ Id }) => failed.has(Id));
      if (waiting.length > 0 && attempt === MAX_ATTEMPTS)
        throw new Error(`revoke queue: ${waiting.length} messages not taken: ${Failed[0]?.Code ?? 'no code'}`);
    }
  }

  return {
    async sendAll(messages) {
      const underWay = new Set<Promise<void>>();
      let failure: unknown;
      let sent = 0;
      let batch: RevokeMessage[] = [];
      const start = (): void => {
        const call: Promise<void> = sendBatch(batch)
          .catch((error: unknown) => void (failure ??= error))
          .finally(() => underWay.delete(call));
        underWay.add(call);
        sent += batch.length;
        batch = [];
      };
      for await (const message of messages) {
        batch.push(message);
        if (batch.length === BATCH) start();
        if (underWay.size >= CALLS_AT_ONCE) await Promise.race(underWay);
        if (failure !== undefined) break;
      }
      if (batch.length > 0) start();
      await Promise.all(underWay);
      if (failure !== undefined) throw failure;
      return sent;
    },

    async defer(message, delaySeconds) {
      await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds: delaySeconds }));
    },
  };
}

export function sqsSyncQueue(client: SQSClient, queueUrl: string): SyncQueue {
  return {
    async send(message, delaySeconds) {
      await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds: delaySeconds }));
    },
  };
}
