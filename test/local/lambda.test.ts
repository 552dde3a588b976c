import { execFileSync, fork } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  AddPermissionCommand,
  CreateEventSourceMappingCommand,
  GetFunctionCommand,
  GetPolicyCommand,
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListFunctionsCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient, SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import type { FunctionDefinition } from '../../local/cloud.js';
import { type MessagingCloud, messagingCloud, until } from './cloud-with-messaging.js';

let desk: MessagingCloud;
let lambda: LambdaClient;
let sqs: SQSClient;
let roleArn: string;
let number = 0;
beforeAll(async () => {
  desk = await messagingCloud();
  lambda = new LambdaClient(desk.client);
  sqs = new SQSClient(desk.client);
  roleArn = role('worker', ['sqs:*']);
});
afterAll(async () => {
  lambda.destroy();
  sqs.destroy();
  await desk.stop();
});

function role(name: string, actions: readonly string[], service = 'lambda.amazonaws.com'): string {
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
  } as const;
  const policies =
    actions.length === 0 ? [] : [{ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] } as const];
  return desk.cloud.iam.createRole(name, trust, policies, []).arn;
}

/** Makes a function of a handler's body; answers its name. */
function make(body: string, more: Partial<FunctionDefinition> = {}, prelude = ''): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'lambda-test-'));
  writeFileSync(path.join(directory, 'index.mjs'), `${prelude}\nexport const handler = async (event, context) => { ${body} };`);
  const functionName = `function-${++number}`;
  desk.cloud.parts.createFunction!({
    functionName,
    roleArn,
    handler: 'index.handler',
    runtime: 'nodejs24.x',
    directory,
    codeSha256: 'x',
    timeoutSeconds: 5,
    ...more,
  });
  return functionName;
}
async function invoke(FunctionName: string, event: unknown = {}): Promise<{ payload: unknown; error?: string }> {
  const { Payload, FunctionError } = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
  return { payload: JSON.parse(Buffer.from(Payload!).toString()) as unknown, ...(FunctionError ? { error: FunctionError } : {}) };
}
async function queue(Attributes: Record<string, string> = {}): Promise<{ url: string; arn: string }> {
  const QueueName = `queue-${++number}`;
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  return { url: QueueUrl!, arn: `arn:aws:sqs:eu-west-1:000000000000:${QueueName}` };
}
const bodies = async (QueueUrl: string) =>
  (await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 10, MessageAttributeNames: ['All'] })))
    .Messages ?? [];
const invocations = (name: string): number =>
  desk.world.journal.entries().filter(({ kind, who }) => kind === 'function' && who === name).length;

describe('an execution environment', () => {
  test('answers with what the handler returns; is used again; Invoke sees an error of the handler as Unhandled', async () => {
    const name = make(
      'if (event.fail) throw new RangeError("too far"); return { count: ++count, id: context.awsRequestId.length, left: context.getRemainingTimeInMillis() > 0 };',
      {},
      'let count = 0;',
    );
    expect(await invoke(name)).toEqual({ payload: { count: 1, id: 36, left: true } });
    expect((await invoke(name)).payload).toMatchObject({ count: 2 });
    expect(await invoke(name, { fail: true })).toMatchObject({
      error: 'Unhandled',
      payload: { errorType: 'RangeError', errorMessage: 'too far' },
    });
  });

  test('is killed at the time-out, and the next invocation starts another', async () => {
    const name = make('if (event.sleep) await new Promise((resolve) => setTimeout(resolve, 60000)); return "fine";', { timeoutSeconds: 1 });
    expect(await invoke(name, { sleep: true })).toMatchObject({
      error: 'Unhandled',
      payload: { errorType: 'Sandbox.Timedout', errorMessage: expect.stringContaining('Task timed out after 1.00 seconds') as unknown },
    });
    expect(await invoke(name)).toEqual({ payload: 'fine' });
  });

  test('that ends itself is an error of the invocation, also in the init phase', async () => {
    expect(await invoke(make('process.exit(3);'))).toMatchObject({ payload: { errorType: 'Runtime.ExitError' } });
    expect(await invoke(make('return 1;', {}, 'throw new Error("at import");'))).toMatchObject({
      error: 'Unhandled',
      payload: { errorMessage: 'at import' },
    });
    expect(await invoke(make('return 1;', { handler: 'index.absent' }))).toMatchObject({
      payload: { errorType: 'Runtime.HandlerNotFound' },
    });
  });

  test('does not find a package that the bundle lacks', async () => {
    expect(await invoke(make('return 1;', {}, 'import "zod";'))).toMatchObject({ payload: { errorType: 'Runtime.ImportModuleError' } });
  });

  test('sees time as the desk has it: Date, its text, and performance.timeOrigin; a date that is given stays', async () => {
    const name = make(
      'return { now: Date.now(), fresh: new Date().getTime(), text: Date.parse(Date()), origin: performance.timeOrigin + performance.now(), given: new Date(0).toISOString(), same: new Date() instanceof Date && new Date().constructor === Date };',
    );
    await invoke(name);
    await desk.world.clock.advance(40 * 86_400_000);
    const { payload } = await invoke(name);
    const seen = payload as Record<'now' | 'fresh' | 'text' | 'origin', number> & { given: string; same: boolean };
    for (const value of [seen.now, seen.fresh, seen.text, seen.origin])
      expect(Math.abs(value - desk.world.clock.nowMs())).toBeLessThan(3000);
    expect(seen).toMatchObject({ given: '1970-01-01T00:00:00.000Z', same: true });
  });

  test('does not start where the role does not trust Lambda', async () => {
    const name = make('return 1;', { roleArn: role('untrusting', [], 'ec2.amazonaws.com') });
    await expect(invoke(name)).rejects.toThrow('sts:AssumeRole');
  });

  test('writes logs only where its role may', async () => {
    const logged = make('console.log("two\\nlines"); console.error("bad"); process.stdout.write("raw\\n");', {
      roleArn: role('logger', ['logs:*']),
    });
    await invoke(logged);
    const { events } = await desk.cloud.call<{ events: { message: string }[] }>('logs', 'FilterLogEvents', {
      logGroupName: `/aws/lambda/${logged}`,
    });
    const lines = events.map(({ message }) => message);
    expect(lines[0]).toMatch(/^START RequestId/);
    expect(lines).toEqual(
      expect.arrayContaining([expect.stringMatching(/\tINFO\ttwo\nlines$/), expect.stringMatching(/\tERROR\tbad$/), 'raw']),
    );
    expect(lines.at(-1)).toMatch(/^REPORT .*Init Duration/);
    const silent = make('console.log("x");');
    await invoke(silent);
    expect(
      desk.world.journal.entries().some(({ kind, who, what }) => kind === 'denied' && who === silent && what.startsWith('logs:')),
    ).toBe(true);
  });

  test('several run at once, at most as many as are reserved; above that callers are throttled', async () => {
    const name = make('await new Promise((resolve) => setTimeout(resolve, 500)); return 1;');
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 2 }));
    const once = new LambdaClient({ ...desk.client, maxAttempts: 1 });
    const all = await Promise.allSettled(Array.from({ length: 3 }, async () => once.send(new InvokeCommand({ FunctionName: name }))));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(all.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { name: 'TooManyRequestsException' } });
    once.destroy();
  });

  test('ends when its parent is killed', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'lambda-orphan-'));
    writeFileSync(path.join(directory, 'index.mjs'), 'export const handler = async () => 1; setInterval(() => {}, 1000);');
    const parentFile = path.join(directory, 'parent.cjs');
    const runner = path.resolve(__dirname, '../../local/functions/runner.cjs');
    writeFileSync(
      parentFile,
      `const child = require('node:child_process').fork(${JSON.stringify(runner)}, ['0'], { cwd: ${JSON.stringify(directory)}, execArgv: [] }); child.on('message', () => process.send(child.pid));`,
    );
    const parent = fork(parentFile, [], { execArgv: [] });
    const pid = await new Promise<number>((resolve) => parent.once('message', (message) => resolve(Number(message))));
    parent.kill('SIGKILL');
    const alive = (): boolean => {
      try {
        return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)])
          .toString()
          .trim()
          .startsWith('Z');
      } catch {
        return false;
      }
    };
    await until('the end of the child', () => !alive());
    expect(alive()).toBe(false);
  });
});

describe('asynchronous invocation', () => {
  test('is tried three times by the desk clock; then event and record go to dead-letter queue and failure destination', async () => {
    const [dead, failed] = [await queue(), await queue()];
    const name = make('throw new Error("always");', { deadLetterArn: dead.arn });
    await lambda.send(
      new PutFunctionEventInvokeConfigCommand({ FunctionName: name, DestinationConfig: { OnFailure: { Destination: failed.arn } } }),
    );
    await lambda.send(new InvokeCommand({ FunctionName: name, InvocationType: 'Event', Payload: '{"n":1}' }));
    for (const [attempt, seconds] of [
      [1, 61],
      [2, 121],
      [3, 0],
    ] as const) {
      await until(`attempt ${attempt}`, () => invocations(name) === attempt);
      await desk.world.clock.advance(seconds * 1000);
    }
    expect(await bodies(dead.url)).toMatchObject([{ Body: '{"n":1}', MessageAttributes: { ErrorMessage: { StringValue: 'always' } } }]);
    expect(JSON.parse((await bodies(failed.url))[0]!.Body!)).toMatchObject({
      requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3 },
      requestPayload: { n: 1 },
      responsePayload: { errorMessage: 'always' },
    });
    expect(invocations(name)).toBe(3);
  });

  test('loses the dead letter when the role may not send it, and says so', async () => {
    const dead = await queue();
    const name = make('throw new Error("always");', { deadLetterArn: dead.arn, roleArn: role('no-letters', ['logs:*']) });
    await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: name, MaximumRetryAttempts: 0 }));
    await lambda.send(new InvokeCommand({ FunctionName: name, InvocationType: 'Event' }));
    await until('the lost letter', () =>
      desk.world.journal.entries().some(({ kind, who, ok }) => kind === 'delivery' && who === name && !ok),
    );
    expect((await sqs.send(new ReceiveMessageCommand({ QueueUrl: dead.url }))).Messages).toBeUndefined();
  });
});

describe('an event source', () => {
  test('runs several batches at once, deletes what succeeded, leaves out what the filter does not want', async () => {
    const [source, results] = [await queue({ VisibilityTimeout: '60' }), await queue()];
    const name = make(
      'return { batchItemFailures: event.Records.filter(({ body }) => JSON.parse(body).fail).map(({ messageId }) => ({ itemIdentifier: messageId })) };',
    );
    await lambda.send(
      new CreateEventSourceMappingCommand({
        FunctionName: name,
        EventSourceArn: source.arn,
        BatchSize: 2,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: 2 },
        FilterCriteria: { Filters: [{ Pattern: '{"body":{"kind":["x"]}}' }] },
      }),
    );
    const Entries = [{ kind: 'x' }, { kind: 'x', fail: true }, { kind: 'y' }, { kind: 'x' }].map((body, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify(body),
    }));
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: source.url, Entries }));
    const left = async () => {
      const { Attributes } = await desk.cloud.call<{ Attributes: Record<string, string> }>('sqs', 'GetQueueAttributes', {
        QueueUrl: source.url,
        AttributeNames: ['All'],
      });
      return Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible);
    };
    await until('only the failed message to be left', async () => (await left()) === 1);
    expect(await bodies(results.url).then(() => left())).toBe(1);
  }, 40_000);

  test('an answer that names an unknown message fails the whole batch', async () => {
    const source = await queue({ VisibilityTimeout: '60' });
    const name = make('return { batchItemFailures: [{ itemIdentifier: "unknown" }] };');
    await lambda.send(
      new CreateEventSourceMappingCommand({
        FunctionName: name,
        EventSourceArn: source.arn,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      }),
    );
    await sqs.send(new SendMessageCommand({ QueueUrl: source.url, MessageBody: 'x' }));
    await until('the first delivery', () => invocations(name) === 1);
    await desk.world.clock.advance(61_000);
    await until('the second delivery', () => invocations(name) === 2);
    expect(invocations(name)).toBe(2);
  });

  test('waits for its batching window on the desk clock, and stops when it is disabled', async () => {
    const source = await queue({ VisibilityTimeout: '600' });
    const name = make('return null;');
    const { UUID } = await lambda.send(
      new CreateEventSourceMappingCommand({
        FunctionName: name,
        EventSourceArn: source.arn,
        BatchSize: 100,
        MaximumBatchingWindowInSeconds: 300,
      }),
    );
    await sqs.send(new SendMessageCommand({ QueueUrl: source.url, MessageBody: 'a' }));
    await sqs.send(new SendMessageCommand({ QueueUrl: source.url, MessageBody: 'b' }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(invocations(name)).toBe(0);
    await desk.world.clock.advance(301_000);
    await until('the batch', () => invocations(name) === 1);
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    await sqs.send(new SendMessageCommand({ QueueUrl: source.url, MessageBody: 'c' }));
    await desk.world.clock.advance(301_000);
    expect(invocations(name)).toBe(1);
    expect((await lambda.send(new ListEventSourceMappingsCommand({ FunctionName: name }))).EventSourceMappings).toMatchObject([
      { UUID, State: 'Disabled', BatchSize: 100 },
    ]);
  });

  test('refuses a queue whose visibility timeout is shorter than the function may run', async () => {
    const source = await queue({ VisibilityTimeout: '1' });
    await expect(
      lambda.send(new CreateEventSourceMappingCommand({ FunctionName: make('return 1;'), EventSourceArn: source.arn })),
    ).rejects.toThrow('Queue visibility timeout: 1 seconds is less than Function timeout: 5 seconds');
  });
});

test('functions are listed and described; permissions make the function policy', async () => {
  const name = make('return 1;', { environment: { A: 'b' }, memoryMiB: 256 });
  expect((await lambda.send(new GetFunctionCommand({ FunctionName: name }))).Configuration).toMatchObject({
    MemorySize: 256,
    Runtime: 'nodejs24.x',
    State: 'Active',
    Environment: { Variables: { A: 'b' } },
  });
  expect((await lambda.send(new ListFunctionsCommand({}))).Functions!.map(({ FunctionName }) => FunctionName)).toContain(name);
  await expect(lambda.send(new GetPolicyCommand({ FunctionName: name }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: name,
      StatementId: 's',
      Action: 'lambda:InvokeFunction',
      Principal: 'sns.amazonaws.com',
      SourceArn: 'arn:aws:sns:eu-west-1:000000000000:t',
    }),
  );
  const { Policy } = await lambda.send(new GetPolicyCommand({ FunctionName: name }));
  expect(JSON.parse(Policy!)).toMatchObject({
    Statement: [
      { Principal: { Service: 'sns.amazonaws.com' }, Condition: { ArnLike: { 'AWS:SourceArn': 'arn:aws:sns:eu-west-1:000000000000:t' } } },
    ],
  });
  const from = (sourceArn: string) =>
    desk.cloud.deliver({
      service: 'sns.amazonaws.com',
      sourceArn,
      targetArn: `arn:aws:lambda:eu-west-1:000000000000:function:${name}`,
      payload: {},
    });
  expect((await from('arn:aws:sns:eu-west-1:000000000000:t')).allowed).toBe(true);
  expect((await from('arn:aws:sns:eu-west-1:000000000000:other')).allowed).toBe(false);
});

test('nothing is left after stop: no child process, no code', async () => {
  const other = await messagingCloud();
  const directory = mkdtempSync(path.join(tmpdir(), 'lambda-stop-'));
  writeFileSync(
    path.join(directory, 'index.mjs'),
    'export const handler = async () => ({ pid: process.pid, root: process.env.LAMBDA_TASK_ROOT });',
  );
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  } as const;
  const { arn } = other.cloud.iam.createRole('r', trust, [], []);
  const functionArn = other.cloud.parts.createFunction!({
    functionName: 'f',
    roleArn: arn,
    handler: 'index.handler',
    runtime: 'nodejs24.x',
    directory,
    codeSha256: 'x',
    timeoutSeconds: 20,
  });
  const { payload } = await other.cloud.parts.invoke!(functionArn, {}, 'test');
  const { pid, root } = payload as { pid: number; root: string };
  await other.stop();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  expect(existsSync(root)).toBe(false);
  expect(readdirSync(directory)).toEqual(['index.mjs']);
});
