/** All state machines of the account: creation with AWS's checks (definition, role, logging), update, deletion. */
import { randomUUID } from 'node:crypto';
import type { Cloud } from '../../cloud.js';
import { AwsError } from '../../models/service.js';
import { checkArn, checkName, stateMachineArn } from './arns.js';
import type { Definition } from './definition.js';
import type { LoggingConfiguration, Revision, StateMachine } from './state-machine.js';
import { diagnose } from './validation.js';

export interface MachineInput {
  readonly name: string;
  readonly definition: string;
  readonly roleArn: string;
  readonly type?: string;
  readonly loggingConfiguration?: LoggingConfiguration;
  readonly tracingConfiguration?: { readonly enabled?: boolean };
  readonly encryptionConfiguration?: unknown;
  readonly publish?: boolean;
  readonly tags?: readonly { readonly key?: string; readonly value?: string }[];
}

export type MachineUpdate = Partial<Omit<MachineInput, 'name' | 'type' | 'tags'>> & { readonly stateMachineArn: string };

const LEVELS = ['ALL', 'ERROR', 'FATAL', 'OFF'];

export class StateMachines {
  private readonly machines = new Map<string, StateMachine>();

  constructor(private readonly cloud: Cloud) {}

  all(): readonly StateMachine[] {
    return [...this.machines.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(arn: string): StateMachine {
    checkArn(arn);
    const machine = this.machines.get(arn);
    if (!machine) throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
    return machine;
  }

  /** The same name with the same definition, role, type and settings answers the machine that is there (CreateStateMachine API reference). */
  async create(input: MachineInput): Promise<StateMachine> {
    checkName(input.name);
    refuseUnserved(input);
    if ((input.type ?? 'STANDARD') !== 'STANDARD')
      throw new AwsError(
        'StateMachineTypeNotSupported',
        `State machines of type ${input.type} are not served by the desk, which has STANDARD only.`,
      );
    const arn = stateMachineArn(this.cloud.world, input.name);
    const revision = await this.revision(arn, {
      definitionText: input.definition,
      roleArn: input.roleArn,
      logging: input.loggingConfiguration,
      tracing: input.tracingConfiguration?.enabled ?? false,
    });
    const known = this.machines.get(arn);
    if (known?.deleting) throw new AwsError('StateMachineDeleting', `State Machine is being deleted: '${arn}'`);
    if (known) {
      if (sameRevision(known.revision, revision)) return known;
      throw new AwsError('StateMachineAlreadyExists', `State Machine Already Exists: '${arn}'`);
    }
    const machine: StateMachine = {
      name: input.name,
      arn,
      createdAt: this.cloud.world.clock.date(),
      tags: new Map((input.tags ?? []).map(({ key = '', value = '' }) => [key, value])),
      revision,
      deleting: false,
    };
    this.machines.set(arn, machine);
    return machine;
  }

  async update(input: MachineUpdate): Promise<StateMachine> {
    const machine = this.get(input.stateMachineArn);
    refuseUnserved(input);
    if (machine.deleting) throw new AwsError('StateMachineDeleting', `State Machine is being deleted: '${machine.arn}'`);
    const given = [input.definition, input.roleArn, input.loggingConfiguration, input.tracingConfiguration];
    if (given.every((member) => member === undefined))
      throw new AwsError(
        'MissingRequiredParameter',
        'Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified',
      );
    const { revision } = machine;
    machine.revision = {
      ...(await this.revision(machine.arn, {
        definitionText: input.definition ?? revision.definitionText,
        roleArn: input.roleArn ?? revision.roleArn,
        logging: input.loggingConfiguration ?? revision.logging,
        tracing: input.tracingConfiguration?.enabled ?? revision.tracing,
      })),
      revisionId: randomUUID(),
    };
    return machine;
  }

  remove(arn: string): void {
    this.machines.delete(arn);
  }

  private async revision(
    arn: string,
    given: {
      readonly definitionText: string;
      readonly roleArn: string;
      readonly logging: LoggingConfiguration | undefined;
      readonly tracing: boolean;
    },
  ): Promise<Revision> {
    const { definitionText, roleArn, logging = {}, tracing } = given;
    const problems = diagnose(definitionText);
    if (problems.length > 0) {
      const text = problems
        .map(({ code, message, location }) => `${code}: ${message}${location === undefined ? '' : ` at ${location}`}`)
        .join(', ');
      throw new AwsError('InvalidDefinition', `Invalid State Machine Definition: '${text}'`);
    }
    this.checkRole(arn, roleArn);
    await this.checkLogging(logging, roleArn);
    const definition = JSON.parse(definitionText) as Definition;
    return { definitionText, definition, roleArn, logging, tracing, updatedAt: this.cloud.world.clock.date() };
  }

  /** Step Functions tries to assume the role when the machine is made, with the machine's ARN as aws:SourceArn. */
  private checkRole(arn: string, roleArn: string): void {
    if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/.test(roleArn))
      throw new AwsError('InvalidArn', `Invalid Arn: 'Invalid Role Arn: ${roleArn}'`);
    try {
      this.cloud.iam.assume(roleArn, 'states.amazonaws.com', 'validation', arn);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw new AwsError(
        'AccessDeniedException',
        'Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.',
      );
    }
  }

  /** The log group must be there, and the role must be able to set up the delivery (developer guide, "Logging to CloudWatch Logs"). */
  private async checkLogging(logging: LoggingConfiguration, roleArn: string): Promise<void> {
    const { level = 'OFF', destinations = [] } = logging;
    const refuse = (message: string): never => {
      throw new AwsError('InvalidLoggingConfiguration', `Invalid Logging Configuration: ${message}`);
    };
    if (!LEVELS.includes(level)) refuse(`level: got ${level}, expected one of ${LEVELS.join(', ')}`);
    if (level === 'OFF' && destinations.length === 0) return;
    if (destinations.length !== 1) refuse('Must specify exactly one Log Destination.');
    const groupArn = destinations[0]?.cloudWatchLogsLogGroup?.logGroupArn ?? '';
    if (!/^arn:aws[a-z-]*:logs:[a-z0-9-]+:\d{12}:log-group:.+:\*$/.test(groupArn)) refuse('Log Destination not found.');
    const logGroupName = groupArn.split(':')[6]!;
    const { logGroups = [] } = await this.cloud.call<{ logGroups?: readonly { readonly logGroupName?: string }[] }>(
      'logs',
      'DescribeLogGroups',
      {
        logGroupNamePrefix: logGroupName,
      },
    );
    if (!logGroups.some((group) => group.logGroupName === logGroupName)) refuse('Log Destination not found.');
    const allowed = this.cloud.iam.roleAllows(roleArn, { action: 'logs:CreateLogDelivery', resource: '*' });
    if (!allowed.allowed)
      throw new AwsError('AccessDeniedException', 'The state machine IAM Role is not authorized to access the Log Destination');
  }
}

function refuseUnserved(input: Partial<MachineInput>): void {
  if (input.publish) throw new AwsError('ValidationException', 'publish: versions and aliases are not served by the desk.');
  const { encryptionConfiguration } = input as { readonly encryptionConfiguration?: { readonly type?: string } };
  if (encryptionConfiguration && encryptionConfiguration.type !== 'AWS_OWNED_KEY')
    throw new AwsError(
      'InvalidEncryptionConfiguration',
      'Invalid Encryption Configuration: customer managed keys are not served by the desk.',
    );
}

const sameRevision = (a: Revision, b: Revision): boolean =>
  a.definitionText === b.definitionText &&
  a.roleArn === b.roleArn &&
  a.tracing === b.tracing &&
  JSON.stringify(a.logging) === JSON.stringify(b.logging);
