/** Metrics of a stream in `AWS/Kinesis` (Kinesis developer guide, "Monitor the Amazon Kinesis Data Streams service with Amazon CloudWatch"). */
import type { Cloud } from '../../cloud.js';
import type { StreamRecord } from './shard.js';
import type { Stream } from './stream.js';

export class StreamMetrics {
  constructor(private readonly cloud: Cloud) {}

  written(stream: Stream, bytes: number): void {
    this.publish(stream, 'IncomingRecords', 1, 'Count');
    this.publish(stream, 'IncomingBytes', bytes, 'Bytes');
    this.publish(stream, 'WriteProvisionedThroughputExceeded', 0, 'Count');
  }

  /** A record that its shard did not take. */
  refused(stream: Stream): void {
    this.publish(stream, 'WriteProvisionedThroughputExceeded', 1, 'Count');
  }

  /** Age of the last record of an answer: how far behind its readers are. */
  read(stream: Stream, records: readonly StreamRecord[], nowMs: number): void {
    const last = records.at(-1);
    if (last) this.publish(stream, 'GetRecords.IteratorAgeMilliseconds', Math.max(0, nowMs - last.arrivedAtMs), 'Milliseconds');
  }

  private publish(stream: Stream, name: string, value: number, unit: string): void {
    this.cloud.parts.metrics?.([{ namespace: 'AWS/Kinesis', name, dimensions: { StreamName: stream.name }, value, unit }]);
  }
}
