import { Duration, Stack } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IRule, IRuleTarget, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Alarms } from '../observability/alarms.js';

export interface GuardedQueueProps {
  readonly prefix: string;
  /** The queue is `<prefix>-<name>`, its dead-letter queue `<prefix>-<name>-dead`. */
  readonly name: string;
  /** How long the function that reads it may run; a message becomes visible again after six times that (AWS's advice for event sources). */
  readonly handlerTimeout: Duration;
  /** Alarm when the oldest message has waited longer. */
  readonly stalledAfter: Duration;
  readonly alarms: Alarms;
}

/** Deliveries before a message is given up: with the pause of the visibility timeout between them they ride out an outage of minutes. */
const MAX_RECEIVE_COUNT = 5;

/** A queue with its dead-letter queue: encrypted, TLS only, with an alarm on what was given up and on what waits too long. */
export class GuardedQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  private readonly alarms: Alarms;

  constructor(scope: Construct, id: string, props: GuardedQueueProps) {
    super(scope, id);
    this.alarms = props.alarms;
    const queueName = `${props.prefix}-${props.name}`;
    const guarded = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) };
    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', { ...guarded, queueName: `${queueName}-dead` });
    this.queue = new Queue(this, 'Queue', {
      ...guarded,
      queueName,
      visibilityTimeout: Duration.seconds(6 * props.handlerTimeout.toSeconds()),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVE_COUNT },
    });
    const fiveMinutes = { period: Duration.minutes(5), statistic: 'Maximum' };
    props.alarms.add('dead-letters', {
      of: props.name,
      metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible(fiveMinutes),
      atLeast: 1,
    });
    props.alarms.add('queue-stalled', {
      of: props.name,
      metric: this.queue.metricApproximateAgeOfOldestMessage(fiveMinutes),
      atLeast: props.stalledAfter.toSeconds(),
    });
  }

  /**
   * This queue as the target of an EventBridge rule. The queue lets in that very rule (the confused deputy: a rule of another account with
   * our queue as its target), with SendMessage alone, and an alarm tells when the rule could not deliver.
   */
  asTarget(name: string, input?: RuleTargetInput): IRuleTarget {
    return {
      bind: (rule: IRule) => {
        this.queue.addToResourcePolicy(
          new PolicyStatement({
            sid: `Rule${name.replaceAll(/[^A-Za-z0-9]/g, '')}`,
            principals: [new ServicePrincipal('events.amazonaws.com')],
            actions: ['sqs:SendMessage'],
            resources: [this.queue.queueArn],
            conditions: { ArnEquals: { 'aws:SourceArn': rule.ruleArn }, StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
          }),
        );
        const failed = new Metric({
          namespace: 'AWS/Events',
          metricName: 'FailedInvocations',
          dimensionsMap: { RuleName: rule.ruleName },
          period: Duration.minutes(5),
          statistic: 'Sum',
        });
        this.alarms.add('event-not-delivered', { of: name, metric: failed, atLeast: 1 });
        return { arn: this.queue.queueArn, input };
      },
    };
  }
}
