/** Streams and their settings. Bounds and errors: Kinesis API reference. */
import type { World } from '../../cloud.js';
import { readPolicy } from '../../iam/policy.js';
import type { PolicyDocument } from '../../iam/principal.js';
import { AwsError, type Operation } from '../../models/service.js';
import { inPages } from '../pages.js';
import type { Shard } from './shard.js';
import { type ShardFilter, shardsOf } from './shard-filter.js';
import type { Stream } from './stream.js';
import { type CreateStreamInput, type OfStream, type Streams, invalidArgument } from './streams.js';

interface Paged {
  readonly NextToken?: string;
}

const SHORTEST_RETENTION_HOURS = 24;
const LONGEST_RETENTION_HOURS = 8760;
const MOST_TAGS = 50;
/** The service's own key: that it encrypts cannot be seen from outside. With a key of the account its policy would decide who reads. */
const SERVICE_KEY = 'alias/aws/kinesis';

export function streamOperations(streams: Streams, world: World): Readonly<Record<string, Operation>> {
  const byArn = (arn: string): Stream => streams.get({ StreamARN: arn });
  return {
    CreateStream: (input: CreateStreamInput) => {
      streams.create(input);
      return {};
    },
    DeleteStream: (input: OfStream) => {
      streams.delete(streams.get(input));
      return {};
    },
    DescribeStream: (input: OfStream & { Limit?: number; ExclusiveStartShardId?: string }) => {
      const stream = streams.get(input);
      const after = stream.shards.filter(({ id }) => id > (input.ExclusiveStartShardId ?? ''));
      const shards = after.slice(0, input.Limit ?? 100);
      return { StreamDescription: { ...common(stream), Shards: shards.map(describeShard), HasMoreShards: shards.length < after.length } };
    },
    DescribeStreamSummary: (input: OfStream) => {
      const stream = streams.get(input);
      const { maximumRecordKiB: MaxRecordSizeInKiB } = stream.settings;
      return {
        StreamDescriptionSummary: { ...common(stream), OpenShardCount: stream.shards.length, ConsumerCount: 0, MaxRecordSizeInKiB },
      };
    },
    ListStreams: (input: Paged & { Limit?: number; ExclusiveStartStreamName?: string }) => {
      const after = streams.all().filter(({ name }) => name > (input.ExclusiveStartStreamName ?? ''));
      const { page, nextToken } = inPages(after, input.Limit ?? 100, input.NextToken, 'ExpiredNextTokenException');
      return {
        StreamNames: page.map(({ name }) => name),
        HasMoreStreams: nextToken !== undefined,
        ...(nextToken === undefined ? {} : { NextToken: nextToken }),
        StreamSummaries: page.map(summary),
      };
    },
    ListShards: (input: OfStream & Paged & { ExclusiveStartShardId?: string; MaxResults?: number; ShardFilter?: ShardFilter }) => {
      // A token stands for the stream too: AWS takes no name beside it.
      if (input.NextToken !== undefined && (input.StreamName !== undefined || input.ExclusiveStartShardId !== undefined))
        throw invalidArgument('NextToken and StreamName cannot be provided together.');
      const [arn, last] = (input.NextToken ?? '').split('#');
      const stream = input.NextToken === undefined ? streams.get(input) : byArn(arn ?? '');
      const wanted = input.ShardFilter === undefined ? stream.shards : shardsOf(stream.shards, input.ShardFilter);
      // By name and not by place: the call for the next page names neither filter nor beginning.
      const shards = wanted.filter(({ id }) => id > (last ?? input.ExclusiveStartShardId ?? ''));
      const page = shards.slice(0, input.MaxResults ?? 1000);
      const more = page.length < shards.length;
      return { Shards: page.map(describeShard), ...(more ? { NextToken: `${stream.arn}#${page.at(-1)!.id}` } : {}) };
    },
    IncreaseStreamRetentionPeriod: (input: OfStream & { RetentionPeriodHours: number }) => {
      const stream = streams.get(input);
      retain(stream, input.RetentionPeriodHours, input.RetentionPeriodHours >= stream.retentionHours);
      return {};
    },
    DecreaseStreamRetentionPeriod: (input: OfStream & { RetentionPeriodHours: number }) => {
      const stream = streams.get(input);
      retain(stream, input.RetentionPeriodHours, input.RetentionPeriodHours <= stream.retentionHours);
      stream.trim(world.clock.nowMs());
      return {};
    },
    AddTagsToStream: (input: OfStream & { Tags: Record<string, string> }) => tag(streams.get(input), input.Tags),
    RemoveTagsFromStream: (input: OfStream & { TagKeys: readonly string[] }) => untag(streams.get(input), input.TagKeys),
    ListTagsForStream: (input: OfStream & { ExclusiveStartTagKey?: string; Limit?: number }) => {
      const all = tagsOf(streams.get(input)).filter(({ Key }) => Key > (input.ExclusiveStartTagKey ?? ''));
      const Tags = all.slice(0, input.Limit ?? MOST_TAGS);
      return { Tags, HasMoreTags: Tags.length < all.length };
    },
    TagResource: (input: { ResourceARN: string; Tags: Record<string, string> }) => tag(byArn(input.ResourceARN), input.Tags),
    UntagResource: (input: { ResourceARN: string; TagKeys: readonly string[] }) => untag(byArn(input.ResourceARN), input.TagKeys),
    ListTagsForResource: (input: { ResourceARN: string }) => ({ Tags: tagsOf(byArn(input.ResourceARN)) }),
    StartStreamEncryption: (input: OfStream & { EncryptionType: string; KeyId: string }) => {
      if (input.EncryptionType !== 'KMS' || input.KeyId !== SERVICE_KEY)
        throw invalidArgument(`KeyId: got ${input.KeyId}, expected ${SERVICE_KEY}: the desk encrypts with no key of the account.`);
      streams.get(input).keyId = input.KeyId;
      return {};
    },
    StopStreamEncryption: (input: OfStream) => {
      streams.get(input).keyId = undefined;
      return {};
    },
    PutResourcePolicy: (input: { ResourceARN: string; Policy: string }) => {
      byArn(input.ResourceARN).policy = { text: input.Policy, document: parse(input.Policy) };
      return {};
    },
    GetResourcePolicy: (input: { ResourceARN: string }) => ({ Policy: byArn(input.ResourceARN).policy?.text ?? '' }),
    DeleteResourcePolicy: (input: { ResourceARN: string }) => {
      byArn(input.ResourceARN).policy = undefined;
      return {};
    },
  };
}

function retain(stream: Stream, hours: number, rightWay: boolean): void {
  if (hours < SHORTEST_RETENTION_HOURS || hours > LONGEST_RETENTION_HOURS)
    throw invalidArgument(`RetentionPeriodHours: got ${hours}, expected ${SHORTEST_RETENTION_HOURS} to ${LONGEST_RETENTION_HOURS}.`);
  if (!rightWay)
    throw invalidArgument(
      `Requested retention period (${hours} hours) for stream ${stream.name} is on the wrong side of its current retention period (${stream.retentionHours} hours).`,
    );
  stream.retentionHours = hours;
}

function tag(stream: Stream, tags: Readonly<Record<string, string>>): Record<string, never> {
  const names = new Set([...stream.tags.keys(), ...Object.keys(tags)]);
  if (names.size > MOST_TAGS)
    throw invalidArgument(`Failed to add tags to stream ${stream.name}: a given stream cannot have more than ${MOST_TAGS} tags.`);
  for (const [key, value] of Object.entries(tags)) stream.tags.set(key, value);
  return {};
}

function untag(stream: Stream, keys: readonly string[]): Record<string, never> {
  for (const key of keys) stream.tags.delete(key);
  return {};
}

const tagsOf = (stream: Stream): { Key: string; Value: string }[] =>
  [...stream.tags].sort(([a], [b]) => (a < b ? -1 : 1)).map(([Key, Value]) => ({ Key, Value }));

function parse(text: string): PolicyDocument {
  try {
    return readPolicy(text, 'resource');
  } catch (error) {
    throw new AwsError('InvalidArgumentException', `Policy: ${(error as Error).message}`);
  }
}

const describeShard = (shard: Shard): Record<string, unknown> => ({
  ShardId: shard.id,
  HashKeyRange: { StartingHashKey: String(shard.firstHashKey), EndingHashKey: String(shard.lastHashKey) },
  SequenceNumberRange: { StartingSequenceNumber: shard.firstSequenceNumber },
});

const summary = ({ settings }: Stream): Record<string, unknown> => ({
  StreamName: settings.name,
  StreamARN: settings.arn,
  StreamStatus: 'ACTIVE',
  StreamModeDetails: { StreamMode: settings.mode },
  StreamCreationTimestamp: new Date(settings.createdAtMs),
});

const common = (stream: Stream): Record<string, unknown> => ({
  ...summary(stream),
  RetentionPeriodHours: stream.retentionHours,
  EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
  ...(stream.keyId === undefined ? { EncryptionType: 'NONE' } : { EncryptionType: 'KMS', KeyId: stream.keyId }),
});
