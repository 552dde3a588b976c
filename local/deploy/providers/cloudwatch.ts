/** AWS::CloudWatch::* (CloudFormation template reference, Amazon CloudWatch). The API refuses what the desk cannot evaluate. */
import { onlyServed, present, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

const COMMON = ['AlarmName', 'AlarmDescription', 'ActionsEnabled', 'AlarmActions', 'OKActions', 'InsufficientDataActions', 'Tags'];
const METRIC = [
  'MetricName',
  'Namespace',
  'Statistic',
  'ExtendedStatistic',
  'Dimensions',
  'Unit',
  'ComparisonOperator',
  'TreatMissingData',
  'Metrics',
];
const NUMBERS = ['Period', 'EvaluationPeriods', 'DatapointsToAlarm', 'Threshold'];

const alarm: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, [...COMMON, ...METRIC, ...NUMBERS]);
  const AlarmName = textOf(properties, 'AlarmName') ?? physicalName(255);
  const numbers = Object.fromEntries(
    NUMBERS.filter((name) => properties[name] !== undefined).map((name) => [name, Number(properties[name])]),
  );
  await cloud.call('cloudwatch', 'PutMetricAlarm', present({ ...properties, ...numbers, AlarmName }));
  return { ref: AlarmName, attributes: { Arn: `arn:aws:cloudwatch:${cloud.world.region}:${cloud.world.accountId}:alarm:${AlarmName}` } };
};

const compositeAlarm: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, [...COMMON, 'AlarmRule']);
  const AlarmName = textOf(properties, 'AlarmName') ?? physicalName(255);
  await cloud.call('cloudwatch', 'PutCompositeAlarm', present({ ...properties, AlarmName }));
  return { ref: AlarmName, attributes: { Arn: `arn:aws:cloudwatch:${cloud.world.region}:${cloud.world.accountId}:alarm:${AlarmName}` } };
};

const dashboard: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, ['DashboardName', 'DashboardBody']);
  const DashboardName = textOf(properties, 'DashboardName') ?? physicalName(255);
  await cloud.call('cloudwatch', 'PutDashboard', { DashboardName, DashboardBody: properties.DashboardBody });
  return { ref: DashboardName, attributes: {} };
};

export const providers: Providers = {
  'AWS::CloudWatch::Alarm': alarm,
  'AWS::CloudWatch::CompositeAlarm': compositeAlarm,
  'AWS::CloudWatch::Dashboard': dashboard,
};
