/** Shard iterators: tokens that say a place in a shard, good for five minutes (GetShardIterator API reference). */
import { AwsError } from '../../models/service.js';
import { originOf } from './sequence-number.js';
import { type Shard, shardIdOf } from './shard.js';
import type { Stream } from './stream.js';
import { invalidArgument } from './streams.js';

const LIFE_MS = 5 * 60_000;

export interface IteratorInput {
  readonly ShardIteratorType: string;
  readonly StartingSequenceNumber?: string;
  readonly Timestamp?: Date;
}

interface Token {
  readonly arn: string;
  /** A stream that was deleted and made again is another one. */
  readonly createdAtMs: number;
  readonly shardId: string;
  readonly place: number;
  readonly issuedAtMs: number;
}

export function issueIterator(stream: Stream, shard: Shard, place: number, nowMs: number): string {
  const token: Token = { arn: stream.arn, createdAtMs: stream.settings.createdAtMs, shardId: shard.id, place, issuedAtMs: nowMs };
  return Buffer.from(JSON.stringify(token)).toString('base64');
}

/** Throws InvalidArgumentException for a token that is none, ExpiredIteratorException for an old one. */
export function readIterator(text: string, nowMs: number): Token {
  let token: Token;
  try {
    token = JSON.parse(Buffer.from(text, 'base64').toString()) as Token;
    if (typeof token.arn !== 'string' || typeof token.place !== 'number') throw new SyntaxError('not a token');
  } catch {
    throw invalidArgument('Invalid ShardIterator.');
  }
  if (nowMs - token.issuedAtMs > LIFE_MS) {
    const [issued, now] = [token.issuedAtMs, nowMs].map((ms) => new Date(ms).toISOString());
    throw new AwsError(
      'ExpiredIteratorException',
      `Iterator expired. The iterator was created at time ${issued} while right now it is ${now} which is further in the future than the tolerated delay of ${LIFE_MS} milliseconds.`,
    );
  }
  return token;
}

/** The place at which an iterator of this type begins. */
export function startingPlace(shard: Shard, input: IteratorInput, nowMs: number): number {
  const { ShardIteratorType: type, StartingSequenceNumber: number, Timestamp } = input;
  switch (type) {
    case 'TRIM_HORIZON':
      return shard.horizon;
    case 'LATEST':
      return shard.end;
    case 'AT_TIMESTAMP':
      if (!Timestamp) throw invalidArgument('Must specify timestamp parameter for iterator of type AT_TIMESTAMP.');
      if (Timestamp.getTime() > nowMs)
        throw invalidArgument(
          `The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: ${Timestamp.getTime()}, currentTimestampInMillis: ${nowMs}`,
        );
      return shard.placeAt(Timestamp.getTime());
    case 'AT_SEQUENCE_NUMBER':
    case 'AFTER_SEQUENCE_NUMBER':
      if (number === undefined)
        throw invalidArgument(
          `Must either specify (1) AT_SEQUENCE_NUMBER and sequence number, (2) AFTER_SEQUENCE_NUMBER and sequence number, (3) TRIM_HORIZON, or (4) LATEST.`,
        );
      checkOrigin(shard, number);
      return type === 'AT_SEQUENCE_NUMBER' ? shard.placeOf(number) : shard.placeAfter(number);
    default:
      throw new AwsError(
        'ValidationException',
        `1 validation error detected: Value '${type}' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]`,
      );
  }
}

/**
 * A reader that kept its place over the deletion of a stream, or mixes up shards, is told so and not silently begun elsewhere. Words as AWS answers them:
 * https://github.com/amazon-archives/amazon-kinesis-connectors/issues/8, https://github.com/boto/boto3/issues/1478.
 */
function checkOrigin(shard: Shard, number: string): void {
  const origin = /^(0|[1-9]\d{0,128})$/.test(number) ? originOf(number) : undefined;
  if (origin === undefined || origin.createdAtSecond !== Math.floor(shard.createdAtMs / 1000))
    throw invalidArgument(
      `StartingSequenceNumber ${number} used in GetShardIterator on shard ${shard.id} is invalid because it did not come from this stream.`,
    );
  if (origin.shardIndex !== shard.index)
    throw invalidArgument(
      `Invalid StartingSequenceNumber. It encodes ${shardIdOf(origin.shardIndex)}, while it was used in a call to a shard with ${shard.id}`,
    );
}
