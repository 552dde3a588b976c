import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { GuardedQueue } from '../shared/guarded-queue.js';
import { topicRule, type TopicRuleProps } from '../shared/topic-rule.js';

export interface RuleToQueueProps extends TopicRuleProps {
  /** What the rule selects goes to its queue; what could not be put there goes to its dead-letter queue, where an alarm waits. */
  readonly target: GuardedQueue;
}

/** An AWS IoT topic rule that puts what it selects on a queue. */
export class RuleToQueue extends Construct {
  constructor(scope: Construct, id: string, props: RuleToQueueProps) {
    super(scope, id);
    const { queue, deadLetterQueue } = props.target;
    topicRule(this, props, {
      permissions: [new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn, deadLetterQueue.queueArn] })],
      action: (roleArn) => ({ sqs: { queueUrl: queue.queueUrl, roleArn, useBase64: false } }),
      deadLetters: deadLetterQueue,
    });
  }
}
