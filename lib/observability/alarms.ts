import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Rule } from 'aws-cdk-lib/aws-events';
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSubscription, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { METRIC_DIMENSION, METRIC_NAMESPACE, METRICS, type MetricName } from '../../domain/fleet/metrics.js';
import { ARTICLES, type Article, RUNBOOK } from './articles.js';

export interface AlarmsProps {
  /** Name of the installation: alarms are `<prefix>-<article>`. */
  readonly prefix: string;
  /** @default nobody is told by mail */
  readonly emails?: readonly string[];
}

interface Threshold {
  /** Which of several alarms of one article: `revocation-sync`. @default the article has one alarm */
  readonly of?: string;
  /** Alarm at this value and above. Exactly one of `atLeast` and `below`. */
  readonly atLeast?: number;
  /** Alarm below this value. */
  readonly below?: number;
  /** How many of the last periods are looked at. @default 1 */
  readonly periods?: number;
  /** How many of those must cross the threshold. @default all */
  readonly datapoints?: number;
  /** What silence means. @default NOT_BREACHING: a function emits a metric when there is something to say */
  readonly missing?: TreatMissingData;
}

export interface AlarmProps extends Threshold {
  readonly metric: IMetric;
}

/** The alarms of one installation and the topic that all of them notify. None can be made without an article in the runbook. */
export class Alarms extends Construct {
  readonly topic: Topic;
  private readonly prefix: string;
  private readonly alarms: Alarm[] = [];

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.prefix = props.prefix;
    this.topic = new Topic(this, 'Topic', { topicName: `${props.prefix}-alarms`, displayName: `${props.prefix} alarms` });
    this.admitPublishers();
    for (const [index, endpoint] of (props.emails ?? []).entries()) {
      new CfnSubscription(this, `Email${index}`, { topicArn: this.topic.topicArn, protocol: 'email', endpoint });
    }
  }

  /** In the order in which they were made. */
  get all(): readonly Alarm[] {
    return this.alarms;
  }

  /** An alarm on any metric. */
  add(article: Article, props: AlarmProps): Alarm {
    const threshold = props.atLeast ?? props.below;
    if (threshold === undefined || (props.atLeast !== undefined && props.below !== undefined)) {
      throw new RangeError(`alarm "${article}": got atLeast ${props.atLeast} and below ${props.below}, expected exactly one of them`);
    }
    const name = props.of === undefined ? article : `${article}-${props.of}`;
    const alarm = new Alarm(this, name, {
      alarmName: `${this.prefix}-${name}`,
      alarmDescription: `${ARTICLES[article]} Runbook: ${RUNBOOK}#${article}`,
      metric: props.metric,
      threshold,
      comparisonOperator:
        props.atLeast === undefined ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: props.periods ?? 1,
      ...(props.datapoints === undefined ? {} : { datapointsToAlarm: props.datapoints }),
      treatMissingData: props.missing ?? TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    this.alarms.push(alarm);
    return alarm;
  }

  /** An alarm on one of our own metrics, by default as soon as it was counted once in five minutes. */
  addOwn(article: Article, metricName: MetricName, options: Threshold & { readonly statistic?: string } = {}): Alarm {
    const { statistic = 'Sum', ...threshold } = options;
    const chosen = threshold.atLeast === undefined && threshold.below === undefined ? { ...threshold, atLeast: 1 } : threshold;
    return this.add(article, { ...chosen, metric: ownMetric(this.prefix, metricName, statistic) });
  }

  /** An alarm on each metric of a list, by the article that the list names for it. @default options: one is one too many */
  addEach(list: Partial<Record<keyof typeof METRICS, Article>>, options: Threshold = {}): void {
    for (const [metric, article] of Object.entries(list)) this.addOwn(article, METRICS[metric as keyof typeof METRICS], options);
  }

  /** Silence is the symptom: nothing that a function emits could tell of a run that never starts. `period`: within it, it must be called once. */
  onSilence(article: Article, silent: IFunction, period: Duration, of?: string): void {
    const metric = silent.metricInvocations({ period, statistic: 'Sum' });
    this.add(article, { ...(of === undefined ? {} : { of }), metric, below: 1, missing: TreatMissingData.BREACHING });
  }

  /**
   * AWS Private CA says by event, and by a metric whose dimension it does not document (FACTS G9), that it could not make a CRL or write it.
   * The event goes to the topic as it is: `detail.reason` says which.
   */
  onUnwrittenCrl(privateCaArns: readonly string[]): void {
    const article: Article = 'crl-not-written';
    const rule = new Rule(this, article, {
      ruleName: `${this.prefix}-${article}`,
      description: `${ARTICLES[article]} Runbook: ${RUNBOOK}#${article}`,
      eventPattern: {
        source: ['aws.acm-pca'],
        detailType: ['ACM Private CA CRL Generation'],
        resources: [...privateCaArns],
        detail: { result: ['failure'] },
      },
    });
    rule.addTarget({ bind: () => ({ arn: this.topic.topicArn }) });
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'CrlNotWritten',
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { ArnEquals: { 'aws:SourceArn': rule.ruleArn }, StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
  }

  /** The topic pages people: alarms of this installation may speak, over TLS, and nobody else. */
  private admitPublishers(): void {
    const stack = Stack.of(this);
    const alarms = stack.formatArn({
      service: 'cloudwatch',
      resource: 'alarm',
      resourceName: `${this.prefix}-*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisInstallation',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account }, ArnLike: { 'aws:SourceArn': alarms } },
      }),
    );
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'TlsOnly',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    );
  }
}

/** One of our own metrics, over five minutes. The functions emit them with the installation's name as their only dimension. */
export function ownMetric(prefix: string, metricName: MetricName, statistic = 'Sum'): Metric {
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName,
    dimensionsMap: { [METRIC_DIMENSION]: prefix },
    statistic,
    period: Duration.minutes(5),
  });
}
