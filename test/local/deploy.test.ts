import { CloudWatchClient, DescribeAlarmsCommand, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, DescribeLogGroupsCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ReceiveMessageCommand, SQSClient, SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { deployAssembly } from '../../local/deploy/deploy-assembly.js';
import { type MessagingCloud, messagingCloud, until } from './cloud-with-messaging.js';
import { assemblyOf, bundle, changeTemplate, synthesise } from './tiny-app.js';

const code = bundle();
const outputsOf = (deployed: Awaited<ReturnType<typeof deployAssembly>>) =>
  ({ ...deployed['tiny-base'], ...deployed['tiny-app'] }) as Record<string, string>;

describe('the tiny application, applied as it was synthesised', () => {
  let desk: MessagingCloud;
  let sqs: SQSClient;
  let out: Record<string, string>;
  const progress: string[] = [];

  beforeAll(async () => {
    desk = await messagingCloud(new Date('2026-11-22T10:00:00Z'));
    sqs = new SQSClient(desk.client);
    out = outputsOf(
      await deployAssembly(desk.cloud, synthesise(code), ({ logicalId, done, total }) => progress.push(`${logicalId} ${done}/${total}`)),
    );
  });
  afterAll(async () => {
    sqs.destroy();
    await desk.stop();
  });

  const received: { work?: { n?: number }; now: number; remaining: number; attempt: string; Subject?: string }[] = [];
  async function results(): Promise<typeof received> {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: out.ResultsUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 43_200 }),
    );
    received.push(...Messages.map(({ Body }) => JSON.parse(Body!) as (typeof received)[number]));
    return received;
  }
  const did = (n: number) => async () => (await results()).some(({ work }) => work?.n === n);
  const waiting = async (url: string | undefined) => {
    const { Attributes } = await desk.cloud.call<{ Attributes: Record<string, string> }>('sqs', 'GetQueueAttributes', {
      QueueUrl: url,
      AttributeNames: ['All'],
    });
    return Number(Attributes.ApproximateNumberOfMessages);
  };

  test('every resource is reported, base stack first', () => {
    expect(progress[0]).toMatch(/^Results\w+ 1\/\d+$/);
    expect(progress.at(-1)).toMatch(/ (\d+)\/\1$/);
  });

  test('an event goes by rule and queue to the function, which answers under its own role', async () => {
    const events = new EventBridgeClient(desk.client);
    const entry = (detail: object) => ({ Source: 'tiny.test', DetailType: 'Asked', Detail: JSON.stringify(detail) });
    await events.send(new PutEventsCommand({ Entries: [entry({ kind: 'ignore', n: 0 }), entry({ kind: 'do', n: 1 })] }));
    await until('the result of event 1', did(1));
    expect((await results()).some(({ work }) => work?.n === 0)).toBe(false);
    expect(received.find(({ work }) => work?.n === 1)!.remaining).toBeGreaterThan(0);
    events.destroy();
  });

  test('with ReportBatchItemFailures only the named message fails, comes back by the desk clock, and ends in the dead-letter queue', async () => {
    const Entries = [
      { kind: 'do', n: 21 },
      { kind: 'fail', n: 22 },
      { kind: 'do', n: 23 },
    ].map((work, index) => ({ Id: String(index), MessageBody: JSON.stringify(work) }));
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: out.WorkUrl, Entries }));
    await until('results 21 and 23', async () => (await did(21)()) && (await did(23)()));
    expect(await waiting(out.DeadUrl)).toBe(0);
    for (let attempt = 0; attempt < 2; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await desk.world.clock.advance(31_000);
    }
    await until('the dead letter', async () => (await waiting(out.DeadUrl)) === 1);
    expect(received.filter(({ work }) => work?.n === 21)).toHaveLength(1);
  });

  test('the alarm on dead letters goes off and tells its topic', async () => {
    const cloudwatch = new CloudWatchClient(desk.client);
    await until('the notification', async () => (await results()).some(({ Subject }) => Subject?.startsWith('ALARM')));
    const { MetricAlarms } = await cloudwatch.send(new DescribeAlarmsCommand({ StateValue: 'ALARM' }));
    expect(MetricAlarms).toMatchObject([{ MetricName: 'ApproximateNumberOfMessagesVisible', StateValue: 'ALARM' }]);
    cloudwatch.destroy();
  });

  test('the function sees simulated time, nothing of this computer, and its lines and embedded metrics arrive', async () => {
    for (let day = 0; day < 3; day++) await desk.world.clock.advance(86_400_000);
    const lambda = new LambdaClient(desk.client);
    const answer = await lambda.send(
      new InvokeCommand({ FunctionName: out.WorkerName, Payload: JSON.stringify({ hello: 'there' }), LogType: 'Tail' }),
    );
    const seen = JSON.parse(Buffer.from(answer.Payload!).toString()) as {
      now: number;
      date: string;
      event: object;
      environment: string[];
      home: string;
    };
    expect(Math.abs(seen.now - desk.world.clock.nowMs())).toBeLessThan(5000);
    expect(seen.date.slice(0, 10)).toBe('2026-11-25');
    expect(seen.event).toEqual({ hello: 'there' });
    expect(seen.environment).not.toContain('PATH');
    expect(seen.home).not.toContain(process.cwd());
    expect(Buffer.from(answer.LogResult!, 'base64').toString()).toMatch(
      /^START RequestId: .*\nREPORT RequestId: [^\n]*Memory Size: 128 MB/s,
    );

    const logs = new CloudWatchLogsClient(desk.client);
    expect((await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: out.LogGroup }))).logGroups).toMatchObject([
      { retentionInDays: 7 },
    ]);
    const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: out.LogGroup, filterPattern: '"CloudWatchMetrics"' }));
    expect(events!.length).toBeGreaterThan(0);
    const cloudwatch = new CloudWatchClient(desk.client);
    const EndTime = desk.world.clock.date();
    const period = {
      StartTime: new Date(EndTime.getTime() - 600_000),
      EndTime: new Date(EndTime.getTime() + 60_000),
      Period: 60,
      Statistics: ['Sum'] as 'Sum'[],
    };
    const own = await cloudwatch.send(new GetMetricStatisticsCommand({ Namespace: 'Tiny', MetricName: 'Seen', ...period }));
    expect(own.Datapoints).toMatchObject([{ Sum: 1 }]);
    for (const client of [lambda, logs, cloudwatch]) client.destroy();
  });

  test('the nightly rule fired at its own times while three days passed', async () => {
    const scheduled = (await results()) as unknown as { 'detail-type'?: string; time?: string }[];
    const times = scheduled.filter((event) => event['detail-type'] === 'Scheduled Event').map(({ time }) => time!.slice(11, 16));
    expect(times.length).toBeGreaterThan(0);
    for (const time of times) expect(['03:30', '03:31']).toContain(time);
  });

  test('a function that takes too long is killed, and its batch fails', async () => {
    await sqs.send(new SendMessageCommand({ QueueUrl: out.WorkUrl, MessageBody: JSON.stringify({ kind: 'sleep', n: 31 }) }));
    await until('the time-out', () =>
      desk.world.journal.entries().some(({ kind, detail }) => kind === 'function' && detail?.includes('Sandbox.Timedout') === true),
    );
    expect((await results()).some(({ work }) => work?.n === 31)).toBe(false);
  });
});

describe('grants that are missing from the template', () => {
  async function deployed(change: Parameters<typeof changeTemplate>[1]): Promise<{ desk: MessagingCloud; out: Record<string, string> }> {
    const assembly = synthesise(code);
    changeTemplate(assembly, change);
    const desk = await messagingCloud();
    return { desk, out: outputsOf(await deployAssembly(desk.cloud, assembly)) };
  }
  const without = (action: string) => (template: { Resources: Record<string, { Type: string; Properties: Record<string, unknown> }> }) => {
    for (const resource of Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::IAM::Policy')) {
      const document = resource.Properties.PolicyDocument as { Statement: { Action: string | string[] }[] };
      document.Statement = document.Statement.filter(({ Action }) => ![Action].flat().includes(action));
    }
  };

  test('without sqs:SendMessage for its role the function gets AccessDenied', async () => {
    const { desk, out } = await deployed(without('sqs:SendMessage'));
    const sqs = new SQSClient(desk.client);
    await sqs.send(new SendMessageCommand({ QueueUrl: out.WorkUrl, MessageBody: JSON.stringify({ kind: 'do', n: 1 }) }));
    await until('the failure', () => desk.world.journal.entries().some(({ kind, ok }) => kind === 'function' && !ok));
    const failure = desk.world.journal.entries().find(({ kind, ok }) => kind === 'function' && !ok)!;
    expect(failure.detail).toMatch(/AccessDenied/);
    sqs.destroy();
    await desk.stop();
  });

  test('without sqs:ReceiveMessage for its role nothing is delivered, and the journal says denied', async () => {
    const { desk, out } = await deployed(without('sqs:ReceiveMessage'));
    const sqs = new SQSClient(desk.client);
    await sqs.send(new SendMessageCommand({ QueueUrl: out.WorkUrl, MessageBody: JSON.stringify({ kind: 'do', n: 1 }) }));
    await until('the denial', () =>
      desk.world.journal.entries().some(({ kind, what }) => kind === 'denied' && what === 'sqs:ReceiveMessage'),
    );
    expect(desk.world.journal.entries().some(({ kind }) => kind === 'function')).toBe(false);
    sqs.destroy();
    await desk.stop();
  });

  test('without the queue policy the rule does not deliver', async () => {
    const { desk } = await deployed((template) => {
      for (const [id, { Type }] of Object.entries(template.Resources)) if (Type === 'AWS::SQS::QueuePolicy') delete template.Resources[id];
    });
    const events = new EventBridgeClient(desk.client);
    await events.send(new PutEventsCommand({ Entries: [{ Source: 'tiny.test', DetailType: 'Asked', Detail: '{"kind":"do"}' }] }));
    await until('the denial', () => desk.world.journal.entries().some(({ kind, what }) => kind === 'denied' && what === 'events → sqs'));
    expect(desk.world.journal.entries().some(({ kind }) => kind === 'function')).toBe(false);
    events.destroy();
    await desk.stop();
  });
});

describe('templates', () => {
  let desk: MessagingCloud;
  beforeAll(async () => (desk = await messagingCloud()));
  afterAll(async () => desk.stop());
  const queue = (QueueName: unknown, more: object = {}) => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName }, ...more });
  const outputs = async (template: object) => (await deployAssembly(desk.cloud, assemblyOf(template))).one!;

  test('intrinsic functions, conditions, mappings and parameters resolve', async () => {
    const value = (Value: unknown) => ({ Value });
    expect(
      await outputs({
        Parameters: {
          Stage: { Type: 'String', Default: 'test' },
          BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap/x/version' },
        },
        Mappings: { Sizes: { test: { small: 3 } } },
        Conditions: {
          Test: { 'Fn::Equals': [{ Ref: 'Stage' }, 'test'] },
          Not: { 'Fn::Not': [{ Condition: 'Test' }] },
          Both: { 'Fn::And': [{ Condition: 'Test' }, { 'Fn::Or': [{ Condition: 'Not' }, { Condition: 'Test' }] }] },
        },
        Resources: {
          B: queue({ 'Fn::Join': ['-', ['b', { 'Fn::GetAtt': ['A', 'QueueName'] }]] }),
          A: queue({ 'Fn::Sub': ['a-${Stage}-${More}', { More: { 'Fn::Select': [1, { 'Fn::Split': [',', 'x,y,z'] }] } }] }),
          Never: queue('never', { Condition: 'Not' }),
        },
        Outputs: {
          Arn: value({ 'Fn::GetAtt': 'B.Arn' }),
          Sub: value({ 'Fn::Sub': '${AWS::Partition}:${AWS::Region}:${AWS::AccountId}:${!Literal}' }),
          If: value({ 'Fn::If': ['Both', { 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'small'] }, 0] }),
          None: value({ a: 1, b: { Ref: 'AWS::NoValue' }, c: [{ Ref: 'AWS::NoValue' }, 2] }),
          Base64: value({ 'Fn::Base64': 'x' }),
          Json: value({ 'Fn::ToJsonString': { a: { Ref: 'Stage' } } }),
          Cidr: value({ 'Fn::Cidr': ['10.0.0.0/16', 2, 8] }),
          Skipped: { Value: 'x', Condition: 'Not' },
        },
      }),
    ).toEqual({
      Arn: 'arn:aws:sqs:eu-west-1:000000000000:b-a-test-y',
      Sub: 'aws:eu-west-1:000000000000:${Literal}',
      If: 3,
      None: { a: 1, c: [2] },
      Base64: 'eA==',
      Json: '{"a":"test"}',
      Cidr: ['10.0.0.0/24', '10.0.1.0/24'],
    });
  });

  test.each([
    [
      'all missing types at once',
      { Resources: { A: { Type: 'AWS::EC2::Instance' }, B: { Type: 'AWS::RDS::DBInstance' } } },
      'AWS::EC2::Instance, AWS::RDS::DBInstance',
    ],
    [
      'an attribute that does not exist',
      { Resources: { A: queue('q1'), B: queue({ 'Fn::GetAtt': ['A', 'Colour'] }) } },
      'A (AWS::SQS::Queue) has no attribute Colour',
    ],
    [
      'a reference to a resource whose condition is false',
      { Conditions: { No: { 'Fn::Equals': [1, 2] } }, Resources: { A: queue('q2', { Condition: 'No' }), B: queue({ Ref: 'A' }) } },
      'its condition is false',
    ],
    ['a circle', { Resources: { A: queue({ Ref: 'B' }), B: queue('q3', { DependsOn: ['A'] }) } }, 'A → B → A'],
    ['a dynamic reference', { Resources: { A: queue('{{resolve:secretsmanager:x}}') } }, 'dynamic reference'],
    [
      'a property without effect here',
      { Resources: { A: { Type: 'AWS::SQS::Queue', Properties: { Surprise: 1 } } } },
      'one/A (AWS::SQS::Queue): properties that the desk does not serve: Surprise',
    ],
    ['an import that nobody exports', { Resources: { A: queue({ 'Fn::ImportValue': 'nowhere' }) } }, 'no stack exports nowhere'],
  ])('%s: refused, and named', async (_what, template, message) => {
    await expect(outputs(template)).rejects.toThrow(message);
  });

  test('a custom resource is created by its function', async () => {
    const ZipFile = `exports.handler = async (event) => {
      const body = JSON.stringify({ Status: event.ResourceProperties.Fail === 'true' ? 'FAILED' : 'SUCCESS', Reason: 'no reason', PhysicalResourceId: 'made-' + event.LogicalResourceId, Data: { Answer: event.ResourceProperties.Question + '!' } });
      await fetch(event.ResponseURL, { method: 'PUT', body });
    };`;
    const template = (Fail: boolean) => ({
      Resources: {
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: {
            AssumeRolePolicyDocument: {
              Version: '2012-10-17',
              Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
            },
          },
        },
        Maker: {
          Type: 'AWS::Lambda::Function',
          Properties: {
            FunctionName: `maker-${Fail}`,
            Runtime: 'nodejs24.x',
            Handler: 'index.handler',
            Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
            Code: { ZipFile },
          },
        },
        Thing: { Type: 'Custom::Thing', Properties: { ServiceToken: { 'Fn::GetAtt': ['Maker', 'Arn'] }, Question: 'why', Fail } },
      },
      Outputs: { Ref: { Value: { Ref: 'Thing' } }, Answer: { Value: { 'Fn::GetAtt': ['Thing', 'Answer'] } } },
    });
    expect(await outputs(template(false))).toEqual({ Ref: 'made-Thing', Answer: 'why!' });
    const failing = template(true);
    (failing.Resources.Role.Properties as Record<string, unknown>).RoleName = 'another';
    await expect(outputs(failing)).rejects.toThrow('one/Thing (Custom::Thing): no reason');
  });
});
