/** AWS::SNS::* (CloudFormation template reference, Amazon SNS). */
import type { Cloud } from '../../cloud.js';
import { booleanOf, onlyServed, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

const TOPIC_ATTRIBUTES = ['DisplayName', 'KmsMasterKeyId', 'FifoTopic', 'ContentBasedDeduplication', 'SignatureVersion', 'TracingConfig'];

const topic: Provider = async (properties, context) => {
  onlyServed(properties, [...TOPIC_ATTRIBUTES, 'TopicName', 'Subscription', 'Tags']);
  const fifo = booleanOf(properties, 'FifoTopic') ?? false;
  const Name = textOf(properties, 'TopicName') ?? (fifo ? `${context.physicalName(251)}.fifo` : context.physicalName(256));
  const given = TOPIC_ATTRIBUTES.filter((name) => properties[name] !== undefined && (name !== 'FifoTopic' || fifo));
  const Attributes = Object.fromEntries(given.map((name) => [name, String(properties[name])]));
  const { TopicArn } = await context.cloud.call<{ TopicArn: string }>('sns', 'CreateTopic', {
    Name,
    Attributes,
    Tags: properties.Tags ?? [],
  });
  for (const { Protocol, Endpoint } of (properties.Subscription ?? []) as readonly { Protocol: string; Endpoint: string }[]) {
    await context.cloud.call('sns', 'Subscribe', { TopicArn, Protocol, Endpoint });
  }
  return { ref: TopicArn, attributes: { TopicArn, TopicName: Name } };
};

/** Policies stand in templates as objects, switches as such or as texts; the API takes texts only. */
const attributeText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const SUBSCRIPTION_ATTRIBUTES = ['RawMessageDelivery', 'FilterPolicy', 'FilterPolicyScope', 'RedrivePolicy'];

const subscription: Provider = async (properties, { cloud }) => {
  onlyServed(properties, [...SUBSCRIPTION_ATTRIBUTES, 'TopicArn', 'Protocol', 'Endpoint', 'Region']);
  const region = textOf(properties, 'Region');
  if (region !== undefined && region !== cloud.world.region)
    throw new Error(`Region: got ${region}, expected ${cloud.world.region}: the desk has one region`);
  const given = SUBSCRIPTION_ATTRIBUTES.filter((name) => properties[name] !== undefined);
  const Attributes = Object.fromEntries(given.map((name) => [name, attributeText(properties[name])]));
  const { TopicArn, Protocol, Endpoint } = properties;
  const { SubscriptionArn } = await cloud.call<{ SubscriptionArn: string }>('sns', 'Subscribe', {
    TopicArn,
    Protocol,
    Endpoint,
    Attributes,
  });
  return { ref: SubscriptionArn, attributes: { Arn: SubscriptionArn } };
};

async function setPolicy(cloud: Cloud, TopicArn: string, document: unknown): Promise<void> {
  await cloud.call('sns', 'SetTopicAttributes', { TopicArn, AttributeName: 'Policy', AttributeValue: JSON.stringify(document) });
}

const topicPolicy: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, ['Topics', 'PolicyDocument']);
  for (const arn of properties.Topics as readonly string[]) await setPolicy(cloud, arn, properties.PolicyDocument);
  const id = physicalName(128);
  return { ref: id, attributes: { Id: id } };
};

const topicInlinePolicy: Provider = async (properties, { cloud }) => {
  onlyServed(properties, ['TopicArn', 'PolicyDocument']);
  await setPolicy(cloud, String(properties.TopicArn), properties.PolicyDocument);
  return { ref: String(properties.TopicArn), attributes: {} };
};

export const providers: Providers = {
  'AWS::SNS::Topic': topic,
  'AWS::SNS::Subscription': subscription,
  'AWS::SNS::TopicPolicy': topicPolicy,
  'AWS::SNS::TopicInlinePolicy': topicInlinePolicy,
};
