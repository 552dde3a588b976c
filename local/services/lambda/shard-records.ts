/** Reads one shard for a mapping, from where the mapping begins: records wait here until they are in a batch. */
import type { Cloud } from '../../cloud.js';
import type { Filters } from './event-source-mapping.js';
import { type KinesisRecord, streamFilterView } from './stream-record.js';

/** Lambda polls each shard once a second ("Polling and batching streams"); a shard that has more is read on at once. */
const POLL_MS = 1000;

export interface StartingPoint {
  readonly ShardIteratorType: 'TRIM_HORIZON' | 'AT_TIMESTAMP';
  readonly Timestamp?: Date;
}

export class ShardRecords {
  readonly waiting: KinesisRecord[] = [];
  /** Something may have come since the last read. */
  arrived = true;
  private iterator: string | undefined;
  private lastRead: string | undefined;
  private nextPollMs = 0;

  constructor(
    private readonly cloud: Cloud,
    private readonly streamArn: string,
    private readonly shardId: string,
    private readonly start: StartingPoint,
  ) {}

  /** When the shard may be read again. */
  get pollAtMs(): number {
    return this.nextPollMs;
  }

  /** Reads until `wanted` records wait or the shard has no more. Throws what Kinesis throws. */
  async fill(wanted: number, filters: Filters): Promise<void> {
    const { clock } = this.cloud.world;
    while (this.waiting.length < wanted && clock.nowMs() >= this.nextPollMs) {
      this.arrived = false;
      const answer = await this.read();
      this.iterator = answer.NextShardIterator;
      this.lastRead = answer.Records.at(-1)?.SequenceNumber ?? this.lastRead;
      // Records that the filters refuse count as done.
      this.waiting.push(...answer.Records.filter((record) => filters.accepts(streamFilterView(record))));
      if (answer.MillisBehindLatest === 0) this.nextPollMs = clock.nowMs() + POLL_MS;
    }
  }

  private async read(): Promise<{ Records: KinesisRecord[]; NextShardIterator: string; MillisBehindLatest: number }> {
    this.iterator ??= await this.newIterator();
    try {
      return await this.cloud.call('kinesis', 'GetRecords', { ShardIterator: this.iterator });
    } catch (error) {
      // The clock was moved: the place is known all the same.
      if ((error as Error).name !== 'ExpiredIteratorException') throw error;
      return this.cloud.call('kinesis', 'GetRecords', { ShardIterator: await this.newIterator() });
    }
  }

  private async newIterator(): Promise<string> {
    const from =
      this.lastRead === undefined ? this.start : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: this.lastRead };
    const input = { StreamARN: this.streamArn, ShardId: this.shardId, ...from };
    const { ShardIterator } = await this.cloud.call<{ ShardIterator: string }>('kinesis', 'GetShardIterator', input);
    return ShardIterator;
  }
}
