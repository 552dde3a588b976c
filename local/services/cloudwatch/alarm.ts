/**
 * A metric alarm: M of the last N periods beyond the threshold (CloudWatch user guide, "Alarm evaluation"). A finished period counts as it
 * is. The running period counts early where more values could only push it further beyond (a sum, a maximum), so that an alarm does not
 * wait for the end of its period. Missing data in periods before the alarm existed says nothing.
 */
import { AwsError } from '../../models/service.js';
import { type MetricStore, keyOf } from './metric-store.js';
import { type Dimension, type MetricDataQuery, type Query, checkPeriod, compileQueries, valueOf } from './queries.js';
import { onlyGrowsTowards } from './statistic.js';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

export interface AlarmInput {
  readonly AlarmName: string;
  readonly AlarmDescription?: string;
  readonly ActionsEnabled?: boolean;
  readonly OKActions?: readonly string[];
  readonly AlarmActions?: readonly string[];
  readonly InsufficientDataActions?: readonly string[];
  readonly MetricName?: string;
  readonly Namespace?: string;
  readonly Statistic?: string;
  readonly ExtendedStatistic?: string;
  readonly Dimensions?: readonly Dimension[];
  readonly Period?: number;
  readonly Unit?: string;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly Threshold?: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData?: string;
  readonly Metrics?: readonly MetricDataQuery[];
}

const COMPARE: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  GreaterThanThreshold: (value, threshold) => value > threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
};
const OPERATORS: Readonly<Record<string, string>> = {
  GreaterThanOrEqualToThreshold: 'greater than or equal to',
  GreaterThanThreshold: 'greater than',
  LessThanThreshold: 'less than',
  LessThanOrEqualToThreshold: 'less than or equal to',
};
const MISSING = ['missing', 'notBreaching', 'breaching', 'ignore'];
/** Members without effect on the desk's evaluation would make another alarm of it. */
const UNSERVED = ['EvaluateLowSampleCountPercentile', 'ThresholdMetricId', 'EvaluationCriteria', 'EvaluationInterval'];

const refuse = (message: string): never => {
  throw new AwsError('ValidationException', message);
};

export interface Evaluation {
  readonly state: AlarmState;
  readonly reason: string;
}

export class MetricAlarm {
  readonly queries: readonly Query[];
  /** Series whose values wake the alarm. */
  readonly seriesKeys: ReadonlySet<string>;
  private readonly query: Query;
  private readonly early: boolean;
  private readonly datapointsToAlarm: number;

  constructor(
    readonly input: AlarmInput,
    private readonly createdAtMs: number,
  ) {
    const unserved = UNSERVED.find((member) => (input as unknown as Record<string, unknown>)[member] !== undefined);
    if (unserved) refuse(`${unserved} is not served by the desk.`);
    if (!COMPARE[input.ComparisonOperator]) refuse(`ComparisonOperator ${input.ComparisonOperator} is not served by the desk.`);
    if (input.Threshold === undefined) refuse('Threshold is missing (anomaly detection is not served by the desk).');
    if (!MISSING.includes(input.TreatMissingData ?? 'missing'))
      refuse(`The value ${input.TreatMissingData} is not supported for TreatMissingData parameter.`);
    this.datapointsToAlarm = input.DatapointsToAlarm ?? input.EvaluationPeriods;
    if (this.datapointsToAlarm > input.EvaluationPeriods) refuse('DatapointsToAlarm must not be greater than EvaluationPeriods.');
    this.queries = compileQueries(input.Metrics ?? [metricOf(input)]);
    const returned = this.queries.filter((query) => query.returned);
    if (returned.length !== 1)
      refuse('Exactly two elements of the metrics list should return data for anomaly detection, one for a metric alarm.');
    this.query = returned[0]!;
    this.seriesKeys = new Set(this.queries.flatMap((query) => (query.metric ? [keyOf(query.metric.id)] : [])));
    this.early = this.query.metric !== undefined && onlyGrowsTowards(this.query.metric.statisticName, input.ComparisonOperator);
  }

  /** What the state ought to be now. */
  evaluate(store: MetricStore, nowMs: number, current: AlarmState): Evaluation {
    const periodMs = this.query.periodSeconds * 1000;
    const runningMs = Math.floor(nowMs / periodMs) * periodMs;
    const running = this.early ? valueOf(this.query, this.queries, store, runningMs) : undefined;
    const counted = running !== undefined && this.breaches(running);
    const wanted = this.input.EvaluationPeriods - (counted ? 1 : 0);
    const starts = Array.from({ length: wanted }, (_, index) => runningMs - (index + 1) * periodMs);
    const points = starts.map((fromMs) => ({ fromMs, value: valueOf(this.query, this.queries, store, fromMs) }));
    if (counted) points.unshift({ fromMs: runningMs, value: running });
    return this.judge(points, current);
  }

  private judge(points: readonly { fromMs: number; value: number | undefined }[], current: AlarmState): Evaluation {
    const treatment = this.input.TreatMissingData ?? 'missing';
    const present = points.filter((point) => point.value !== undefined);
    const breaching = present.filter((point) => this.breaches(point.value!));
    const missing = points.filter((point) => point.value === undefined && point.fromMs >= this.createdAtMs).length;
    const breachingAll = breaching.length + (treatment === 'breaching' ? missing : 0);
    if (breachingAll >= this.datapointsToAlarm) return { state: 'ALARM', reason: this.reason(breaching, breachingAll) };
    if (present.length === 0 && treatment === 'missing')
      return { state: 'INSUFFICIENT_DATA', reason: 'Insufficient Data: no datapoints were received for the evaluation periods.' };
    if (present.length === 0 && treatment === 'ignore') return { state: current, reason: 'Unchanged: no datapoints were received.' };
    // Too little is known yet to call silence a symptom.
    if (present.length === 0 && treatment === 'breaching' && missing < points.length)
      return { state: current, reason: 'Unchanged: the alarm is younger than its evaluation periods.' };
    return {
      state: 'OK',
      reason: `Threshold Crossed: ${breachingAll} of ${points.length} datapoints were ${OPERATORS[this.input.ComparisonOperator]} the threshold (${this.input.Threshold}); ${this.datapointsToAlarm} make an alarm.`,
    };
  }

  private breaches(value: number): boolean {
    return COMPARE[this.input.ComparisonOperator]!(value, this.input.Threshold!);
  }

  private reason(breaching: readonly { fromMs: number; value: number | undefined }[], count: number): string {
    const shown = breaching
      .map(({ fromMs, value }) => `${value} (${new Date(fromMs).toISOString().slice(0, 16).replace('T', ' ')})`)
      .join(', ');
    const silent = count - breaching.length;
    const points = [...(shown ? [`[${shown}]`] : []), ...(silent > 0 ? [`${silent} missing`] : [])].join(' and ');
    return `Threshold Crossed: ${count} out of the last ${this.input.EvaluationPeriods} datapoints ${points} ${count === 1 ? 'was' : 'were'} ${OPERATORS[this.input.ComparisonOperator]} the threshold (${this.input.Threshold}).`;
  }
}

function metricOf(input: AlarmInput): MetricDataQuery {
  const Stat = input.Statistic ?? input.ExtendedStatistic;
  if (input.MetricName === undefined || input.Namespace === undefined || Stat === undefined || input.Period === undefined) {
    return refuse('An alarm needs MetricName, Namespace, Period and a statistic, or Metrics.');
  }
  checkPeriod(input.Period);
  return {
    Id: 'm1',
    MetricStat: {
      Metric: { Namespace: input.Namespace, MetricName: input.MetricName, Dimensions: input.Dimensions },
      Period: input.Period,
      Stat,
    },
  };
}
