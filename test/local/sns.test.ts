import {
  CreateTopicCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishBatchCommand,
  PublishCommand,
  SNSClient,
  SetTopicAttributesCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { type MessagingCloud, messagingCloud, until } from './cloud-with-messaging.js';

let desk: MessagingCloud;
let sns: SNSClient;
let sqs: SQSClient;
let number = 0;
beforeAll(async () => {
  desk = await messagingCloud();
  sns = new SNSClient(desk.client);
  sqs = new SQSClient(desk.client);
});
afterAll(async () => {
  sns.destroy();
  sqs.destroy();
  await desk.stop();
});

const topic = async (): Promise<string> => (await sns.send(new CreateTopicCommand({ Name: `topic-${++number}` }))).TopicArn!;
async function queue(topicArn: string): Promise<{ url: string; arn: string }> {
  const name = `queue-${++number}`;
  const arn = `arn:aws:sqs:eu-west-1:000000000000:${name}`;
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const Statement = [
    {
      Effect: 'Allow',
      Principal: { Service: 'sns.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: arn,
      Condition: { ArnEquals: { 'aws:SourceArn': topicArn } },
    },
  ];
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) } }));
  return { url: QueueUrl!, arn };
}
const receive = async (QueueUrl: string, WaitTimeSeconds = 5) =>
  (await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds, MessageAttributeNames: ['All'], MaxNumberOfMessages: 10 })))
    .Messages ?? [];

test('a queue receives the notification as JSON, or raw with its attributes', async () => {
  const TopicArn = await topic();
  const [whole, raw] = [await queue(TopicArn), await queue(TopicArn)];
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: whole.arn }));
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: raw.arn, Attributes: { RawMessageDelivery: 'true' } }));
  const { MessageId } = await sns.send(
    new PublishCommand({
      TopicArn,
      Message: 'hello',
      Subject: 'greeting',
      MessageAttributes: { colour: { DataType: 'String', StringValue: 'red' } },
    }),
  );
  const [notification] = await receive(whole.url);
  expect(JSON.parse(notification!.Body!)).toMatchObject({
    Type: 'Notification',
    MessageId,
    TopicArn,
    Subject: 'greeting',
    Message: 'hello',
    MessageAttributes: { colour: { Type: 'String', Value: 'red' } },
  });
  const [plain] = await receive(raw.url);
  expect(plain).toMatchObject({ Body: 'hello', MessageAttributes: { colour: { StringValue: 'red' } } });
});

test('a filter policy lets through what it names, by attribute or by body', async () => {
  const TopicArn = await topic();
  const [byAttribute, byBody] = [await queue(TopicArn), await queue(TopicArn)];
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: 'sqs',
      Endpoint: byAttribute.arn,
      Attributes: { RawMessageDelivery: 'true', FilterPolicy: '{"size":[{"numeric":[">",5]}]}' },
    }),
  );
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: 'sqs',
      Endpoint: byBody.arn,
      Attributes: { RawMessageDelivery: 'true', FilterPolicy: '{"kind":["x"]}', FilterPolicyScope: 'MessageBody' },
    }),
  );
  const entry = (Id: string, size: number, kind: string) => ({
    Id,
    Message: JSON.stringify({ kind, Id }),
    MessageAttributes: { size: { DataType: 'Number', StringValue: String(size) } },
  });
  await sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: [entry('a', 9, 'y'), entry('b', 1, 'x')] }));
  expect((await receive(byAttribute.url)).map(({ Body }) => Body)).toEqual(['{"kind":"y","Id":"a"}']);
  expect((await receive(byBody.url)).map(({ Body }) => Body)).toEqual(['{"kind":"x","Id":"b"}']);
});

test('a queue whose policy does not let the topic in receives nothing, and the journal says so', async () => {
  const TopicArn = await topic();
  const { url, arn } = await queue(`${TopicArn}-another`);
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: arn }));
  await sns.send(new PublishCommand({ TopicArn, Message: 'lost' }));
  await until('the denial', () => desk.world.journal.entries().some(({ kind, who }) => kind === 'denied' && who === TopicArn));
  expect(await receive(url, 0)).toHaveLength(0);
});

test('mail lies in the journal; what would leave this computer is refused', async () => {
  const TopicArn = await topic();
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'email', Endpoint: 'oncall@example.com' }));
  await sns.send(new PublishCommand({ TopicArn, Message: 'wake up', Subject: 'ALARM' }));
  expect(desk.world.journal.entries().find(({ what }) => what === 'mail to oncall@example.com')?.detail).toBe('ALARM\nwake up');
  await expect(sns.send(new SubscribeCommand({ TopicArn, Protocol: 'https', Endpoint: 'https://example.com' }))).rejects.toMatchObject({
    name: 'InvalidParameterException',
  });
});

test('a policy that cannot be read is refused', async () => {
  const TopicArn = await topic();
  const setting = sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: 'Policy', AttributeValue: '{"Statement":[{}]}' }));
  await expect(setting).rejects.toMatchObject({ name: 'InvalidParameterException' });
  await sns.send(new PublishCommand({ TopicArn, Message: 'as before' }));
});

test('attributes, subscriptions and their end', async () => {
  const TopicArn = await topic();
  const { arn } = await queue(TopicArn);
  await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: 'DisplayName', AttributeValue: 'Alarms' }));
  const { SubscriptionArn } = await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: arn }));
  expect((await sns.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes).toMatchObject({
    DisplayName: 'Alarms',
    SubscriptionsConfirmed: '1',
  });
  expect((await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions).toMatchObject([
    { SubscriptionArn, Protocol: 'sqs', Endpoint: arn },
  ]);
  await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
  expect((await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions).toEqual([]);
  await expect(sns.send(new PublishCommand({ TopicArn: `${TopicArn}x`, Message: 'x' }))).rejects.toMatchObject({
    name: 'NotFoundException',
  });
});
