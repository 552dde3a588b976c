/** The event source mappings of the account: what a caller may set, checked as Lambda checks it. */
import { randomUUID } from 'node:crypto';
import type { Cloud } from '../../cloud.js';
import { AwsError } from '../../models/service.js';
import { compilePattern } from '../../patterns/event-pattern.js';
import { EventSource, type EventSourceSettings } from './event-source.js';
import type { Functions } from './functions.js';
import type { Invocations } from './invocation.js';
import { filterView } from './sqs-record.js';

export interface MappingInput {
  readonly FunctionName?: string;
  readonly EventSourceArn?: string;
  readonly Enabled?: boolean;
  readonly BatchSize?: number;
  readonly MaximumBatchingWindowInSeconds?: number;
  readonly ScalingConfig?: { readonly MaximumConcurrency?: number };
  readonly FunctionResponseTypes?: readonly string[];
  readonly FilterCriteria?: { readonly Filters?: readonly { readonly Pattern?: string }[] };
}

/** Members of a mapping that belong to queues and have their effect here. */
const SERVED = [
  'FunctionName',
  'EventSourceArn',
  'Enabled',
  'BatchSize',
  'MaximumBatchingWindowInSeconds',
  'ScalingConfig',
  'FunctionResponseTypes',
  'FilterCriteria',
  'Tags',
  'UUID',
];

const invalid = (message: string): AwsError => new AwsError('InvalidParameterValueException', message, 400, { Type: 'User' });

export class EventSources {
  private readonly mappings = new Map<string, { readonly source: EventSource; changedAt: Date }>();

  constructor(
    private readonly cloud: Cloud,
    private readonly functions: Functions,
    private readonly invocations: Invocations,
  ) {}

  async create(input: MappingInput): Promise<string> {
    checkMembers(input);
    const { EventSourceArn: queueArn = '', FunctionName: functionName = '' } = input;
    if (!queueArn.startsWith('arn:aws:sqs:'))
      throw invalid(`EventSourceArn: got ${queueArn}, expected the ARN of a queue (the event source that the desk serves).`);
    const lambda = this.functions.get(functionName);
    if ([...this.mappings.values()].some(({ source }) => source.lambda === lambda && source.settings.queueArn === queueArn)) {
      throw new AwsError(
        'ResourceConflictException',
        `An event source mapping with SQS arn (" ${queueArn} ") and function (" ${lambda.name} ") already exists.`,
        409,
      );
    }
    await this.checkVisibility(queueArn, lambda.timeoutMs / 1000);
    const settings = settingsFrom(input, { ...INITIAL, uuid: randomUUID(), queueArn });
    this.mappings.set(settings.uuid, {
      source: new EventSource(this.cloud, this.invocations, lambda, settings, input.Enabled ?? true),
      changedAt: this.cloud.world.clock.date(),
    });
    return settings.uuid;
  }

  update(uuid: string, input: MappingInput): void {
    checkMembers(input);
    const mapping = this.get(uuid);
    if (input.FunctionName !== undefined && this.functions.get(input.FunctionName) !== mapping.source.lambda)
      throw invalid('FunctionName: the desk does not move a mapping to another function.');
    mapping.source.update(settingsFrom(input, mapping.source.settings), input.Enabled ?? mapping.source.enabled);
    mapping.changedAt = this.cloud.world.clock.date();
  }

  delete(uuid: string): void {
    this.get(uuid).source.stop();
    this.mappings.delete(uuid);
  }

  /** EventSourceMappingConfiguration of the Lambda API. */
  describe(uuid: string): Record<string, unknown> {
    const { source, changedAt } = this.get(uuid);
    const { settings } = source;
    return {
      UUID: uuid,
      EventSourceMappingArn: this.functions.arnOf('').replace(/function:$/, `event-source-mapping:${uuid}`),
      BatchSize: settings.batchSize,
      MaximumBatchingWindowInSeconds: settings.windowSeconds,
      EventSourceArn: settings.queueArn,
      FunctionArn: source.lambda.arn,
      LastModified: changedAt,
      State: source.enabled ? 'Enabled' : 'Disabled',
      StateTransitionReason: 'USER_INITIATED',
      FunctionResponseTypes: settings.reportsItemFailures ? ['ReportBatchItemFailures'] : [],
      ...(settings.maximumConcurrency === undefined ? {} : { ScalingConfig: { MaximumConcurrency: settings.maximumConcurrency } }),
      ...(settings.filters.length === 0 ? {} : { FilterCriteria: { Filters: settings.filters.map((Pattern) => ({ Pattern })) } }),
    };
  }

  list(functionName: string | undefined, queueArn: string | undefined): Record<string, unknown>[] {
    const wanted = functionName === undefined ? undefined : this.functions.get(functionName);
    return [...this.mappings]
      .filter(
        ([, { source }]) =>
          (wanted === undefined || source.lambda === wanted) && (queueArn === undefined || source.settings.queueArn === queueArn),
      )
      .map(([uuid]) => this.describe(uuid));
  }

  stop(): void {
    for (const { source } of this.mappings.values()) source.stop();
  }

  private get(uuid: string): { readonly source: EventSource; changedAt: Date } {
    const mapping = this.mappings.get(uuid);
    if (!mapping) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404, { Type: 'User' });
    return mapping;
  }

  /** Lambda refuses a queue that gives a message out again while the function may still be at it. */
  private async checkVisibility(queueArn: string, timeoutSeconds: number): Promise<void> {
    const QueueUrl = `${this.cloud.endpoint}/${this.cloud.world.accountId}/${queueArn.split(':')[5]}`;
    const { Attributes } = await this.cloud.call<{ Attributes?: Record<string, string> }>('sqs', 'GetQueueAttributes', {
      QueueUrl,
      AttributeNames: ['VisibilityTimeout'],
    });
    const visibility = Number(Attributes?.VisibilityTimeout);
    if (visibility < timeoutSeconds)
      throw invalid(
        `Invalid request provided: Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeoutSeconds} seconds`,
      );
  }
}

const INITIAL: Omit<EventSourceSettings, 'uuid' | 'queueArn'> = {
  batchSize: 10,
  windowSeconds: 0,
  maximumConcurrency: undefined,
  reportsItemFailures: false,
  filters: [],
  accepts: () => true,
};

function checkMembers(input: MappingInput): void {
  const other = Object.entries(input).find(([name, value]) => value !== undefined && !SERVED.includes(name));
  if (other) throw invalid(`${other[0]} is not served by the desk for a queue.`);
}

function settingsFrom(input: MappingInput, before: EventSourceSettings): EventSourceSettings {
  const batchSize = input.BatchSize ?? before.batchSize;
  const windowSeconds = input.MaximumBatchingWindowInSeconds ?? before.windowSeconds;
  const maximumConcurrency = input.ScalingConfig ? input.ScalingConfig.MaximumConcurrency : before.maximumConcurrency;
  const filters = input.FilterCriteria ? (input.FilterCriteria.Filters ?? []).map(({ Pattern = '' }) => Pattern) : before.filters;
  if (batchSize > 10 && windowSeconds === 0)
    throw invalid('Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10');
  if (maximumConcurrency !== undefined && (maximumConcurrency < 2 || maximumConcurrency > 1000))
    throw invalid(`MaximumConcurrency: got ${maximumConcurrency}, expected 2 to 1000.`);
  const accepting = filters.map(pattern);
  return {
    ...before,
    batchSize,
    windowSeconds,
    maximumConcurrency,
    filters,
    reportsItemFailures: input.FunctionResponseTypes
      ? input.FunctionResponseTypes.includes('ReportBatchItemFailures')
      : before.reportsItemFailures,
    accepts: (message) => accepting.length === 0 || accepting.some((accepts) => accepts(filterView(message))),
  };
}

function pattern(text: string): (record: unknown) => boolean {
  try {
    return compilePattern(text);
  } catch (error) {
    throw invalid(`Invalid filter pattern definition. ${(error as Error).message}`);
  }
}
