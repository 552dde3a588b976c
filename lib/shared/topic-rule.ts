import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { RULE_SQL_VERSION } from '../../domain/protocol/inventory-events.js';

export interface TopicRuleProps {
  /** `[a-zA-Z0-9_]+`: AWS IoT takes no hyphen. */
  readonly ruleName: string;
  readonly description: string;
  readonly sql: string;
}

/** Where what a rule selects goes. */
export interface TopicRuleTarget {
  /** All that the rule's role may do. */
  readonly permissions: readonly PolicyStatement[];
  readonly action: (roleArn: string) => CfnTopicRule.ActionProperty;
  /** What could not be put there goes here, where an alarm waits. */
  readonly deadLetters: IQueue;
}

/** An AWS IoT topic rule in `scope`, under a role of its own that may do nothing else. */
export function topicRule(scope: Construct, { ruleName, description, sql }: TopicRuleProps, target: TopicRuleTarget): void {
  if (!/^[a-zA-Z0-9_]{1,128}$/.test(ruleName)) throw new RangeError(`ruleName: got "${ruleName}", expected letters, digits and _`);
  const stack = Stack.of(scope);
  const ruleArn = stack.formatArn({ service: 'iot', resource: 'rule', resourceName: ruleName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
  const role = new Role(scope, 'Role', {
    // IG cross-service-confused-deputy-prevention.html: for this very rule.
    assumedBy: new ServicePrincipal('iot.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account }, ArnEquals: { 'aws:SourceArn': ruleArn } },
    }),
    description: `What the topic rule ${ruleName} may do`,
  });
  for (const statement of target.permissions) role.addToPolicy(statement);
  const { roleArn } = role;
  const rule = new CfnTopicRule(scope, 'Rule', {
    ruleName,
    topicRulePayload: {
      awsIotSqlVersion: RULE_SQL_VERSION,
      description,
      ruleDisabled: false,
      sql,
      actions: [target.action(roleArn)],
      errorAction: { sqs: { queueUrl: target.deadLetters.queueUrl, roleArn, useBase64: false } },
    },
  });
  // The role's policy is a resource of its own: a rule that fires before it is there would lose the message.
  rule.node.addDependency(role);
}
