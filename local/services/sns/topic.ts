/** A topic, its subscriptions, and what one published message becomes for each kind of subscriber. */
import { compilePattern } from '../../patterns/event-pattern.js';
import { AwsError } from '../../models/service.js';
import type { PolicyDocument } from '../../iam/principal.js';

export interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: Uint8Array;
}

export interface Published {
  readonly messageId: string;
  readonly message: string;
  readonly subject: string | undefined;
  /** `MessageStructure: json`: the text for each protocol. */
  readonly byProtocol: Readonly<Record<string, string>> | undefined;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly publishedAt: Date;
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
}

export interface Subscription {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: 'sqs' | 'lambda' | 'email' | 'email-json';
  readonly endpoint: string;
  readonly attributes: Map<string, string>;
  matches: (published: Published) => boolean;
}

export class Topic {
  readonly attributes = new Map<string, string>();
  readonly tags = new Map<string, string>();
  readonly subscriptions = new Map<string, Subscription>();
  policy: PolicyDocument | undefined;

  constructor(
    readonly name: string,
    readonly arn: string,
  ) {}

  get fifo(): boolean {
    return this.name.endsWith('.fifo');
  }
}

/** Attributes whose effect the desk has; the others are refused, because a filter that is not applied would deliver too much. */
const SUBSCRIPTION_ATTRIBUTES = ['RawMessageDelivery', 'FilterPolicy', 'FilterPolicyScope', 'RedrivePolicy'];

export function setSubscriptionAttribute(subscription: Subscription, name: string, value: string): void {
  // Tools write what is not wanted as empty.
  if (['DeliveryPolicy', 'SubscriptionRoleArn', 'ReplayPolicy'].includes(name) && value === '') return;
  if (!SUBSCRIPTION_ATTRIBUTES.includes(name))
    throw new AwsError('InvalidParameterException', `Invalid parameter: AttributeName Reason: ${name} is not served by the desk`);
  if (name === 'RawMessageDelivery' && subscription.protocol !== 'sqs' && value === 'true') {
    throw new AwsError(
      'InvalidParameterException',
      `Invalid parameter: Delivery protocol [${subscription.protocol}] does not support raw message delivery.`,
    );
  }
  subscription.attributes.set(name, value);
  subscription.matches = filterOf(subscription);
}

/** Filter policy on the attributes (default) or on a JSON body. A body that is not JSON never matches a body filter, as on AWS. */
function filterOf(subscription: Subscription): (published: Published) => boolean {
  const text = subscription.attributes.get('FilterPolicy');
  if (text === undefined || text === '' || text === '{}') return () => true;
  let matches: (event: unknown) => boolean;
  try {
    matches = compilePattern(text);
  } catch (error) {
    throw new AwsError('InvalidParameterException', `Invalid parameter: FilterPolicy: ${(error as Error).message}`);
  }
  if (subscription.attributes.get('FilterPolicyScope') === 'MessageBody') return (published) => matches(jsonOrUndefined(published.message));
  return (published) =>
    matches(Object.fromEntries(Object.entries(published.attributes).map(([name, attribute]) => [name, attributeValue(attribute)])));
}

function attributeValue(attribute: MessageAttribute): unknown {
  if (attribute.DataType.startsWith('Number')) return Number(attribute.StringValue);
  if (attribute.DataType === 'String.Array') return jsonOrUndefined(attribute.StringValue ?? '');
  return attribute.StringValue;
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const textFor = (published: Published, protocol: string): string =>
  published.byProtocol?.[protocol] ?? published.byProtocol?.default ?? published.message;

/** The signature members are constants: the desk signs nothing, and says so in README.md. */
const signature = (region: string): Record<string, string> => ({
  SignatureVersion: '1',
  Signature: 'EXAMPLE',
  SigningCertURL: `https://sns.${region}.amazonaws.com/SimpleNotificationService-desk.pem`,
});

const attributesForJson = (published: Published): Record<string, { Type: string; Value: string }> =>
  Object.fromEntries(
    Object.entries(published.attributes).map(([name, attribute]) => [
      name,
      { Type: attribute.DataType, Value: attribute.StringValue ?? Buffer.from(attribute.BinaryValue ?? []).toString('base64') },
    ]),
  );

/** The JSON that lies in a queue or a mail-json (SNS developer guide, "HTTP/HTTPS notification JSON format"). */
export function envelope(subscription: Subscription, published: Published, region: string): string {
  const attributes = attributesForJson(published);
  return JSON.stringify({
    Type: 'Notification',
    MessageId: published.messageId,
    TopicArn: subscription.topicArn,
    ...(published.subject === undefined ? {} : { Subject: published.subject }),
    Message: textFor(published, subscription.protocol),
    Timestamp: published.publishedAt.toISOString(),
    ...signature(region),
    UnsubscribeURL: `https://sns.${region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=${subscription.arn}`,
    ...(Object.keys(attributes).length === 0 ? {} : { MessageAttributes: attributes }),
  });
}

/** The event that a function receives; here AWS writes `SigningCertUrl` and `UnsubscribeUrl`, unlike in the queue's JSON. */
export function lambdaEvent(subscription: Subscription, published: Published, region: string): unknown {
  const { SigningCertURL, ...signed } = signature(region);
  return {
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: subscription.arn,
        Sns: {
          Type: 'Notification',
          MessageId: published.messageId,
          TopicArn: subscription.topicArn,
          Subject: published.subject ?? null,
          Message: textFor(published, 'lambda'),
          Timestamp: published.publishedAt.toISOString(),
          ...signed,
          SigningCertUrl: SigningCertURL,
          UnsubscribeUrl: `https://sns.${region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=${subscription.arn}`,
          MessageAttributes: attributesForJson(published),
        },
      },
    ],
  };
}
