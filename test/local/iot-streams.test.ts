/** From the broker and from its log to a data stream: topic rules with the kinesis action, subscription filters. */
import { gunzipSync } from 'node:zlib';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DescribeSubscriptionFiltersCommand,
  PutSubscriptionFilterCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { CreateTopicRuleCommand, SetV2LoggingOptionsCommand } from '@aws-sdk/client-iot';
import { CreateStreamCommand, GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { startKinesis } from '../../local/services/kinesis/service.js';
import { startLogs } from '../../local/services/logs/service.js';
import { until } from './cloud-with-messaging.js';
import { type GatewayDesk, startGatewayDesk } from './gateway-desk.js';

let desk: GatewayDesk;
let kinesis: KinesisClient;
let logs: CloudWatchLogsClient;
let number = 0;
beforeAll(async () => {
  desk = await startGatewayDesk({ startAt: new Date('2026-11-22T10:00:00Z') });
  startKinesis(desk.cloud);
  startLogs(desk.cloud);
  const client = { endpoint: desk.cloud.endpoint, region: 'eu-west-1', credentials: desk.cloud.administratorCredentials, maxAttempts: 1 };
  [kinesis, logs] = [new KinesisClient(client), new CloudWatchLogsClient(client)];
});
afterAll(async () => {
  kinesis.destroy();
  logs.destroy();
  await desk.stop();
});

async function stream(): Promise<{ name: string; arn: string; records(): Promise<{ key: string; data: Buffer }[]> }> {
  const StreamName = `stream-${++number}`;
  await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  return {
    name: StreamName,
    arn: `arn:aws:kinesis:eu-west-1:000000000000:stream/${StreamName}`,
    records: async () => {
      const ShardId = 'shardId-000000000000';
      const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }));
      const { Records } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
      return Records!.map(({ PartitionKey, Data }) => ({ key: PartitionKey!, data: Buffer.from(Data!) }));
    },
  };
}

function role(service: string, action: string, resource = '*'): string {
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
  } as const;
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: resource }] } as const;
  return desk.cloud.iam.createRole(`role-${++number}`, trust, [policy], []).arn;
}

const rule = (sql: string, streamName: string, roleArn: string, errorStream?: string) =>
  desk.iot.send(
    new CreateTopicRuleCommand({
      ruleName: `rule_${++number}`,
      topicRulePayload: {
        sql,
        awsIotSqlVersion: '2016-03-23',
        actions: [{ kinesis: { streamName, roleArn, partitionKey: '${clientid()}' } }],
        ...(errorStream
          ? {
              errorAction: {
                kinesis: { streamName: errorStream, roleArn: role('iot.amazonaws.com', 'kinesis:PutRecord'), partitionKey: '${topic()}' },
              },
            }
          : {}),
      },
    }),
  );

describe('a topic rule with the kinesis action', () => {
  it('puts what its SQL selects, under the client id as partition key', async () => {
    const to = await stream();
    await rule(
      `SELECT clientid() AS clientId, principal() AS principal, topic(2) AS thing, sourceip() AS ip, length(encode(*, 'base64')) AS size, timestamp() AS at FROM 'fleet/+/data'`,
      to.name,
      role('iot.amazonaws.com', 'kinesis:PutRecord', to.arn),
    );
    const device = await desk.enrol('pump-1');
    const client = await desk.connect(device, 'pump-1');
    await client.publishAsync('fleet/pump-1/data', Buffer.from([0xff, 0x00, 0x7f, 0x10]), { qos: 1 });
    await until('the record', async () => (await to.records()).length === 1);
    const [record] = await to.records();
    expect(record!.key).toBe('pump-1');
    expect(JSON.parse(record!.data.toString())).toEqual({
      clientId: 'pump-1',
      principal: device.certificateId,
      thing: 'pump-1',
      ip: '127.0.0.1',
      size: 8,
      at: expect.any(Number),
    });
    client.end(true);
  });

  it('shows each device under the address that it comes from', async () => {
    const to = await stream();
    await rule(
      `SELECT clientId, ipAddress FROM '$aws/events/presence/connected/#'`,
      to.name,
      role('iot.amazonaws.com', 'kinesis:PutRecord'),
    );
    const device = await desk.enrol('pump-2');
    const client = await desk.connect(device, 'pump-2', { localAddress: '127.0.0.42' } as never);
    await until('the record', async () => (await to.records()).length === 1);
    expect(JSON.parse((await to.records())[0]!.data.toString())).toEqual({ clientId: 'pump-2', ipAddress: '127.0.0.42' });
    client.end(true);
  });

  it('fails where its role may not put into that stream, and then does its error action', async () => {
    const [to, errors] = [await stream(), await stream()];
    const elsewhere = role('iot.amazonaws.com', 'kinesis:PutRecord', `${to.arn}-other`);
    await rule(`SELECT * FROM 'fleet/+/refused'`, to.name, elsewhere, errors.name);
    const device = await desk.enrol('pump-3');
    const client = await desk.connect(device, 'pump-3');
    await client.publishAsync('fleet/pump-3/refused', '{"a":1}', { qos: 1 });
    await until('the error', async () => (await errors.records()).length === 1);
    expect(await to.records()).toEqual([]);
    expect(JSON.parse((await errors.records())[0]!.data.toString())).toMatchObject({
      topic: 'fleet/pump-3/refused',
      clientId: 'pump-3',
      failures: [{ failedAction: 'KinesisAction', failedResource: to.name, errorMessage: expect.any(String) }],
    });
    client.end(true);
  });
});

describe('a subscription filter', () => {
  const unpacked = async (from: Awaited<ReturnType<typeof stream>>) =>
    (await from.records()).map(({ key, data }) => ({ key, message: JSON.parse(gunzipSync(data).toString()) as Record<string, unknown> }));

  it('sends a control message when it is made, and then what its pattern matches, with the log lines of the broker', async () => {
    const to = await stream();
    const roleArn = role('logs.amazonaws.com', 'kinesis:PutRecord', to.arn);
    await logs.send(new CreateLogGroupCommand({ logGroupName: 'AWSIotLogsV2' }));
    const filter = {
      logGroupName: 'AWSIotLogsV2',
      filterName: 'failures',
      filterPattern: '{ $.status = "Failure" }',
      destinationArn: to.arn,
      roleArn,
    };
    await logs.send(new PutSubscriptionFilterCommand(filter));
    const loggingRole = role('iot.amazonaws.com', 'logs:*');
    await desk.iot.send(new SetV2LoggingOptionsCommand({ roleArn: loggingRole, defaultLogLevel: 'ERROR' }));
    const device = await desk.enrol('pump-4');
    const client = await desk.connect(device, 'pump-4');
    client.on('error', () => undefined);
    await client.publishAsync('not/mine', 'x', { qos: 0 });
    await until('the line', async () => (await to.records()).length === 2);
    const [control, data] = await unpacked(to);
    expect(control!.message).toMatchObject({ messageType: 'CONTROL_MESSAGE', owner: 'CloudwatchLogs', logEvents: [{ id: '' }] });
    expect(data).toMatchObject({
      message: {
        messageType: 'DATA_MESSAGE',
        owner: '000000000000',
        logGroup: 'AWSIotLogsV2',
        subscriptionFilters: ['failures'],
        logEvents: [{ id: expect.stringMatching(/^\d+$/), timestamp: expect.any(Number) }],
      },
    });
    expect(data!.key).toBe(data!.message.logStream);
    const [line] = data!.message.logEvents as [{ message: string }];
    expect(JSON.parse(line.message)).toMatchObject({
      eventType: 'Publish-In',
      status: 'Failure',
      reason: 'AUTHORIZATION_FAILURE',
      clientId: 'pump-4',
      topicName: 'not/mine',
      sourceIp: '127.0.0.1',
    });
    const { subscriptionFilters } = await logs.send(new DescribeSubscriptionFiltersCommand({ logGroupName: 'AWSIotLogsV2' }));
    expect(subscriptionFilters).toEqual([{ ...filter, distribution: 'ByLogStream', creationTime: expect.any(Number) }]);
    client.end(true);
  });

  it.each([
    ['whose role may not put there', 'logs.amazonaws.com', 'kinesis:GetRecords'],
    ['whose role does not trust CloudWatch Logs', 'lambda.amazonaws.com', 'kinesis:PutRecord'],
  ])('is refused: one %s', async (_what, service, action) => {
    const to = await stream();
    const logGroupName = `group-${++number}`;
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    const filter = { logGroupName, filterName: 'f', filterPattern: '', destinationArn: to.arn, roleArn: role(service, action, to.arn) };
    await expect(logs.send(new PutSubscriptionFilterCommand(filter))).rejects.toThrow(/Could not deliver test message/);
  });

  it('is refused as a third one of its group', async () => {
    const to = await stream();
    const logGroupName = `group-${++number}`;
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    const filter = { logGroupName, filterPattern: '', destinationArn: to.arn, roleArn: role('logs.amazonaws.com', 'kinesis:PutRecord') };
    for (const filterName of ['a', 'b', 'a']) await logs.send(new PutSubscriptionFilterCommand({ ...filter, filterName }));
    await expect(logs.send(new PutSubscriptionFilterCommand({ ...filter, filterName: 'c' }))).rejects.toMatchObject({
      name: 'LimitExceededException',
    });
  });
});
