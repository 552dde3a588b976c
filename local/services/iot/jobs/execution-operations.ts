/** Job executions, control plane (https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeJobExecution.html and its neighbours). */
import type { Operation } from '../../../models/service.js';
import { checkWord, invalidRequest, invalidStateTransition, notFound, versionConflict } from '../errors.js';
import { checkThingName } from '../names.js';
import { page } from '../paging.js';
import type { IotState } from '../state.js';
import { EXECUTION_STATUSES, isTerminal, latestOf, type JobExecution } from './job.js';
import { type JobEngine, timeLeft } from './job-engine.js';
import { jobById } from './job-operations.js';
import { statusDetailsProblem } from './status-details.js';

function executionOf(state: IotState, input: Parameters<Operation>[0]): JobExecution {
  const job = jobById(state, input.jobId);
  const thingName = checkThingName(input.thingName);
  const number: number | undefined = input.executionNumber;
  const found =
    number === undefined
      ? latestOf(job, thingName)
      : job.executions.get(thingName)?.find(({ executionNumber }) => executionNumber === Number(number));
  if (!found) throw notFound(`Job execution of ${job.jobId} for thing ${thingName} not found`);
  return found;
}

const times = ({ queuedAtMs, startedAtMs, lastUpdatedAtMs }: JobExecution): Record<string, Date> => ({
  queuedAt: new Date(queuedAtMs),
  ...(startedAtMs === undefined ? {} : { startedAt: new Date(startedAtMs) }),
  lastUpdatedAt: new Date(lastUpdatedAtMs),
});

const summary = (execution: JobExecution): Record<string, unknown> => ({
  status: execution.status,
  ...times(execution),
  executionNumber: execution.executionNumber,
  retryAttempt: execution.retryAttempt,
});

export function executionOperations(state: IotState, engine: JobEngine): Record<string, Operation> {
  return {
    DescribeJobExecution: (input) => {
      const execution = executionOf(state, input);
      return {
        execution: {
          jobId: execution.job.jobId,
          status: execution.status,
          ...(execution.forceCanceled ? { forceCanceled: true } : {}),
          statusDetails: { detailsMap: execution.statusDetails },
          thingArn: execution.thingArn,
          ...times(execution),
          executionNumber: execution.executionNumber,
          versionNumber: execution.versionNumber,
          ...timeLeft(execution, state.now()),
        },
      };
    },
    ListJobExecutionsForJob: (input) => {
      checkWord('status', input.status, EXECUTION_STATUSES);
      const job = jobById(state, input.jobId);
      const all = [...job.executions.values()]
        .map((attempts) => attempts.at(-1)!)
        .filter(({ status }) => input.status === undefined || status === input.status);
      const { items, token } = page(all, ({ thingName }) => thingName, input.nextToken, input.maxResults);
      return {
        executionSummaries: items.map((execution) => ({ thingArn: execution.thingArn, jobExecutionSummary: summary(execution) })),
        ...(token ? { nextToken: token } : {}),
      };
    },
    ListJobExecutionsForThing: (input) => {
      checkWord('status', input.status, EXECUTION_STATUSES);
      const thingName = checkThingName(input.thingName);
      if (!state.things.has(thingName)) throw notFound(`Thing ${thingName} not found`);
      const jobs = input.jobId === undefined ? [...state.jobs.values()] : [jobById(state, input.jobId)];
      const all = jobs
        .flatMap((job) => job.executions.get(thingName) ?? [])
        .filter(({ status }) => input.status === undefined || status === input.status)
        .toSorted((a, b) => a.order - b.order);
      const { items, token } = page(all, ({ order }) => String(order), input.nextToken, input.maxResults);
      return {
        executionSummaries: items.map((execution) => ({ jobId: execution.job.jobId, jobExecutionSummary: summary(execution) })),
        ...(token ? { nextToken: token } : {}),
      };
    },
    CancelJobExecution: (input) => {
      const execution = executionOf(state, input);
      if (input.expectedVersion !== undefined && Number(input.expectedVersion) !== execution.versionNumber)
        throw versionConflict(`Expected version ${input.expectedVersion}, the version is ${execution.versionNumber}`);
      const force = input.force === true;
      if (isTerminal(execution.status) || (execution.status === 'IN_PROGRESS' && !force))
        throw invalidStateTransition(`The job execution is ${execution.status}: it cannot be cancelled${force ? '' : ' without force'}`);
      const problem = input.statusDetails === undefined ? undefined : statusDetailsProblem(input.statusDetails);
      if (problem !== undefined) throw invalidRequest(problem);
      engine.change(execution, {
        status: 'CANCELED',
        ...(force ? { forceCanceled: true } : {}),
        ...(input.statusDetails === undefined ? {} : { statusDetails: input.statusDetails }),
      });
      return {};
    },
    DeleteJobExecution: (input) => {
      const execution = executionOf(state, input);
      if (!isTerminal(execution.status) && input.force !== true)
        throw invalidStateTransition(`The job execution is ${execution.status}: it cannot be deleted without force`);
      engine.deleteExecution(execution);
      return {};
    },
  };
}
