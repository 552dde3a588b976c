/** What a mapping of a queue and one of a stream have in common for the Lambda API. */
import { AwsError } from '../../models/service.js';
import { compilePattern } from '../../patterns/event-pattern.js';
import type { LambdaFunction } from './function.js';

export interface MappingInput {
  readonly FunctionName?: string;
  readonly EventSourceArn?: string;
  readonly Enabled?: boolean;
  readonly BatchSize?: number;
  readonly MaximumBatchingWindowInSeconds?: number;
  readonly ScalingConfig?: { readonly MaximumConcurrency?: number };
  readonly FunctionResponseTypes?: readonly string[];
  readonly FilterCriteria?: { readonly Filters?: readonly { readonly Pattern?: string }[] };
  readonly StartingPosition?: string;
  readonly StartingPositionTimestamp?: Date;
  readonly ParallelizationFactor?: number;
  readonly MaximumRecordAgeInSeconds?: number;
  readonly MaximumRetryAttempts?: number;
  readonly BisectBatchOnFunctionError?: boolean;
  readonly TumblingWindowInSeconds?: number;
  readonly DestinationConfig?: { readonly OnFailure?: { readonly Destination?: string } };
}

/** One mapping at work. */
export interface EventSourceMapping {
  readonly uuid: string;
  readonly sourceArn: string;
  readonly lambda: LambdaFunction;
  readonly enabled: boolean;
  /** Takes new settings, or starts and stops polling. Batches in flight end as they were begun. Throws AwsError and changes nothing for bad ones. */
  update(input: MappingInput): void;
  /** The members of EventSourceMappingConfiguration that belong to this kind of source. */
  describe(): Record<string, unknown>;
  stop(): void;
}

export const invalid = (message: string): AwsError => new AwsError('InvalidParameterValueException', message, 400, { Type: 'User' });

/** Refuses what has no meaning for this kind of source, or none at the desk. */
export function onlyMembers(input: MappingInput, served: readonly string[], source: string): void {
  const other = Object.entries(input).find(([name, value]) => value !== undefined && ![...COMMON, ...served].includes(name));
  if (other) throw invalid(`${other[0]} is not served by the desk for a ${source}.`);
}

const COMMON = [
  'UUID',
  'FunctionName',
  'EventSourceArn',
  'Enabled',
  'BatchSize',
  'MaximumBatchingWindowInSeconds',
  'FunctionResponseTypes',
  'FilterCriteria',
  'Tags',
];

/** Throws for a number outside of what the API takes. */
export function within(name: string, value: number, from: number, to: number): number {
  if (value < from || value > to) throw invalid(`${name}: got ${value}, expected ${from} to ${to}.`);
  return value;
}

/** Filter criteria as given, and what they mean: a record passes that any of them accepts; without any, every record. */
export interface Filters {
  readonly patterns: readonly string[];
  readonly accepts: (view: unknown) => boolean;
}

export function filtersFrom(input: MappingInput, before: Filters): Filters {
  if (!input.FilterCriteria) return before;
  const patterns = (input.FilterCriteria.Filters ?? []).map(({ Pattern = '' }) => Pattern);
  const accepting = patterns.map(pattern);
  return { patterns, accepts: (view) => accepting.length === 0 || accepting.some((accepts) => accepts(view)) };
}

export const NO_FILTERS: Filters = { patterns: [], accepts: () => true };

export function reportsItemFailures(input: MappingInput, before: boolean): boolean {
  return input.FunctionResponseTypes ? input.FunctionResponseTypes.includes('ReportBatchItemFailures') : before;
}

function pattern(text: string): (record: unknown) => boolean {
  try {
    return compilePattern(text);
  } catch (error) {
    throw invalid(`Invalid filter pattern definition. ${(error as Error).message}`);
  }
}
