/** The SQS operations that the desk serves. Names, bounds and errors: Amazon SQS API reference. */
import { createHash } from 'node:crypto';
import type { World } from '../../cloud.js';
import { AwsError, type Call, type Operation } from '../../models/service.js';
import { answerMessage } from './answer.js';
import { runBatch } from './batch.js';
import { type MessageAttributes, MAXIMUM_MESSAGE_BYTES, checkMessage, md5, md5OfAttributes, sizeOf } from './message.js';
import { MoveTasks } from './move-task.js';
import type { Queue } from './queue.js';
import type { Queues } from './queues.js';

const senderOf = ({ principal }: Call): string => (principal.kind === 'service' ? principal.service : principal.arn);

interface SendInput {
  readonly MessageBody: string;
  readonly DelaySeconds?: number;
  readonly MessageAttributes?: MessageAttributes;
  readonly MessageSystemAttributes?: MessageAttributes;
  readonly MessageGroupId?: string;
  readonly MessageDeduplicationId?: string;
}

function within(name: string, value: number | undefined, from: number, to: number): void {
  if (value !== undefined && (value < from || value > to)) {
    throw new AwsError(
      'InvalidParameterValue',
      `Value ${value} for parameter ${name} is invalid. Reason: Must be >= ${from} and <= ${to}.`,
    );
  }
}

/** Enqueues one message. `extraDelayMs` is a fault: it comes later than it should. */
export function sendTo(queue: Queue, input: SendInput, senderId: string, extraDelayMs = 0): Record<string, unknown> {
  const attributes = input.MessageAttributes ?? {};
  within('DelaySeconds', input.DelaySeconds, 0, 900);
  checkMessage(input.MessageBody, attributes, Number(queue.attribute('MaximumMessageSize')));
  const message = queue.send(
    {
      body: input.MessageBody,
      attributes,
      systemAttributes: input.MessageSystemAttributes ?? {},
      senderId,
      groupId: input.MessageGroupId,
      deduplicationId: queue.fifo ? fifoDeduplicationId(queue, input) : undefined,
    },
    (input.DelaySeconds ?? Number(queue.attribute('DelaySeconds'))) + extraDelayMs / 1000,
  );
  const digest = md5OfAttributes(attributes);
  return {
    MessageId: message.messageId,
    MD5OfMessageBody: md5(input.MessageBody),
    ...(digest === undefined ? {} : { MD5OfMessageAttributes: digest }),
    ...(message.sequenceNumber === undefined ? {} : { SequenceNumber: message.sequenceNumber }),
  };
}

function fifoDeduplicationId(queue: Queue, input: SendInput): string {
  if (input.MessageGroupId === undefined) throw new AwsError('MissingParameter', 'The request must contain the parameter MessageGroupId.');
  if (input.DelaySeconds)
    throw new AwsError(
      'InvalidParameterValue',
      `Value ${input.DelaySeconds} for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.`,
    );
  if (input.MessageDeduplicationId !== undefined) return input.MessageDeduplicationId;
  if (queue.attribute('ContentBasedDeduplication') !== 'true') {
    throw new AwsError(
      'InvalidParameterValue',
      'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    );
  }
  return createHash('sha256').update(input.MessageBody).digest('hex');
}

export function sqsOperations(queues: Queues, world: World): Readonly<Record<string, Operation>> {
  const moveTasks = new MoveTasks(queues, world.clock);
  /** A standard queue gives messages out at least once and in any order; a desk does so when its faults say so. */
  const send = (queue: Queue, input: SendInput, call: Call): Record<string, unknown> => {
    const { copies, delayMs } = queue.fifo ? { copies: 1, delayMs: 0 } : world.faults.delivery();
    for (let copy = 1; copy < copies; copy++) sendTo(queue, input, senderOf(call), delayMs);
    return sendTo(queue, input, senderOf(call), delayMs);
  };
  return {
    CreateQueue: (input: { QueueName: string; Attributes?: Record<string, string>; tags?: Record<string, string> }) => ({
      QueueUrl: queues.urlOf(queues.create(input.QueueName, input.Attributes ?? {}, input.tags ?? {})),
    }),
    GetQueueUrl: (input: { QueueName: string }) => ({ QueueUrl: queues.urlOf(queues.byUrl(input.QueueName)) }),
    ListQueues: (input: { QueueNamePrefix?: string; MaxResults?: number; NextToken?: string }) => {
      const all = queues.all().filter((queue) => queue.name.startsWith(input.QueueNamePrefix ?? ''));
      const from = Number(input.NextToken ?? 0);
      const to = from + (input.MaxResults ?? 1000);
      return {
        QueueUrls: all.slice(from, to).map((queue) => queues.urlOf(queue)),
        ...(input.MaxResults !== undefined && to < all.length ? { NextToken: String(to) } : {}),
      };
    },
    GetQueueAttributes: (input: { QueueUrl: string; AttributeNames?: string[] }) => ({
      Attributes: attributesOf(queues.byUrl(input.QueueUrl), input.AttributeNames ?? []),
    }),
    SetQueueAttributes: (input: { QueueUrl: string; Attributes: Record<string, string> }) => {
      queues.set(queues.byUrl(input.QueueUrl), input.Attributes);
      return {};
    },
    SendMessage: (input: SendInput & { QueueUrl: string }, call: Call) => send(queues.byUrl(input.QueueUrl), input, call),
    SendMessageBatch: (input: { QueueUrl: string; Entries: (SendInput & { Id: string })[] }, call: Call) => {
      const queue = queues.byUrl(input.QueueUrl);
      const bytes = input.Entries.reduce((sum, entry) => sum + sizeOf(entry.MessageBody, entry.MessageAttributes ?? {}), 0);
      if (bytes > MAXIMUM_MESSAGE_BYTES)
        throw new AwsError(
          'BatchRequestTooLong',
          `Batch requests cannot be longer than ${MAXIMUM_MESSAGE_BYTES} bytes. You have sent ${bytes} bytes.`,
        );
      return runBatch(input.Entries, (entry) => send(queue, entry, call));
    },
    ReceiveMessage: async (input: ReceiveInput) => {
      const queue = queues.byUrl(input.QueueUrl);
      within('MaxNumberOfMessages', input.MaxNumberOfMessages, 1, 10);
      within('WaitTimeSeconds', input.WaitTimeSeconds, 0, 20);
      within('VisibilityTimeout', input.VisibilityTimeout, 0, 43_200);
      const waitSeconds = input.WaitTimeSeconds ?? Number(queue.attribute('ReceiveMessageWaitTimeSeconds'));
      const messages = await queue.receive(input.MaxNumberOfMessages ?? 1, waitSeconds, input.VisibilityTimeout);
      const systemNames = [...(input.AttributeNames ?? []), ...(input.MessageSystemAttributeNames ?? [])];
      return messages.length === 0
        ? {}
        : { Messages: messages.map((message) => answerMessage(message, systemNames, input.MessageAttributeNames ?? [])) };
    },
    DeleteMessage: (input: { QueueUrl: string; ReceiptHandle: string }) => {
      queues.byUrl(input.QueueUrl).delete(input.ReceiptHandle);
      return {};
    },
    DeleteMessageBatch: (input: { QueueUrl: string; Entries: { Id: string; ReceiptHandle: string }[] }) => {
      const queue = queues.byUrl(input.QueueUrl);
      return runBatch(input.Entries, (entry) => (queue.delete(entry.ReceiptHandle), {}));
    },
    ChangeMessageVisibility: (input: { QueueUrl: string; ReceiptHandle: string; VisibilityTimeout: number }) => {
      within('VisibilityTimeout', input.VisibilityTimeout, 0, 43_200);
      queues.byUrl(input.QueueUrl).changeVisibility(input.ReceiptHandle, input.VisibilityTimeout);
      return {};
    },
    ChangeMessageVisibilityBatch: (input: {
      QueueUrl: string;
      Entries: { Id: string; ReceiptHandle: string; VisibilityTimeout?: number }[];
    }) => {
      const queue = queues.byUrl(input.QueueUrl);
      return runBatch(input.Entries, (entry) => {
        within('VisibilityTimeout', entry.VisibilityTimeout, 0, 43_200);
        queue.changeVisibility(entry.ReceiptHandle, entry.VisibilityTimeout ?? 0);
        return {};
      });
    },
    PurgeQueue: (input: { QueueUrl: string }) => {
      const queue = queues.byUrl(input.QueueUrl);
      if (world.clock.nowMs() - queue.lastPurgedAtMs < 60_000) {
        throw new AwsError('PurgeQueueInProgress', `Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`, 403);
      }
      queue.lastPurgedAtMs = world.clock.nowMs();
      queue.purge();
      return {};
    },
    DeleteQueue: (input: { QueueUrl: string }) => {
      queues.delete(queues.byUrl(input.QueueUrl));
      return {};
    },
    ListDeadLetterSourceQueues: (input: { QueueUrl: string }) => ({
      queueUrls: queues.sourcesOf(queues.byUrl(input.QueueUrl)).map((queue) => queues.urlOf(queue)),
    }),
    ListQueueTags: (input: { QueueUrl: string }) => ({ Tags: Object.fromEntries(queues.byUrl(input.QueueUrl).tags) }),
    TagQueue: (input: { QueueUrl: string; Tags: Record<string, string> }) => {
      for (const [key, value] of Object.entries(input.Tags)) queues.byUrl(input.QueueUrl).tags.set(key, value);
      return {};
    },
    UntagQueue: (input: { QueueUrl: string; TagKeys: string[] }) => {
      for (const key of input.TagKeys) queues.byUrl(input.QueueUrl).tags.delete(key);
      return {};
    },
    StartMessageMoveTask: (input: { SourceArn: string; DestinationArn?: string; MaxNumberOfMessagesPerSecond?: number }) => {
      within('MaxNumberOfMessagesPerSecond', input.MaxNumberOfMessagesPerSecond, 1, 500);
      return { TaskHandle: moveTasks.start(queues.byArn(input.SourceArn), input.DestinationArn, input.MaxNumberOfMessagesPerSecond) };
    },
    CancelMessageMoveTask: (input: { TaskHandle: string }) => ({ ApproximateNumberOfMessagesMoved: moveTasks.cancel(input.TaskHandle) }),
    ListMessageMoveTasks: (input: { SourceArn: string; MaxResults?: number }) => ({
      Results: moveTasks.list(queues.byArn(input.SourceArn), input.MaxResults ?? 1),
    }),
  };
}

interface ReceiveInput {
  readonly QueueUrl: string;
  readonly MaxNumberOfMessages?: number;
  readonly WaitTimeSeconds?: number;
  readonly VisibilityTimeout?: number;
  readonly AttributeNames?: readonly string[];
  readonly MessageSystemAttributeNames?: readonly string[];
  readonly MessageAttributeNames?: readonly string[];
}

function attributesOf(queue: Queue, names: readonly string[]): Record<string, string> {
  const { visible, inFlight, delayed } = queue.counts();
  const all: Record<string, string> = {
    ...queue.allAttributes(),
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    CreatedTimestamp: String(Math.floor(queue.createdAtMs / 1000)),
    LastModifiedTimestamp: String(Math.floor(queue.lastModifiedAtMs / 1000)),
  };
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name)));
}
