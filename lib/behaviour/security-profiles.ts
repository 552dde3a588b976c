/**
 * The behaviours as security profiles of AWS IoT Device Defender Detect, for accounts that have it (closed to new customers since 2026-08-31, FACTS C1).
 * What is compared and what is learned are two profiles: `<prefix>-rules` and `<prefix>-ml`.
 */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnCustomMetric, CfnDimension, CfnSecurityProfile } from 'aws-cdk-lib/aws-iot';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { behaviourMetric } from '../../domain/fleet/behaviour-metrics.js';
import type { Behaviour } from '../../domain/fleet/behaviours.js';
import { type BehaviourConfig, detectBehaviours, targetsOf } from '../config/behaviour-config.js';

export interface SecurityProfilesProps {
  readonly prefix: string;
  readonly config: BehaviourConfig;
  /** Alerts go there. */
  readonly topic: ITopic;
}

/** A profile takes no more (FACTS C7). */
const MOST_BEHAVIOURS = 100;

export class SecurityProfiles extends Construct {
  /** `securityProfileName` of those that were made. */
  readonly names: readonly string[];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: SecurityProfilesProps,
  ) {
    super(scope, id);
    const { prefix, config, topic } = props;
    const behaviours = detectBehaviours(config);
    const metrics = this.declareCustomMetrics(behaviours);
    const dimension = this.ofAnyTopic(behaviours);
    const role = this.alertRole(topic);
    const made: string[] = [];
    for (const [suffix, members] of [
      ['rules', behaviours.filter(({ ml }) => ml === undefined)],
      ['ml', behaviours.filter(({ ml }) => ml !== undefined)],
    ] as const) {
      if (members.length === 0) continue;
      if (members.length > MOST_BEHAVIOURS)
        throw new RangeError(`behaviour.behaviours: got ${members.length} in one security profile, expected at most ${MOST_BEHAVIOURS}`);
      const name = `${prefix}-${suffix}`;
      const profile = new CfnSecurityProfile(this, suffix === 'ml' ? 'Ml' : 'Rules', {
        securityProfileName: name,
        securityProfileDescription: `What is normal in the fleet of ${prefix}, ${suffix === 'ml' ? 'learned' : 'by limits and sets'}`,
        behaviors: members.map((behaviour) => this.behaviorOf(behaviour, dimension)),
        alertTargets: { SNS: { alertTargetArn: topic.topicArn, roleArn: role.roleArn } },
        targetArns: targetsOf(config).map((target) => this.targetArn(target)),
      });
      profile.node.addDependency(role, ...metrics, ...(dimension === undefined ? [] : [dimension]));
      made.push(name);
    }
    this.names = made;
  }

  private behaviorOf(behaviour: Behaviour, dimension: CfnDimension | undefined): CfnSecurityProfile.BehaviorProperty {
    const { name, metric, operator, value, statistic, ml, durationSeconds, datapointsToAlarm, datapointsToClear } = behaviour;
    const known = behaviourMetric(metric, this.props.config.customMetrics);
    const counts = { consecutiveDatapointsToAlarm: datapointsToAlarm, consecutiveDatapointsToClear: datapointsToClear };
    // ML has a duration of its own; lists have none, and the API refuses one with them.
    const duration = known?.timed || statistic !== undefined ? { durationSeconds: durationSeconds ?? this.props.config.windowSeconds } : {};
    const criteria: CfnSecurityProfile.BehaviorCriteriaProperty =
      ml !== undefined
        ? { ...counts, mlDetectionConfig: { confidenceLevel: ml } }
        : {
            ...counts,
            ...duration,
            ...(operator === undefined ? {} : { comparisonOperator: operator }),
            ...(statistic === undefined ? {} : { statisticalThreshold: { statistic } }),
            ...(value === undefined || known === undefined ? {} : { value: { [known.kind]: metricValueOf(known.kind, value) } }),
          };
    const narrowed =
      dimension !== undefined && isNarrowed(behaviour) ? { metricDimension: { dimensionName: dimension.name!, operator: 'IN' } } : {};
    return { name, metric, ...narrowed, criteria, suppressAlerts: false };
  }

  /**
   * Authorisation failures of requests about a topic: they are made on a connection that AWS IoT has let in under its client id. A CONNECT that is refused
   * has no topic. Whose failure Detect takes it for is not documented; were it that of the client id which it claims, anybody with any certificate of the
   * fleet could have any thing contained. The monitor counts those, for the certificate (docs/behaviours.md).
   */
  private ofAnyTopic(behaviours: readonly Behaviour[]): CfnDimension | undefined {
    if (!behaviours.some(isNarrowed)) return undefined;
    return new CfnDimension(this, 'AnyTopic', { name: `${this.props.prefix}-any-topic`, type: 'TOPIC_FILTER', stringValues: ['#'] });
  }

  /** Custom metrics that a behaviour is about: an account has a hundred. */
  private declareCustomMetrics(behaviours: readonly Behaviour[]): CfnCustomMetric[] {
    const used = new Set(behaviours.map(({ metric }) => metric));
    return Object.entries(this.props.config.customMetrics)
      .filter(([name]) => used.has(name))
      .map(
        ([metricName, metricType]) =>
          new CfnCustomMetric(this, `Metric-${metricName}`, { metricName, metricType, displayName: metricName }),
      );
  }

  private alertRole(topic: ITopic): Role {
    const { partition, region, account } = Stack.of(this);
    const role = new Role(this, 'AlertRole', {
      // IG cross-service-confused-deputy-prevention.html: Device Defender of this account and region (FACTS C3 has the colon at its end).
      assumedBy: new ServicePrincipal('iot.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': `arn:${partition}:iot:${region}:${account}:*` },
        },
      }),
      description: 'Device Defender Detect announces violations',
    });
    role.addToPolicy(new PolicyStatement({ actions: ['sns:Publish'], resources: [topic.topicArn] }));
    return role;
  }

  private targetArn(target: string): string {
    const [resource = '', resourceName = ''] = target.split('/');
    return Stack.of(this).formatArn({ service: 'iot', resource, resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
  }
}

/** ML Detect takes no dimension (DDG dd-detect-ml.html). */
const isNarrowed = ({ metric, ml }: Behaviour): boolean => metric === 'aws:num-authorization-failures' && ml === undefined;

/** CloudFormation has `Count` as a string, though the API has a number (FACTS C7). */
const metricValueOf = (kind: string, value: NonNullable<Behaviour['value']>): unknown => (kind === 'count' ? String(value) : value);
