/** AWS::SQS::* (CloudFormation template reference, Amazon SQS). */
import type { Cloud } from '../../cloud.js';
import { onlyServed, tagMap, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

const ATTRIBUTES = [
  'DelaySeconds',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'VisibilityTimeout',
  'RedrivePolicy',
  'RedriveAllowPolicy',
  'FifoQueue',
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'SqsManagedSseEnabled',
];

const queue: Provider = async (properties, context) => {
  onlyServed(properties, [...ATTRIBUTES, 'QueueName', 'Tags']);
  const fifo = properties.FifoQueue === true || properties.FifoQueue === 'true';
  const QueueName = textOf(properties, 'QueueName') ?? (fifo ? `${context.physicalName(75)}.fifo` : context.physicalName(80));
  // `FifoQueue: false` is how templates say "standard"; the API wants the attribute absent.
  const given = ATTRIBUTES.filter((name) => properties[name] !== undefined && (name !== 'FifoQueue' || fifo));
  const Attributes = Object.fromEntries(given.map((name) => [name, attributeText(properties[name])]));
  const { QueueUrl } = await context.cloud.call<{ QueueUrl: string }>('sqs', 'CreateQueue', {
    QueueName,
    Attributes,
    tags: tagMap(properties),
  });
  const { region, accountId } = context.cloud.world;
  return { ref: QueueUrl, attributes: { Arn: `arn:aws:sqs:${region}:${accountId}:${QueueName}`, QueueName, QueueUrl } };
};

/** Policies stand in templates as objects, numbers and switches as such or as texts; the API takes texts only. */
const attributeText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

async function setPolicy(cloud: Cloud, QueueUrl: string, document: unknown): Promise<void> {
  await cloud.call('sqs', 'SetQueueAttributes', { QueueUrl, Attributes: { Policy: JSON.stringify(document) } });
}

const queuePolicy: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, ['Queues', 'PolicyDocument']);
  for (const url of properties.Queues as readonly string[]) await setPolicy(cloud, url, properties.PolicyDocument);
  const id = physicalName(128);
  return { ref: id, attributes: { Id: id } };
};

const queueInlinePolicy: Provider = async (properties, { cloud }) => {
  onlyServed(properties, ['Queue', 'PolicyDocument']);
  await setPolicy(cloud, String(properties.Queue), properties.PolicyDocument);
  return { ref: String(properties.Queue), attributes: {} };
};

export const providers: Providers = {
  'AWS::SQS::Queue': queue,
  'AWS::SQS::QueuePolicy': queuePolicy,
  'AWS::SQS::QueueInlinePolicy': queueInlinePolicy,
};
