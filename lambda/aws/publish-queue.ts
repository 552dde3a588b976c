import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { PublishQueue } from '../ports/publish-queue.js';

export const sqsPublishQueue = (client: SQSClient, queueUrl: string): PublishQueue => ({
  async send(message, DelaySeconds) {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds }));
  },
});
