import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { ViolationTopic } from '../ports/violation-topic.js';

export function snsViolationTopic(client: SNSClient, TopicArn: string): ViolationTopic {
  return {
    async publish(notification) {
      await client.send(new PublishCommand({ TopicArn, Message: JSON.stringify(notification) }));
    },
  };
}
