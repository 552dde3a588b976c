import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { violationsTopicName } from '../../domain/protocol/fleet-events.js';

/**
 * Where violations are announced, by Detect and by the built-in monitor alike. Who may publish is said by the roles of the two; a notification is a hint and is
 * read again at its source (domain/protocol/violation.ts).
 */
export function violationsTopic(scope: Construct, prefix: string): Topic {
  const topic = new Topic(scope, 'Violations', { topicName: violationsTopicName(prefix), displayName: `${prefix} violations` });
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: 'TlsOnly',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { Bool: { 'aws:SecureTransport': 'false' } },
    }),
  );
  return topic;
}
