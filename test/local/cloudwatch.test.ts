import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  GetDashboardCommand,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  ListDashboardsCommand,
  ListMetricsCommand,
  type MetricAlarm,
  PutCompositeAlarmCommand,
  PutDashboardCommand,
  PutMetricAlarmCommand,
  type PutMetricAlarmCommandInput,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { compileMath } from '../../local/services/cloudwatch/metric-math.js';
import { type MessagingCloud, messagingCloud } from './cloud-with-messaging.js';

let desk: MessagingCloud;
let cloudwatch: CloudWatchClient;
let number = 0;
beforeAll(async () => {
  desk = await messagingCloud(new Date('2026-11-22T10:00:05Z'));
  cloudwatch = new CloudWatchClient(desk.client);
});
afterAll(async () => {
  cloudwatch.destroy();
  await desk.stop();
});

const put = async (MetricName: string, Value: number) =>
  cloudwatch.send(new PutMetricDataCommand({ Namespace: 'Desk', MetricData: [{ MetricName, Value }] }));
async function alarm(more: Partial<PutMetricAlarmCommandInput> = {}): Promise<string> {
  const name = `alarm-${++number}`;
  await cloudwatch.send(
    new PutMetricAlarmCommand({
      AlarmName: name,
      Namespace: 'Desk',
      MetricName: name,
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
      ...more,
    }),
  );
  return name;
}
const describeAlarm = async (name: string): Promise<MetricAlarm> =>
  (await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }))).MetricAlarms![0]!;
const stateOf = async (name: string) => (await describeAlarm(name)).StateValue;
const minutes = (count: number) => desk.world.clock.advance(count * 60_000);

describe('metrics', () => {
  test('come back as statistics and percentiles, by period', async () => {
    const Timestamp = desk.world.clock.date();
    await cloudwatch.send(
      new PutMetricDataCommand({
        Namespace: 'Desk',
        MetricData: [
          {
            MetricName: 'spread',
            Timestamp,
            Values: [1, 2, 3, 4, 100],
            Counts: [1, 1, 1, 1, 1],
            Unit: 'Seconds',
            Dimensions: [{ Name: 'a', Value: 'b' }],
          },
        ],
      }),
    );
    const range = {
      StartTime: new Date(Timestamp.getTime() - 60_000),
      EndTime: new Date(Timestamp.getTime() + 60_000),
      Period: 60,
      Namespace: 'Desk',
      MetricName: 'spread',
      Dimensions: [{ Name: 'a', Value: 'b' }],
    };
    const { Datapoints } = await cloudwatch.send(
      new GetMetricStatisticsCommand({ ...range, Statistics: ['Sum', 'Average', 'Minimum', 'Maximum', 'SampleCount'] }),
    );
    expect(Datapoints).toMatchObject([{ Sum: 110, Average: 22, Minimum: 1, Maximum: 100, SampleCount: 5, Unit: 'Seconds' }]);
    const extended = await cloudwatch.send(new GetMetricStatisticsCommand({ ...range, ExtendedStatistics: ['p50', 'p90'] }));
    expect(extended.Datapoints![0]!.ExtendedStatistics).toEqual({ p50: 3, p90: 100 });
    expect((await cloudwatch.send(new ListMetricsCommand({ Namespace: 'Desk', MetricName: 'spread' }))).Metrics).toEqual([
      { Namespace: 'Desk', MetricName: 'spread', Dimensions: [{ Name: 'a', Value: 'b' }] },
    ]);
  });

  test('can be computed with, where the mathematics is simple', async () => {
    await put('left', 6);
    await put('right', 3);
    const stat = (Id: string, MetricName: string) => ({
      Id,
      MetricStat: { Metric: { Namespace: 'Desk', MetricName }, Period: 60, Stat: 'Sum' },
      ReturnData: false,
    });
    const nowMs = desk.world.clock.nowMs();
    const { MetricDataResults } = await cloudwatch.send(
      new GetMetricDataCommand({
        StartTime: new Date(nowMs - 120_000),
        EndTime: new Date(nowMs + 60_000),
        MetricDataQueries: [stat('a', 'left'), stat('b', 'right'), { Id: 'ratio', Expression: '100 * a / (a + b)' }],
      }),
    );
    expect(MetricDataResults).toMatchObject([{ Id: 'ratio', Values: [expect.closeTo(66.67, 1) as unknown] }]);
  });

  test.each([
    ['a + b * 2', 7],
    ['-a + b ^ 2', 8],
    ['SUM(METRICS())', 4],
    ['MAX([a, b])', 3],
    ['IF(a > b, 1, 0)', 0],
    ['FILL(c, 5) + a', 6],
    ['c + a', undefined],
    ['a / (a - a)', undefined],
    ['a < b && b == 3', 1],
  ])('%s', (expression, expected) => {
    expect(compileMath(expression, ['a', 'b', 'c'])({ a: 1, b: 3, c: undefined })).toBe(expected);
  });
  test.each([['ANOMALY_DETECTION_BAND(a)'], ['a +'], ['d'], ['(a'], ["SEARCH('x')"]])('%s is refused', (expression) => {
    expect(() => compileMath(expression, ['a'])).toThrow('metric math');
  });

  test('of AWS itself cannot be forged', async () => {
    await expect(
      cloudwatch.send(new PutMetricDataCommand({ Namespace: 'AWS/Lambda', MetricData: [{ MetricName: 'Errors', Value: 1 }] })),
    ).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });
});

describe('alarms', () => {
  test('a sum over the threshold raises the alarm when the value arrives, and it ends when the periods are quiet', async () => {
    const name = await alarm();
    expect(await stateOf(name)).toBe('INSUFFICIENT_DATA');
    await put(name, 1);
    expect(await describeAlarm(name)).toMatchObject({
      StateValue: 'ALARM',
      StateReason: expect.stringContaining('Threshold Crossed: 1 out of the last 1 datapoints [1 (') as unknown,
    });
    await minutes(3);
    expect(await stateOf(name)).toBe('OK');
  });

  test('an average waits for the end of its period', async () => {
    const name = await alarm({ Statistic: 'Average', Threshold: 10 });
    await put(name, 50);
    expect(await stateOf(name)).not.toBe('ALARM');
    await minutes(1);
    expect(await stateOf(name)).toBe('ALARM');
  });

  test('two of three data points make an alarm, one does not', async () => {
    const name = await alarm({ EvaluationPeriods: 3, DatapointsToAlarm: 2 });
    await put(name, 1);
    expect(await stateOf(name)).not.toBe('ALARM');
    await minutes(2);
    await put(name, 1);
    expect(await stateOf(name)).toBe('ALARM');
  });

  test('silence is a symptom where missing data is breaching, but not of an alarm that was just made', async () => {
    const name = await alarm({ TreatMissingData: 'breaching', Period: 300 });
    await minutes(2);
    expect(await stateOf(name)).toBe('INSUFFICIENT_DATA');
    await minutes(15);
    expect(await stateOf(name)).toBe('ALARM');
  });

  test.each([
    ['missing', 'INSUFFICIENT_DATA'],
    ['notBreaching', 'OK'],
    ['ignore', 'ALARM'],
  ] as const)('after an alarm, data that is missing (%s) makes it %s', async (TreatMissingData, expected) => {
    const name = await alarm({ TreatMissingData });
    await put(name, 1);
    await minutes(5);
    expect(await stateOf(name)).toBe(expected);
  });

  test('an alarm on an expression', async () => {
    const stat = (Id: string, MetricName: string) => ({
      Id,
      MetricStat: { Metric: { Namespace: 'Desk', MetricName }, Period: 60, Stat: 'Sum' },
      ReturnData: false,
    });
    await cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName: 'math',
        EvaluationPeriods: 1,
        Threshold: 50,
        ComparisonOperator: 'GreaterThanThreshold',
        Metrics: [stat('bad', 'math-bad'), stat('all', 'math-all'), { Id: 'share', Expression: 'bad / all * 100' }],
      }),
    );
    await put('math-bad', 3);
    await put('math-all', 4);
    await minutes(1);
    expect(await stateOf('math')).toBe('ALARM');
  });

  test('what the desk cannot evaluate is refused when the alarm is made', async () => {
    await expect(alarm({ Statistic: undefined, ExtendedStatistic: 'tm90' })).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    });
    await expect(alarm({ ComparisonOperator: 'LessThanLowerOrGreaterThanUpperThreshold' })).rejects.toThrow('not served');
    await expect(alarm({ AlarmActions: ['arn:aws:automate:eu-west-1:ec2:stop'] })).rejects.toThrow('topics and functions');
    await expect(alarm({ Period: 10 })).rejects.toThrow('multiple of 60');
  });

  test('a composite alarm follows the alarms that it names; a state can be set by hand; the journal shows the changes', async () => {
    const [left, right] = [await alarm(), await alarm()];
    await cloudwatch.send(new PutCompositeAlarmCommand({ AlarmName: 'both', AlarmRule: `ALARM("${left}") AND NOT OK(${right})` }));
    await cloudwatch.send(new SetAlarmStateCommand({ AlarmName: left, StateValue: 'ALARM', StateReason: 'a test' }));
    const composite = async () => (await cloudwatch.send(new DescribeAlarmsCommand({ AlarmTypes: ['CompositeAlarm'] }))).CompositeAlarms!;
    expect(await composite()).toMatchObject([{ AlarmName: 'both', StateValue: 'ALARM' }]);
    await cloudwatch.send(new SetAlarmStateCommand({ AlarmName: right, StateValue: 'OK', StateReason: 'a test' }));
    expect(await composite()).toMatchObject([{ StateValue: 'OK' }]);
    expect(desk.world.journal.entries().filter(({ kind, what }) => kind === 'alarm' && what === `ALARM ${left}`)).toMatchObject([
      { detail: 'a test' },
    ]);
    await cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: ['both', left, right] }));
    expect(await composite()).toEqual([]);
  });
});

test('dashboards are kept as they are, and refused when they are not JSON', async () => {
  const DashboardBody = JSON.stringify({ widgets: [] });
  await cloudwatch.send(new PutDashboardCommand({ DashboardName: 'fleet', DashboardBody }));
  expect((await cloudwatch.send(new GetDashboardCommand({ DashboardName: 'fleet' }))).DashboardBody).toBe(DashboardBody);
  expect((await cloudwatch.send(new ListDashboardsCommand({}))).DashboardEntries).toMatchObject([{ DashboardName: 'fleet' }]);
  await expect(cloudwatch.send(new PutDashboardCommand({ DashboardName: 'bad', DashboardBody: '{' }))).rejects.toMatchObject({
    name: 'DashboardInvalidInputError',
  });
});
