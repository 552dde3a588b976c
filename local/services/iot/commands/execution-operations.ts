/** Command executions, control plane (https://docs.aws.amazon.com/iot/latest/apireference/API_GetCommandExecution.html and its neighbours). */
import { AwsError, type Operation } from '../../../models/service.js';
import { checkWord, notFound } from '../errors.js';
import type { IotState } from '../state.js';
import { REPORTABLE, timeToLiveMs, type CommandExecution } from './command.js';
import { commandPage, invalid } from './errors.js';

/** Samples of AWS show `startedAt` equal to `createdAt`, for executions that no device has answered too. */
const times = ({ createdAtMs, completedAtMs }: CommandExecution): Record<string, Date> => ({
  createdAt: new Date(createdAtMs),
  startedAt: new Date(createdAtMs),
  // Set when the device has reported an end: not by a time-out of the cloud (iot-remote-command-execution-start-monitor.html).
  ...(completedAtMs === undefined ? {} : { completedAt: new Date(completedAtMs) }),
});

interface TimeFilter {
  readonly after?: string;
  readonly before?: string;
}

/** `yyyy-MM-dd'T'HH:mm`; the page names no zone, so UTC. */
function timeOf(text: string): number {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
  if (Number.isNaN(ms)) throw invalid(`Invalid time: got ${text.slice(0, 40)}, expected yyyy-MM-dd'T'HH:mm`);
  return ms;
}

function within(ms: number | undefined, { after, before }: TimeFilter): boolean {
  if (ms === undefined) return false;
  return (after === undefined || ms > timeOf(after)) && (before === undefined || ms < timeOf(before));
}

export function commandExecutionOperations(state: IotState): Record<string, Operation> {
  const byId = ({ executionId, targetArn }: Parameters<Operation>[0]): CommandExecution => {
    const found = state.commands.execution(String(executionId), state.now());
    if (!found || found.target.arn !== targetArn)
      throw notFound(`Command execution ${String(executionId)} of ${String(targetArn)} not found`);
    return found;
  };
  return {
    GetCommandExecution: (input) => {
      const execution = byId(input);
      const { executionId, commandArn, target, status, statusReason, result, parameters, executionTimeoutSeconds } = execution;
      return {
        executionId,
        commandArn,
        targetArn: target.arn,
        status,
        ...(statusReason === undefined ? {} : { statusReason }),
        ...(input.includeResult === true && result !== undefined ? { result } : {}),
        ...(parameters === undefined ? {} : { parameters }),
        executionTimeoutSeconds,
        ...times(execution),
        lastUpdatedAt: new Date(execution.lastUpdatedAtMs),
        timeToLive: new Date(timeToLiveMs(execution)),
      };
    },
    ListCommandExecutions: (input) => {
      checkWord('status', input.status, ['CREATED', ...REPORTABLE], invalid);
      checkWord('namespace', input.namespace, ['AWS-IoT', 'AWS-IoT-FleetWise'], invalid);
      checkWord('sortOrder', input.sortOrder, ['ASCENDING', 'DESCENDING'], invalid);
      if ((input.commandArn === undefined) === (input.targetArn === undefined))
        throw invalid('Exactly one of commandArn and targetArn is needed');
      if (input.startedTimeFilter !== undefined && input.completedTimeFilter !== undefined)
        throw invalid('startedTimeFilter and completedTimeFilter cannot be used together');
      const now = state.now();
      const all = [...state.commands.executions.values()].filter(
        (execution) =>
          now < timeToLiveMs(execution) &&
          (input.commandArn ?? execution.commandArn) === execution.commandArn &&
          (input.targetArn ?? execution.target.arn) === execution.target.arn &&
          (input.status ?? execution.status) === execution.status &&
          (input.namespace ?? 'AWS-IoT') === 'AWS-IoT' &&
          (input.startedTimeFilter === undefined || within(execution.createdAtMs, input.startedTimeFilter)) &&
          (input.completedTimeFilter === undefined || within(execution.completedAtMs, input.completedTimeFilter)),
      );
      const byTime = ({ createdAtMs, completedAtMs }: CommandExecution): number =>
        input.completedTimeFilter === undefined ? createdAtMs : completedAtMs!;
      const sign = input.sortOrder === 'ASCENDING' ? 1 : -1;
      const { items, token } = commandPage(
        all.toSorted((a, b) => sign * (byTime(a) - byTime(b))),
        ({ executionId }) => executionId,
        input.nextToken,
        input.maxResults,
      );
      return {
        commandExecutions: items.map((execution) => ({
          commandArn: execution.commandArn,
          executionId: execution.executionId,
          targetArn: execution.target.arn,
          status: execution.status,
          ...times(execution),
        })),
        ...(token ? { nextToken: token } : {}),
      };
    },
    DeleteCommandExecution: (input) => {
      const execution = byId(input);
      if (!execution.isTerminal)
        throw new AwsError('ConflictException', `The command execution is ${execution.status}, which is not terminal`, 409, {
          resourceId: execution.executionId,
        });
      state.commands.remove(execution);
      return {};
    },
  };
}
