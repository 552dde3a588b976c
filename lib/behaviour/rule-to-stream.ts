import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { RULE_SQL_VERSION } from '../../domain/protocol/inventory-events.js';

export interface RuleToStreamProps {
  /** `[a-zA-Z0-9_]+`: AWS IoT takes no hyphen. */
  readonly ruleName: string;
  readonly description: string;
  readonly sql: string;
  /** Substitution template. */
  readonly partitionKey: string;
  readonly stream: IStream;
  /** What could not be put on the stream goes here, where an alarm waits. */
  readonly deadLetters: IQueue;
}

/** An AWS IoT topic rule that puts what it selects on a stream, under a role of its own that may do nothing else. */
export class RuleToStream extends Construct {
  constructor(scope: Construct, id: string, { ruleName, description, sql, partitionKey, stream, deadLetters }: RuleToStreamProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const ruleArn = stack.formatArn({ service: 'iot', resource: 'rule', resourceName: ruleName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
    const role = new Role(this, 'Role', {
      // IG cross-service-confused-deputy-prevention.html: for this very rule.
      assumedBy: new ServicePrincipal('iot.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account }, ArnEquals: { 'aws:SourceArn': ruleArn } },
      }),
      description: `What the topic rule ${ruleName} may do`,
    });
    role.addToPolicy(new PolicyStatement({ actions: ['kinesis:PutRecord'], resources: [stream.streamArn] }));
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }));
    const rule = new CfnTopicRule(this, 'Rule', {
      ruleName,
      topicRulePayload: {
        awsIotSqlVersion: RULE_SQL_VERSION,
        description,
        ruleDisabled: false,
        sql,
        actions: [{ kinesis: { streamName: stream.streamName, partitionKey, roleArn: role.roleArn } }],
        errorAction: { sqs: { queueUrl: deadLetters.queueUrl, roleArn: role.roleArn, useBase64: false } },
      },
    });
    // The role's policy is a resource of its own: a rule that fires before it is there would lose the message.
    rule.node.addDependency(role);
  }
}
