/** The CloudWatch operations that the desk serves (CloudWatch API reference). */
import type { World } from '../../cloud.js';
import { AwsError, type Operation } from '../../models/service.js';
import type { AlarmInput, AlarmState } from './alarm.js';
import { alarmsOn, describeAlarmHistory } from './alarm-history.js';
import type { AlarmEntry, Alarms, CompositeInput } from './alarms.js';
import type { MetricStore } from './metric-store.js';
import { type Dimension, type MetricDataQuery, checkPeriod, compileQueries, dimensionsOf, valueOf } from './queries.js';
import { statisticNamed } from './statistic.js';
import { taggingOperations } from './tagging.js';

interface Datum {
  readonly MetricName: string;
  readonly Dimensions?: readonly Dimension[];
  readonly Timestamp?: Date;
  readonly Value?: number;
  readonly StatisticValues?: { readonly SampleCount: number; readonly Sum: number; readonly Minimum: number; readonly Maximum: number };
  readonly Values?: readonly number[];
  readonly Counts?: readonly number[];
  readonly Unit?: string;
}
interface StatisticsInput {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly Dimension[];
  readonly StartTime: Date;
  readonly EndTime: Date;
  readonly Period: number;
  readonly Statistics?: readonly string[];
  readonly ExtendedStatistics?: readonly string[];
}
interface DataInput {
  readonly MetricDataQueries: readonly MetricDataQuery[];
  readonly StartTime: Date;
  readonly EndTime: Date;
  readonly ScanBy?: string;
}
interface ListInput {
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly Dimension[];
  readonly NextToken?: string;
}
interface DescribeInput {
  readonly AlarmNames?: readonly string[];
  readonly AlarmNamePrefix?: string;
  readonly AlarmTypes?: readonly string[];
  readonly StateValue?: string;
  readonly MaxRecords?: number;
  readonly NextToken?: string;
}

const invalid = (message: string): never => {
  throw new AwsError('InvalidParameterValueException', message);
};

export function cloudwatchOperations(store: MetricStore, alarms: Alarms, world: World): Readonly<Record<string, Operation>> {
  const dashboards = new Map<string, { readonly body: string; readonly modifiedAt: Date }>();
  const dashboardArn = (name: string): string => `arn:aws:cloudwatch::${world.accountId}:dashboard/${name}`;
  return {
    PutMetricData: (input: { Namespace: string; MetricData?: readonly Datum[] }) => {
      if (input.Namespace.startsWith('AWS/')) return invalid('The value AWS/ for parameter Namespace is invalid.');
      alarms.wake(new Set((input.MetricData ?? []).map((datum) => add(store, input.Namespace, datum, world.clock.nowMs()))));
      return {};
    },
    GetMetricStatistics: (input: StatisticsInput) => getMetricStatistics(store, input),
    GetMetricData: (input: DataInput) => ({ MetricDataResults: getMetricData(store, input), Messages: [] }),
    ListMetrics: (input: ListInput) => {
      const found = store.all().filter((series) => matches(series, input));
      const from = Number(input.NextToken ?? 0);
      const Metrics = found
        .slice(from, from + 500)
        .map(({ namespace, name, dimensions }) => ({ Namespace: namespace, MetricName: name, Dimensions: asDimensions(dimensions) }));
      return { Metrics, ...(from + 500 < found.length ? { NextToken: String(from + 500) } : {}) };
    },
    PutMetricAlarm: (input: AlarmInput) => {
      alarms.putMetricAlarm(input);
      return {};
    },
    PutCompositeAlarm: (input: CompositeInput) => {
      alarms.putCompositeAlarm(input);
      return {};
    },
    DescribeAlarms: (input: DescribeInput) => describeAlarms(alarms, input),
    DescribeAlarmHistory: (input) => describeAlarmHistory(alarms, input),
    DescribeAlarmsForMetric: (input) => ({ MetricAlarms: alarmsOn(alarms, input).map(describe) }),
    DeleteAlarms: (input: { AlarmNames: readonly string[] }) => {
      alarms.delete(input.AlarmNames);
      return {};
    },
    SetAlarmState: (input: { AlarmName: string; StateValue: AlarmState; StateReason: string }) => {
      alarms.setState(input.AlarmName, input.StateValue, input.StateReason);
      return {};
    },
    EnableAlarmActions: (input: { AlarmNames: readonly string[] }) => (alarms.enableActions(input.AlarmNames, true), {}),
    DisableAlarmActions: (input: { AlarmNames: readonly string[] }) => (alarms.enableActions(input.AlarmNames, false), {}),
    ...taggingOperations(alarms),
    PutDashboard: (input: { DashboardName: string; DashboardBody: string }) => {
      try {
        const body: unknown = JSON.parse(input.DashboardBody);
        if (!Array.isArray((body as { widgets?: unknown }).widgets)) throw new SyntaxError('widgets is missing');
      } catch (error) {
        throw new AwsError('DashboardInvalidInputError', `The dashboard body is invalid: ${(error as Error).message}`, 400, {
          dashboardValidationMessages: [],
        });
      }
      dashboards.set(input.DashboardName, { body: input.DashboardBody, modifiedAt: world.clock.date() });
      return { DashboardValidationMessages: [] };
    },
    GetDashboard: (input: { DashboardName: string }) => {
      const dashboard = dashboards.get(input.DashboardName);
      if (!dashboard) throw new AwsError('DashboardNotFoundError', `Dashboard ${input.DashboardName} does not exist`, 404);
      return { DashboardArn: dashboardArn(input.DashboardName), DashboardBody: dashboard.body, DashboardName: input.DashboardName };
    },
    ListDashboards: (input: { DashboardNamePrefix?: string }) => ({
      DashboardEntries: [...dashboards]
        .filter(([name]) => name.startsWith(input.DashboardNamePrefix ?? ''))
        .map(([name, { body, modifiedAt }]) => ({
          DashboardName: name,
          DashboardArn: dashboardArn(name),
          LastModified: modifiedAt,
          Size: body.length,
        })),
    }),
    DeleteDashboards: (input: { DashboardNames: readonly string[] }) => {
      for (const name of input.DashboardNames) dashboards.delete(name);
      return {};
    },
  };
}

const asDimensions = (dimensions: Readonly<Record<string, string>>): { Name: string; Value: string }[] =>
  Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));

/** Adds one datum: a value, values with counts, or a statistic set. Answers the key of its series. */
function add(store: MetricStore, namespace: string, datum: Datum, nowMs: number): string {
  const atMs = datum.Timestamp?.getTime() ?? nowMs;
  const id = { namespace, name: datum.MetricName, dimensions: dimensionsOf(datum.Dimensions), unit: datum.Unit ?? 'None' };
  if (datum.StatisticValues) {
    const { Sum: sum, SampleCount: count, Minimum: minimum, Maximum: maximum } = datum.StatisticValues;
    return store.addStatistics({ ...id, value: sum }, atMs, { sum, count, minimum, maximum });
  }
  const values = datum.Values ?? (datum.Value === undefined ? [] : [datum.Value]);
  if (values.length === 0) return invalid('At least one of the parameters must be specified: Value, Values, StatisticValues.');
  if (datum.Counts && datum.Counts.length !== values.length)
    return invalid('The parameters MetricData.member.Values and MetricData.member.Counts must be of the same size.');
  const keys = values.map((value, index) => store.add({ ...id, value }, atMs, datum.Counts?.[index] ?? 1));
  return keys[0]!;
}

function matches(series: { namespace: string; name: string; dimensions: Readonly<Record<string, string>> }, input: ListInput): boolean {
  if (input.Namespace !== undefined && series.namespace !== input.Namespace) return false;
  if (input.MetricName !== undefined && series.name !== input.MetricName) return false;
  return (input.Dimensions ?? []).every(
    ({ Name = '', Value }) => series.dimensions[Name] !== undefined && (Value === undefined || series.dimensions[Name] === Value),
  );
}

function* periods(input: { StartTime: Date; EndTime: Date }, periodMs: number): Iterable<number> {
  for (let fromMs = Math.floor(input.StartTime.getTime() / periodMs) * periodMs; fromMs < input.EndTime.getTime(); fromMs += periodMs)
    yield fromMs;
}

/** AWS answers at most 1,440 data points. */
const MOST_DATAPOINTS = 1440;

function getMetricStatistics(store: MetricStore, input: StatisticsInput): Record<string, unknown> {
  checkPeriod(input.Period);
  const periodMs = input.Period * 1000;
  if ((input.EndTime.getTime() - input.StartTime.getTime()) / periodMs > MOST_DATAPOINTS)
    return invalid(`You have requested more datapoints than the limit of ${MOST_DATAPOINTS}.`);
  const id = { namespace: input.Namespace, name: input.MetricName, dimensions: dimensionsOf(input.Dimensions) };
  const Unit = store.find(id)?.unit ?? 'None';
  const Datapoints: Record<string, unknown>[] = [];
  for (const fromMs of periods(input, periodMs)) {
    const bucket = store.period(id, fromMs, fromMs + periodMs);
    if (!bucket) continue;
    const extended = (input.ExtendedStatistics ?? []).map((name) => [name, statisticNamed(name)(bucket)]);
    Datapoints.push({
      Timestamp: new Date(fromMs),
      ...Object.fromEntries((input.Statistics ?? []).map((name) => [name, statisticNamed(name)(bucket)])),
      ...(extended.length > 0 ? { ExtendedStatistics: Object.fromEntries(extended) as unknown } : {}),
      Unit,
    });
  }
  return { Label: input.MetricName, Datapoints };
}

function getMetricData(store: MetricStore, input: DataInput): Record<string, unknown>[] {
  const queries = compileQueries(input.MetricDataQueries);
  return queries
    .filter((query) => query.returned)
    .map((query) => {
      const points = [...periods(input, query.periodSeconds * 1000)].flatMap((fromMs) => {
        const value = valueOf(query, queries, store, fromMs);
        return value === undefined ? [] : [{ fromMs, value }];
      });
      if (input.ScanBy !== 'TimestampAscending') points.reverse();
      return {
        Id: query.id,
        Label: query.label,
        Timestamps: points.map(({ fromMs }) => new Date(fromMs)),
        Values: points.map(({ value }) => value),
        StatusCode: 'Complete',
      };
    });
}

const describe = (entry: AlarmEntry): Record<string, unknown> => ({
  ...entry.input,
  ActionsEnabled: entry.actionsEnabled,
  AlarmArn: entry.arn,
  AlarmConfigurationUpdatedTimestamp: entry.configuredAt,
  StateValue: entry.state,
  StateReason: entry.reason,
  StateUpdatedTimestamp: entry.changedAt,
});

function describeAlarms(alarms: Alarms, input: DescribeInput): Record<string, unknown> {
  const types = input.AlarmTypes ?? ['MetricAlarm'];
  const wanted = alarms
    .all()
    .filter(
      ({ kind, input: { AlarmName }, state }) =>
        types.includes(kind === 'metric' ? 'MetricAlarm' : 'CompositeAlarm') &&
        (input.AlarmNames === undefined || input.AlarmNames.includes(AlarmName)) &&
        AlarmName.startsWith(input.AlarmNamePrefix ?? '') &&
        (input.StateValue === undefined || state === input.StateValue),
    );
  const from = Number(input.NextToken ?? 0);
  const to = from + (input.MaxRecords ?? 50);
  const page = wanted.slice(from, to);
  return {
    MetricAlarms: page.filter(({ kind }) => kind === 'metric').map(describe),
    CompositeAlarms: page.filter(({ kind }) => kind === 'composite').map(describe),
    ...(to < wanted.length ? { NextToken: String(to) } : {}),
  };
}
