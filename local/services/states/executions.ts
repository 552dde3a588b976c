/** All executions of the account: their names, their start, their end. */
import { randomUUID } from 'node:crypto';
import type { Cloud } from '../../cloud.js';
import { AwsError } from '../../models/service.js';
import { checkArn, checkName, executionArn } from './arns.js';
import { Execution } from './execution.js';
import type { StateMachine } from './state-machine.js';
import type { StateMachines } from './state-machines.js';
import { TaskTokens } from './task-tokens.js';
import { LARGEST_PAYLOAD, tooLarge } from './values.js';

export interface StartInput {
  readonly stateMachineArn: string;
  readonly name?: string;
  readonly input?: string;
  readonly traceHeader?: string;
}

/** An execution and its name are kept so long after its end (StartExecution API reference, service quotas). */
const RETENTION_MS = 90 * 24 * 60 * 60 * 1000;
/** RedriveExecution API reference: within 14 days of the end. */
const REDRIVE_WINDOW_MS = 14 * 24 * 60 * 60 * 1000;

export class Executions {
  readonly tokens = new TaskTokens();
  private readonly executions = new Map<string, Execution>();

  constructor(
    private readonly cloud: Cloud,
    private readonly machines: StateMachines,
  ) {}

  /** Newest first, as ListExecutions answers. */
  of(machine: StateMachine): readonly Execution[] {
    this.expire();
    return [...this.executions.values()].filter((execution) => execution.machine === machine).reverse();
  }

  get(arn: string): Execution {
    checkArn(arn);
    this.expire();
    const execution = this.executions.get(arn);
    if (!execution) throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return execution;
  }

  /**
   * The name decides (StartExecution API reference): free → a new execution; taken by one that runs with the same input → that one again;
   * taken otherwise → ExecutionAlreadyExists.
   */
  start(given: StartInput): Execution {
    const machine = this.machines.get(given.stateMachineArn);
    if (machine.deleting) throw new AwsError('StateMachineDeleting', `State Machine is being deleted: '${machine.arn}'`);
    const { name = randomUUID(), input = '{}' } = given;
    checkName(name);
    checkInput(input);
    this.expire();
    const arn = executionArn(this.cloud.world, machine.name, name);
    const known = this.executions.get(arn);
    if (known) {
      if (known.status === 'RUNNING' && known.start.input === input) return known;
      throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const start = { arn, name, input, ...(given.traceHeader === undefined ? {} : { traceHeader: given.traceHeader }) };
    const execution = new Execution(start, machine, this.cloud, this.tokens, () => this.ended(machine));
    this.executions.set(arn, execution);
    execution.begin();
    return execution;
  }

  /** A closed execution stays as it is. */
  stop(arn: string, error: string | undefined, cause: string | undefined): Execution {
    const execution = this.get(arn);
    execution.abort(error, cause);
    return execution;
  }

  redrive(arn: string): Execution {
    const execution = this.get(arn);
    const reason = execution.redrivable();
    if (reason !== undefined) throw new AwsError('ExecutionNotRedrivable', reason);
    if (this.cloud.world.clock.nowMs() > execution.stopDate!.getTime() + REDRIVE_WINDOW_MS)
      throw new AwsError('ExecutionNotRedrivable', 'Execution exceeded the redrivable period of 14 days');
    execution.redrive();
    return execution;
  }

  /** The machine is gone when its last execution is over; its executions are deleted with it (DeleteStateMachine API reference). */
  delete(arn: string): void {
    checkArn(arn);
    const machine = this.machines.all().find((known) => known.arn === arn);
    if (!machine) return;
    machine.deleting = true;
    for (const execution of this.of(machine)) execution.abort(undefined, undefined);
    this.ended(machine);
  }

  halt(): void {
    for (const execution of this.executions.values()) execution.halt();
  }

  private ended(machine: StateMachine): void {
    if (
      !machine.deleting ||
      [...this.executions.values()].some((execution) => execution.machine === machine && execution.status === 'RUNNING')
    )
      return;
    this.machines.remove(machine.arn);
    for (const [arn, execution] of this.executions) if (execution.machine === machine) this.executions.delete(arn);
  }

  private expire(): void {
    const beforeMs = this.cloud.world.clock.nowMs() - RETENTION_MS;
    for (const [arn, { stopDate }] of this.executions) if (stopDate && stopDate.getTime() < beforeMs) this.executions.delete(arn);
  }
}

function checkInput(input: string): void {
  if (tooLarge(input))
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to ${LARGEST_PAYLOAD}`,
    );
  const refuse = (message: string): never => {
    throw new AwsError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${message}'`);
  };
  if (input === '') refuse('Invalid execution input.');
  try {
    JSON.parse(input);
  } catch (error) {
    refuse((error as Error).message);
  }
}
