import { LambdaClient, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import { DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { CloudWatchLogsClient, DescribeSubscriptionFiltersCommand } from '@aws-sdk/client-cloudwatch-logs';
import { IoTClient, ListV2LoggingLevelsCommand } from '@aws-sdk/client-iot';
import { type Desk, startDesk } from '../../local/desk.js';
import { assemblyOf } from './tiny-app.js';

const allows = (Action: string | string[], Resource: unknown) => ({
  PolicyName: 'may',
  PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] },
});
const trusts = (Service: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }],
});
const STREAM_ARN = { 'Fn::GetAtt': ['Stream', 'Arn'] };
const TEMPLATE = {
  // As the CDK writes the default encryption of a stream.
  Conditions: { Unsupported: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'cn-north-1'] } },
  Resources: {
    Stream: {
      Type: 'AWS::Kinesis::Stream',
      Properties: {
        Name: 'events',
        StreamModeDetails: { StreamMode: 'ON_DEMAND' },
        RetentionPeriodHours: 48,
        StreamEncryption: {
          'Fn::If': ['Unsupported', { Ref: 'AWS::NoValue' }, { EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' }],
        },
      },
    },
    ReaderRole: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: trusts('lambda.amazonaws.com'),
        Policies: [
          allows(
            ['DescribeStream', 'DescribeStreamSummary', 'GetRecords', 'GetShardIterator', 'ListShards'].map(
              (action) => `kinesis:${action}`,
            ),
            STREAM_ARN,
          ),
        ],
      },
    },
    Reader: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: 'reader',
        Role: { 'Fn::GetAtt': ['ReaderRole', 'Arn'] },
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        Code: { ZipFile: 'exports.handler = async (event) => ({ state: event.state });' },
      },
    },
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        FunctionName: { Ref: 'Reader' },
        EventSourceArn: STREAM_ARN,
        StartingPosition: 'TRIM_HORIZON',
        TumblingWindowInSeconds: '300',
        BisectBatchOnFunctionError: 'true',
        MaximumRetryAttempts: 5,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    },
    Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: 'AWSIotLogsV2' } },
    SubscriptionRole: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: trusts('logs.amazonaws.com'),
        Policies: [allows('kinesis:PutRecord', STREAM_ARN)],
      },
    },
    Subscription: {
      Type: 'AWS::Logs::SubscriptionFilter',
      Properties: {
        LogGroupName: { Ref: 'Logs' },
        FilterPattern: '{ $.status = "Failure" }',
        DestinationArn: STREAM_ARN,
        RoleArn: { 'Fn::GetAtt': ['SubscriptionRole', 'Arn'] },
      },
    },
    Group: { Type: 'AWS::IoT::ThingGroup', Properties: { ThingGroupName: 'contained' } },
    LoggingRole: {
      Type: 'AWS::IAM::Role',
      Properties: { AssumeRolePolicyDocument: trusts('iot.amazonaws.com'), Policies: [allows('logs:PutLogEvents', '*')] },
    },
    Logging: {
      Type: 'AWS::IoT::Logging',
      Properties: { AccountId: { Ref: 'AWS::AccountId' }, RoleArn: { 'Fn::GetAtt': ['LoggingRole', 'Arn'] }, DefaultLogLevel: 'ERROR' },
    },
    GroupLogging: {
      Type: 'AWS::IoT::ResourceSpecificLogging',
      DependsOn: ['Logging'],
      Properties: { TargetType: 'THING_GROUP', TargetName: { Ref: 'Group' }, LogLevel: 'DEBUG' },
    },
  },
};

let desk: Desk;
beforeAll(async () => {
  desk = await startDesk({ assembly: assemblyOf(TEMPLATE) });
}, 30_000);
afterAll(() => desk.stop());

it('streams, their readers, subscriptions and the logging of AWS IoT come from a template', async () => {
  const client = { endpoint: desk.endpoint, region: 'eu-west-1', credentials: desk.adminCredentials };
  const [kinesis, lambda] = [new KinesisClient(client), new LambdaClient(client)];
  const [logs, iot] = [new CloudWatchLogsClient(client), new IoTClient(client)];
  const { StreamDescriptionSummary: stream } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: 'events' }));
  expect(stream).toMatchObject({ OpenShardCount: 4, RetentionPeriodHours: 48, EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' });
  const { EventSourceMappings } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName: 'reader' }));
  expect(EventSourceMappings).toEqual([
    expect.objectContaining({ TumblingWindowInSeconds: 300, BisectBatchOnFunctionError: true, MaximumRetryAttempts: 5, State: 'Enabled' }),
  ]);
  const { subscriptionFilters } = await logs.send(new DescribeSubscriptionFiltersCommand({ logGroupName: 'AWSIotLogsV2' }));
  expect(subscriptionFilters).toEqual([expect.objectContaining({ destinationArn: stream!.StreamARN, distribution: 'ByLogStream' })]);
  const { logTargetConfigurations } = await iot.send(new ListV2LoggingLevelsCommand({ targetType: 'THING_GROUP' }));
  expect(logTargetConfigurations).toEqual([{ logTarget: { targetType: 'THING_GROUP', targetName: 'contained' }, logLevel: 'DEBUG' }]);
  for (const used of [kinesis, lambda, logs, iot]) used.destroy();
});
