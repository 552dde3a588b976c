import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { ProveQueue, RetireQueue, StartQueue } from '../ports/rotation-queues.js';

export const sqsStartQueue = (client: SQSClient, queueUrl: string): StartQueue => ({
  async send(message, DelaySeconds = 0) {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds }));
  },
});

export const sqsRetireQueue = (client: SQSClient, queueUrl: string): RetireQueue => ({
  async send(message, DelaySeconds = 0) {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds }));
  },
});

export const sqsProveQueue = (client: SQSClient, queueUrl: string): ProveQueue => ({
  async send(message, DelaySeconds) {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds }));
  },
});
