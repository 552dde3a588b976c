/** Tasks: what they call, under whose rights, how they fail, are tried again, caught and timed out; and tokens. */
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { SendTaskFailureCommand, SendTaskHeartbeatCommand, SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { STSClient, AssumeRoleCommand } from '@aws-sdk/client-sts';
import { createSts } from '../../local/services/sts/service.js';
import { until } from './cloud-with-messaging.js';
import { type StatesDesk, statesDesk } from './states-desk.js';

const INVOKE = 'arn:aws:states:::lambda:invoke';
const SEND = 'arn:aws:states:::sqs:sendMessage';
const caughtBy = (...ErrorEquals: string[]) => ({ Catch: [{ ErrorEquals, Next: 'Caught' }] });
const Caught = { Type: 'Pass', End: true };

let desk: StatesDesk;
let sqs: SQSClient;
let queueUrl: string;
beforeAll(async () => {
  desk = await statesDesk(new Date('2026-03-01T12:00:00Z'));
  desk.cloud.addService(createSts(desk.cloud));
  sqs = new SQSClient(desk.client);
  queueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: 'work' }))).QueueUrl!;
});
afterAll(async () => {
  sqs.destroy();
  await desk.stop();
});

const received = async (): Promise<string> => {
  let body: string | undefined;
  await until('a message', async () => {
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, VisibilityTimeout: 43_200 }));
    body = Messages?.[0]?.Body;
    return body !== undefined;
  });
  return body!;
};

describe('lambda:invoke', () => {
  test('answers the whole Invoke result, with the payload as JSON, and says so in the history', async () => {
    const FunctionName = desk.lambda('return { got: event };');
    const One = { Type: 'Task', Resource: INVOKE, Parameters: { FunctionName, 'Payload.$': '$' }, End: true };
    const done = await desk.run({ One }, { a: 1 });
    expect(done.value).toMatchObject({
      ExecutedVersion: '$LATEST',
      Payload: { got: { a: 1 } },
      StatusCode: 200,
      SdkHttpMetadata: { HttpStatusCode: 200, HttpHeaders: { 'X-Amz-Executed-Version': '$LATEST', 'Content-Type': 'application/json' } },
      SdkResponseMetadata: { RequestId: expect.any(String) },
    });
    expect(done.types).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
    const [, , scheduled] = await desk.history(done.executionArn!);
    expect(scheduled!.taskScheduledEventDetails).toEqual({
      resourceType: 'lambda',
      resource: 'invoke',
      region: 'eu-west-1',
      parameters: JSON.stringify({ FunctionName, Payload: { a: 1 } }),
    });
  });

  test("a function's own ARN is called without envelope", async () => {
    const done = await desk.run({ One: { Type: 'Task', Resource: desk.lambda('return { got: event.a };'), End: true } }, { a: 1 });
    expect(done.value).toEqual({ got: 1 });
    expect(done.types.filter((type) => type.startsWith('Lambda'))).toEqual([
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionSucceeded',
    ]);
  });

  test('what a function throws is caught by its own error name', async () => {
    const Resource = desk.lambda("class NotMine extends Error { name = 'NotMine' } throw new NotMine('no');");
    const done = await desk.run({ One: { Type: 'Task', Resource, End: true, ...caughtBy('NotMine') }, Caught });
    expect(done.value).toEqual({ Error: 'NotMine', Cause: expect.stringContaining('"errorMessage":"no"') });
  });

  test('a function that does not exist fails as the SDK for Java names it', async () => {
    const One = { Type: 'Task', Resource: INVOKE, Parameters: { FunctionName: 'nobody' }, End: true };
    const done = await desk.run({ One });
    expect(done.error).toBe('Lambda.ResourceNotFoundException');
    expect(done.cause).toMatch(
      /^Function not found: .*nobody.* \(Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; Request ID: .*; Proxy: null\)$/,
    );
  });

  test('runs with the rights of the role of the state machine, and of nobody else', async () => {
    const FunctionName = desk.lambda('return 1;');
    const One = { Type: 'Task', Resource: INVOKE, Parameters: { FunctionName }, End: true };
    const roleArn = desk.role('poor', [
      { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: 'arn:aws:lambda:eu-west-1:000000000000:function:other' },
    ]);
    const denied = await desk.ended(await desk.begin(await desk.machine({ One }, { roleArn })));
    expect(denied.error).toBe('Lambda.AWSLambdaException');
    expect(denied.cause).toContain('assumed-role/poor/');
    expect(denied.cause).toContain('is not authorized to perform: lambda:InvokeFunction');
  });

  test('throttled by Lambda is Lambda.TooManyRequestsException, and Retry gets through', async () => {
    const FunctionName = desk.lambda('return 1;');
    const One = { Type: 'Task', Resource: INVOKE, Parameters: { FunctionName }, End: true };
    desk.world.faults.set({ throttle: 1, only: ['lambda:Invoke'] });
    const failed = await desk.run({ One });
    expect(failed.error).toBe('Lambda.TooManyRequestsException');
    const arn = await desk.begin(
      await desk.machine({ One: { ...One, Retry: [{ ErrorEquals: ['Lambda.TooManyRequestsException'], IntervalSeconds: 600 }] } }),
    );
    await until('the first failure', async () => (await desk.history(arn)).some(({ type }) => type === 'TaskFailed'));
    desk.world.faults.set({ throttle: 0 });
    await desk.world.clock.advance(600_000);
    expect((await desk.ended(arn)).status).toBe('SUCCEEDED');
  });

  test('an answer that is lost is Lambda.SdkClientException: the function has run all the same', async () => {
    const FunctionName = desk.lambda('return 1;');
    desk.world.faults.set({ lostAnswer: 1, only: ['lambda:Invoke'] });
    const done = await desk.run({ One: { Type: 'Task', Resource: INVOKE, Parameters: { FunctionName }, End: true } });
    desk.world.faults.set({ lostAnswer: 0 });
    expect(done.error).toBe('Lambda.SdkClientException');
    expect(desk.world.journal.entries().some(({ kind, who }) => kind === 'function' && FunctionName.endsWith(`:${who}`))).toBe(true);
  });
});

describe('queues, topics and buses', () => {
  test('sqs:sendMessage sends JSON as its text; a queue that is not there is SQS.…', async () => {
    const One = { Type: 'Task', Resource: SEND, Parameters: { QueueUrl: queueUrl, MessageBody: { 'a.$': '$.a' } }, End: true };
    const done = await desk.run({ One }, { a: 1 });
    expect(done.value).toMatchObject({ MessageId: expect.any(String), MD5OfMessageBody: expect.any(String) });
    expect(JSON.parse(await received())).toEqual({ a: 1 });
    const failed = await desk.run({ One: { ...One, Parameters: { QueueUrl: `${queueUrl}x`, MessageBody: 'x' } } });
    expect(failed.error).toBe('SQS.QueueDoesNotExistException');
  });

  test('sns:publish', async () => {
    const sns = new SNSClient(desk.client);
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'news' }));
    const done = await desk.run({
      One: { Type: 'Task', Resource: 'arn:aws:states:::sns:publish', Parameters: { TopicArn, Message: { x: 1 } }, End: true },
    });
    expect(done.value).toMatchObject({ MessageId: expect.any(String) });
    const failed = await desk.run({
      One: { Type: 'Task', Resource: 'arn:aws:states:::sns:publish', Parameters: { TopicArn: `${TopicArn}x`, Message: 'x' }, End: true },
    });
    expect(failed.error).toBe('SNS.NotFoundException');
    sns.destroy();
  });

  test('events:putEvents names the execution among the resources of the event', async () => {
    const Entries = [{ Source: 'mine', DetailType: 'd', Detail: { 'x.$': '$.x' } }];
    const done = await desk.run(
      { One: { Type: 'Task', Resource: 'arn:aws:states:::events:putEvents', Parameters: { Entries }, End: true } },
      { x: 1 },
    );
    expect(done.value).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
  });
});

describe('Retry', () => {
  /** How long each attempt came after the one before, in seconds of the desk's clock. */
  async function pauses(retrier: object, advances: readonly number[]): Promise<number[]> {
    const Resource = desk.lambda("throw new Error('always');");
    const arn = await desk.begin(
      await desk.machine({ One: { Type: 'Task', Resource, End: true, Retry: [{ ErrorEquals: ['States.ALL'], ...retrier }] } }),
    );
    const failures = async () => (await desk.history(arn)).filter(({ type }) => type === 'LambdaFunctionFailed').length;
    for (const [index, seconds] of advances.entries()) {
      await until(`failure ${index + 1}`, async () => (await failures()) > index);
      await desk.world.clock.advance(seconds * 1000);
    }
    await desk.ended(arn);
    const times = (await desk.history(arn))
      .filter(({ type }) => type === 'LambdaFunctionScheduled')
      .map(({ timestamp }) => timestamp!.getTime());
    return times.slice(1).map((time, index) => Math.round((time - times[index]!) / 1000));
  }

  test('grows by BackoffRate up to MaxDelaySeconds, MaxAttempts times', async () => {
    const given = await pauses({ IntervalSeconds: 100, BackoffRate: 3, MaxDelaySeconds: 400, MaxAttempts: 3 }, [100, 300, 400]);
    expect(given.map((seconds, index) => seconds >= [100, 300, 400][index]! && seconds < [130, 330, 430][index]!)).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('MaxAttempts 0 never tries again; States.TaskFailed is any error but a time-out', async () => {
    const Resource = desk.lambda("throw new Error('always');");
    const Retry = [
      { ErrorEquals: ['Error'], MaxAttempts: 0 },
      { ErrorEquals: ['States.ALL'], IntervalSeconds: 900 },
    ];
    const done = await desk.run({ One: { Type: 'Task', Resource, End: true, Retry, ...caughtBy('States.TaskFailed') }, Caught });
    expect(done.types.filter((type) => type === 'LambdaFunctionFailed')).toHaveLength(1);
    expect(done.value).toMatchObject({ Error: 'Error' });
  });

  test('the count of retries stands in the context object', async () => {
    const FunctionName = desk.lambda("if (event.count < 2) throw new Error('again'); return event.count;");
    const One = {
      Type: 'Task',
      Resource: INVOKE,
      Parameters: { FunctionName, Payload: { 'count.$': '$$.State.RetryCount' } },
      ResultSelector: { 'count.$': '$.Payload' },
      Retry: [{ ErrorEquals: ['Error'], IntervalSeconds: 1, BackoffRate: 1, JitterStrategy: 'FULL' }],
      End: true,
    };
    expect((await desk.run({ One })).value).toEqual({ count: 2 });
  });
});

describe('time limits', () => {
  const wait = (more: object) => ({
    One: {
      Type: 'Task',
      Resource: `${SEND}.waitForTaskToken`,
      Parameters: { QueueUrl: queueUrl, MessageBody: { 'token.$': '$$.Task.Token' } },
      End: true,
      ...more,
    },
    Caught,
  });
  const token = async (): Promise<string> => (JSON.parse(await received()) as { token: string }).token;

  test('TimeoutSeconds: TaskTimedOut, States.Timeout, which States.TaskFailed does not match', async () => {
    const arn = await desk.begin(await desk.machine({ ...wait({ TimeoutSeconds: 3600, ...caughtBy('States.TaskFailed') }) }));
    await token();
    await desk.world.clock.advance(3_600_000);
    const done = await desk.ended(arn);
    expect(done).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(done.types.slice(-2)).toEqual(['TaskTimedOut', 'ExecutionFailed']);
  });

  test('TimeoutSecondsPath, and a caught time-out has an empty cause', async () => {
    const arn = await desk.begin(await desk.machine({ ...wait({ TimeoutSecondsPath: '$.limit', ...caughtBy('States.Timeout') }) }), {
      limit: 60,
    });
    await token();
    await desk.world.clock.advance(60_000);
    expect((await desk.ended(arn)).value).toEqual({ Error: 'States.Timeout', Cause: '' });
  });

  test('HeartbeatSeconds: heartbeats keep it alive, silence ends it; States.HeartbeatTimeout catches it', async () => {
    const arn = await desk.begin(await desk.machine({ ...wait({ HeartbeatSeconds: 600, ...caughtBy('States.HeartbeatTimeout') }) }));
    const taskToken = await token();
    for (let beat = 0; beat < 3; beat++) {
      await desk.world.clock.advance(500_000);
      await desk.sfn.send(new SendTaskHeartbeatCommand({ taskToken }));
    }
    expect((await desk.history(arn)).at(-1)!.type).toBe('TaskSubmitted');
    await desk.world.clock.advance(600_000);
    expect((await desk.ended(arn)).value).toEqual({ Error: 'States.Timeout', Cause: '' });
    await expect(desk.sfn.send(new SendTaskSuccessCommand({ taskToken, output: '1' }))).rejects.toMatchObject({ name: 'TaskTimedOut' });
  });

  test('SendTaskSuccess gives the output, once', async () => {
    const arn = await desk.begin(await desk.machine({ ...wait({ Next: 'Caught', End: undefined }) }));
    const taskToken = await token();
    await desk.sfn.send(new SendTaskSuccessCommand({ taskToken, output: '{"released":true}' }));
    const done = await desk.ended(arn);
    expect(done.value).toEqual({ released: true });
    expect(done.types.slice(1, 6)).toEqual(['TaskStateEntered', 'TaskScheduled', 'TaskStarted', 'TaskSubmitted', 'TaskSucceeded']);
    await expect(desk.sfn.send(new SendTaskSuccessCommand({ taskToken, output: '{}' }))).rejects.toMatchObject({ name: 'TaskTimedOut' });
  });

  test('SendTaskFailure fails the task; a wrong token and a text that is no JSON are refused', async () => {
    const arn = await desk.begin(await desk.machine({ One: wait({}).One }));
    const taskToken = await token();
    await expect(desk.sfn.send(new SendTaskSuccessCommand({ taskToken, output: 'no json' }))).rejects.toMatchObject({
      name: 'InvalidOutput',
    });
    await expect(desk.sfn.send(new SendTaskSuccessCommand({ taskToken: 'x', output: '{}' }))).rejects.toMatchObject({
      name: 'InvalidToken',
    });
    await desk.sfn.send(new SendTaskFailureCommand({ taskToken, error: 'E', cause: 'c' }));
    expect(await desk.ended(arn)).toMatchObject({ status: 'FAILED', error: 'E', cause: 'c' });
  });

  test('a function may answer with its own token before it has ended', async () => {
    const FunctionName = desk.lambda('return event;');
    const One = {
      Type: 'Task',
      Resource: `${INVOKE}.waitForTaskToken`,
      Parameters: { FunctionName, Payload: { 'token.$': '$$.Task.Token' } },
      End: true,
    };
    const arn = await desk.begin(await desk.machine({ One }));
    let submitted: { Payload: { token: string } } | undefined;
    await until('the submission', async () => {
      const output = (await desk.history(arn)).find(({ type }) => type === 'TaskSubmitted')?.taskSubmittedEventDetails?.output;
      submitted = output === undefined ? undefined : (JSON.parse(output) as typeof submitted);
      return submitted !== undefined;
    });
    await desk.sfn.send(new SendTaskSuccessCommand({ taskToken: submitted!.Payload.token, output: '"done"' }));
    expect((await desk.ended(arn)).value).toBe('done');
  });

  test('who may not send task answers is refused', async () => {
    const arn = await desk.begin(await desk.machine({ One: wait({}).One }));
    const taskToken = await token();
    const account = { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:root' }, Action: 'sts:AssumeRole' } as const;
    const as = async (name: string, Action: string): Promise<SFNClient> => {
      const role = desk.cloud.iam.createRole(
        name,
        { Statement: [account] },
        [{ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] }],
        [],
      );
      const sts = new STSClient(desk.client);
      const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: 'test' }));
      const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials!;
      return new SFNClient({
        ...desk.client,
        credentials: { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! },
      });
    };
    const send = new SendTaskSuccessCommand({ taskToken, output: '{}' });
    await expect((await as('reader', 'states:DescribeExecution')).send(send)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await (await as('sender', 'states:SendTaskSuccess')).send(send);
    expect((await desk.ended(arn)).status).toBe('SUCCEEDED');
  });
});
