import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { topicRule, type TopicRuleProps } from '../shared/topic-rule.js';

export interface RuleToStreamProps extends TopicRuleProps {
  /** Substitution template. */
  readonly partitionKey: string;
  readonly stream: IStream;
  /** What could not be put on the stream goes here, where an alarm waits. */
  readonly deadLetters: IQueue;
}

/** An AWS IoT topic rule that puts what it selects on a stream. */
export class RuleToStream extends Construct {
  constructor(scope: Construct, id: string, props: RuleToStreamProps) {
    super(scope, id);
    const { stream, deadLetters, partitionKey } = props;
    topicRule(this, props, {
      permissions: [
        new PolicyStatement({ actions: ['kinesis:PutRecord'], resources: [stream.streamArn] }),
        new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }),
      ],
      action: (roleArn) => ({ kinesis: { streamName: stream.streamName, partitionKey, roleArn } }),
      deadLetters,
    });
  }
}
