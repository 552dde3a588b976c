/** The event source mappings of the account, by their UUID. */
import type { Cloud } from '../../cloud.js';
import { AwsError } from '../../models/service.js';
import { type EventSourceMapping, type MappingInput, invalid } from './event-source-mapping.js';
import type { Functions } from './functions.js';
import type { Invocations } from './invocation.js';
import { QueueMapping } from './queue-mapping.js';
import { StreamMapping } from './stream-mapping.js';

export class EventSources {
  private readonly mappings = new Map<string, { readonly mapping: EventSourceMapping; changedAt: Date }>();

  constructor(
    private readonly cloud: Cloud,
    private readonly functions: Functions,
    private readonly invocations: Invocations,
  ) {}

  async create(input: MappingInput): Promise<string> {
    const { EventSourceArn: sourceArn = '', FunctionName: functionName = '' } = input;
    const lambda = this.functions.get(functionName);
    const kind = sourceArn.split(':')[2];
    if (kind !== 'sqs' && kind !== 'kinesis')
      throw invalid(
        `EventSourceArn: got ${sourceArn}, expected the ARN of a queue or of a data stream (the event sources that the desk serves).`,
      );
    if ([...this.mappings.values()].some(({ mapping }) => mapping.lambda === lambda && mapping.sourceArn === sourceArn)) {
      throw new AwsError(
        'ResourceConflictException',
        `An event source mapping with ${kind === 'sqs' ? 'SQS' : 'Kinesis'} arn (" ${sourceArn} ") and function (" ${lambda.name} ") already exists.`,
        409,
      );
    }
    const make = kind === 'sqs' ? QueueMapping : StreamMapping;
    const mapping = await make.create(this.cloud, this.invocations, lambda, sourceArn, input);
    this.mappings.set(mapping.uuid, { mapping, changedAt: this.cloud.world.clock.date() });
    return mapping.uuid;
  }

  update(uuid: string, input: MappingInput): void {
    const entry = this.get(uuid);
    if (input.FunctionName !== undefined && this.functions.get(input.FunctionName) !== entry.mapping.lambda)
      throw invalid('FunctionName: the desk does not move a mapping to another function.');
    entry.mapping.update(input);
    entry.changedAt = this.cloud.world.clock.date();
  }

  delete(uuid: string): void {
    this.get(uuid).mapping.stop();
    this.mappings.delete(uuid);
  }

  /** EventSourceMappingConfiguration of the Lambda API. */
  describe(uuid: string): Record<string, unknown> {
    const { mapping, changedAt } = this.get(uuid);
    return {
      UUID: uuid,
      EventSourceMappingArn: this.functions.arnOf('').replace(/function:$/, `event-source-mapping:${uuid}`),
      EventSourceArn: mapping.sourceArn,
      FunctionArn: mapping.lambda.arn,
      LastModified: changedAt,
      State: mapping.enabled ? 'Enabled' : 'Disabled',
      StateTransitionReason: 'USER_INITIATED',
      ...mapping.describe(),
    };
  }

  list(functionName: string | undefined, sourceArn: string | undefined): Record<string, unknown>[] {
    const wanted = functionName === undefined ? undefined : this.functions.get(functionName);
    return [...this.mappings]
      .filter(
        ([, { mapping }]) =>
          (wanted === undefined || mapping.lambda === wanted) && (sourceArn === undefined || mapping.sourceArn === sourceArn),
      )
      .map(([uuid]) => this.describe(uuid));
  }

  stop(): void {
    for (const { mapping } of this.mappings.values()) mapping.stop();
  }

  private get(uuid: string): { readonly mapping: EventSourceMapping; changedAt: Date } {
    const entry = this.mappings.get(uuid);
    if (!entry) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404, { Type: 'User' });
    return entry;
  }
}
