import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  type LogGroupClass,
  PutLogEventsCommand,
  PutMetricFilterCommand,
  PutResourcePolicyCommand,
  PutRetentionPolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { CloudWatchClient, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { compileFilterPattern } from '../../local/services/logs/filter-pattern.js';
import { embeddedMetrics } from '../../local/services/logs/embedded-metrics.js';
import { type MessagingCloud, messagingCloud } from './cloud-with-messaging.js';

describe('filter patterns', () => {
  const line = '{"level":"ERROR","message":"not found","latency":120,"user":{"name":"anna"},"gone":null,"ok":true,"list":[7]}';
  test.each([
    ['', line, true],
    ['ERROR', line, true],
    ['ERROR anna', line, true],
    ['ERROR berta', line, false],
    ['"not found"', line, true],
    ['ERROR -anna', line, false],
    ['?berta ?anna', line, true],
    ['{ $.level = "ERROR" }', line, true],
    ['{ $.level = "ERR*" }', line, true],
    ['{ $.level != "ERROR" }', line, false],
    ['{ $.latency > 100 && $.user.name = "anna" }', line, true],
    ['{ $.latency > 200 || ($.ok IS TRUE && $.list[0] = 7) }', line, true],
    ['{ $.gone IS NULL }', line, true],
    ['{ $.absent NOT EXISTS }', line, true],
    ['{ $.level = "ERROR" }', 'no json', false],
  ])('%s', (pattern, message, expected) => {
    expect(compileFilterPattern(pattern)(message)).toBe(expected);
  });
  test.each([['[a, b]'], ['{ $.a = }'], ['{ level = "x" }'], ['{ ($.a = 1 }'], ['%regex%'], ['{ $.a = %x% }']])(
    '%s is refused',
    (pattern) => {
      expect(() => compileFilterPattern(pattern)).toThrow('Invalid filter pattern');
    },
  );
});

test('embedded metrics: one value per dimension set, lists too; nothing of a line that breaks the format', () => {
  const emf = (root: object) =>
    JSON.stringify({
      _aws: { Timestamp: 1, CloudWatchMetrics: [{ Namespace: 'N', Dimensions: [['app'], []], Metrics: [{ Name: 'm', Unit: 'Count' }] }] },
      ...root,
    });
  expect(embeddedMetrics(emf({ app: 'a', m: 3 }))).toEqual([
    { namespace: 'N', name: 'm', dimensions: { app: 'a' }, value: 3, unit: 'Count', atMs: 1 },
    { namespace: 'N', name: 'm', dimensions: {}, value: 3, unit: 'Count', atMs: 1 },
  ]);
  expect(embeddedMetrics(emf({ app: 'a', m: [1, 2] }))).toHaveLength(4);
  expect(embeddedMetrics(`2026-11-22T10:00:00Z\tid\tINFO\t${emf({ app: 'a', m: 1 })}`)).toHaveLength(2);
  for (const broken of ['x', '{"_aws":{"CloudWatchMetrics":1}}', emf({ app: 'a', m: 'text' })]) expect(embeddedMetrics(broken)).toEqual([]);
});

describe('log groups', () => {
  let desk: MessagingCloud;
  let logs: CloudWatchLogsClient;
  beforeAll(async () => {
    desk = await messagingCloud();
    logs = new CloudWatchLogsClient(desk.client);
  });
  afterAll(async () => {
    logs.destroy();
    await desk.stop();
  });
  const logGroupName = '/desk/test';
  const logStreamName = 'one';

  test('keep lines in order, page through them, find them, and forget them after their retention', async () => {
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    await expect(logs.send(new CreateLogGroupCommand({ logGroupName }))).rejects.toMatchObject({ name: 'ResourceAlreadyExistsException' });
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 1 }));
    const timestamp = desk.world.clock.nowMs();
    await logs.send(
      new PutLogEventsCommand({
        logGroupName,
        logStreamName,
        logEvents: ['a', 'b ERROR', 'c'].map((message, index) => ({ timestamp: timestamp + index, message })),
      }),
    );
    const first = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true, limit: 2 }));
    expect(first.events!.map(({ message }) => message)).toEqual(['a', 'b ERROR']);
    const rest = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, nextToken: first.nextForwardToken }));
    expect(rest.events!.map(({ message }) => message)).toEqual(['c']);
    expect((await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: 'ERROR' }))).events).toMatchObject([
      { message: 'b ERROR', logStreamName },
    ]);
    expect((await logs.send(new DescribeLogStreamsCommand({ logGroupName }))).logStreams).toMatchObject([
      { logStreamName, lastEventTimestamp: timestamp + 2 },
    ]);
    const put = (timestamps: readonly number[]) =>
      logs.send(
        new PutLogEventsCommand({ logGroupName, logStreamName, logEvents: timestamps.map((at) => ({ timestamp: at, message: 'no' })) }),
      );
    const refused = { name: 'InvalidParameterException' };
    await expect(put([timestamp, timestamp - 1])).rejects.toMatchObject({ ...refused, message: expect.stringContaining('chronological') });
    await expect(put([timestamp - 86_400_001, timestamp])).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('24 hours'),
    });
    await expect(put([])).rejects.toMatchObject(refused);
    expect((await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: 'no' }))).events).toEqual([]);
    await desk.world.clock.advance(86_500_000);
    expect((await logs.send(new FilterLogEventsCommand({ logGroupName }))).events).toEqual([]);
    expect((await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: '/desk' }))).logGroups).toMatchObject([
      { logGroupName, retentionInDays: 1 },
    ]);
  });

  test('are found by their class, and by no class that does not exist', async () => {
    const names = async (logGroupClass: LogGroupClass) => {
      const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: '/desk/test', logGroupClass }));
      return logGroups!.map(({ logGroupName: name }) => name);
    };
    expect(await names('STANDARD')).toEqual([logGroupName]);
    expect(await names('INFREQUENT_ACCESS')).toEqual([]);
    await expect(names('CHEAP' as LogGroupClass)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  test('make metrics of filters, with the value of the line', async () => {
    await logs.send(
      new PutMetricFilterCommand({
        logGroupName,
        filterName: 'slow',
        filterPattern: '{ $.latency > 100 }',
        metricTransformations: [{ metricName: 'Slow', metricNamespace: 'Desk', metricValue: '$.latency' }],
      }),
    );
    const timestamp = desk.world.clock.nowMs();
    await logs.send(
      new PutLogEventsCommand({
        logGroupName,
        logStreamName,
        logEvents: [
          { timestamp, message: '{"latency":150}' },
          { timestamp, message: '{"latency":50}' },
        ],
      }),
    );
    const cloudwatch = new CloudWatchClient(desk.client);
    expect((await cloudwatch.send(new ListMetricsCommand({ Namespace: 'Desk' }))).Metrics).toMatchObject([{ MetricName: 'Slow' }]);
    cloudwatch.destroy();
  });

  test('have no use for a policy that cannot be read, and go on', async () => {
    for (const policyDocument of [undefined, 'nonsense', '{}', '{"Statement":[{"Effect":"Allow"}]}'])
      await expect(logs.send(new PutResourcePolicyCommand({ policyName: 'broken', policyDocument }))).rejects.toMatchObject({
        name: 'InvalidParameterException',
      });
    await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 1 }));
  });

  test('stay bounded', async () => {
    const lines = Array.from({ length: 6000 }, (_, index) => ({ timestamp: desk.world.clock.nowMs(), message: `line ${index}` }));
    desk.cloud.parts.logs!('/desk/many', 'one', lines);
    const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: '/desk/many' }));
    expect(events!.length).toBe(5000);
    expect(events![0]!.message).toBe('line 1000');
  });
});
