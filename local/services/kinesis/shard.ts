/** One shard: records in the order of their arrival, kept for the retention period. */
import { sequenceNumber, compareSequenceNumbers } from './sequence-number.js';
import { Throughput } from './throughput.js';

export interface StreamRecord {
  readonly sequenceNumber: string;
  readonly arrivedAtMs: number;
  readonly data: Uint8Array;
  readonly partitionKey: string;
}

/** Data and partition key count (PutRecords API reference). */
export const sizeOf = (record: { readonly data: Uint8Array; readonly partitionKey: string }): number =>
  record.data.length + Buffer.byteLength(record.partitionKey);

export const shardIdOf = (index: number): string => `shardId-${String(index).padStart(12, '0')}`;

export class Shard {
  readonly id: string;
  readonly writes = new Throughput();
  readonly firstSequenceNumber: string;
  private records: StreamRecord[] = [];
  /** Records that the retention period has taken: places of iterators count from the shard's first record. */
  private gone = 0;
  private lastArrivalMs = 0;

  constructor(
    readonly index: number,
    readonly createdAtMs: number,
    readonly firstHashKey: bigint,
    readonly lastHashKey: bigint,
  ) {
    this.id = shardIdOf(index);
    this.firstSequenceNumber = sequenceNumber(this, 0, createdAtMs);
  }

  holds(hashKey: bigint): boolean {
    return hashKey >= this.firstHashKey && hashKey <= this.lastHashKey;
  }

  append(data: Uint8Array, partitionKey: string, nowMs: number): StreamRecord {
    // Time of arrival never goes back within a shard: windows are cut by it.
    this.lastArrivalMs = Math.max(this.lastArrivalMs, nowMs);
    const record = {
      data,
      partitionKey,
      arrivedAtMs: this.lastArrivalMs,
      sequenceNumber: sequenceNumber(this, this.end + 1, this.lastArrivalMs),
    };
    this.records.push(record);
    return record;
  }

  /** Drops what is older than the retention period. */
  trim(oldestMs: number): void {
    const kept = this.records.findIndex((record) => record.arrivedAtMs >= oldestMs);
    const dropped = kept < 0 ? this.records.length : kept;
    if (dropped === 0) return;
    this.records = this.records.slice(dropped);
    this.gone += dropped;
  }

  /** The place after the newest record. */
  get end(): number {
    return this.gone + this.records.length;
  }

  /** The oldest place that is still there. */
  get horizon(): number {
    return this.gone;
  }

  /** The records from a place on; fewer than `limit` where `mostBytes` is reached. At least one, whatever its size. */
  from(place: number, limit: number, mostBytes: number): readonly StreamRecord[] {
    const start = Math.max(0, place - this.gone);
    let bytes = 0;
    let end = start;
    for (; end < this.records.length && end - start < limit; end++) {
      bytes += sizeOf(this.records[end]!);
      if (bytes > mostBytes && end > start) break;
    }
    return this.records.slice(start, end);
  }

  /** The place of the first record for which `holds` is true, or the end. */
  private firstWhere(holds: (record: StreamRecord) => boolean): number {
    const found = this.records.findIndex(holds);
    return found < 0 ? this.end : this.gone + found;
  }

  placeOf(number: string): number {
    return this.firstWhere((record) => compareSequenceNumbers(record.sequenceNumber, number) >= 0);
  }

  placeAfter(number: string): number {
    return this.firstWhere((record) => compareSequenceNumbers(record.sequenceNumber, number) > 0);
  }

  placeAt(atMs: number): number {
    return this.firstWhere((record) => record.arrivedAtMs >= atMs);
  }

  /** Age of the first record that a reader at `place` has not had, in ms; zero at the end. */
  behindMs(place: number, nowMs: number): number {
    const next = this.records[Math.max(0, place - this.gone)];
    return next ? Math.max(0, nowMs - next.arrivedAtMs) : 0;
  }
}
