/** The API of Step Functions: executions, their histories and the answers of tasks. */
import { AwsError, type Operation } from '../../models/service.js';
import { inPages } from '../pages.js';
import type { Execution } from './execution.js';
import type { Executions, StartInput } from './executions.js';
import type { HistoryEvent } from './history.js';
import { pageSize } from './operations.js';
import type { StateMachines } from './state-machines.js';
import { type Json, tooLarge } from './values.js';

const STATUSES = ['SUCCEEDED', 'TIMED_OUT', 'PENDING_REDRIVE', 'ABORTED', 'FAILED', 'RUNNING'];
/** Members of event details that `includeExecutionData: false` leaves out. */
const DATA = ['input', 'output', 'parameters'];

interface OfExecution {
  readonly executionArn: string;
}
interface ListInput {
  readonly stateMachineArn?: string;
  readonly mapRunArn?: string;
  readonly statusFilter?: string;
  readonly redriveFilter?: string;
  readonly maxResults?: number;
  readonly nextToken?: string;
}

export function executionOperations(machines: StateMachines, executions: Executions): Readonly<Record<string, Operation>> {
  return {
    StartExecution: (input: StartInput) => {
      const { arn, startDate } = executions.start(input);
      return { executionArn: arn, startDate };
    },
    DescribeExecution: (input: OfExecution & { includedData?: string }) =>
      describe(executions.get(input.executionArn), input.includedData !== 'METADATA_ONLY'),
    ListExecutions: (input: ListInput) => {
      const all = listable(machines, executions, input);
      const { page, nextToken } = inPages(all, pageSize(input.maxResults), input.nextToken, 'InvalidToken');
      return { executions: page.map(listed), ...(nextToken === undefined ? {} : { nextToken }) };
    },
    GetExecutionHistory: (
      input: OfExecution & { reverseOrder?: boolean; includeExecutionData?: boolean; maxResults?: number; nextToken?: string },
    ) => {
      const { events } = executions.get(input.executionArn).history;
      const ordered = input.reverseOrder ? [...events].reverse() : events;
      const { page, nextToken } = inPages(ordered, pageSize(input.maxResults), input.nextToken, 'InvalidToken');
      return {
        events: page.map((event) => shown(event, input.includeExecutionData !== false)),
        ...(nextToken === undefined ? {} : { nextToken }),
      };
    },
    StopExecution: (input: OfExecution & { error?: string; cause?: string }) => ({
      stopDate: executions.stop(input.executionArn, input.error, input.cause).stopDate,
    }),
    RedriveExecution: (input: OfExecution) => ({ redriveDate: executions.redrive(input.executionArn).redriveDate }),
    SendTaskSuccess: ({ taskToken, output }: { taskToken: string; output: string }) => {
      executions.tokens.succeed(taskToken, outputOf(output));
      return {};
    },
    SendTaskFailure: ({ taskToken, error, cause }: { taskToken: string; error?: string; cause?: string }) => {
      executions.tokens.fail(taskToken, error, cause);
      return {};
    },
    SendTaskHeartbeat: ({ taskToken }: { taskToken: string }) => {
      executions.tokens.heartbeat(taskToken);
      return {};
    },
  };
}

function listable(machines: StateMachines, executions: Executions, input: ListInput): readonly Execution[] {
  const { statusFilter, redriveFilter } = input;
  if (input.mapRunArn !== undefined)
    throw new AwsError('ResourceNotFound', `Resource not found: '${input.mapRunArn}' (the desk has no distributed maps)`);
  if (input.stateMachineArn === undefined)
    throw new AwsError('ValidationException', 'Either stateMachineArn or mapRunArn must be specified');
  if (statusFilter !== undefined && !STATUSES.includes(statusFilter))
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value '${statusFilter}' at 'statusFilter' failed to satisfy constraint: Member must satisfy enum value set: [${STATUSES.join(', ')}]`,
    );
  return executions
    .of(machines.get(input.stateMachineArn))
    .filter(({ status }) => statusFilter === undefined || status === statusFilter)
    .filter(({ redriveCount }) => redriveFilter === undefined || (redriveFilter === 'REDRIVEN') === redriveCount > 0);
}

function describe(execution: Execution, data: boolean): Record<string, unknown> {
  const { start, outcome, startDate, stopDate, redriveDate } = execution;
  const reason = execution.redrivable();
  return {
    executionArn: execution.arn,
    stateMachineArn: execution.machine.arn,
    name: start.name,
    status: execution.status,
    startDate,
    ...(stopDate ? { stopDate } : {}),
    ...(data ? { input: start.input } : {}),
    inputDetails: { included: data },
    ...(outcome?.output === undefined ? {} : { ...(data ? { output: outcome.output } : {}), outputDetails: { included: data } }),
    ...(outcome?.error === undefined ? {} : { error: outcome.error }),
    ...(outcome?.cause === undefined ? {} : { cause: outcome.cause }),
    ...(start.traceHeader === undefined ? {} : { traceHeader: start.traceHeader }),
    redriveCount: execution.redriveCount,
    ...(redriveDate ? { redriveDate } : {}),
    redriveStatus: reason === undefined ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
    ...(reason === undefined ? {} : { redriveStatusReason: reason }),
  };
}

const listed = (execution: Execution): Record<string, unknown> => ({
  executionArn: execution.arn,
  stateMachineArn: execution.machine.arn,
  name: execution.start.name,
  status: execution.status,
  startDate: execution.startDate,
  ...(execution.stopDate ? { stopDate: execution.stopDate } : {}),
  redriveCount: execution.redriveCount,
  ...(execution.redriveDate ? { redriveDate: execution.redriveDate } : {}),
});

function shown({ id, previousEventId, timestamp, type, details }: HistoryEvent, data: boolean): Record<string, unknown> {
  const base = { id, previousEventId, timestamp, type };
  if (!details) return base;
  const value = data ? details.value : Object.fromEntries(Object.entries(details.value).filter(([name]) => !DATA.includes(name)));
  return { ...base, [details.name]: value };
}

function outputOf(text: string): Json {
  if (tooLarge(text)) throw new AwsError('InvalidOutput', "Invalid Output: 'Output exceeds the maximum of 262144 bytes'");
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new AwsError('InvalidOutput', `Invalid Output: '${(error as Error).message}'`);
  }
}
