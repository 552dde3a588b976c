/** Settings of a mapping of a stream, checked as Lambda checks them ("Lambda parameters for Amazon Kinesis Data Streams event source mappings"). */
import {
  type Filters,
  type MappingInput,
  NO_FILTERS,
  filtersFrom,
  invalid,
  onlyMembers,
  reportsItemFailures,
  within,
} from './event-source-mapping.js';

export interface StreamSettings {
  readonly batchSize: number;
  readonly batchingSeconds: number;
  /** Below zero: until the record leaves the stream. */
  readonly maximumRetries: number;
  /** Below zero: as long as the stream keeps it. */
  readonly maximumAgeSeconds: number;
  readonly bisects: boolean;
  readonly reportsItemFailures: boolean;
  /** Zero: no windows. */
  readonly windowSeconds: number;
  readonly onFailureArn: string | undefined;
  readonly filters: Filters;
}

export const INITIAL_STREAM_SETTINGS: StreamSettings = {
  batchSize: 100,
  batchingSeconds: 0,
  maximumRetries: -1,
  maximumAgeSeconds: -1,
  bisects: false,
  reportsItemFailures: false,
  windowSeconds: 0,
  onFailureArn: undefined,
  filters: NO_FILTERS,
};

const SERVED = [
  'StartingPosition',
  'StartingPositionTimestamp',
  'ParallelizationFactor',
  'MaximumRecordAgeInSeconds',
  'MaximumRetryAttempts',
  'BisectBatchOnFunctionError',
  'TumblingWindowInSeconds',
  'DestinationConfig',
];

export function streamSettings(input: MappingInput, before: StreamSettings): StreamSettings {
  onlyMembers(input, SERVED, 'stream');
  if ((input.ParallelizationFactor ?? 1) !== 1)
    throw invalid(
      `ParallelizationFactor: got ${input.ParallelizationFactor}, expected 1: the desk serves one batch at a time for each shard.`,
    );
  const age = input.MaximumRecordAgeInSeconds ?? before.maximumAgeSeconds;
  if (age !== -1) within('MaximumRecordAgeInSeconds', age, 60, 604_800);
  return {
    batchSize: within('BatchSize', input.BatchSize ?? before.batchSize, 1, 10_000),
    batchingSeconds: within('MaximumBatchingWindowInSeconds', input.MaximumBatchingWindowInSeconds ?? before.batchingSeconds, 0, 300),
    maximumRetries: within('MaximumRetryAttempts', input.MaximumRetryAttempts ?? before.maximumRetries, -1, 10_000),
    maximumAgeSeconds: age,
    bisects: input.BisectBatchOnFunctionError ?? before.bisects,
    reportsItemFailures: reportsItemFailures(input, before.reportsItemFailures),
    windowSeconds: within('TumblingWindowInSeconds', input.TumblingWindowInSeconds ?? before.windowSeconds, 0, 900),
    onFailureArn: input.DestinationConfig ? destination(input.DestinationConfig) : before.onFailureArn,
    filters: filtersFrom(input, before.filters),
  };
}

function destination({ OnFailure }: NonNullable<MappingInput['DestinationConfig']>): string | undefined {
  const arn = OnFailure?.Destination;
  if (arn !== undefined && !/^arn:aws:(sqs|sns):/.test(arn))
    throw invalid(`DestinationConfig.OnFailure: got ${arn}, expected the ARN of a queue or a topic.`);
  return arn;
}
