/**
 * The life of command executions on the desk's clock: sent once, reported by the device, timed out by the cloud.
 * https://docs.aws.amazon.com/iot/latest/developerguide/iot-remote-command-execution-start-monitor.html
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { AwsError } from '../../../models/service.js';
import { COMMAND_LIMITS } from '../../../world/quotas.js';
import { notFound } from '../errors.js';
import type { IotState } from '../state.js';
import {
  isUnderWay,
  type Command,
  type CommandExecution,
  type ExecutionResult,
  type ExecutionStatus,
  type ParameterValue,
  type StatusReason,
  type Target,
} from './command.js';
import { invalid, overQuota } from './errors.js';
import { render, type Rendered } from './payload.js';

export interface StartInput {
  readonly targetArn?: string;
  readonly commandArn?: string;
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  readonly executionTimeoutSeconds?: number;
  readonly clientToken?: string;
}

export interface Report {
  readonly status: ExecutionStatus;
  readonly statusReason?: StatusReason;
  readonly result?: ExecutionResult;
}

const DEFAULT_TIMEOUT_SECONDS = 10;

export class CommandEngine {
  constructor(private readonly state: IotState) {}

  /** StartCommandExecution: sends the payload and answers the execution's id; the same token with the same request answers the same id and sends nothing. */
  start(input: StartInput): string {
    const { commands } = this.state;
    const { clientToken, ...request } = input;
    if (clientToken !== undefined && !/^[\x21-\x7E]{1,64}$/.test(clientToken)) throw invalid('Invalid clientToken');
    const before = clientToken === undefined ? undefined : commands.started.get(clientToken);
    if (before && commands.execution(before.executionId, this.state.now())) {
      if (isDeepStrictEqual(before.request, request)) return before.executionId;
      throw new AwsError('ConflictException', 'The client token was used with other parameters', 409, { resourceId: before.executionId });
    }
    const { execution, rendered } = this.prepare(input);
    commands.add(execution);
    if (clientToken !== undefined) commands.started.set(clientToken, { executionId: execution.executionId, request });
    const timeoutMs = execution.executionTimeoutSeconds * 1000;
    execution.cancelTimer = this.state.cloud.world.clock.after(timeoutMs, () => this.timeOut(execution));
    this.announce(execution);
    this.send(execution, rendered);
    return execution.executionId;
  }

  /** A report of the device. The caller has checked that the execution takes one. */
  report(execution: CommandExecution, { status, statusReason, result }: Report): void {
    this.change(execution, { status, statusReason, ...(result === undefined ? {} : { result }) });
    if (status === 'IN_PROGRESS') return;
    execution.isTerminal = true;
    execution.completedAtMs = this.state.now();
    execution.cancelTimer?.();
  }

  private prepare(input: StartInput): { readonly execution: CommandExecution; readonly rendered: Rendered } {
    const command = this.commandOf(input.commandArn);
    const target = this.targetOf(input.targetArn);
    const executionTimeoutSeconds = input.executionTimeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
    if (
      !Number.isInteger(executionTimeoutSeconds) ||
      executionTimeoutSeconds < 1 ||
      executionTimeoutSeconds > COMMAND_LIMITS.timeoutSeconds
    )
      throw invalid(`executionTimeoutSeconds: got ${executionTimeoutSeconds}, expected 1 to ${COMMAND_LIMITS.timeoutSeconds}`);
    const rendered = render(command, input.parameters, executionTimeoutSeconds);
    const underWay = [...(this.state.commands.byTarget.get(target.arn) ?? [])].filter(isUnderWay).length;
    if (underWay >= COMMAND_LIMITS.executionsOfADevice)
      throw overQuota(`At most ${COMMAND_LIMITS.executionsOfADevice} executions of a device at the same time`);
    const now = this.state.now();
    const execution: CommandExecution = {
      executionId: randomUUID(),
      commandId: command.commandId,
      commandArn: command.arn,
      target,
      ...(rendered.parameters === undefined ? {} : { parameters: rendered.parameters }),
      executionTimeoutSeconds,
      ...(input.clientToken === undefined ? {} : { clientToken: input.clientToken }),
      createdAtMs: now,
      lastUpdatedAtMs: now,
      status: 'CREATED',
      isTerminal: false,
    };
    return { execution, rendered };
  }

  private commandOf(arn: string | undefined): Command {
    const commandId = arn?.startsWith(this.state.arn('command/')) ? arn.slice(this.state.arn('command/').length) : undefined;
    if (commandId === undefined) throw invalid(`Invalid commandArn: ${String(arn).slice(0, 200)}`);
    const command = this.state.commands.commands.get(commandId);
    if (!command) throw notFound(`Command ${commandId} not found`);
    // "If the command has been deprecated, the StartCommandExecution request will fail with a validation exception."
    if (command.deprecatedAtMs !== undefined || command.pendingDeletion)
      throw invalid(`Command ${commandId} is ${command.pendingDeletion ? 'pending deletion' : 'deprecated'}`);
    return command;
  }

  private targetOf(arn: string | undefined): Target {
    const [, type, id] = /^.+?:(thing|client)\/([^/+#\s]{1,128})$/.exec(arn ?? '') ?? [];
    if (type === undefined || id === undefined || arn !== this.state.arn(`${type}/${id}`))
      throw invalid(`Invalid targetArn: ${String(arn).slice(0, 200)}`);
    if (type === 'thing' && !this.state.things.has(id)) throw notFound(`Thing ${id} not found`);
    return { arn, kind: type === 'thing' ? 'things' : 'clients', id };
  }

  /** Kept for a device with a persistent session, until the execution times out. */
  private send(execution: CommandExecution, { content, contentType, topicSuffix }: Rendered): void {
    const { kind, id } = execution.target;
    this.state.cloud.parts.gateway?.publish(
      `$aws/commands/${kind}/${id}/executions/${execution.executionId}/request${topicSuffix}`,
      content,
      {
        qos: 1,
        contentType,
        expiresAtMs: execution.createdAtMs + execution.executionTimeoutSeconds * 1000,
      },
    );
  }

  private timeOut(execution: CommandExecution): void {
    this.change(execution, { status: 'TIMED_OUT', statusReason: { reasonCode: '$NO_RESPONSE_FROM_DEVICE' } });
  }

  private change(
    execution: CommandExecution,
    {
      statusReason,
      ...change
    }: { readonly status: ExecutionStatus; readonly statusReason: StatusReason | undefined; readonly result?: ExecutionResult },
  ): void {
    Object.assign(execution, change, { lastUpdatedAtMs: this.state.now() });
    if (statusReason === undefined) delete execution.statusReason;
    else execution.statusReason = statusReason;
    this.announce(execution);
  }

  /** `$aws/events/commandExecution/<commandId>/<status>`, times in ms (command-events.html); duplicated and put off as the faults of the desk say. */
  private announce({ executionId, commandId, commandArn, target, status, statusReason }: CommandExecution): void {
    const { world, parts } = this.state.cloud;
    const text = JSON.stringify({
      executionId,
      status,
      ...(statusReason === undefined ? {} : { statusReason }),
      eventType: 'COMMAND_EXECUTION',
      commandArn,
      targetArn: target.arn,
      timestamp: this.state.now(),
    });
    const { copies, delayMs } = world.faults.delivery();
    const send = (): void => parts.gateway?.publish(`$aws/events/commandExecution/${commandId}/${status}`, text, { qos: 1 });
    for (let copy = 0; copy < copies; copy++) {
      if (delayMs > 0) world.clock.after(delayMs, send);
      else send();
    }
  }
}
