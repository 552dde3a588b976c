import { createHash } from 'node:crypto';
import {
  AddTagsToStreamCommand,
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  IncreaseStreamRetentionPeriodCommand,
  KinesisClient,
  ListShardsCommand,
  type ListShardsCommandInput,
  ListStreamsCommand,
  ListTagsForStreamCommand,
  PutRecordCommand,
  PutRecordsCommand,
  PutResourcePolicyCommand,
  type ShardFilter,
  waitUntilStreamExists,
} from '@aws-sdk/client-kinesis';
import { type MessagingCloud, messagingCloud } from './cloud-with-messaging.js';

let desk: MessagingCloud;
let kinesis: KinesisClient;
let number = 0;
beforeAll(async () => {
  desk = await messagingCloud(new Date('2026-11-01T09:00:00Z'));
  kinesis = new KinesisClient({ ...desk.client, maxAttempts: 1 });
});
afterAll(async () => {
  kinesis.destroy();
  await desk.stop();
});
beforeEach(() => desk.world.faults.set({ quotas: false }));

async function stream(ShardCount = 1): Promise<string> {
  const StreamName = `stream-${++number}`;
  await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount }));
  return StreamName;
}

const put = (StreamName: string, text: string, PartitionKey = 'a') =>
  kinesis.send(new PutRecordCommand({ StreamName, Data: Buffer.from(text), PartitionKey }));

async function read(StreamName: string, more: Partial<GetShardIteratorCommandInput> = {}, Limit = 100) {
  const { ShardIterator } = await kinesis.send(
    new GetShardIteratorCommand({ StreamName, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON', ...more }),
  );
  const answer = await kinesis.send(new GetRecordsCommand({ ShardIterator, Limit }));
  return { ...answer, texts: answer.Records!.map(({ Data }) => Buffer.from(Data!).toString()) };
}

describe('a stream', () => {
  it('is created with as many shards as asked for, which share out all 128 bits', async () => {
    const StreamName = await stream(3);
    await waitUntilStreamExists({ client: kinesis, maxWaitTime: 20 }, { StreamName });
    const { Shards } = await kinesis.send(new ListShardsCommand({ StreamName }));
    const ranges = Shards!.map(
      ({ HashKeyRange }) => [BigInt(HashKeyRange!.StartingHashKey!), BigInt(HashKeyRange!.EndingHashKey!)] as const,
    );
    expect(Shards!.map(({ ShardId }) => ShardId)).toEqual(['shardId-000000000000', 'shardId-000000000001', 'shardId-000000000002']);
    expect(ranges[0]![0]).toBe(0n);
    expect(ranges[2]![1]).toBe(2n ** 128n - 1n);
    expect(ranges[1]![0]).toBe(ranges[0]![1] + 1n);
  });

  it('on demand begins with four shards and takes no count', async () => {
    const StreamName = `on-demand-${++number}`;
    const StreamModeDetails = { StreamMode: 'ON_DEMAND' } as const;
    await expect(kinesis.send(new CreateStreamCommand({ StreamName, StreamModeDetails, ShardCount: 2 }))).rejects.toThrow('ShardCount');
    await kinesis.send(new CreateStreamCommand({ StreamName, StreamModeDetails }));
    const { StreamDescriptionSummary: summary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
    expect(summary).toMatchObject({
      OpenShardCount: 4,
      StreamStatus: 'ACTIVE',
      StreamModeDetails,
      RetentionPeriodHours: 24,
      StreamARN: `arn:aws:kinesis:eu-west-1:000000000000:stream/${StreamName}`,
    });
  });

  it('is listed, described, tagged and deleted; its name is taken once', async () => {
    const StreamName = await stream();
    await expect(kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }))).rejects.toThrow(/already exists/);
    await kinesis.send(new AddTagsToStreamCommand({ StreamName, Tags: { fleet: 'pumps' } }));
    expect((await kinesis.send(new ListTagsForStreamCommand({ StreamName }))).Tags).toEqual([{ Key: 'fleet', Value: 'pumps' }]);
    const { StreamDescription } = await kinesis.send(new DescribeStreamCommand({ StreamName }));
    expect(StreamDescription).toMatchObject({ HasMoreShards: false, EncryptionType: 'NONE' });
    expect((await kinesis.send(new ListStreamsCommand({}))).StreamNames).toContain(StreamName);
    await kinesis.send(new DeleteStreamCommand({ StreamARN: StreamDescription!.StreamARN }));
    await expect(kinesis.send(new DescribeStreamCommand({ StreamName }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('lists its shards page by page', async () => {
    const StreamName = await stream(5);
    const first = await kinesis.send(new ListShardsCommand({ StreamName, MaxResults: 3 }));
    const second = await kinesis.send(new ListShardsCommand({ NextToken: first.NextToken, MaxResults: 3 }));
    expect([first.Shards!.length, second.Shards!.length, second.NextToken]).toEqual([3, 2, undefined]);
  });

  it('lists the shards after one, over pages, and those that were open when a filter says', async () => {
    const StreamName = await stream(5);
    const list = async (input: Partial<ListShardsCommandInput>): Promise<readonly string[]> => {
      const { Shards, NextToken } = await kinesis.send(new ListShardsCommand({ MaxResults: 2, ...input }));
      const ids = Shards!.map(({ ShardId }) => ShardId!.replace('shardId-00000000000', ''));
      return NextToken === undefined ? ids : [...ids, ...(await list({ NextToken }))];
    };
    expect(await list({ StreamName, ExclusiveStartShardId: 'shardId-000000000001' })).toEqual(['2', '3', '4']);
    const filtered = (ShardFilter: ShardFilter) => list({ StreamName, ShardFilter });
    expect(await filtered({ Type: 'AFTER_SHARD_ID', ShardId: 'shardId-000000000001' })).toEqual(['2', '3', '4']);
    for (const Type of ['AT_LATEST', 'AT_TRIM_HORIZON', 'FROM_TRIM_HORIZON'] as const) expect(await filtered({ Type })).toHaveLength(5);
    const before = new Date(desk.world.clock.nowMs() - 3_600_000);
    expect(await filtered({ Type: 'AT_TIMESTAMP', Timestamp: before })).toEqual([]);
    expect(await filtered({ Type: 'FROM_TIMESTAMP', Timestamp: before })).toHaveLength(5);
    expect(await filtered({ Type: 'AT_TIMESTAMP', Timestamp: desk.world.clock.date() })).toHaveLength(5);
    await expect(filtered({ Type: 'AT_TIMESTAMP' })).rejects.toMatchObject({ name: 'InvalidArgumentException' });
    await expect(filtered({ Type: 'AT_LATEST', ShardId: 'shardId-000000000001' })).rejects.toMatchObject({
      name: 'InvalidArgumentException',
    });
    await expect(filtered({ Type: 'OPEN' as 'AT_LATEST' })).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('a record', () => {
  it('goes to the shard of the MD5 of its partition key, or of the hash key that the producer gives', async () => {
    const StreamName = await stream(2);
    const half = 2n ** 127n;
    for (const key of ['thing-1', 'thing-2', 'thing-3', 'ü']) {
      const hash = BigInt(`0x${createHash('md5').update(key).digest('hex')}`);
      expect((await put(StreamName, 'x', key)).ShardId).toBe(`shardId-00000000000${hash < half ? 0 : 1}`);
    }
    const explicit = { StreamName, Data: Buffer.from('x'), PartitionKey: 'a', ExplicitHashKey: (2n ** 128n - 1n).toString() };
    expect((await kinesis.send(new PutRecordCommand(explicit))).ShardId).toBe('shardId-000000000001');
  });

  it('has a sequence number of 56 digits that rises, and the time of its arrival on the movable clock', async () => {
    const StreamName = await stream();
    const first = await put(StreamName, 'one');
    await desk.world.clock.advance(3_600_000);
    const second = await put(StreamName, 'two');
    expect(first.SequenceNumber).toMatch(/^\d{56}$/);
    expect(BigInt(second.SequenceNumber!)).toBeGreaterThan(BigInt(first.SequenceNumber!));
    const { Records } = await read(StreamName);
    const [a, b] = Records!.map(({ ApproximateArrivalTimestamp }) => ApproximateArrivalTimestamp!.getTime());
    expect(b! - a!).toBeGreaterThanOrEqual(3_600_000);
  });

  it.each([
    ['too large by one byte, its key counted', { Data: Buffer.alloc(1024 * 1024), PartitionKey: 'a' }, 'ValidationException'],
    ['without a partition key', { Data: Buffer.from('x'), PartitionKey: '' }, 'ValidationException'],
    [
      'with a hash key of 129 bits',
      { Data: Buffer.from('x'), PartitionKey: 'a', ExplicitHashKey: (2n ** 128n).toString() },
      'InvalidArgumentException',
    ],
  ])('is refused: %s', async (_what, record, name) => {
    await expect(kinesis.send(new PutRecordCommand({ StreamName: await stream(), ...record }))).rejects.toMatchObject({ name });
  });

  it('fills one megabyte exactly', async () => {
    const record = { Data: Buffer.alloc(1024 * 1024 - 1), PartitionKey: 'a' };
    expect((await kinesis.send(new PutRecordCommand({ StreamName: await stream(), ...record }))).ShardId).toBe('shardId-000000000000');
  });

  it('leaves the stream after the retention period, which can be made longer', async () => {
    const [short, long] = [await stream(), await stream()];
    await kinesis.send(new IncreaseStreamRetentionPeriodCommand({ StreamName: long, RetentionPeriodHours: 48 }));
    for (const StreamName of [short, long]) await put(StreamName, 'old');
    await desk.world.clock.advance(25 * 3_600_000);
    for (const StreamName of [short, long]) await put(StreamName, 'new');
    expect((await read(short)).texts).toEqual(['new']);
    expect((await read(long)).texts).toEqual(['old', 'new']);
  });
});

describe('many records at once', () => {
  it('answer each for itself; over a shard’s thousand a second some are refused, where quotas are on', async () => {
    const StreamName = await stream();
    const Records = Array.from({ length: 500 }, (_, index) => ({ Data: Buffer.from(String(index)), PartitionKey: 'a' }));
    desk.world.faults.set({ quotas: true });
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => kinesis.send(new PutRecordsCommand({ StreamName, Records }))));
    const failed = answers.reduce((sum, { FailedRecordCount }) => sum + FailedRecordCount!, 0);
    expect(failed).toBeGreaterThan(0);
    const refused = answers.flatMap((answer) => answer.Records!).find(({ ErrorCode }) => ErrorCode);
    expect(refused).toMatchObject({ ErrorCode: 'ProvisionedThroughputExceededException' });
    expect(refused!.SequenceNumber).toBeUndefined();
  });

  it('are refused as a whole above five hundred', async () => {
    const Records = Array.from({ length: 501 }, () => ({ Data: Buffer.from('x'), PartitionKey: 'a' }));
    const sending = kinesis.send(new PutRecordsCommand({ StreamName: await stream(), Records }));
    await expect(sending).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('a reader', () => {
  it('begins where its iterator says', async () => {
    const StreamName = await stream();
    const [, two] = [await put(StreamName, '1'), await put(StreamName, '2')];
    await desk.world.clock.advance(10_000);
    const Timestamp = desk.world.clock.date();
    await put(StreamName, '3');
    const at = { StartingSequenceNumber: two.SequenceNumber };
    expect((await read(StreamName)).texts).toEqual(['1', '2', '3']);
    expect((await read(StreamName, { ShardIteratorType: 'LATEST' })).texts).toEqual([]);
    expect((await read(StreamName, { ShardIteratorType: 'AT_SEQUENCE_NUMBER', ...at })).texts).toEqual(['2', '3']);
    expect((await read(StreamName, { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', ...at })).texts).toEqual(['3']);
    expect((await read(StreamName, { ShardIteratorType: 'AT_TIMESTAMP', Timestamp })).texts).toEqual(['3']);
  });

  it('may begin at the number a shard begins with, and not at one of another shard or stream', async () => {
    const StreamName = await stream(2);
    const { SequenceNumber: StartingSequenceNumber } = await put(StreamName, '1');
    const { StreamDescription } = await kinesis.send(new DescribeStreamCommand({ StreamName }));
    const at = (number: string | undefined, name = StreamName, ShardId = 'shardId-000000000000') =>
      read(name, { ShardId, ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: number });
    expect((await at(StreamDescription!.Shards![0]!.SequenceNumberRange!.StartingSequenceNumber)).texts).toEqual(['1']);
    await expect(at(StartingSequenceNumber, StreamName, 'shardId-000000000001')).rejects.toMatchObject({
      name: 'InvalidArgumentException',
      message: expect.stringContaining('It encodes shardId-000000000000'),
    });
    await desk.world.clock.advance(60_000);
    await expect(at(StartingSequenceNumber, await stream())).rejects.toMatchObject({
      name: 'InvalidArgumentException',
      message: expect.stringContaining('did not come from this stream'),
    });
    await expect(at('12')).rejects.toMatchObject({ name: 'InvalidArgumentException' });
  });

  it('goes on with the next iterator, and hears how far behind it is', async () => {
    const StreamName = await stream();
    for (const text of ['1', '2', '3']) await put(StreamName, text);
    await desk.world.clock.advance(60_000);
    const first = await read(StreamName, {}, 2);
    expect(first.MillisBehindLatest).toBeGreaterThanOrEqual(60_000);
    const second = await kinesis.send(new GetRecordsCommand({ ShardIterator: first.NextShardIterator }));
    expect([second.Records!.length, second.MillisBehindLatest]).toEqual([1, 0]);
  });

  it('loses its iterator after five minutes', async () => {
    const { NextShardIterator: ShardIterator } = await read(await stream());
    await desk.world.clock.advance(301_000);
    await expect(kinesis.send(new GetRecordsCommand({ ShardIterator }))).rejects.toMatchObject({ name: 'ExpiredIteratorException' });
    await expect(kinesis.send(new GetRecordsCommand({ ShardIterator: 'abc' }))).rejects.toMatchObject({ name: 'InvalidArgumentException' });
  });

  it('has five reads a second of a shard, where quotas are on', async () => {
    const { NextShardIterator: ShardIterator } = await read(await stream());
    desk.world.faults.set({ quotas: true });
    const reads = Array.from({ length: 12 }, () => kinesis.send(new GetRecordsCommand({ ShardIterator })));
    const refused = (await Promise.allSettled(reads)).filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ reason: { name: 'ProvisionedThroughputExceededException' } });
  });
});

it.each(['nonsense', '{}', '{"Statement":[{"Effect":"Allow"}]}'])(
  'a policy that cannot be read is refused when it is put, not whoever comes next: %s',
  async (Policy) => {
    const StreamName = await stream();
    const { StreamDescription } = await kinesis.send(new DescribeStreamCommand({ StreamName }));
    const putting = kinesis.send(new PutResourcePolicyCommand({ ResourceARN: StreamDescription!.StreamARN, Policy }));
    await expect(putting).rejects.toMatchObject({ name: 'InvalidArgumentException' });
    await put(StreamName, '1');
  },
);

it('a service may put a record where the stream’s policy lets it', async () => {
  const StreamName = await stream();
  const targetArn = `arn:aws:kinesis:eu-west-1:000000000000:stream/${StreamName}`;
  const delivery = {
    service: 'logs.amazonaws.com',
    sourceArn: 'arn:aws:logs:eu-west-1:000000000000:log-group:g',
    targetArn,
    payload: 'line',
  };
  const message = { partitionKey: 'p' };
  expect((await desk.cloud.deliver({ ...delivery, message })).allowed).toBe(false);
  const Statement = [{ Effect: 'Allow', Principal: { Service: 'logs.amazonaws.com' }, Action: 'kinesis:PutRecord', Resource: targetArn }];
  await kinesis.send(
    new PutResourcePolicyCommand({ ResourceARN: targetArn, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }),
  );
  expect((await desk.cloud.deliver({ ...delivery, message })).allowed).toBe(true);
  expect((await read(StreamName)).texts).toEqual(['line']);
});
