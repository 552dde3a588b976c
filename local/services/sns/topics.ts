/** All topics of the account: publishing, subscribing, and the fan-out. */
import { randomUUID } from 'node:crypto';
import type { Cloud } from '../../cloud.js';
import { readPolicy } from '../../iam/policy.js';
import type { PolicyDocument } from '../../iam/principal.js';
import { AwsError } from '../../models/service.js';
import {
  type MessageAttribute,
  type Published,
  type Subscription,
  Topic,
  envelope,
  lambdaEvent,
  setSubscriptionAttribute,
  textFor,
} from './topic.js';

/** 256 KiB for message and attributes together (SNS quotas). */
const MAXIMUM_BYTES = 262_144;
const TOPIC_ATTRIBUTES = [
  'DisplayName',
  'Policy',
  'KmsMasterKeyId',
  'FifoTopic',
  'ContentBasedDeduplication',
  'SignatureVersion',
  'TracingConfig',
  'DeliveryPolicy',
];

/** Delivery status logging, archive, throughput (SetTopicAttributes API reference). */
const WITHOUT_EFFECT =
  /^(?:(?:Application|HTTP|Lambda|SQS|Firehose)(?:Success|Failure)Feedback(?:RoleArn|SampleRate)|ArchivePolicy|FifoThroughputScope)$/;

export interface PublishInput {
  readonly Message: string;
  readonly Subject?: string;
  readonly MessageStructure?: string;
  readonly MessageAttributes?: Readonly<Record<string, MessageAttribute>>;
  readonly MessageGroupId?: string;
  readonly MessageDeduplicationId?: string;
}

export class Topics {
  private readonly topics = new Map<string, Topic>();

  constructor(private readonly cloud: Cloud) {}

  arnOf(name: string): string {
    return `arn:aws:sns:${this.cloud.world.region}:${this.cloud.world.accountId}:${name}`;
  }

  all(): readonly Topic[] {
    return [...this.topics.values()];
  }

  find(arn: string): Topic | undefined {
    return this.topics.get(arn);
  }

  byArn(arn: string): Topic {
    const topic = this.topics.get(arn);
    if (!topic) throw new AwsError('NotFoundException', 'Topic does not exist', 404);
    return topic;
  }

  create(name: string, attributes: Readonly<Record<string, string>>, tags: readonly { Key?: string; Value?: string }[]): Topic {
    if (!/^[A-Za-z0-9_-]{1,256}(\.fifo)?$/.test(name)) throw new AwsError('InvalidParameterException', 'Invalid parameter: Topic Name');
    if ((attributes.FifoTopic === 'true') !== name.endsWith('.fifo')) {
      throw new AwsError(
        'InvalidParameterException',
        'Invalid parameter: Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.',
      );
    }
    const topic = this.topics.get(this.arnOf(name)) ?? new Topic(name, this.arnOf(name));
    for (const [key, value] of Object.entries(attributes)) this.setAttribute(topic, key, value);
    for (const { Key, Value } of tags) topic.tags.set(Key ?? '', Value ?? '');
    this.topics.set(topic.arn, topic);
    return topic;
  }

  delete(arn: string): void {
    this.topics.delete(arn);
  }

  setAttribute(topic: Topic, name: string, value: string): void {
    // Tools write what is not wanted as empty or 0: there is nothing to keep then.
    if (WITHOUT_EFFECT.test(name) && (value === '' || value === '0')) return;
    if (!TOPIC_ATTRIBUTES.includes(name))
      throw new AwsError('InvalidParameterException', `Invalid parameter: AttributeName Reason: ${name} is not served by the desk`);
    if (name === 'Policy') topic.policy = parsePolicy(value);
    topic.attributes.set(name, value);
  }

  subscribe(topic: Topic, protocol: string, endpoint: string, attributes: Readonly<Record<string, string>>): Subscription {
    if (protocol !== 'sqs' && protocol !== 'lambda' && protocol !== 'email' && protocol !== 'email-json') {
      throw new AwsError(
        'InvalidParameterException',
        `Invalid parameter: Protocol Reason: ${protocol} would leave this computer: the desk serves sqs, lambda, email and email-json`,
      );
    }
    if ((protocol === 'sqs' || protocol === 'lambda') && !endpoint.startsWith(`arn:aws:${protocol}:`)) {
      throw new AwsError(
        'InvalidParameterException',
        `Invalid parameter: Endpoint Reason: got ${endpoint}, expected the ARN of ${protocol}`,
      );
    }
    for (const known of topic.subscriptions.values()) if (known.protocol === protocol && known.endpoint === endpoint) return known;
    const subscription: Subscription = {
      arn: `${topic.arn}:${randomUUID()}`,
      topicArn: topic.arn,
      protocol,
      endpoint,
      attributes: new Map(),
      matches: () => true,
    };
    for (const [name, value] of Object.entries(attributes)) setSubscriptionAttribute(subscription, name, value);
    topic.subscriptions.set(subscription.arn, subscription);
    return subscription;
  }

  subscription(arn: string): Subscription {
    const found = this.topics.get(arn.slice(0, arn.lastIndexOf(':')))?.subscriptions.get(arn);
    if (!found) throw new AwsError('NotFoundException', 'Subscription does not exist', 404);
    return found;
  }

  /** Accepts one message and hands it on. Deliveries go on after the answer, as on AWS. */
  publish(topic: Topic, input: PublishInput): string {
    const attributes = input.MessageAttributes ?? {};
    const bytes = Object.values(attributes).reduce(
      (sum, attribute) => sum + Buffer.byteLength(attribute.StringValue ?? ''),
      Buffer.byteLength(input.Message),
    );
    if (input.Message === '') throw new AwsError('InvalidParameterException', 'Invalid parameter: Empty message');
    if (bytes > MAXIMUM_BYTES) throw new AwsError('InvalidParameterException', 'Invalid parameter: Message too long');
    if (input.Subject !== undefined && !/^[\x20-\x7e]{1,100}$/.test(input.Subject))
      throw new AwsError('InvalidParameterException', 'Invalid parameter: Subject');
    if (topic.fifo && input.MessageGroupId === undefined)
      throw new AwsError('InvalidParameterException', 'Invalid parameter: The MessageGroupId parameter is required for FIFO topics');
    const published: Published = {
      messageId: randomUUID(),
      message: input.Message,
      subject: input.Subject,
      byProtocol: input.MessageStructure === 'json' ? parseStructure(input.Message) : undefined,
      attributes,
      publishedAt: this.cloud.world.clock.date(),
      groupId: input.MessageGroupId,
      deduplicationId: input.MessageDeduplicationId,
    };
    for (const subscription of topic.subscriptions.values()) if (subscription.matches(published)) void this.send(subscription, published);
    return published.messageId;
  }

  private async send(subscription: Subscription, published: Published): Promise<void> {
    const { protocol, endpoint, topicArn } = subscription;
    if (protocol === 'email' || protocol === 'email-json') {
      this.cloud.world.journal.add({
        kind: 'alarm',
        what: `mail to ${endpoint}`,
        who: topicArn,
        ok: true,
        detail: `${published.subject ?? ''}\n${textFor(published, 'email')}`,
      });
      return;
    }
    const raw = subscription.attributes.get('RawMessageDelivery') === 'true';
    const region = this.cloud.world.region;
    const payload =
      protocol === 'lambda'
        ? lambdaEvent(subscription, published, region)
        : raw
          ? textFor(published, 'sqs')
          : envelope(subscription, published, region);
    const attributes = raw
      ? Object.fromEntries(Object.entries(published.attributes).map(([name, attribute]) => [name, attribute.StringValue ?? '']))
      : {};
    const message = { attributes, groupId: published.groupId, deduplicationId: published.deduplicationId };
    let why: string;
    try {
      const decision = await this.cloud.deliver({
        service: 'sns.amazonaws.com',
        sourceArn: topicArn,
        targetArn: endpoint,
        payload,
        message,
      });
      if (decision.allowed) return;
      why = decision.why;
    } catch (error) {
      why = (error as Error).message;
    }
    await this.deadLetter(subscription, payload, why);
  }

  /** A client-side error (no permission, target deleted) is not retried: straight to the subscription's dead-letter queue, if it has one. */
  private async deadLetter(subscription: Subscription, payload: unknown, why: string): Promise<void> {
    const { journal } = this.cloud.world;
    const policy = subscription.attributes.get('RedrivePolicy');
    journal.add({ kind: 'delivery', what: `sns → ${subscription.endpoint}`, who: subscription.topicArn, ok: false, detail: why });
    if (policy === undefined) return;
    const { deadLetterTargetArn } = JSON.parse(policy) as { deadLetterTargetArn: string };
    try {
      await this.cloud.deliver({ service: 'sns.amazonaws.com', sourceArn: subscription.topicArn, targetArn: deadLetterTargetArn, payload });
    } catch (error) {
      journal.add({
        kind: 'delivery',
        what: `sns → ${deadLetterTargetArn}`,
        who: subscription.topicArn,
        ok: false,
        detail: (error as Error).message,
      });
    }
  }
}

function parsePolicy(text: string): PolicyDocument | undefined {
  if (text === '') return undefined;
  try {
    return readPolicy(text, 'resource');
  } catch {
    throw new AwsError('InvalidParameterException', 'Invalid parameter: Policy Error: null');
  }
}

function parseStructure(message: string): Readonly<Record<string, string>> {
  try {
    const structure = JSON.parse(message) as Record<string, string>;
    if (typeof structure.default === 'string') return structure;
  } catch {
    // answered below, as SNS does
  }
  throw new AwsError('InvalidParameterException', 'Invalid parameter: Message Structure - No default entry in JSON message body');
}
