/** The record that a function receives for a record of a stream (Lambda developer guide, "Using Lambda with Kinesis", example record event). */
export interface KinesisRecord {
  readonly SequenceNumber: string;
  readonly ApproximateArrivalTimestamp: Date;
  readonly Data: Uint8Array;
  readonly PartitionKey: string;
}

/** What all records of one shard have in common. */
export interface OfShard {
  readonly streamArn: string;
  readonly shardId: string;
  readonly roleArn: string;
  readonly region: string;
}

export function streamRecord(record: KinesisRecord, { streamArn, shardId, roleArn, region }: OfShard): Record<string, unknown> {
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: record.PartitionKey,
      sequenceNumber: record.SequenceNumber,
      data: Buffer.from(record.Data).toString('base64'),
      approximateArrivalTimestamp: record.ApproximateArrivalTimestamp.getTime() / 1000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${shardId}:${record.SequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: roleArn,
    awsRegion: region,
    eventSourceARN: streamArn,
  };
}

/** Bytes of a record in the event: its data in base64, and some room for the rest. */
export const eventBytes = (record: KinesisRecord): number => Math.ceil(record.Data.length / 3) * 4 + record.PartitionKey.length + 700;

/** What filter criteria see: the metadata, and the data where it is JSON (Lambda developer guide, "Event filtering", Kinesis). */
export function streamFilterView(record: KinesisRecord): Record<string, unknown> {
  const metadata = {
    partitionKey: record.PartitionKey,
    sequenceNumber: record.SequenceNumber,
    approximateArrivalTimestamp: record.ApproximateArrivalTimestamp.getTime() / 1000,
  };
  const text = Buffer.from(record.Data).toString();
  try {
    return { ...metadata, data: JSON.parse(text) as unknown };
  } catch {
    return { ...metadata, data: text };
  }
}
