/** What terraform and its like ask of every resource that they manage: tags, settings that nobody made, deletion piece by piece. */
import {
  CloudWatchClient,
  DescribeAlarmHistoryCommand,
  DescribeAlarmsCommand,
  DescribeAlarmsForMetricCommand,
  DisableAlarmActionsCommand,
  EnableAlarmActionsCommand,
  ListTagsForResourceCommand as ListAlarmTags,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
  TagResourceCommand as TagAlarm,
  UntagResourceCommand as UntagAlarm,
} from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogStreamCommand,
  DeleteMetricFilterCommand,
  DeleteResourcePolicyCommand,
  DescribeLogStreamsCommand,
  ListTagsForResourceCommand as ListLogTags,
  PutMetricFilterCommand,
  TagResourceCommand as TagLogGroup,
  UntagResourceCommand as UntagLogGroup,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  EventBridgeClient,
  ListTagsForResourceCommand as ListRuleTags,
  PutRuleCommand,
  TagResourceCommand as TagRule,
  UntagResourceCommand as UntagRule,
} from '@aws-sdk/client-eventbridge';
import {
  CreateBucketCommand,
  DeleteBucketWebsiteCommand,
  GetBucketTaggingCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateTopicCommand, GetTopicAttributesCommand, SetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import {
  AddTagsToResourceCommand,
  DeleteParametersCommand,
  DescribeParametersCommand,
  GetParameterCommand,
  ListTagsForResourceCommand as ListParameterTags,
  PutParameterCommand,
  RemoveTagsFromResourceCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { startDesk, type Desk } from '../../local/desk.js';

let desk: Desk;
const client = () => ({ endpoint: desk.endpoint, region: 'eu-west-1', credentials: desk.adminCredentials });
beforeAll(async () => {
  desk = await startDesk();
});
afterAll(() => desk.stop());

const OLD = { Key: 'old', Value: '1' };
const NEW = { Key: 'new', Value: '2' };

test('an alarm keeps its tags and can be silenced without being changed', async () => {
  const cloudwatch = new CloudWatchClient(client());
  const put = {
    AlarmName: 'tagged',
    Namespace: 'Desk',
    MetricName: 'm',
    Statistic: 'Sum',
    Period: 60,
    EvaluationPeriods: 1,
    Threshold: 1,
    ComparisonOperator: 'GreaterThanThreshold',
  } as const;
  await cloudwatch.send(new PutMetricAlarmCommand({ ...put, Tags: [OLD] }));
  const described = async () => (await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: ['tagged'] }))).MetricAlarms![0]!;
  const ResourceARN = (await described()).AlarmArn!;
  await cloudwatch.send(new TagAlarm({ ResourceARN, Tags: [NEW] }));
  await cloudwatch.send(new UntagAlarm({ ResourceARN, TagKeys: ['old'] }));
  await cloudwatch.send(new PutMetricAlarmCommand({ ...put, Tags: [{ Key: 'ignored', Value: 'by an update' }] }));
  expect((await cloudwatch.send(new ListAlarmTags({ ResourceARN }))).Tags).toEqual([NEW]);
  await cloudwatch.send(new DisableAlarmActionsCommand({ AlarmNames: ['tagged', 'absent'] }));
  expect((await described()).ActionsEnabled).toBe(false);
  await cloudwatch.send(new EnableAlarmActionsCommand({ AlarmNames: ['tagged'] }));
  expect((await described()).ActionsEnabled).toBe(true);
  await expect(cloudwatch.send(new ListAlarmTags({ ResourceARN: `${ResourceARN}x` }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test('an alarm is found by its metric, and its history tells each change of state', async () => {
  const cloudwatch = new CloudWatchClient(client());
  const metric = { Namespace: 'Desk', MetricName: 'watched', Dimensions: [{ Name: 'of', Value: 'me' }] };
  const AlarmName = 'historic';
  await cloudwatch.send(
    new PutMetricAlarmCommand({
      ...metric,
      AlarmName,
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold',
    }),
  );
  await cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue: 'ALARM', StateReason: 'by hand' }));
  const { AlarmHistoryItems } = await cloudwatch.send(new DescribeAlarmHistoryCommand({ AlarmName }));
  expect(AlarmHistoryItems).toMatchObject([
    { HistorySummary: 'Alarm updated from INSUFFICIENT_DATA to ALARM', Timestamp: expect.any(Date) },
  ]);
  const { MetricAlarms } = await cloudwatch.send(new DescribeAlarmsForMetricCommand(metric));
  expect(MetricAlarms).toMatchObject([{ AlarmName, StateValue: 'ALARM' }]);
  const other = await cloudwatch.send(new DescribeAlarmsForMetricCommand({ ...metric, Dimensions: [] }));
  expect(other.MetricAlarms).toEqual([]);
});

test('parameters are filtered as asked, and a filter that is not known is refused', async () => {
  const ssm = new SSMClient(client());
  for (const Name of ['/filter/a', '/filter/b/c']) await ssm.send(new PutParameterCommand({ Name, Value: 'v', Type: 'String' }));
  const names = async (Key: string, Option: string | undefined, ...Values: string[]) =>
    (await ssm.send(new DescribeParametersCommand({ ParameterFilters: [{ Key, Option, Values }] }))).Parameters!.map(({ Name }) => Name);
  expect(await names('Name', 'BeginsWith', '/filter/b')).toEqual(['/filter/b/c']);
  expect(await names('Path', 'Recursive', '/filter')).toEqual(['/filter/a', '/filter/b/c']);
  expect(await names('Path', 'OneLevel', '/filter')).toEqual(['/filter/a']);
  expect(await names('Type', undefined, 'SecureString')).toEqual([]);
  await expect(names('KeyId', undefined, 'x')).rejects.toMatchObject({ name: 'InvalidFilterKey' });
  expect((await ssm.send(new GetParameterCommand({ Name: '/filter/a:1' }))).Parameter).toMatchObject({ Version: 1 });
  await expect(ssm.send(new GetParameterCommand({ Name: '/filter/a:2' }))).rejects.toMatchObject({ name: 'ParameterVersionNotFound' });
});

test('a bucket is born with its tags; deleting a setting that is not there succeeds', async () => {
  const s3 = new S3Client({ ...client(), forcePathStyle: true });
  const Bucket = 'tools-bucket';
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1', Tags: [OLD] } }));
  expect((await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual([OLD]);
  await s3.send(new DeleteBucketWebsiteCommand({ Bucket }));
  const Status = 'Sometimes' as 'Enabled';
  await expect(s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }))).rejects.toMatchObject({
    name: 'MalformedXML',
  });
});

test('a rule keeps its tags', async () => {
  const events = new EventBridgeClient(client());
  const { RuleArn: ResourceARN } = await events.send(new PutRuleCommand({ Name: 'r', EventPattern: '{"source":["x"]}', Tags: [OLD] }));
  await events.send(new TagRule({ ResourceARN, Tags: [NEW] }));
  await events.send(new UntagRule({ ResourceARN, TagKeys: ['old'] }));
  expect((await events.send(new ListRuleTags({ ResourceARN }))).Tags).toEqual([NEW]);
});

test('a log group keeps its tags; streams, filters and policies can be deleted, once', async () => {
  const logs = new CloudWatchLogsClient(client());
  const logGroupName = '/tools';
  await logs.send(new CreateLogGroupCommand({ logGroupName, tags: { old: '1' } }));
  const resourceArn = `arn:aws:logs:eu-west-1:000000000000:log-group:${logGroupName}`;
  await logs.send(new TagLogGroup({ resourceArn, tags: { new: '2' } }));
  await logs.send(new UntagLogGroup({ resourceArn, tagKeys: ['old'] }));
  expect((await logs.send(new ListLogTags({ resourceArn }))).tags).toEqual({ new: '2' });
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: 's' }));
  await logs.send(new DeleteLogStreamCommand({ logGroupName, logStreamName: 's' }));
  expect((await logs.send(new DescribeLogStreamsCommand({ logGroupName }))).logStreams).toEqual([]);
  const metricTransformations = [{ metricName: 'm', metricNamespace: 'n', metricValue: '1' }];
  await logs.send(new PutMetricFilterCommand({ logGroupName, filterName: 'f', filterPattern: 'x', metricTransformations }));
  await logs.send(new DeleteMetricFilterCommand({ logGroupName, filterName: 'f' }));
  const absent = { name: 'ResourceNotFoundException' };
  await expect(logs.send(new DeleteMetricFilterCommand({ logGroupName, filterName: 'f' }))).rejects.toMatchObject(absent);
  await expect(logs.send(new DeleteResourcePolicyCommand({ policyName: 'none' }))).rejects.toMatchObject(absent);
});

test('a parameter keeps its tags; several are deleted at once, and the absent ones are named', async () => {
  const ssm = new SSMClient(client());
  const of = { ResourceType: 'Parameter', ResourceId: '/tools/p' } as const;
  const put = { Name: '/tools/p', Value: 'v', Type: 'String' } as const;
  await ssm.send(new PutParameterCommand({ ...put, Tags: [OLD] }));
  await ssm.send(new PutParameterCommand({ ...put, Overwrite: true }));
  await ssm.send(new AddTagsToResourceCommand({ ...of, Tags: [NEW] }));
  await ssm.send(new RemoveTagsFromResourceCommand({ ...of, TagKeys: ['old'] }));
  expect((await ssm.send(new ListParameterTags(of))).TagList).toEqual([NEW]);
  expect(await ssm.send(new DeleteParametersCommand({ Names: ['/tools/p', '/tools/none'] }))).toMatchObject({
    DeletedParameters: ['/tools/p'],
    InvalidParameters: ['/tools/none'],
  });
  await expect(ssm.send(new ListParameterTags(of))).rejects.toMatchObject({ name: 'InvalidResourceId' });
});

test('a topic shows the policy in force, and takes an empty attribute for "not wanted"', async () => {
  const sns = new SNSClient(client());
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'tools' }));
  const set = (AttributeName: string, AttributeValue: string) =>
    sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName, AttributeValue }));
  await set('SQSSuccessFeedbackRoleArn', '');
  await set('SQSSuccessFeedbackSampleRate', '0');
  await expect(set('SQSSuccessFeedbackSampleRate', '100')).rejects.toMatchObject({ name: 'InvalidParameterException' });
  await expect(set('NoSuchAttribute', '')).rejects.toMatchObject({ name: 'InvalidParameterException' });
  const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
  expect(JSON.parse(Attributes!.Policy!)).toMatchObject({ Statement: [{ Effect: 'Allow', Resource: TopicArn }] });
});
