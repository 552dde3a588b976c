/** The data streams of the account, and how requests name them: by name, or by ARN, which must agree where both are given. */
import type { Cloud } from '../../cloud.js';
import { AwsError } from '../../models/service.js';
import { Stream, type StreamMode } from './stream.js';

export interface OfStream {
  readonly StreamName?: string;
  readonly StreamARN?: string;
}

export interface CreateStreamInput {
  readonly StreamName: string;
  readonly ShardCount?: number;
  readonly StreamModeDetails?: { readonly StreamMode?: StreamMode };
  readonly Tags?: Readonly<Record<string, string>>;
  readonly MaxRecordSizeInKiB?: number;
  readonly WarmThroughputMiBps?: number;
  readonly RecordDistributionStrategy?: string;
}

/** A new stream on demand takes 4 MB a second: four shards (Kinesis developer guide, "Quotas and limits"). */
const ON_DEMAND_SHARDS = 4;
const MOST_SHARDS = 20_000;
export const RECORD_KIB = 1024;
const LARGEST_RECORD_KIB = 10_240;

export const invalidArgument = (message: string): AwsError => new AwsError('InvalidArgumentException', message);

export class Streams {
  private readonly byName = new Map<string, Stream>();

  constructor(private readonly cloud: Cloud) {}

  arnOf(name: string): string {
    return `arn:aws:kinesis:${this.cloud.world.region}:${this.cloud.world.accountId}:stream/${name}`;
  }

  all(): readonly Stream[] {
    return [...this.byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The ARN that a request means, whether the stream exists or not: what IAM is asked about. */
  arnIn({ StreamARN, StreamName }: OfStream): string {
    return StreamARN ?? (StreamName === undefined ? '*' : this.arnOf(StreamName));
  }

  find(arn: string): Stream | undefined {
    return this.all().find((stream) => stream.arn === arn);
  }

  get(input: OfStream): Stream {
    const { StreamName: name, StreamARN: arn } = input;
    if (name === undefined && arn === undefined) throw invalidArgument('Either StreamName or StreamARN must be provided.');
    if (name !== undefined && arn !== undefined && this.arnOf(name) !== arn)
      throw invalidArgument('StreamName and StreamARN must name the same stream.');
    const stream = this.find(this.arnIn(input));
    if (stream) return stream;
    const { accountId } = this.cloud.world;
    throw new AwsError('ResourceNotFoundException', `Stream ${name ?? arn} under account ${accountId} not found.`);
  }

  create(input: CreateStreamInput): Stream {
    const { StreamName: name, ShardCount, StreamModeDetails, MaxRecordSizeInKiB = RECORD_KIB } = input;
    for (const member of ['WarmThroughputMiBps', 'RecordDistributionStrategy'] as const)
      if (input[member] !== undefined) throw invalidArgument(`${member} is not served by the desk.`);
    const mode = StreamModeDetails?.StreamMode ?? 'PROVISIONED';
    if (!/^[a-zA-Z0-9_.-]{1,128}$/.test(name))
      throw new AwsError(
        'ValidationException',
        `1 validation error detected: Value '${name}' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+`,
      );
    if (mode !== 'ON_DEMAND' && mode !== 'PROVISIONED')
      throw new AwsError('ValidationException', `StreamMode: got '${String(mode)}', expected ON_DEMAND or PROVISIONED.`);
    if (mode === 'PROVISIONED' && (ShardCount === undefined || ShardCount < 1))
      throw new AwsError('ValidationException', 'ShardCount must be at least 1 for a stream of provisioned capacity.');
    if (mode === 'ON_DEMAND' && ShardCount !== undefined)
      throw new AwsError('ValidationException', 'ShardCount is not a valid member for a stream of on-demand capacity.');
    if ((ShardCount ?? 0) > MOST_SHARDS)
      throw new AwsError('LimitExceededException', `This request would exceed the shard limit of ${MOST_SHARDS}.`);
    if (MaxRecordSizeInKiB < RECORD_KIB || MaxRecordSizeInKiB > LARGEST_RECORD_KIB)
      throw new AwsError(
        'ValidationException',
        `MaxRecordSizeInKiB: got ${MaxRecordSizeInKiB}, expected ${RECORD_KIB} to ${LARGEST_RECORD_KIB}.`,
      );
    if (this.byName.has(name)) {
      const { accountId } = this.cloud.world;
      throw new AwsError('ResourceInUseException', `Stream ${name} under account ${accountId} already exists.`);
    }
    const stream = new Stream({
      name,
      mode,
      arn: this.arnOf(name),
      shardCount: ShardCount ?? ON_DEMAND_SHARDS,
      maximumRecordKiB: MaxRecordSizeInKiB,
      tags: input.Tags ?? {},
      createdAtMs: this.cloud.world.clock.nowMs(),
    });
    this.byName.set(name, stream);
    return stream;
  }

  delete(stream: Stream): void {
    this.byName.delete(stream.name);
  }
}
