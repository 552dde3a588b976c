import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import { Construct } from 'constructs';
import { RULE_SQL_VERSION } from '../../domain/protocol/inventory-events.js';
import type { GuardedQueue } from '../shared/guarded-queue.js';

export interface RuleToQueueProps {
  /** `[a-zA-Z0-9_]+`: AWS IoT takes no hyphen. */
  readonly ruleName: string;
  readonly description: string;
  readonly sql: string;
  /** What the rule selects goes to its queue; what could not be put there goes to its dead-letter queue, where an alarm waits. */
  readonly target: GuardedQueue;
}

/** An AWS IoT topic rule that puts what it selects on a queue, under a role of its own that may do nothing else. */
export class RuleToQueue extends Construct {
  constructor(scope: Construct, id: string, { ruleName, description, sql, target }: RuleToQueueProps) {
    super(scope, id);
    if (!/^[a-zA-Z0-9_]{1,128}$/.test(ruleName)) throw new RangeError(`ruleName: got "${ruleName}", expected letters, digits and _`);
    const stack = Stack.of(this);
    const ruleArn = stack.formatArn({ service: 'iot', resource: 'rule', resourceName: ruleName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
    const role = new Role(this, 'Role', {
      // IG cross-service-confused-deputy-prevention.html: for this very rule.
      assumedBy: new ServicePrincipal('iot.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account }, ArnEquals: { 'aws:SourceArn': ruleArn } },
      }),
      description: `What the topic rule ${ruleName} may do`,
    });
    role.addToPolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [target.queue.queueArn, target.deadLetterQueue.queueArn] }),
    );
    const rule = new CfnTopicRule(this, 'Rule', {
      ruleName,
      topicRulePayload: {
        awsIotSqlVersion: RULE_SQL_VERSION,
        description,
        ruleDisabled: false,
        sql,
        actions: [{ sqs: { queueUrl: target.queue.queueUrl, roleArn: role.roleArn, useBase64: false } }],
        errorAction: { sqs: { queueUrl: target.deadLetterQueue.queueUrl, roleArn: role.roleArn, useBase64: false } },
      },
    });
    // The role's policy is a resource of its own: a rule that fires before it is there would lose the message.
    rule.node.addDependency(role);
  }
}
