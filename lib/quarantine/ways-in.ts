/** Who may ask for a containment without being asked first: the detectors of behaviour, and other detectors by an event. */
import { Stack } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSubscription } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { CUSTOM_VIOLATION_DETAIL_TYPE } from '../../domain/protocol/containment.js';
import type { Behaviour } from '../behaviour/behaviour.js';
import type { GuardedQueue } from '../shared/guarded-queue.js';

/**
 * Whoever may publish to the violations topic may say that somebody misbehaves, which is read again at its source. An operator's word, a release and an
 * event of another detector are not read again anywhere: they have a `kind` or a `detail-type`, and do not come this way.
 */
const ONLY_VIOLATIONS = { violationId: [{ exists: true }], kind: [{ exists: false }], 'detail-type': [{ exists: false }] };

export interface DetectorsProps {
  /** Of the intake. */
  readonly source: GuardedQueue;
  readonly prefix: string;
  /** @default nobody watches behaviour */
  readonly behaviour?: Behaviour | undefined;
  readonly customSources: readonly { readonly source: string }[];
}

export function listenToDetectors(scope: Construct, { source, prefix, behaviour, customSources }: DetectorsProps): void {
  const { queue } = source;
  if (behaviour !== undefined) {
    queue.addToResourcePolicy(
      new PolicyStatement({
        sid: 'Violations',
        principals: [new ServicePrincipal('sns.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [queue.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': behaviour.violations.topicArn } },
      }),
    );
    new CfnSubscription(scope, 'Violations', {
      topicArn: behaviour.violations.topicArn,
      protocol: 'sqs',
      endpoint: queue.queueArn,
      rawMessageDelivery: true,
      filterPolicyScope: 'MessageBody',
      filterPolicy: ONLY_VIOLATIONS,
    });
  }
  if (customSources.length === 0) return;
  new Rule(scope, 'OnCustomViolation', {
    ruleName: `${prefix}-violation`,
    description: 'Another detector reports a violation',
    eventPattern: {
      source: customSources.map((custom) => custom.source),
      detailType: [CUSTOM_VIOLATION_DETAIL_TYPE],
      account: [Stack.of(scope).account],
    },
    targets: [source.asTarget('violation')],
  });
}
