/** A mapping of a queue: its settings, checked as Lambda checks them (Lambda developer guide, "Using Lambda with Amazon SQS"). */
import { randomUUID } from 'node:crypto';
import type { Cloud } from '../../cloud.js';
import {
  type EventSourceMapping,
  type MappingInput,
  NO_FILTERS,
  filtersFrom,
  invalid,
  onlyMembers,
  reportsItemFailures,
  within,
} from './event-source-mapping.js';
import type { LambdaFunction } from './function.js';
import type { Invocations } from './invocation.js';
import { QueuePoller, type QueueSettings } from './queue-poller.js';

const INITIAL: QueueSettings = {
  batchSize: 10,
  windowSeconds: 0,
  maximumConcurrency: undefined,
  reportsItemFailures: false,
  filters: NO_FILTERS,
};

export class QueueMapping implements EventSourceMapping {
  readonly uuid = randomUUID();
  private readonly poller: QueuePoller;

  private constructor(
    cloud: Cloud,
    invocations: Invocations,
    readonly lambda: LambdaFunction,
    readonly sourceArn: string,
    input: MappingInput,
  ) {
    this.poller = new QueuePoller(cloud, invocations, lambda, sourceArn, settingsFrom(input, INITIAL), input.Enabled ?? true);
  }

  static async create(
    cloud: Cloud,
    invocations: Invocations,
    lambda: LambdaFunction,
    queueArn: string,
    input: MappingInput,
  ): Promise<QueueMapping> {
    await checkVisibility(cloud, queueArn, lambda.timeoutMs / 1000);
    return new QueueMapping(cloud, invocations, lambda, queueArn, input);
  }

  get enabled(): boolean {
    return this.poller.enabled;
  }

  update(input: MappingInput): void {
    this.poller.update(settingsFrom(input, this.poller.settings), input.Enabled ?? this.poller.enabled);
  }

  stop(): void {
    this.poller.stop();
  }

  describe(): Record<string, unknown> {
    const { settings } = this.poller;
    return {
      BatchSize: settings.batchSize,
      MaximumBatchingWindowInSeconds: settings.windowSeconds,
      FunctionResponseTypes: settings.reportsItemFailures ? ['ReportBatchItemFailures'] : [],
      ...(settings.maximumConcurrency === undefined ? {} : { ScalingConfig: { MaximumConcurrency: settings.maximumConcurrency } }),
      ...(settings.filters.patterns.length === 0
        ? {}
        : { FilterCriteria: { Filters: settings.filters.patterns.map((Pattern) => ({ Pattern })) } }),
    };
  }
}

/** Lambda refuses a queue that gives a message out again while the function may still be at it. */
async function checkVisibility(cloud: Cloud, queueArn: string, timeoutSeconds: number): Promise<void> {
  const QueueUrl = `${cloud.endpoint}/${cloud.world.accountId}/${queueArn.split(':')[5]}`;
  const { Attributes } = await cloud.call<{ Attributes?: Record<string, string> }>('sqs', 'GetQueueAttributes', {
    QueueUrl,
    AttributeNames: ['VisibilityTimeout'],
  });
  const visibility = Number(Attributes?.VisibilityTimeout);
  if (visibility < timeoutSeconds)
    throw invalid(
      `Invalid request provided: Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeoutSeconds} seconds`,
    );
}

function settingsFrom(input: MappingInput, before: QueueSettings): QueueSettings {
  onlyMembers(input, ['ScalingConfig'], 'queue');
  const batchSize = input.BatchSize ?? before.batchSize;
  const windowSeconds = input.MaximumBatchingWindowInSeconds ?? before.windowSeconds;
  const maximumConcurrency = input.ScalingConfig ? input.ScalingConfig.MaximumConcurrency : before.maximumConcurrency;
  if (batchSize > 10 && windowSeconds === 0)
    throw invalid('Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10');
  if (maximumConcurrency !== undefined) within('MaximumConcurrency', maximumConcurrency, 2, 1000);
  return {
    batchSize,
    windowSeconds,
    maximumConcurrency,
    filters: filtersFrom(input, before.filters),
    reportsItemFailures: reportsItemFailures(input, before.reportsItemFailures),
  };
}
