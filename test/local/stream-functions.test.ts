import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateStreamCommand, KinesisClient, PutRecordCommand, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  GetEventSourceMappingCommand,
  LambdaClient,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type MessagingCloud, messagingCloud, until } from './cloud-with-messaging.js';

interface Event {
  readonly Records: readonly {
    readonly kinesis: { readonly data: string; readonly sequenceNumber: string; readonly partitionKey: string };
    readonly eventID: string;
  }[];
  readonly window?: { readonly start: string; readonly end: string };
  readonly state?: Record<string, number>;
  readonly shardId?: string;
  readonly isFinalInvokeForWindow?: boolean;
  readonly isWindowTerminatedEarly?: boolean;
}

let desk: MessagingCloud;
let kinesis: KinesisClient;
let lambda: LambdaClient;
let sqs: SQSClient;
let number = 0;
const READ = ['kinesis:GetRecords', 'kinesis:GetShardIterator', 'kinesis:DescribeStream', 'kinesis:ListShards'];
beforeAll(async () => {
  // In the first second of a minute: windows begin where the tests say.
  desk = await messagingCloud(new Date('2026-11-01T09:00:00Z'));
  [kinesis, lambda, sqs] = [new KinesisClient(desk.client), new LambdaClient(desk.client), new SQSClient(desk.client)];
});
afterAll(async () => {
  for (const client of [kinesis, lambda, sqs]) client.destroy();
  await desk.stop();
});

interface Fixture {
  readonly StreamName: string;
  readonly streamArn: string;
  readonly uuid: string;
  readonly functionName: string;
  events(): readonly Event[];
  /** The data of the records of each event. */
  batches(): readonly string[][];
  put(text: string, key?: string): Promise<void>;
}

/** A stream, and a function that keeps each event that it gets and then does what `body` says. */
async function fixture(
  body: string,
  mapping: Partial<CreateEventSourceMappingCommandInput> = {},
  options: { readonly shards?: number; readonly actions?: readonly string[] } = {},
): Promise<Fixture> {
  const { region, accountId } = desk.world;
  const StreamName = `stream-${++number}`;
  const functionName = `reader-${number}`;
  const streamArn = `arn:aws:kinesis:${region}:${accountId}:stream/${StreamName}`;
  await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: options.shards ?? 1 }));
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  } as const;
  const Statement = [{ Effect: 'Allow', Action: options.actions ?? [...READ, 'sqs:SendMessage'], Resource: '*' }] as const;
  const roleArn = desk.cloud.iam.createRole(functionName, trust, [{ Version: '2012-10-17', Statement }], []).arn;
  const directory = mkdtempSync(path.join(tmpdir(), 'stream-test-'));
  const file = path.join(directory, 'events');
  const code = `import { appendFileSync } from 'node:fs';
    let calls = 0;
    const text = (record) => Buffer.from(record.kinesis.data, 'base64').toString();
    export const handler = async (event) => { calls++; appendFileSync(process.env.EVENTS, JSON.stringify(event) + '\\n'); ${body} };`;
  writeFileSync(path.join(directory, 'index.mjs'), code);
  const definition = { functionName, roleArn, directory, handler: 'index.handler', runtime: 'nodejs24.x', codeSha256: 'x' };
  desk.cloud.parts.createFunction!({ ...definition, timeoutSeconds: 10, environment: { EVENTS: file } });
  const events = () =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Event)
      : [];
  const { UUID } = await lambda.send(
    new CreateEventSourceMappingCommand({
      FunctionName: functionName,
      EventSourceArn: streamArn,
      StartingPosition: 'TRIM_HORIZON',
      ...mapping,
    }),
  );
  return {
    StreamName,
    streamArn,
    functionName,
    uuid: UUID!,
    events,
    batches: () => events().map(({ Records }) => Records.map(({ kinesis: { data } }) => Buffer.from(data, 'base64').toString())),
    put: async (text, key = 'a') => {
      await kinesis.send(new PutRecordCommand({ StreamName, Data: Buffer.from(text), PartitionKey: key }));
    },
  };
}

const putAll = (StreamName: string, texts: readonly string[]) =>
  kinesis.send(new PutRecordsCommand({ StreamName, Records: texts.map((text) => ({ Data: Buffer.from(text), PartitionKey: 'a' })) }));
const seconds = (count: number): Promise<void> => desk.world.clock.advance(count * 1000);

async function queue(): Promise<{ url: string; arn: string; next(): Promise<Record<string, Record<string, unknown>>> }> {
  const { QueueUrl: url } = await sqs.send(new CreateQueueCommand({ QueueName: `failed-${++number}` }));
  return {
    url: url!,
    arn: `arn:aws:sqs:${desk.world.region}:${desk.world.accountId}:failed-${number}`,
    next: async () => {
      const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 5 }));
      return JSON.parse(Messages![0]!.Body!) as Record<string, Record<string, unknown>>;
    },
  };
}

describe('a function that reads a stream', () => {
  it('gets records in order, in batches, as Lambda writes them', async () => {
    const reader = await fixture('', { BatchSize: 2 });
    await putAll(reader.StreamName, ['1', '2', '3']);
    await until('two batches', () => reader.batches().length === 2);
    expect(reader.batches()).toEqual([['1', '2'], ['3']]);
    const [record] = reader.events()[0]!.Records;
    expect(record).toEqual({
      kinesis: {
        kinesisSchemaVersion: '1.0',
        partitionKey: 'a',
        sequenceNumber: expect.stringMatching(/^\d{56}$/),
        data: Buffer.from('1').toString('base64'),
        approximateArrivalTimestamp: expect.any(Number),
      },
      eventSource: 'aws:kinesis',
      eventVersion: '1.0',
      eventID: `shardId-000000000000:${record!.kinesis.sequenceNumber}`,
      eventName: 'aws:kinesis:record',
      invokeIdentityArn: `arn:aws:iam::000000000000:role/${reader.functionName}`,
      awsRegion: 'eu-west-1',
      eventSourceARN: reader.streamArn,
    });
    expect(reader.events()[0]).not.toHaveProperty('window');
  });

  it('gets what came before its mapping only where it asks for it', async () => {
    const reader = await fixture('', { Enabled: false });
    await reader.put('before');
    await seconds(10);
    const update = { UUID: reader.uuid, Enabled: true };
    await lambda.send(new UpdateEventSourceMappingCommand(update));
    await until('the record from before', () => reader.batches().length === 1);
    const { streamArn: EventSourceArn } = reader;
    const late = await fixture('');
    const FunctionName = late.functionName;
    await lambda.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn, StartingPosition: 'LATEST' }));
    await reader.put('after');
    await until('the record from after', () => late.batches().length === 1);
    expect(late.batches()).toEqual([['after']]);
  });

  it('has a failed batch again, with a growing pause, before anything else of that shard; other shards go on', async () => {
    const reader = await fixture(`if (calls < 3 && text(event.Records[0]) === 'bad') throw new Error('as asked');`, {}, { shards: 2 });
    // MD5: `a` lies in the first half, `b` in the second.
    await reader.put('bad', 'a');
    await until('the first attempt', () => reader.batches().length === 1);
    await reader.put('behind', 'a');
    await reader.put('elsewhere', 'b');
    await until('the other shard', () => reader.batches().some(([text]) => text === 'elsewhere'));
    await seconds(60);
    await until('all', () => reader.batches().some((batch) => batch.includes('behind')));
    const first = reader.batches().filter(([text]) => text !== 'elsewhere');
    expect(first.slice(0, 2)).toEqual([['bad'], ['bad']]);
    expect(first.at(-1)).toContain('behind');
  });

  it('has a failing batch cut in halves until the bad record stands alone; that one is discarded to the failure destination', async () => {
    const failed = await queue();
    const reader = await fixture(`if (event.Records.some((record) => text(record) === 'bad')) throw new Error('as asked');`, {
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: failed.arn } },
    });
    await putAll(reader.StreamName, ['1', 'bad', '3', '4']);
    await until('the first attempt', () => reader.batches().length === 1);
    await seconds(300);
    expect(reader.batches()).toEqual([['1', 'bad', '3', '4'], ['1', 'bad'], ['1'], ['bad'], ['bad'], ['3', '4']]);
    const record = await failed.next();
    expect(record.requestContext).toMatchObject({ condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 });
    expect(record.responseContext).toMatchObject({ statusCode: 200, functionError: 'Unhandled' });
    expect(record.KinesisBatchInfo).toMatchObject({ batchSize: 1, shardId: 'shardId-000000000000', streamArn: reader.streamArn });
  });

  it('says from which record on it failed, and gets only those again', async () => {
    const reader = await fixture(
      `const bad = calls === 1 && event.Records[1]; return { batchItemFailures: bad ? [{ itemIdentifier: event.Records[2].kinesis.sequenceNumber }, { itemIdentifier: bad.kinesis.sequenceNumber }] : [] };`,
      { FunctionResponseTypes: ['ReportBatchItemFailures'] },
    );
    await putAll(reader.StreamName, ['1', '2', '3']);
    await until('the first attempt', () => reader.batches().length === 1);
    await seconds(30);
    expect(reader.batches()).toEqual([
      ['1', '2', '3'],
      ['2', '3'],
    ]);
  });

  it('does not get records beyond their maximum age', async () => {
    const failed = await queue();
    const reader = await fixture(`throw new Error('as asked');`, {
      MaximumRecordAgeInSeconds: 60,
      DestinationConfig: { OnFailure: { Destination: failed.arn } },
    });
    await reader.put('1');
    await until('the first attempt', () => reader.batches().length === 1);
    await seconds(600);
    expect((await failed.next()).requestContext).toMatchObject({ condition: 'RecordAgeExceeded' });
    const attempts = reader.batches().length;
    await seconds(600);
    expect(reader.batches().length).toBe(attempts);
  });

  it('gets only what its filter lets through', async () => {
    const pattern = JSON.stringify({ data: { kind: ['wanted'] } });
    const reader = await fixture('', { FilterCriteria: { Filters: [{ Pattern: pattern }] } });
    await putAll(reader.StreamName, ['{"kind":"other"}', '{"kind":"wanted"}', 'no JSON']);
    await until('the record', () => reader.batches().length === 1);
    expect(reader.batches()).toEqual([['{"kind":"wanted"}']]);
  });

  it('waits for its batching window on the desk’s clock', async () => {
    const reader = await fixture('', { MaximumBatchingWindowInSeconds: 60 });
    await reader.put('1');
    await seconds(30);
    await reader.put('2');
    expect(reader.batches()).toEqual([]);
    await seconds(40);
    expect(reader.batches()).toEqual([['1', '2']]);
  });

  it('is refused where its role may not read the stream', async () => {
    const refused = fixture('', {}, { actions: ['kinesis:GetRecords'] });
    await expect(refused).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringContaining('Cannot access stream'),
    });
  });

  it('is refused for a stream that is not there', async () => {
    const EventSourceArn = 'arn:aws:kinesis:eu-west-1:000000000000:stream/nowhere';
    await expect(fixture('', { EventSourceArn })).rejects.toThrow(`Stream not found: ${EventSourceArn}`);
  });

  it('is described with what was set and what the last batch came to', async () => {
    const reader = await fixture('return { state: {} };', { TumblingWindowInSeconds: 60, MaximumRetryAttempts: 5 });
    await reader.put('1');
    await until('the batch', () => reader.batches().length === 1);
    await seconds(1);
    expect(await lambda.send(new GetEventSourceMappingCommand({ UUID: reader.uuid }))).toMatchObject({
      BatchSize: 100,
      ParallelizationFactor: 1,
      StartingPosition: 'TRIM_HORIZON',
      TumblingWindowInSeconds: 60,
      MaximumRetryAttempts: 5,
      MaximumRecordAgeInSeconds: -1,
      BisectBatchOnFunctionError: false,
      LastProcessingResult: 'OK',
      State: 'Enabled',
    });
    const parallel = fixture('', { ParallelizationFactor: 2 });
    await expect(parallel).rejects.toThrow('ParallelizationFactor');
  });
});

describe('tumbling windows', () => {
  const COUNT = 'return { state: { ...event.state, n: (event.state.n ?? 0) + event.Records.length } };';
  const minute = async (): Promise<void> => seconds(60 - ((desk.world.clock.nowMs() / 1000) % 60));

  it('carry the state from batch to batch, and end with an invocation without records', async () => {
    await minute();
    const reader = await fixture(COUNT, { TumblingWindowInSeconds: 60, BatchSize: 2 });
    const start = new Date(Math.floor(desk.world.clock.nowMs() / 60_000) * 60_000);
    await putAll(reader.StreamName, ['1', '2', '3']);
    await until('two batches', () => reader.events().length === 2);
    await minute();
    await reader.put('4');
    await until('the next window', () => reader.events().length === 4);
    const [first, second, final, next] = reader.events();
    const iso = (ms: number): string => new Date(start.getTime() + ms).toISOString().replace('.000', '');
    expect(first).toMatchObject({
      window: { start: iso(0), end: iso(60_000) },
      state: {},
      shardId: 'shardId-000000000000',
      eventSourceARN: reader.streamArn,
      isFinalInvokeForWindow: false,
      isWindowTerminatedEarly: false,
    });
    expect(second).toMatchObject({ state: { n: 2 }, isFinalInvokeForWindow: false });
    expect(final).toMatchObject({ Records: [], state: { n: 3 }, window: { start: iso(0) }, isFinalInvokeForWindow: true });
    expect(next).toMatchObject({ state: {}, window: { start: iso(60_000) }, isFinalInvokeForWindow: false });
  });

  it('end two minutes after their time where no further record comes, and none begins without a record', async () => {
    await minute();
    const reader = await fixture(COUNT, { TumblingWindowInSeconds: 60 });
    await reader.put('1');
    await until('the batch', () => reader.events().length === 1);
    await seconds(150);
    expect(reader.events()).toHaveLength(1);
    await seconds(31);
    expect(reader.events()).toHaveLength(2);
    expect(reader.events()[1]).toMatchObject({ Records: [], state: { n: 1 }, isFinalInvokeForWindow: true });
    await seconds(600);
    expect(reader.events()).toHaveLength(2);
  });

  it('have a state for each shard', async () => {
    await minute();
    const reader = await fixture(COUNT, { TumblingWindowInSeconds: 60 }, { shards: 2 });
    await reader.put('1', 'a');
    await reader.put('2', 'b');
    await until('a batch of each shard', () => reader.events().length === 2);
    await seconds(200);
    const finals = reader.events().filter(({ isFinalInvokeForWindow }) => isFinalInvokeForWindow);
    expect(Object.fromEntries(finals.map(({ shardId, state }) => [shardId, state!.n]))).toEqual({
      'shardId-000000000000': 1,
      'shardId-000000000001': 1,
    });
  });

  it('take an answer without a state for a failure, and try the batch again with the state from before', async () => {
    await minute();
    const reader = await fixture(`if (calls === 2) return {}; ${COUNT}`, { TumblingWindowInSeconds: 300 });
    await reader.put('1');
    await until('the first batch', () => reader.events().length === 1);
    await seconds(2);
    await reader.put('2');
    await until('the second batch', () => reader.events().length === 2);
    await seconds(5);
    expect(reader.batches()).toEqual([['1'], ['2'], ['2']]);
    expect(reader.events()[2]!.state).toEqual({ n: 1 });
  });

  it('hold everything up until the last invocation of a window has succeeded', async () => {
    await minute();
    const reader = await fixture(`if (event.isFinalInvokeForWindow && calls < 4) throw new Error('as asked'); ${COUNT}`, {
      TumblingWindowInSeconds: 60,
      MaximumRetryAttempts: 0,
    });
    await reader.put('1');
    await until('the first batch', () => reader.events().length === 1);
    await minute();
    await reader.put('2');
    await seconds(30);
    expect(reader.events().map(({ isFinalInvokeForWindow, Records }) => [isFinalInvokeForWindow, Records.length])).toEqual([
      [false, 1],
      [true, 0],
      [true, 0],
      [true, 0],
      [false, 1],
    ]);
  });

  it('end early when the state is more than a megabyte, and go on with a fresh one', async () => {
    await minute();
    const reader = await fixture(
      `return { state: text(event.Records[0] ?? { kinesis: { data: '' } }) === 'big' ? { n: 7, fill: 'x'.repeat(1024 * 1024) } : { ...event.state, n: (event.state.n ?? 0) + 1 } };`,
      { TumblingWindowInSeconds: 300 },
    );
    await reader.put('big');
    await until('the early end', () => reader.events().length === 2);
    await seconds(2);
    await reader.put('small');
    await until('the same window', () => reader.events().length === 3);
    const [, early, next] = reader.events();
    expect(early).toMatchObject({ Records: [], isFinalInvokeForWindow: true, isWindowTerminatedEarly: true, state: { n: 7 } });
    expect(next).toMatchObject({ state: {}, window: early!.window, isFinalInvokeForWindow: false, isWindowTerminatedEarly: false });
  });
});
