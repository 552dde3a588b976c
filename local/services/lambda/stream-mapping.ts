/** A mapping of a data stream: one poller for each shard (Lambda developer guide, "Process Amazon Kinesis Data Streams records with Lambda"). */
import { randomUUID } from 'node:crypto';
import type { Cloud } from '../../cloud.js';
import { type EventSourceMapping, type MappingInput, invalid } from './event-source-mapping.js';
import type { LambdaFunction } from './function.js';
import type { Invocations } from './invocation.js';
import type { StartingPoint } from './shard-records.js';
import { type OfMapping, ShardPoller } from './shard-poller.js';
import { INITIAL_STREAM_SETTINGS, type StreamSettings, streamSettings } from './stream-settings.js';

/** What the function's role must be allowed, when the mapping is made and while it reads. */
const ACTIONS = ['kinesis:GetRecords', 'kinesis:GetShardIterator', 'kinesis:DescribeStream', 'kinesis:ListShards'];
/** A denied mapping looks again: a policy may come back. */
const DENIED_PAUSE_MS = 60_000;

export class StreamMapping implements EventSourceMapping, OfMapping {
  readonly uuid = randomUUID();
  readonly streamArn: string;
  enabled: boolean;
  private now: StreamSettings;
  private lastResult = 'No records processed';
  private shards: readonly ShardPoller[] = [];
  private stopListening = (): void => undefined;
  private denied = false;
  private stopped = false;

  private constructor(
    readonly cloud: Cloud,
    readonly invocations: Invocations,
    readonly lambda: LambdaFunction,
    readonly sourceArn: string,
    private readonly start: MappingInput,
  ) {
    this.streamArn = sourceArn;
    this.now = streamSettings(start, INITIAL_STREAM_SETTINGS);
    this.enabled = start.Enabled ?? true;
  }

  static async create(
    cloud: Cloud,
    invocations: Invocations,
    lambda: LambdaFunction,
    streamArn: string,
    input: MappingInput,
  ): Promise<StreamMapping> {
    const mapping = new StreamMapping(cloud, invocations, lambda, streamArn, input);
    const startingPoint = startOf(input, cloud.world.clock.date());
    const refused = mapping.refused();
    if (refused !== undefined)
      throw invalid(
        `Cannot access stream ${streamArn}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListShards Actions on your stream in IAM.`,
      );
    mapping.shards = (await shardIds(cloud, streamArn)).map((id) => new ShardPoller(mapping, id, startingPoint));
    mapping.stopListening = cloud.parts.streamArrivals!(streamArn, () => mapping.wake());
    mapping.wake();
    return mapping;
  }

  settings(): StreamSettings {
    return this.now;
  }

  mayRun(): boolean {
    if (!this.enabled || this.stopped) return false;
    const refused = this.refused();
    if (refused === undefined) {
      this.denied = false;
      return true;
    }
    if (!this.denied) {
      this.cloud.world.journal.add({
        kind: 'denied',
        what: refused.action,
        who: this.lambda.name,
        ok: false,
        detail: `${this.sourceArn}: ${refused.why}`,
      });
      this.cloud.world.clock.after(DENIED_PAUSE_MS, () => {
        this.denied = false;
        this.wake();
      });
    }
    this.denied = true;
    return false;
  }

  report(result: string): void {
    this.lastResult = result;
  }

  update(input: MappingInput): void {
    if (input.StartingPosition !== undefined && input.StartingPosition !== this.start.StartingPosition)
      throw invalid('StartingPosition: a mapping goes on where it is.');
    this.now = streamSettings(input, this.now);
    this.enabled = input.Enabled ?? this.enabled;
    this.wake();
  }

  stop(): void {
    this.stopped = true;
    this.stopListening();
    for (const shard of this.shards) shard.stop();
  }

  describe(): Record<string, unknown> {
    const { now, start } = this;
    return {
      StateTransitionReason: 'User action',
      BatchSize: now.batchSize,
      MaximumBatchingWindowInSeconds: now.batchingSeconds,
      ParallelizationFactor: 1,
      StartingPosition: start.StartingPosition,
      ...(start.StartingPositionTimestamp ? { StartingPositionTimestamp: start.StartingPositionTimestamp } : {}),
      MaximumRecordAgeInSeconds: now.maximumAgeSeconds,
      MaximumRetryAttempts: now.maximumRetries,
      BisectBatchOnFunctionError: now.bisects,
      TumblingWindowInSeconds: now.windowSeconds,
      DestinationConfig: { OnFailure: now.onFailureArn === undefined ? {} : { Destination: now.onFailureArn } },
      FunctionResponseTypes: now.reportsItemFailures ? ['ReportBatchItemFailures'] : [],
      LastProcessingResult: this.lastResult,
      ...(now.filters.patterns.length === 0 ? {} : { FilterCriteria: { Filters: now.filters.patterns.map((Pattern) => ({ Pattern })) } }),
    };
  }

  private wake(): void {
    for (const shard of this.shards) shard.wake();
  }

  /** The first action that the function's role may not do, and why. */
  private refused(): { readonly action: string; readonly why: string } | undefined {
    for (const action of ACTIONS) {
      const decision = this.cloud.iam.roleAllows(this.lambda.definition.roleArn, { action, resource: this.sourceArn });
      if (!decision.allowed) return { action, why: decision.why };
    }
    return undefined;
  }
}

async function shardIds(cloud: Cloud, StreamARN: string): Promise<readonly string[]> {
  try {
    const { Shards } = await cloud.call<{ Shards: readonly { ShardId: string }[] }>('kinesis', 'ListShards', { StreamARN });
    return Shards.map(({ ShardId }) => ShardId);
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error;
    throw invalid(`Stream not found: ${StreamARN}`);
  }
}

/** LATEST is the moment at which the mapping is made; AWS warns that it may take minutes until it reads. */
function startOf({ StartingPosition, StartingPositionTimestamp }: MappingInput, now: Date): StartingPoint {
  switch (StartingPosition ?? '') {
    case 'TRIM_HORIZON':
      return { ShardIteratorType: 'TRIM_HORIZON' };
    case 'LATEST':
      return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: now };
    case 'AT_TIMESTAMP':
      if (!StartingPositionTimestamp || StartingPositionTimestamp > now)
        throw invalid('StartingPositionTimestamp must be given and not lie in the future for AT_TIMESTAMP.');
      return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: StartingPositionTimestamp };
    default:
      throw invalid(`StartingPosition: got ${StartingPosition}, expected TRIM_HORIZON, LATEST or AT_TIMESTAMP.`);
  }
}
