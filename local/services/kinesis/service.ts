/** Amazon Kinesis Data Streams on the desk: its operations, what IAM must allow for each, and deliveries from other services. */
import type { Cloud, Delivery } from '../../cloud.js';
import type { AccessRequest } from '../../iam/principal.js';
import { Records, recordOperations } from './record-operations.js';
import { StreamMetrics } from './metrics.js';
import { streamOperations } from './operations.js';
import { readIterator } from './shard-iterator.js';
import { Streams } from './streams.js';

/** Starts Kinesis. Nothing to stop: records leave a stream when it is read. */
export function startKinesis(cloud: Cloud): void {
  const streams = new Streams(cloud);
  const metrics = new StreamMetrics(cloud);
  const records = new Records(cloud.world, metrics);
  cloud.addService({
    name: 'kinesis',
    signingNames: ['kinesis'],
    operations: { ...streamOperations(streams, cloud.world), ...recordOperations(streams, records, metrics, cloud.world) },
    access: (operation, input) => [access(streams, cloud, operation, input)],
    resourcePolicies: (arn) => {
      const policy = streams.find(arn)?.policy;
      return policy ? [policy.document] : [];
    },
  });
  cloud.addTarget(
    'kinesis',
    async (delivery) => {
      const stream = streams.get({ StreamARN: delivery.targetArn });
      records.put(stream, { Data: bytesOf(delivery), PartitionKey: delivery.message?.partitionKey ?? '' });
      stream.arrived();
    },
    (delivery) => ({ action: 'kinesis:PutRecord', resource: delivery.targetArn }),
  );
  cloud.parts.streamArrivals = (arn, listener) => streams.get({ StreamARN: arn }).onArrival(listener);
}

function bytesOf({ payload }: Delivery): Uint8Array {
  if (payload instanceof Uint8Array) return payload;
  return Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
}

/** Service authorization reference, "Actions defined by Amazon Kinesis Data Streams". */
function access(streams: Streams, cloud: Cloud, operation: string, input: Readonly<Record<string, unknown>>): AccessRequest {
  const action = `kinesis:${operation}`;
  if (operation === 'ListStreams') return { action, resource: '*' };
  const text = (name: string): string | undefined => (typeof input[name] === 'string' ? input[name] : undefined);
  const resourceArn = text('ResourceARN');
  if (resourceArn !== undefined) return { action, resource: resourceArn };
  // An iterator and a token of ListShards stand for their stream.
  if (operation === 'GetRecords') return { action, resource: readIterator(text('ShardIterator') ?? '', cloud.world.clock.nowMs()).arn };
  if (operation === 'ListShards' && text('NextToken') !== undefined) return { action, resource: text('NextToken')!.split('#')[0]! };
  const [StreamName, StreamARN] = [text('StreamName'), text('StreamARN')];
  return {
    action,
    resource: streams.arnIn({ ...(StreamName === undefined ? {} : { StreamName }), ...(StreamARN === undefined ? {} : { StreamARN }) }),
  };
}
