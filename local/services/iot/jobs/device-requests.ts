/**
 * What devices ask over MQTT: `$aws/things/<thing>/jobs/{get,start-next}` and `…/jobs/<jobId>/{get,update}`; `$next` stands for the next pending
 * execution. Answers go to the client that asked, on `…/accepted` or `…/rejected`.
 * https://docs.aws.amazon.com/iot/latest/developerguide/jobs-mqtt-api.html
 */
import type { Responder } from '../../../gateway/reserved/responder.js';
import type { IotState } from '../state.js';
import { isTerminal, latestOf, type Job, type JobExecution } from './job.js';
import { type JobEngine, timeLeft } from './job-engine.js';
import { Body, JobRequestError } from './request-body.js';
import { documentOf, executionOf, seconds, stateOf, summaryOf, type Json } from './wire.js';

const TOPIC = /^\$aws\/things\/([a-zA-Z0-9:_-]{1,128})\/jobs\/(?!notify$|notify-next$)(.+)$/;

/** The operations as the HTTPS API names them: for the journal, the faults and the quotas. */
const OPERATIONS: Readonly<Record<string, string>> = {
  get: 'GetPendingJobExecutions',
  'start-next': 'StartNextPendingJobExecution',
  '/get': 'DescribeJobExecution',
  '/update': 'UpdateJobExecution',
};
const operationOf = (request: string): string | undefined => OPERATIONS[request] ?? OPERATIONS[request.slice(request.indexOf('/'))];

export function jobRequests(state: IotState, engine: JobEngine): Responder {
  const { faults, journal } = state.cloud.world;
  return {
    topic: TOPIC,
    respond: ([topic, thing, request], payload, { reply }) => {
      const thingName = thing!;
      const operation = `iotjobsdata:${operationOf(request!) ?? 'InvalidTopic'}`;
      const fault = faults.request(operation);
      const answer = (outcome: 'accepted' | 'rejected', message: Json, clientToken: string | undefined): void => {
        journal.add({ kind: 'call', what: operation, who: thingName, ok: outcome === 'accepted', ...detailOf(message) });
        if (fault === 'lostAnswer') return;
        const token = clientToken === undefined ? {} : { clientToken };
        reply(`${topic}/${outcome}`, JSON.stringify({ ...message, timestamp: seconds(state.now()), ...token }));
      };
      let clientToken: string | undefined;
      try {
        const body = Body.parse(payload);
        clientToken = body.text('clientToken');
        if (fault === 'throttle') throw new JobRequestError('RequestThrottled', 'Rate exceeded');
        if (fault === 'serverError') throw new JobRequestError('InternalError', 'Internal error');
        answer('accepted', answerJobRequest(state, engine, thingName, request!, body), clientToken);
      } catch (error) {
        if (!(error instanceof JobRequestError)) throw error;
        if (error.job) engine.metrics.clientError(error.job);
        answer('rejected', { code: error.code, message: error.message, ...error.state }, clientToken);
      }
    },
  };
}

const detailOf = ({ code }: Json): { readonly detail?: string } => (typeof code === 'string' ? { detail: code } : {});

/** One request by the part of its topic after `jobs/`, over MQTT or HTTPS. Throws JobRequestError. */
export function answerJobRequest(state: IotState, engine: JobEngine, thingName: string, request: string, body: Body): Json {
  if (!state.things.has(thingName)) throw new JobRequestError('ResourceNotFound', `Thing ${thingName} does not exist`);
  if (request === 'get') return pendingOf(engine, thingName);
  if (request === 'start-next') return startNext(engine, thingName, body);
  const [, jobId, verb] = /^(\$next|[a-zA-Z0-9_-]{1,64})\/(get|update)$/.exec(request) ?? [];
  if (jobId === undefined || (jobId === '$next' && verb === 'update'))
    throw new JobRequestError('InvalidTopic', `No request of AWS IoT Jobs: ${request.slice(0, 100)}`);
  if (jobId === '$next') return describeNext(engine, thingName, body);
  const job = state.jobs.get(jobId);
  if (!job) throw new JobRequestError('ResourceNotFound', `Job ${jobId} does not exist`);
  return verb === 'get' ? describe(job, thingName, body) : update(engine, job, thingName, body);
}

/** The same over HTTPS, where an execution has one member more than over MQTT: what its timer leaves (API_iot-jobs-data_JobExecution). */
export function answerOverHttps(state: IotState, engine: JobEngine, thingName: string, request: string, body: Body): Json {
  const answer = answerJobRequest(state, engine, thingName, request, body);
  const { execution } = answer as { readonly execution?: { readonly jobId: string; readonly executionNumber: number } };
  const attempts = execution && state.jobs.get(execution.jobId)?.executions.get(thingName);
  const found = attempts?.find(({ executionNumber }) => executionNumber === execution?.executionNumber);
  return found ? { execution: { ...execution, ...timeLeft(found, state.now()) } } : answer;
}

function pendingOf(engine: JobEngine, thingName: string): Json {
  const pending = engine.pending.of(thingName);
  const withStatus = (status: string): readonly Json[] => pending.filter((execution) => execution.status === status).map(summaryOf);
  return { inProgressJobs: withStatus('IN_PROGRESS'), queuedJobs: withStatus('QUEUED') };
}

function startNext(engine: JobEngine, thingName: string, body: Body): Json {
  const statusDetails = body.statusDetails();
  const stepTimeout = body.stepTimeout();
  const next = engine.pending.next(thingName);
  if (!next) return {};
  if (next.status === 'QUEUED')
    engine.change(next, {
      status: 'IN_PROGRESS',
      ...(statusDetails === undefined ? {} : { statusDetails }),
      ...(stepTimeout === undefined ? {} : { stepTimeoutInMinutes: stepTimeout }),
    });
  // One that runs already keeps its status details.
  else if (stepTimeout !== undefined) engine.setStepTimer(next, stepTimeout);
  return { execution: executionOf(next) };
}

function describeNext(engine: JobEngine, thingName: string, body: Body): Json {
  const withDocument = body.flag('includeJobDocument') ?? true;
  const next = engine.pending.next(thingName);
  return next ? { execution: executionOf(next, withDocument) } : {};
}

function attempt(job: Job, thingName: string, body: Body): JobExecution {
  const number = body.whole('executionNumber');
  const found =
    number === undefined
      ? latestOf(job, thingName)
      : job.executions.get(thingName)?.find(({ executionNumber }) => executionNumber === number);
  if (!found) throw new JobRequestError('ResourceNotFound', `Job ${job.jobId} has no such execution for thing ${thingName}`, { job });
  return found;
}

function describe(job: Job, thingName: string, body: Body): Json {
  const withDocument = body.flag('includeJobDocument') ?? true;
  const execution = attempt(job, thingName, body);
  if (isTerminal(execution.status)) throw new JobRequestError('TerminalStateReached', `The job execution is ${execution.status}`, { job });
  return { execution: executionOf(execution, withDocument) };
}

function update(engine: JobEngine, job: Job, thingName: string, body: Body): Json {
  const status = body.status();
  const statusDetails = body.statusDetails();
  const stepTimeout = body.stepTimeout();
  const expectedVersion = body.whole('expectedVersion');
  const withState = body.flag('includeJobExecutionState') ?? false;
  const withDocument = body.flag('includeJobDocument') ?? false;
  const execution = attempt(job, thingName, body);
  const executionState = stateOf(execution);
  if (expectedVersion !== undefined && expectedVersion !== execution.versionNumber)
    throw new JobRequestError('VersionMismatch', 'Version does not match', { job, executionState });
  // A second report of the same end is refused too: the device reads from the state that it was heard.
  if (isTerminal(execution.status))
    throw new JobRequestError('InvalidStateTransition', `The job execution is ${execution.status}`, { job, executionState });
  engine.change(execution, {
    status,
    ...(statusDetails === undefined ? {} : { statusDetails }),
    ...(stepTimeout === undefined ? {} : { stepTimeoutInMinutes: stepTimeout }),
  });
  return {
    ...(withState ? { executionState: stateOf(execution) } : {}),
    ...(withDocument ? { jobDocument: documentOf(execution) } : {}),
  };
}
