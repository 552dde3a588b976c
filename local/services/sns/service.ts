/** Amazon SNS on the desk: its operations, what IAM must allow for each, and deliveries from other services (alarms, rules). */
import type { Cloud } from '../../cloud.js';
import type { PolicyDocument } from '../../iam/principal.js';
import { AwsError, type Operation } from '../../models/service.js';
import { type PublishInput, Topics } from './topics.js';
import { type Subscription, setSubscriptionAttribute } from './topic.js';

/** Starts SNS. Nothing to stop: it has no timer of its own. */
export function startSns(cloud: Cloud): void {
  const topics = new Topics(cloud);
  cloud.addService({
    name: 'sns',
    signingNames: ['sns'],
    operations: operations(topics),
    access: (operation, input) => [
      { action: `sns:${operation === 'PublishBatch' ? 'Publish' : operation}`, resource: resourceOf(topics, operation, input) },
    ],
    resourcePolicies: (arn) => {
      const topic = topics.find(arn);
      return topic ? [topic.policy ?? defaultPolicy(arn)] : [];
    },
  });
  cloud.addTarget(
    'sns',
    async (delivery) => {
      const Message = typeof delivery.payload === 'string' ? delivery.payload : JSON.stringify(delivery.payload);
      topics.publish(topics.byArn(delivery.targetArn), {
        Message,
        Subject: delivery.message?.subject,
        MessageGroupId: delivery.message?.groupId,
      });
    },
    (delivery) => ({ action: 'sns:Publish', resource: delivery.targetArn }),
  );
}

/**
 * A topic without a policy of its own lets its own account in by AWS:SourceOwner (SNS developer guide, "Example cases": the default policy).
 * CloudWatch alarms publish in the owner's name and so pass it; EventBridge does not, and needs a statement.
 */
const defaultPolicy = (arn: string): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: '__default_statement_ID',
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: 'sns:Publish',
      Resource: arn,
      Condition: { StringEquals: { 'aws:SourceAccount': arn.split(':')[4]! } },
    },
  ],
});

function resourceOf(topics: Topics, operation: string, input: Readonly<Record<string, unknown>>): string {
  if (operation === 'CreateTopic') return topics.arnOf(String(input.Name));
  if (operation === 'ListTopics' || operation === 'ListSubscriptions') return '*';
  const { TopicArn, TargetArn, ResourceArn, SubscriptionArn } = input as Readonly<Record<string, string | undefined>>;
  const arn = TopicArn ?? TargetArn ?? ResourceArn ?? SubscriptionArn ?? '*';
  // Subscriptions are authorised on their topic (SNS, "Actions, resources, and condition keys").
  return SubscriptionArn === undefined ? arn : arn.slice(0, arn.lastIndexOf(':'));
}

const asListed = (accountId: string, subscription: Subscription): Record<string, string> => ({
  SubscriptionArn: subscription.arn,
  Owner: accountId,
  Protocol: subscription.protocol,
  Endpoint: subscription.endpoint,
  TopicArn: subscription.topicArn,
});

function page<T>(all: readonly T[], token: string | undefined): { items: T[]; next: { NextToken?: string } } {
  const from = Number(token ?? 0);
  const items = all.slice(from, from + 100);
  return { items, next: from + 100 < all.length ? { NextToken: String(from + 100) } : {} };
}

function operations(topics: Topics): Readonly<Record<string, Operation>> {
  const owner = (arn: string): string => arn.split(':')[4] ?? '';
  return {
    CreateTopic: (input: { Name: string; Attributes?: Record<string, string>; Tags?: { Key?: string; Value?: string }[] }) => ({
      TopicArn: topics.create(input.Name, input.Attributes ?? {}, input.Tags ?? []).arn,
    }),
    DeleteTopic: (input: { TopicArn: string }) => {
      topics.delete(input.TopicArn);
      return {};
    },
    ListTopics: (input: { NextToken?: string }) => {
      const { items, next } = page(topics.all(), input.NextToken);
      return { Topics: items.map((topic) => ({ TopicArn: topic.arn })), ...next };
    },
    GetTopicAttributes: (input: { TopicArn: string }) => {
      const topic = topics.byArn(input.TopicArn);
      return {
        Attributes: {
          Policy: JSON.stringify(defaultPolicy(topic.arn)),
          ...Object.fromEntries([...topic.attributes].filter(([name, value]) => name !== 'Policy' || value !== '')),
          DisplayName: topic.attributes.get('DisplayName') ?? '',
          TopicArn: topic.arn,
          Owner: owner(topic.arn),
          SubscriptionsConfirmed: String(topic.subscriptions.size),
          SubscriptionsPending: '0',
          SubscriptionsDeleted: '0',
        },
      };
    },
    SetTopicAttributes: (input: { TopicArn: string; AttributeName: string; AttributeValue?: string }) => {
      topics.setAttribute(topics.byArn(input.TopicArn), input.AttributeName, input.AttributeValue ?? '');
      return {};
    },
    Subscribe: (input: { TopicArn: string; Protocol: string; Endpoint?: string; Attributes?: Record<string, string> }) => ({
      SubscriptionArn: topics.subscribe(topics.byArn(input.TopicArn), input.Protocol, input.Endpoint ?? '', input.Attributes ?? {}).arn,
    }),
    Unsubscribe: (input: { SubscriptionArn: string }) => {
      const subscription = topics.subscription(input.SubscriptionArn);
      topics.byArn(subscription.topicArn).subscriptions.delete(subscription.arn);
      return {};
    },
    GetSubscriptionAttributes: (input: { SubscriptionArn: string }) => {
      const subscription = topics.subscription(input.SubscriptionArn);
      return {
        Attributes: {
          ...asListed(owner(subscription.topicArn), subscription),
          ...Object.fromEntries(subscription.attributes),
          PendingConfirmation: 'false',
          ConfirmationWasAuthenticated: 'true',
        },
      };
    },
    SetSubscriptionAttributes: (input: { SubscriptionArn: string; AttributeName: string; AttributeValue?: string }) => {
      setSubscriptionAttribute(topics.subscription(input.SubscriptionArn), input.AttributeName, input.AttributeValue ?? '');
      return {};
    },
    ListSubscriptions: (input: { NextToken?: string }) => {
      const { items, next } = page(
        topics.all().flatMap((topic) => [...topic.subscriptions.values()]),
        input.NextToken,
      );
      return { Subscriptions: items.map((subscription) => asListed(owner(subscription.topicArn), subscription)), ...next };
    },
    ListSubscriptionsByTopic: (input: { TopicArn: string; NextToken?: string }) => {
      const { items, next } = page([...topics.byArn(input.TopicArn).subscriptions.values()], input.NextToken);
      return { Subscriptions: items.map((subscription) => asListed(owner(input.TopicArn), subscription)), ...next };
    },
    Publish: (input: PublishInput & { TopicArn?: string; TargetArn?: string }) => ({
      MessageId: topics.publish(topics.byArn(topicOf(input)), input),
    }),
    PublishBatch: (input: { TopicArn: string; PublishBatchRequestEntries: (PublishInput & { Id: string })[] }) => {
      const topic = topics.byArn(input.TopicArn);
      const entries = input.PublishBatchRequestEntries;
      if (entries.length === 0) throw new AwsError('EmptyBatchRequestException', "The batch request doesn't contain any entries.");
      if (entries.length > 10)
        throw new AwsError('TooManyEntriesInBatchRequestException', 'The batch request contains more entries than permissible.');
      if (new Set(entries.map((entry) => entry.Id)).size < entries.length)
        throw new AwsError('BatchEntryIdsNotDistinctException', 'Two or more batch entries in the request have the same Id.');
      return { Successful: entries.map((entry) => ({ Id: entry.Id, MessageId: topics.publish(topic, entry) })), Failed: [] };
    },
    ListTagsForResource: (input: { ResourceArn: string }) => ({
      Tags: [...topics.byArn(input.ResourceArn).tags].map(([Key, Value]) => ({ Key, Value })),
    }),
    TagResource: (input: { ResourceArn: string; Tags: { Key: string; Value: string }[] }) => {
      for (const { Key, Value } of input.Tags) topics.byArn(input.ResourceArn).tags.set(Key, Value);
      return {};
    },
    UntagResource: (input: { ResourceArn: string; TagKeys: string[] }) => {
      for (const key of input.TagKeys) topics.byArn(input.ResourceArn).tags.delete(key);
      return {};
    },
  };
}

function topicOf(input: { TopicArn?: string; TargetArn?: string }): string {
  const arn = input.TopicArn ?? input.TargetArn;
  if (arn === undefined)
    throw new AwsError(
      'InvalidParameterException',
      'Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter (the desk publishes to topics only, not to phone numbers)',
    );
  return arn;
}
