/** Writing and reading records. Bounds and errors: Kinesis API reference, PutRecord, PutRecords, GetShardIterator, GetRecords. */
import type { World } from '../../cloud.js';
import { AwsError, type Operation } from '../../models/service.js';
import type { StreamMetrics } from './metrics.js';
import { type Shard, type StreamRecord, sizeOf } from './shard.js';
import { type IteratorInput, issueIterator, readIterator, startingPlace } from './shard-iterator.js';
import type { Stream } from './stream.js';
import { type OfStream, type Streams, invalidArgument } from './streams.js';

export interface RecordInput {
  readonly Data: Uint8Array;
  readonly PartitionKey?: string;
  readonly ExplicitHashKey?: string;
}

const MOST_RECORDS = 500;
const LARGEST_REQUEST = 10 * 1024 * 1024;
const MOST_READ = 10_000;
const LARGEST_READ = 10 * 1024 * 1024;
const HASH_KEY = /^(0|[1-9]\d{0,38})$/;
const validation = (message: string): AwsError => new AwsError('ValidationException', `1 validation error detected: ${message}`);

export class Records {
  constructor(
    private readonly world: World,
    private readonly metrics: StreamMetrics,
  ) {}

  /** Appends one record. Throws ProvisionedThroughputExceededException where quotas are on and the shard is full for this second. */
  put(stream: Stream, input: RecordInput): { readonly shard: Shard; readonly record: StreamRecord } {
    const { Data: data, PartitionKey: partitionKey = '', ExplicitHashKey } = input;
    checkRecord(stream, input);
    const nowMs = this.world.clock.nowMs();
    const bytes = sizeOf({ data, partitionKey });
    const shard = stream.shardFor(partitionKey, ExplicitHashKey);
    if (this.world.faults.quotasOn && !shard.writes.take(bytes, nowMs)) {
      this.metrics.refused(stream);
      const { accountId } = this.world;
      throw new AwsError(
        'ProvisionedThroughputExceededException',
        `Rate exceeded for shard ${shard.id} in stream ${stream.name} under account ${accountId}.`,
      );
    }
    stream.trim(nowMs);
    const record = shard.append(data, partitionKey, nowMs);
    this.metrics.written(stream, bytes);
    return { shard, record };
  }
}

function checkRecord(stream: Stream, { Data, PartitionKey, ExplicitHashKey }: RecordInput): void {
  if (PartitionKey === undefined || PartitionKey.length < 1 || PartitionKey.length > 256)
    throw validation("Value at 'partitionKey' failed to satisfy constraint: Member must have length between 1 and 256");
  const most = stream.settings.maximumRecordKiB * 1024;
  if (sizeOf({ data: Data, partitionKey: PartitionKey }) > most)
    throw validation(`Value at 'data' failed to satisfy constraint: Member must have length less than or equal to ${most}`);
  if (ExplicitHashKey !== undefined && (!HASH_KEY.test(ExplicitHashKey) || BigInt(ExplicitHashKey) >= 1n << 128n))
    throw invalidArgument(
      `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${ExplicitHashKey}`,
    );
}

export function recordOperations(
  streams: Streams,
  records: Records,
  metrics: StreamMetrics,
  world: World,
): Readonly<Record<string, Operation>> {
  return {
    PutRecord: (input: RecordInput & OfStream & { SequenceNumberForOrdering?: string }) => {
      const stream = streams.get(input);
      const { shard, record } = records.put(stream, input);
      stream.arrived();
      return { ShardId: shard.id, SequenceNumber: record.sequenceNumber, EncryptionType: stream.keyId === undefined ? 'NONE' : 'KMS' };
    },
    PutRecords: (input: OfStream & { Records: readonly RecordInput[] }) => {
      const stream = streams.get(input);
      checkRequest(stream, input.Records);
      // One record that its shard does not take leaves the others alone: the caller must look at each.
      const results = input.Records.map((entry) => {
        try {
          const { shard, record } = records.put(stream, entry);
          return { ShardId: shard.id, SequenceNumber: record.sequenceNumber };
        } catch (error) {
          if (!(error instanceof AwsError) || error.code !== 'ProvisionedThroughputExceededException') throw error;
          return { ErrorCode: error.code, ErrorMessage: error.message };
        }
      });
      stream.arrived();
      return {
        FailedRecordCount: results.filter((result) => 'ErrorCode' in result).length,
        Records: results,
        EncryptionType: stream.keyId === undefined ? 'NONE' : 'KMS',
      };
    },
    GetShardIterator: (input: OfStream & IteratorInput & { ShardId: string }) => {
      const stream = streams.get(input);
      const nowMs = world.clock.nowMs();
      stream.trim(nowMs);
      const shard = shardOf(stream, input.ShardId, world);
      return { ShardIterator: issueIterator(stream, shard, startingPlace(shard, input, nowMs), nowMs) };
    },
    GetRecords: (input: { ShardIterator: string; Limit?: number; StreamARN?: string }) => {
      const nowMs = world.clock.nowMs();
      const token = readIterator(input.ShardIterator, nowMs);
      const stream = streams.get({ StreamARN: token.arn });
      if (stream.settings.createdAtMs !== token.createdAtMs) throw invalidArgument('Invalid ShardIterator.');
      const { Limit = MOST_READ } = input;
      if (Limit < 1 || Limit > MOST_READ)
        throw validation(`Value '${Limit}' at 'limit' failed to satisfy constraint: Member must have value between 1 and ${MOST_READ}`);
      stream.trim(nowMs);
      const shard = shardOf(stream, token.shardId, world);
      if (world.faults.quotasOn && !shard.writes.read(nowMs))
        throw new AwsError(
          'ProvisionedThroughputExceededException',
          `Rate exceeded for shard ${shard.id} in stream ${stream.name} under account ${world.accountId}.`,
        );
      const place = Math.max(token.place, shard.horizon);
      const found = shard.from(place, Limit, LARGEST_READ);
      const next = place + found.length;
      const behindMs = shard.behindMs(next, nowMs);
      metrics.read(stream, found, nowMs);
      return {
        Records: found.map((record) => ({
          SequenceNumber: record.sequenceNumber,
          ApproximateArrivalTimestamp: new Date(record.arrivedAtMs),
          Data: record.data,
          PartitionKey: record.partitionKey,
        })),
        NextShardIterator: issueIterator(stream, shard, next, nowMs),
        MillisBehindLatest: behindMs,
      };
    },
  };
}

/** All or nothing for what the request itself does wrong: no record of it is written. */
function checkRequest(stream: Stream, entries: readonly RecordInput[]): void {
  if (entries.length < 1 || entries.length > MOST_RECORDS)
    throw validation(`Value at 'records' failed to satisfy constraint: Member must have length between 1 and ${MOST_RECORDS}`);
  for (const entry of entries) checkRecord(stream, entry);
  const bytes = entries.reduce((sum, entry) => sum + sizeOf({ data: entry.Data, partitionKey: entry.PartitionKey ?? '' }), 0);
  if (bytes > LARGEST_REQUEST) throw invalidArgument(`Records size exceeds ${LARGEST_REQUEST / 1024 / 1024} MB limit`);
}

function shardOf(stream: Stream, id: string, world: World): Shard {
  const shard = stream.shard(id);
  if (shard) return shard;
  throw new AwsError('ResourceNotFoundException', `Shard ${id} in stream ${stream.name} under account ${world.accountId} does not exist`);
}
