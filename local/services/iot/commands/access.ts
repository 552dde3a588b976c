/**
 * What IAM must allow before an operation on commands runs. An execution is asked for on its command and on its target, as in the sample policies of
 * iot-remote-command-execution-start-monitor.html; condition keys: service authorization reference, AWS IoT.
 */
import type { AccessRequest } from '../../../iam/principal.js';
import type { IotState } from '../state.js';
import type { ParameterValue } from './command.js';

type Input = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Undefined for operations that are not about commands. */
export function commandAccess(state: IotState, operation: string, input: Input): readonly AccessRequest[] | undefined {
  const on = (...resources: readonly string[]): readonly AccessRequest[] =>
    resources.map((resource) => ({ action: `iot:${operation}`, resource }));
  switch (operation) {
    case 'CreateCommand':
    case 'GetCommand':
    case 'UpdateCommand':
    case 'DeleteCommand':
      return on(state.arn(`command/${text(input['commandId'])}`));
    case 'ListCommands':
      return on('*');
    case 'ListCommandExecutions':
      return on(text(input['targetArn']) || text(input['commandArn']) || '*');
    case 'GetCommandExecution':
    case 'DeleteCommandExecution': {
      const execution = state.commands.execution(text(input['executionId']), state.now());
      return on(...(execution ? [execution.commandArn] : []), text(input['targetArn']));
    }
    default:
      return undefined;
  }
}

/** StartCommandExecution, whose action is of AWS IoT although its endpoint is another (API_iot-jobs-data_StartCommandExecution). */
export function startAccess(input: Input): readonly AccessRequest[] {
  const context: Record<string, string> = {};
  for (const [name, value] of Object.entries((input['parameters'] ?? {}) as Readonly<Record<string, ParameterValue>>)) {
    if (value.S !== undefined) context[`iot:CommandExecutionParameterString/${name}`] = value.S;
    if (value.B !== undefined) context[`iot:CommandExecutionParameterBoolean/${name}`] = String(value.B);
    const number = value.I ?? value.L ?? value.D ?? value.UL;
    if (number !== undefined) context[`iot:CommandExecutionParameterNumber/${name}`] = String(number);
  }
  return [text(input['commandArn']), text(input['targetArn'])].map((resource) => ({
    action: 'iot:StartCommandExecution',
    resource,
    context,
  }));
}
