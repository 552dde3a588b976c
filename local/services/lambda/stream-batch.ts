/** One batch of a shard, and what an invocation made of it. */
import type { Invoked } from './invocation.js';
import type { KinesisRecord } from './stream-record.js';

export interface StreamBatch {
  readonly records: readonly KinesisRecord[];
  /** Failed invocations with these records. */
  readonly attempts: number;
}

/** How many records from the first on are done: all, some (partial success), or none. */
export function recordsDone(batch: StreamBatch, result: Invoked, reportsItemFailures: boolean): number {
  const { length } = batch.records;
  if (!result.ok) return 0;
  const failures = reportsItemFailures ? (result.payload as { batchItemFailures?: unknown } | null)?.batchItemFailures : undefined;
  if (failures === undefined || failures === null) return length;
  if (!Array.isArray(failures)) return 0;
  // The lowest sequence number is the checkpoint: everything from there on is tried again. An unknown identifier fails the whole batch.
  const places = failures.map((failure: { itemIdentifier?: unknown } | null) =>
    batch.records.findIndex(({ SequenceNumber }) => SequenceNumber === failure?.itemIdentifier),
  );
  return Math.min(length, ...places.map((place) => Math.max(0, place)));
}

/** What is left of a batch after a failure: with `bisect` in two halves, which does not count as a retry. */
export function remaining(batch: StreamBatch, done: number, bisect: boolean): readonly StreamBatch[] {
  const records = batch.records.slice(done);
  // A partial success cuts the batch already: Lambda then tries only the rest again.
  if (done > 0) return [{ records, attempts: 1 }];
  if (!bisect || records.length === 1) return [{ records, attempts: batch.attempts + 1 }];
  const half = Math.ceil(records.length / 2);
  return [records.slice(0, half), records.slice(half)].map((part) => ({ records: part, attempts: batch.attempts }));
}

/** The record of a discarded batch ("Retain discarded batch records for a Kinesis Data Streams event source in Lambda"). */
export function discardRecord(options: {
  readonly records: readonly KinesisRecord[];
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
  readonly attempts: number;
  readonly functionArn: string;
  readonly streamArn: string;
  readonly shardId: string;
  readonly last: Invoked | undefined;
  readonly requestId: string;
  readonly at: Date;
}): Record<string, unknown> {
  const { records, last } = options;
  const [first, end] = [records[0]!, records.at(-1)!];
  return {
    requestContext: {
      requestId: options.requestId,
      functionArn: options.functionArn,
      condition: options.condition,
      approximateInvokeCount: options.attempts,
    },
    ...(last
      ? { responseContext: { statusCode: 200, executedVersion: '$LATEST', ...(last.ok ? {} : { functionError: 'Unhandled' }) } }
      : {}),
    version: '1.0',
    timestamp: options.at.toISOString(),
    KinesisBatchInfo: {
      shardId: options.shardId,
      startSequenceNumber: first.SequenceNumber,
      endSequenceNumber: end.SequenceNumber,
      approximateArrivalOfFirstRecord: first.ApproximateArrivalTimestamp.toISOString(),
      approximateArrivalOfLastRecord: end.ApproximateArrivalTimestamp.toISOString(),
      batchSize: records.length,
      streamArn: options.streamArn,
    },
  };
}
