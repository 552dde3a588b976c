/** The API of Step Functions: machines, names of executions, lists, ends; and who hears of them: IAM, EventBridge, CloudWatch, Logs. */
import { CloudWatchClient, DescribeAlarmHistoryCommand, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateStateMachineCommand,
  DeleteStateMachineCommand,
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  DescribeStateMachineForExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  ListTagsForResourceCommand,
  LogLevel,
  RedriveExecutionCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateStateMachineCommand,
  ValidateStateMachineDefinitionCommand,
} from '@aws-sdk/client-sfn';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { until } from './cloud-with-messaging.js';
import { type StatesDesk, statesDesk } from './states-desk.js';

let desk: StatesDesk;
let sfn: SFNClient;
beforeAll(async () => {
  desk = await statesDesk(new Date('2026-03-01T12:00:00Z'));
  ({ sfn } = desk);
});
afterAll(() => desk.stop());

const pass = { One: { Type: 'Pass', End: true } };
const waiting = { One: { Type: 'Wait', Seconds: 86_400, End: true } };
const text = (states: object) => JSON.stringify({ StartAt: 'One', States: states });

describe('a state machine', () => {
  test('is created once: the same again answers the same, anything else is refused', async () => {
    const roleArn = desk.role('creator');
    const input = { name: 'once', definition: text(pass), roleArn };
    const first = await sfn.send(new CreateStateMachineCommand(input));
    expect(first.stateMachineArn).toBe('arn:aws:states:eu-west-1:000000000000:stateMachine:once');
    expect((await sfn.send(new CreateStateMachineCommand(input))).creationDate).toEqual(first.creationDate);
    const other = new CreateStateMachineCommand({ ...input, definition: text(waiting) });
    await expect(sfn.send(other)).rejects.toMatchObject({
      name: 'StateMachineAlreadyExists',
      message: `State Machine Already Exists: '${first.stateMachineArn}'`,
    });
  });

  test('is described, updated, tagged, listed and deleted', async () => {
    const stateMachineArn = await desk.machine(pass, { name: 'whole-life' });
    const describe = () => sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));
    expect(await describe()).toMatchObject({
      status: 'ACTIVE',
      type: 'STANDARD',
      definition: text(pass),
      loggingConfiguration: { level: 'OFF', includeExecutionData: false },
      tracingConfiguration: { enabled: false },
    });
    const running = await desk.begin(stateMachineArn);
    const { revisionId } = await sfn.send(new UpdateStateMachineCommand({ stateMachineArn, definition: text(waiting) }));
    expect(await describe()).toMatchObject({ definition: text(waiting), revisionId });
    expect((await sfn.send(new DescribeStateMachineForExecutionCommand({ executionArn: running }))).definition).toBe(text(pass));
    await expect(sfn.send(new UpdateStateMachineCommand({ stateMachineArn }))).rejects.toMatchObject({ name: 'MissingRequiredParameter' });
    await sfn.send(
      new TagResourceCommand({
        resourceArn: stateMachineArn,
        tags: [
          { key: 'a', value: '1' },
          { key: 'b', value: '2' },
        ],
      }),
    );
    await sfn.send(new UntagResourceCommand({ resourceArn: stateMachineArn, tagKeys: ['a'] }));
    expect((await sfn.send(new ListTagsForResourceCommand({ resourceArn: stateMachineArn }))).tags).toEqual([{ key: 'b', value: '2' }]);
    expect((await sfn.send(new ListStateMachinesCommand({}))).stateMachines!.map(({ name }) => name)).toContain('whole-life');
    await sfn.send(new DeleteStateMachineCommand({ stateMachineArn }));
    await expect(describe()).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
    await sfn.send(new DeleteStateMachineCommand({ stateMachineArn }));
  });

  test.each<[string, unknown, string]>([
    ['no States', { StartAt: 'One' }, 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'],
    ['no first state', { StartAt: 'Two', States: pass }, "MISSING_TRANSITION_TARGET: Missing 'StartAt' target: Two at /StartAt"],
    [
      'a state that nothing leads to',
      { StartAt: 'One', States: { ...pass, Two: pass.One } },
      'State "Two" is not reachable. at /States/Two',
    ],
    [
      'a target that is not there',
      { StartAt: 'One', States: { One: { Type: 'Pass', Next: 'Two' } } },
      "Missing 'Next' target: Two at /States/One/Next",
    ],
    ['no end', { StartAt: 'One', States: { One: { Type: 'Pass' } } }, 'One of these fields is required: [Next, End] at /States/One'],
    [
      'a field of another type',
      { StartAt: 'One', States: { One: { Type: 'Pass', End: true, Resource: 'x' } } },
      'Field is not supported at /States/One/Resource',
    ],
    ['an unknown type', { StartAt: 'One', States: { One: { Type: 'Nap', End: true } } }, 'Unknown state type: "Nap" at /States/One'],
    [
      'a timestamp that is none',
      { StartAt: 'One', States: { One: { Type: 'Wait', Timestamp: '2016-13-05T21:29:29Z', End: true } } },
      'String does not match RFC3339 timestamp at /States/One/Timestamp',
    ],
    [
      'a wrong intrinsic call',
      { StartAt: 'One', States: { One: { Type: 'Pass', End: true, Parameters: { 'x.$': 'States.Nothing()' } } } },
      "The value for the field 'x.$' must be a valid JSONPath or a valid intrinsic function call",
    ],
    [
      'a ResultPath of many',
      { StartAt: 'One', States: { One: { Type: 'Pass', End: true, ResultPath: '$.a[*]' } } },
      'Reference Path: it must identify one node at /States/One/ResultPath',
    ],
    [
      'a resource that is not served',
      { StartAt: 'One', States: { One: { Type: 'Task', End: true, Resource: 'arn:aws:states:::ecs:runTask' } } },
      'is not recognized',
    ],
    [
      'JSONata',
      { StartAt: 'One', QueryLanguage: 'JSONata', States: pass },
      'QueryLanguage "JSONata" is not served by the desk, which has JSONPath only at /QueryLanguage',
    ],
    [
      'variables',
      { StartAt: 'One', States: { One: { Type: 'Pass', End: true, Assign: { x: 1 } } } },
      'Field Assign is not served by the desk at /States/One/Assign',
    ],
    [
      'States.ALL among others',
      {
        StartAt: 'One',
        States: {
          One: { Type: 'Task', End: true, Resource: 'arn:aws:states:::lambda:invoke', Retry: [{ ErrorEquals: ['States.ALL', 'x'] }] },
        },
      },
      'States.ALL must appear alone at /States/One/Retry/0/ErrorEquals',
    ],
    [
      'a branch that leads out',
      {
        StartAt: 'One',
        States: { One: { Type: 'Parallel', End: true, Branches: [{ StartAt: 'A', States: { A: { Type: 'Pass', Next: 'One' } } }] } },
      },
      "Missing 'Next' target: One at /States/One/Branches/0/States/A/Next",
    ],
    [
      'a choice with two operators',
      {
        StartAt: 'One',
        States: { One: { Type: 'Choice', Choices: [{ Variable: '$', IsNull: true, IsString: true, Next: 'Two' }] }, Two: pass.One },
      },
      'Exactly one comparison operator',
    ],
  ])('is refused for its definition: %s', async (_, definition, message) => {
    const create = new CreateStateMachineCommand({
      name: 'wrong',
      definition: JSON.stringify(definition),
      roleArn: desk.role(`r${Math.random()}`),
    });
    await expect(sfn.send(create)).rejects.toMatchObject({ name: 'InvalidDefinition', message: expect.stringContaining(message) });
    const { result, diagnostics } = await sfn.send(new ValidateStateMachineDefinitionCommand({ definition: JSON.stringify(definition) }));
    expect([result, diagnostics![0]!.severity]).toEqual(['FAIL', 'ERROR']);
  });

  test('needs a role that Step Functions may assume for it', async () => {
    const create = (roleArn: string) => sfn.send(new CreateStateMachineCommand({ name: 'roleless', definition: text(pass), roleArn }));
    await expect(create(desk.role('lambda-only', [], 'lambda.amazonaws.com'))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('states.amazonaws.com'),
    });
    const conditioned = (name: string, arn: string) =>
      desk.cloud.iam.createRole(
        name,
        {
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'states.amazonaws.com' },
              Action: 'sts:AssumeRole',
              Condition: { ArnLike: { 'aws:SourceArn': arn }, StringEquals: { 'aws:SourceAccount': '000000000000' } },
            },
          ],
        },
        [],
        [],
      ).arn;
    await expect(create(conditioned('other', 'arn:aws:states:eu-west-1:000000000000:stateMachine:other'))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    await create(conditioned('own', 'arn:aws:states:eu-west-1:000000000000:stateMachine:roleless'));
  });

  test('of type EXPRESS is refused, and so are names that AWS does not take', async () => {
    const roleArn = desk.role('express');
    const create = (more: object) => sfn.send(new CreateStateMachineCommand({ name: 'x', definition: text(pass), roleArn, ...more }));
    await expect(create({ type: 'EXPRESS' })).rejects.toMatchObject({ name: 'StateMachineTypeNotSupported' });
    await expect(create({ name: 'a b' })).rejects.toMatchObject({ name: 'InvalidName' });
    await expect(create({ name: 'x'.repeat(81) })).rejects.toMatchObject({ name: 'InvalidName' });
  });
});

describe('the name of an execution', () => {
  test('same name and input while it runs: the same execution; otherwise ExecutionAlreadyExists, for ninety days', async () => {
    const stateMachineArn = await desk.machine(waiting);
    const start = (input: string) => sfn.send(new StartExecutionCommand({ stateMachineArn, name: 'incident-1', input }));
    const first = await start('{"a":1}');
    expect(first.executionArn).toBe(`${stateMachineArn.replace('stateMachine', 'execution')}:incident-1`);
    const again = await start('{"a":1}');
    expect([again.executionArn, again.startDate]).toEqual([first.executionArn, first.startDate]);
    await expect(start('{"a":2}')).rejects.toMatchObject({
      name: 'ExecutionAlreadyExists',
      message: `Execution Already Exists: '${first.executionArn}'`,
    });
    await sfn.send(new StopExecutionCommand({ executionArn: first.executionArn! }));
    await expect(start('{"a":1}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    await desk.world.clock.advance(91 * 86_400_000);
    expect((await start('{"a":1}')).startDate!.getTime()).toBeGreaterThan(first.startDate!.getTime());
  });

  test('an answer that is lost and asked for again starts nothing twice', async () => {
    const stateMachineArn = await desk.machine(waiting);
    const seen = () => sfn.send(new ListExecutionsCommand({ stateMachineArn }));
    desk.world.faults.set({ lostAnswer: 1, only: ['states:StartExecution'] });
    const once = new SFNClient({ ...desk.client, maxAttempts: 1 });
    const start = new StartExecutionCommand({ stateMachineArn, name: 'lost', input: '{}' });
    await expect(once.send(start)).rejects.toThrow(/socket|ECONNRESET|aborted/);
    desk.world.faults.set({ lostAnswer: 0 });
    expect((await seen()).executions).toHaveLength(1);
    await once.send(start);
    expect((await seen()).executions).toHaveLength(1);
    once.destroy();
  });

  test('throttling and failures carry the codes of Step Functions', async () => {
    const stateMachineArn = await desk.machine(pass);
    const once = new SFNClient({ ...desk.client, maxAttempts: 1 });
    desk.world.faults.set({ throttle: 1, only: ['states:StartExecution'] });
    await expect(once.send(new StartExecutionCommand({ stateMachineArn }))).rejects.toMatchObject({ name: 'ThrottlingException' });
    desk.world.faults.set({ throttle: 0, serverError: 1 });
    await expect(once.send(new StartExecutionCommand({ stateMachineArn }))).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    desk.world.faults.set({ serverError: 0 });
    once.destroy();
  });

  test.each(['not json', ''])('input that is no JSON is refused: %j', async (input) => {
    const stateMachineArn = await desk.machine(pass);
    await expect(sfn.send(new StartExecutionCommand({ stateMachineArn, input }))).rejects.toMatchObject({ name: 'InvalidExecutionInput' });
  });
});

describe('executions', () => {
  test('are listed newest first, filtered and paged', async () => {
    const stateMachineArn = await desk.machine({
      One: { Type: 'Choice', Choices: [{ Variable: '$.stay', IsPresent: true, Next: 'Stay' }], Default: 'Go' },
      Stay: { Type: 'Wait', Seconds: 900, End: true },
      Go: { Type: 'Fail', Error: 'E' },
    });
    for (const [name, input] of [
      ['a', { stay: 1 }],
      ['b', {}],
      ['c', {}],
    ] as const)
      await desk.ended(
        await desk.begin(stateMachineArn, input, name).then(async (arn) => (name === 'a' ? desk.begin(await desk.machine(pass)) : arn)),
      );
    const list = async (more: object) => {
      const { executions, nextToken } = await sfn.send(new ListExecutionsCommand({ stateMachineArn, ...more }));
      return { names: executions!.map(({ name }) => name), nextToken };
    };
    expect((await list({})).names).toEqual(['c', 'b', 'a']);
    expect((await list({ statusFilter: 'RUNNING' })).names).toEqual(['a']);
    const page = await list({ maxResults: 2 });
    expect((await list({ maxResults: 2, nextToken: page.nextToken })).names).toEqual(['a']);
    await expect(list({ statusFilter: 'failed' })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(list({ stateMachineArn: undefined })).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('are stopped once, with error and cause', async () => {
    const executionArn = await desk.begin(await desk.machine(waiting));
    const first = await sfn.send(new StopExecutionCommand({ executionArn, error: 'Operator', cause: 'enough' }));
    expect(await desk.ended(executionArn)).toMatchObject({
      status: 'ABORTED',
      error: 'Operator',
      cause: 'enough',
      stopDate: first.stopDate,
      types: ['ExecutionStarted', 'WaitStateEntered', 'ExecutionAborted'],
    });
    await desk.world.clock.advance(60_000);
    expect((await sfn.send(new StopExecutionCommand({ executionArn }))).stopDate).toEqual(first.stopDate);
  });

  test('have a history that can be read backwards, by pages and without data', async () => {
    const executionArn = await desk.begin(await desk.machine(pass), { secret: 1 });
    await desk.ended(executionArn);
    const first = await sfn.send(new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1 }));
    expect(first.events!.map(({ type }) => type)).toEqual(['ExecutionSucceeded']);
    const next = await sfn.send(
      new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1, nextToken: first.nextToken }),
    );
    expect(next.events![0]!.type).toBe('PassStateExited');
    const bare = await sfn.send(new GetExecutionHistoryCommand({ executionArn, includeExecutionData: false }));
    expect(JSON.stringify(bare.events)).not.toContain('secret');
  });

  test('that failed are redriven from the state that failed', async () => {
    const FunctionName = desk.lambda("if (event.redrives < 1) throw new Error('not yet'); return 'done';");
    const Two = {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { FunctionName, Payload: { 'redrives.$': '$$.Execution.RedriveCount' } },
      OutputPath: '$.Payload',
      End: true,
    };
    const executionArn = await desk.begin(await desk.machine({ One: { Type: 'Pass', Next: 'Two' }, Two }));
    expect(await desk.ended(executionArn)).toMatchObject({ status: 'FAILED', redriveStatus: 'REDRIVABLE' });
    await sfn.send(new RedriveExecutionCommand({ executionArn }));
    const done = await desk.ended(executionArn);
    expect(done).toMatchObject({
      status: 'SUCCEEDED',
      value: 'done',
      redriveCount: 1,
      redriveStatus: 'NOT_REDRIVABLE',
      redriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven',
    });
    expect(done.types.filter((type) => type === 'PassStateEntered')).toHaveLength(1);
    await expect(sfn.send(new RedriveExecutionCommand({ executionArn }))).rejects.toMatchObject({ name: 'ExecutionNotRedrivable' });
  });

  test.each([
    ['no-arn', 'InvalidArn', "Invalid Arn: 'Invalid ARN prefix: no-arn'"],
    [
      'arn:aws:states:eu-west-1:000000000000:execution:x:y',
      'ExecutionDoesNotExist',
      "Execution Does Not Exist: 'arn:aws:states:eu-west-1:000000000000:execution:x:y'",
    ],
  ])('that are not there: %s', async (executionArn, name, message) => {
    await expect(sfn.send(new DescribeExecutionCommand({ executionArn }))).rejects.toMatchObject({ name, message });
  });
});

test('EventBridge hears of the beginning and of the end', async () => {
  const events = new EventBridgeClient(desk.client);
  const sqs = new SQSClient(desk.client);
  const QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: 'ends' }))).QueueUrl!;
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: '*' }],
  });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  await events.send(
    new PutRuleCommand({
      Name: 'ends',
      EventPattern: JSON.stringify({ source: ['aws.states'], 'detail-type': ['Step Functions Execution Status Change'] }),
    }),
  );
  await events.send(new PutTargetsCommand({ Rule: 'ends', Targets: [{ Id: 'q', Arn: 'arn:aws:sqs:eu-west-1:000000000000:ends' }] }));
  const executionArn = await desk.begin(await desk.machine({ One: { Type: 'Fail', Error: 'E', Cause: 'c' } }), { a: 1 });
  await desk.ended(executionArn);
  const got: { detail: Record<string, unknown>; resources: string[] }[] = [];
  await until('two events', async () => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    got.push(...Messages.map(({ Body }) => JSON.parse(Body!) as (typeof got)[number]));
    return got.length === 2;
  });
  expect(new Set(got.map(({ detail }) => detail.status))).toEqual(new Set(['FAILED', 'RUNNING']));
  const failed = got.find(({ detail }) => detail.status === 'FAILED')!;
  expect(failed.resources).toEqual([executionArn]);
  expect(failed.detail).toMatchObject({
    executionArn,
    input: '{"a":1}',
    output: null,
    error: 'E',
    cause: 'c',
    redriveStatus: 'REDRIVABLE',
    inputDetails: { included: true },
  });
  for (const client of [events, sqs]) client.destroy();
});

test('CloudWatch counts the ends by state machine, so that an alarm goes off', async () => {
  const cloudwatch = new CloudWatchClient(desk.client);
  const stateMachineArn = await desk.machine({ One: { Type: 'Fail', Error: 'E' } });
  await cloudwatch.send(
    new PutMetricAlarmCommand({
      AlarmName: 'failed',
      Namespace: 'AWS/States',
      MetricName: 'ExecutionsFailed',
      Dimensions: [{ Name: 'StateMachineArn', Value: stateMachineArn }],
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
    }),
  );
  await desk.ended(await desk.begin(stateMachineArn));
  await desk.world.clock.advance(120_000);
  const { AlarmHistoryItems } = await cloudwatch.send(new DescribeAlarmHistoryCommand({ AlarmName: 'failed' }));
  expect(AlarmHistoryItems!.map(({ HistorySummary }) => HistorySummary)).toContainEqual(expect.stringContaining('to ALARM'));
  cloudwatch.destroy();
});

test('a log group gets the history, where the role may set up the delivery', async () => {
  const logs = new CloudWatchLogsClient(desk.client);
  const logGroupName = '/aws/vendedlogs/states/machine';
  const loggingConfiguration = {
    level: LogLevel.ALL,
    includeExecutionData: false,
    destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: `arn:aws:logs:eu-west-1:000000000000:log-group:${logGroupName}:*` } }],
  };
  const create = (roleArn: string) =>
    sfn.send(new CreateStateMachineCommand({ name: 'logged', definition: text(pass), roleArn, loggingConfiguration }));
  await expect(create(desk.role('log-a'))).rejects.toMatchObject({
    name: 'InvalidLoggingConfiguration',
    message: 'Invalid Logging Configuration: Log Destination not found.',
  });
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await expect(create(desk.role('log-b', [{ Effect: 'Allow', Action: 'lambda:*', Resource: '*' }]))).rejects.toMatchObject({
    name: 'AccessDeniedException',
  });
  const { stateMachineArn } = await create(desk.role('log-c', [{ Effect: 'Allow', Action: 'logs:CreateLogDelivery', Resource: '*' }]));
  const arn = await desk.begin(stateMachineArn!, { secret: 1 });
  await desk.ended(arn);
  const lines = (await logs.send(new FilterLogEventsCommand({ logGroupName }))).events!.map(
    ({ message }) => JSON.parse(message!) as Record<string, unknown>,
  );
  expect(lines.map(({ type }) => type)).toEqual(['ExecutionStarted', 'PassStateEntered', 'PassStateExited', 'ExecutionSucceeded']);
  expect(lines[1]).toEqual({
    id: '2',
    type: 'PassStateEntered',
    details: { name: 'One' },
    previous_event_id: '0',
    event_timestamp: expect.any(String),
    execution_arn: arn,
    redrive_count: '0',
  });
  logs.destroy();
});
