import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListMessageMoveTasksCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { type MessagingCloud, messagingCloud } from './cloud-with-messaging.js';

let desk: MessagingCloud;
let sqs: SQSClient;
let number = 0;

beforeAll(async () => {
  desk = await messagingCloud();
  sqs = new SQSClient(desk.client);
});
afterAll(async () => {
  sqs.destroy();
  await desk.stop();
});

async function queue(Attributes: Record<string, string> = {}, suffix = ''): Promise<string> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `queue-${++number}${suffix}`, Attributes }));
  return QueueUrl!;
}
const arnOf = async (QueueUrl: string): Promise<string> =>
  (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))).Attributes!.QueueArn!;
const send = async (QueueUrl: string, MessageBody: string, more: object = {}) =>
  sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
const receive = async (QueueUrl: string, more: object = {}) =>
  (await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...more }))).Messages ?? [];

describe('a standard queue', () => {
  test('gives a message with attributes out, and the SDK agrees with every digest', async () => {
    const url = await queue();
    const sent = await send(url, 'hello wörld', {
      MessageAttributes: {
        kind: { DataType: 'String', StringValue: 'test' },
        bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2, 3]) },
        n: { DataType: 'Number', StringValue: '7' },
      },
    });
    const [message] = await receive(url, { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] });
    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: 'hello wörld',
      MD5OfBody: sent.MD5OfMessageBody,
      MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
    });
    expect(message!.MessageAttributes!.bytes!.BinaryValue).toEqual(new Uint8Array([1, 2, 3]));
    expect(message!.Attributes).toMatchObject({
      ApproximateReceiveCount: '1',
      SenderId: expect.stringContaining('administrator') as unknown,
    });
  });

  test('hides a received message until its visibility timeout on the clock of the desk', async () => {
    const url = await queue({ VisibilityTimeout: '600' });
    await send(url, 'once');
    expect(await receive(url)).toHaveLength(1);
    expect(await receive(url)).toHaveLength(0);
    await desk.world.clock.advance(601_000);
    expect((await receive(url, { MessageSystemAttributeNames: ['All'] }))[0]!.Attributes!.ApproximateReceiveCount).toBe('2');
  });

  test('does not delete by an old receipt handle, deletes by the newest', async () => {
    const url = await queue({ VisibilityTimeout: '0' });
    await send(url, 'x');
    const [first] = await receive(url);
    const [second] = await receive(url);
    await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first!.ReceiptHandle }));
    const [third] = await receive(url);
    expect(third!.MessageId).toBe(second!.MessageId);
    await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: third!.ReceiptHandle }));
    expect(await receive(url)).toHaveLength(0);
  });

  test('answers a long poll as soon as a message comes', async () => {
    const url = await queue();
    const started = Date.now();
    const waiting = receive(url, { WaitTimeSeconds: 20 });
    await send(url, 'at last');
    expect(await waiting).toHaveLength(1);
    expect(Date.now() - started).toBeLessThan(5000);
  });

  test('holds a delayed message back, and counts it', async () => {
    const url = await queue();
    await send(url, 'later', { DelaySeconds: 300 });
    expect(await receive(url)).toHaveLength(0);
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }));
    expect(Attributes).toMatchObject({ ApproximateNumberOfMessagesDelayed: '1', ApproximateNumberOfMessages: '0' });
    await desk.world.clock.advance(300_000);
    expect(await receive(url)).toHaveLength(1);
  });

  test('forgets a message after its retention period', async () => {
    const url = await queue({ MessageRetentionPeriod: '60' });
    await send(url, 'short-lived');
    await desk.world.clock.advance(61_000);
    expect(await receive(url)).toHaveLength(0);
  });

  test('makes a message visible again by ChangeMessageVisibility 0, and refuses it for one that is not in flight', async () => {
    const url = await queue();
    await send(url, 'x');
    const [message] = await receive(url);
    await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle: message!.ReceiptHandle, VisibilityTimeout: 0 }));
    expect(await receive(url)).toHaveLength(1);
    await expect(
      sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle: message!.ReceiptHandle, VisibilityTimeout: 0 })),
    ).rejects.toMatchObject({ name: 'MessageNotInflight' });
  });

  test('answers each entry of a batch for itself, and refuses a batch of eleven', async () => {
    const url = await queue();
    const answer = await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: url,
        Entries: [
          { Id: 'a', MessageBody: 'fine' },
          { Id: 'b', MessageBody: 'bad\u0001' },
        ],
      }),
    );
    expect(answer.Successful!.map(({ Id }) => Id)).toEqual(['a']);
    expect(answer.Failed).toMatchObject([{ Id: 'b', Code: 'InvalidMessageContents', SenderFault: true }]);
    const eleven = Array.from({ length: 11 }, (_, index) => ({ Id: String(index), MessageBody: 'x' }));
    await expect(sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: eleven }))).rejects.toMatchObject({
      name: 'TooManyEntriesInBatchRequest',
    });
    const [message] = await receive(url);
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries: [{ Id: 'x', ReceiptHandle: message!.ReceiptHandle }] }));
    expect(
      (await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }))).Attributes!
        .ApproximateNumberOfMessagesNotVisible,
    ).toBe('0');
  });

  test('refuses a message over its size limit, takes one of a whole mebibyte', async () => {
    const url = await queue();
    await send(url, 'x'.repeat(1_048_576));
    await expect(send(url, 'x'.repeat(1_048_577))).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    const small = await queue({ MaximumMessageSize: '262144' });
    await expect(send(small, 'x'.repeat(262_145))).rejects.toThrow('262144');
  });

  test('is found by name and prefix; after deletion it does not exist', async () => {
    const url = await queue();
    const QueueName = url.split('/').pop()!;
    expect((await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl).toBe(url);
    expect((await sqs.send(new ListQueuesCommand({ QueueNamePrefix: QueueName }))).QueueUrls).toEqual([url]);
    await send(url, 'gone');
    await sqs.send(new PurgeQueueCommand({ QueueUrl: url }));
    await expect(sqs.send(new PurgeQueueCommand({ QueueUrl: url }))).rejects.toMatchObject({ name: 'PurgeQueueInProgress' });
    expect(await receive(url)).toHaveLength(0);
    await sqs.send(new DeleteQueueCommand({ QueueUrl: url }));
    await expect(receive(url)).rejects.toThrow(QueueDoesNotExist);
  });

  test('has the same attributes when it is made again, or its name is taken', async () => {
    await queue({ VisibilityTimeout: '77' });
    const QueueName = `queue-${number}`;
    await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout: '77' } }));
    await expect(sqs.send(new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout: '78' } }))).rejects.toMatchObject({
      name: 'QueueNameExists',
    });
  });
});

test('a message arrives twice, or late, when the faults of the desk say so', async () => {
  const url = await queue();
  desk.world.faults.set({ duplicate: 1 });
  await send(url, 'twice');
  desk.world.faults.set({ duplicate: 0, reorder: 1 });
  await send(url, 'late');
  desk.world.faults.set({ reorder: 0 });
  expect((await receive(url)).map(({ Body }) => Body)).toEqual(['twice', 'twice']);
  await desk.world.clock.advance(2000);
  expect((await receive(url)).map(({ Body }) => Body)).toEqual(['late']);
});

describe('a dead-letter queue', () => {
  test('gets a message that was received too often, by the desk clock, and gives it back on redrive', async () => {
    const dead = await queue();
    const url = await queue({
      VisibilityTimeout: '30',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: await arnOf(dead), maxReceiveCount: 2 }),
    });
    const sent = await send(url, 'poison');
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(await receive(url)).toHaveLength(1);
      await desk.world.clock.advance(31_000);
    }
    expect(await receive(url)).toHaveLength(0);
    const [letter] = await receive(dead, { VisibilityTimeout: 0, MessageSystemAttributeNames: ['All'] });
    expect(letter).toMatchObject({ MessageId: sent.MessageId, Body: 'poison', Attributes: { DeadLetterQueueSourceArn: await arnOf(url) } });

    await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: await arnOf(dead) }));
    const { Results } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: await arnOf(dead) }));
    expect(Results).toMatchObject([{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 1 }]);
    const [again] = await receive(url, { MessageSystemAttributeNames: ['All'] });
    expect(again).toMatchObject({ Body: 'poison', Attributes: { ApproximateReceiveCount: '1' } });
    expect(again!.MessageId).not.toBe(sent.MessageId);
  });

  test('takes no policy that cannot be read', async () => {
    const url = await queue();
    for (const Policy of ['nonsense', '{}', '{"Statement":[{}]}'])
      await expect(sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Policy } }))).rejects.toMatchObject({
        name: 'InvalidAttributeValue',
      });
  });

  test('cannot be the source of a redrive when no queue names it, nor the target when it does not exist', async () => {
    const url = await queue();
    await expect(sqs.send(new StartMessageMoveTaskCommand({ SourceArn: await arnOf(url) }))).rejects.toThrow('Dead Letter Queue');
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: `${await arnOf(url)}-absent`, maxReceiveCount: 1 });
    await expect(sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { RedrivePolicy } }))).rejects.toThrow(
      'does not exist',
    );
  });
});

describe('a FIFO queue', () => {
  test('keeps the order within a group, and gives nothing of a group of which a message is in flight', async () => {
    const url = await queue({ FifoQueue: 'true', ContentBasedDeduplication: 'true' }, '.fifo');
    for (const [body, MessageGroupId] of [
      ['a1', 'a'],
      ['a2', 'a'],
      ['b1', 'b'],
    ] as const)
      await send(url, body, { MessageGroupId });
    const [a1] = await receive(url, { MaxNumberOfMessages: 1 });
    expect((await receive(url)).map(({ Body }) => Body)).toEqual(['b1']);
    await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: a1!.ReceiptHandle }));
    expect((await receive(url)).map(({ Body }) => Body)).toEqual(['a2']);
  });

  test('takes the same message once in five minutes', async () => {
    const url = await queue({ FifoQueue: 'true', ContentBasedDeduplication: 'true' }, '.fifo');
    const first = await send(url, 'same', { MessageGroupId: 'g' });
    expect((await send(url, 'same', { MessageGroupId: 'g' })).MessageId).toBe(first.MessageId);
    await desk.world.clock.advance(300_001);
    expect((await send(url, 'same', { MessageGroupId: 'g' })).MessageId).not.toBe(first.MessageId);
    await expect(send(url, 'no group')).rejects.toMatchObject({ name: 'MissingParameter' });
  });
});

test('an unknown queue has the code that query clients know, AWS.SimpleQueueService.NonExistentQueue', async () => {
  await expect(receive(`${desk.client.endpoint}/000000000000/absent`)).rejects.toThrow(QueueDoesNotExist);
  await expect(sqs.send(new GetQueueUrlCommand({ QueueName: 'absent' }))).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
});
