/** The people on call: a queue that is subscribed to the topic of the alarms, as their paging service would be. */
import { queueUrlOf } from './quiet.js';
import type { Scene } from './scene.js';

/** Subscribes; the answer gives the names of the alarms that have rung since it was last asked. */
export async function pager({ desk }: Scene): Promise<() => Promise<string[]>> {
  const { region, accountId } = desk.world;
  const topicArn = `arn:aws:sns:${region}:${accountId}:fleetwarden-alarms`;
  const queueArn = `arn:aws:sqs:${region}:${accountId}:pager`;
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: queueArn,
        Condition: { ArnEquals: { 'aws:SourceArn': topicArn } },
      },
    ],
  };
  await desk.cloud.call('sqs', 'CreateQueue', { QueueName: 'pager', Attributes: { Policy: JSON.stringify(policy) } });
  await desk.cloud.call('sns', 'Subscribe', {
    TopicArn: topicArn,
    Protocol: 'sqs',
    Endpoint: queueArn,
    Attributes: { RawMessageDelivery: 'true' },
  });
  const QueueUrl = queueUrlOf(desk, 'pager');
  return async () => {
    const names: string[] = [];
    for (;;) {
      const { Messages = [] } = await desk.cloud.call<{ Messages?: { Body: string; ReceiptHandle: string }[] }>('sqs', 'ReceiveMessage', {
        QueueUrl,
        MaxNumberOfMessages: 10,
      });
      if (Messages.length === 0) return names;
      for (const { Body, ReceiptHandle } of Messages) {
        names.push((JSON.parse(Body) as { AlarmName: string }).AlarmName);
        await desk.cloud.call('sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle });
      }
    }
  };
}
