/**
 * Which shards of a stream ListShards answers: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ShardFilter.html. Shards are neither split nor
 * merged here, so all of them are open from the creation of their stream on, and only AFTER_SHARD_ID and AT_TIMESTAMP leave any out.
 */
import { AwsError } from '../../models/service.js';
import type { Shard } from './shard.js';
import { invalidArgument } from './streams.js';

const TYPES = ['AFTER_SHARD_ID', 'AT_TRIM_HORIZON', 'FROM_TRIM_HORIZON', 'AT_LATEST', 'AT_TIMESTAMP', 'FROM_TIMESTAMP'];

export interface ShardFilter {
  readonly Type: string;
  readonly ShardId?: string;
  readonly Timestamp?: Date;
}

/** Throws ValidationException for an unknown type, InvalidArgumentException where shard or time is missing, or given for another type. */
export function shardsOf(shards: readonly Shard[], filter: ShardFilter): readonly Shard[] {
  const { Type, ShardId, Timestamp } = filter;
  if (!TYPES.includes(Type))
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value '${Type}' at 'shardFilter.type' failed to satisfy constraint: Member must satisfy enum value set: [${TYPES.join(', ')}]`,
    );
  if ((ShardId !== undefined) !== (Type === 'AFTER_SHARD_ID'))
    throw invalidArgument(`ShardFilter of type ${Type}: ShardId is for AFTER_SHARD_ID, which needs one.`);
  if ((Timestamp !== undefined) !== Type.endsWith('_TIMESTAMP'))
    throw invalidArgument(`ShardFilter of type ${Type}: Timestamp is for AT_TIMESTAMP and FROM_TIMESTAMP, which need one.`);
  if (ShardId !== undefined) return shards.filter(({ id }) => id > ShardId);
  if (Timestamp !== undefined && Type === 'AT_TIMESTAMP') return shards.filter(({ createdAtMs }) => createdAtMs <= Timestamp.getTime());
  return shards;
}
