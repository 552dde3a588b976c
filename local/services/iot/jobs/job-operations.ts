/** Jobs, control plane (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateJob.html and its neighbours). */
import type { Operation } from '../../../models/service.js';
import { JOB_LIMITS } from '../../../world/quotas.js';
import { alreadyExists, checkWord, invalidRequest, invalidStateTransition, limitExceeded, notFound, notServed } from '../errors.js';
import { page } from '../paging.js';
import type { IotState } from '../state.js';
import { setTags } from '../tags.js';
import { groupByName } from '../thing-groups.js';
import { EXECUTION_STATUSES, isConcurrent, isOver, type ExecutionStatus, type Job } from './job.js';
import type { JobEngine } from './job-engine.js';
import { checkDescription, checkDocument, checkJobId, checkJobText, refuseUnserved } from './job-names.js';
import { templateByArn } from './job-templates.js';
import { readSchedule, type Schedule } from './schedule.js';
import { readSettings, type JobSettings } from './settings.js';
import { thingsOf } from './targets.js';

export function jobById(state: IotState, jobId: unknown): Job {
  const found = state.jobs.get(checkJobId(jobId));
  if (!found) throw notFound(`Job ${String(jobId)} not found`);
  return found;
}

const reference = (job: Job): Record<string, string> => ({
  jobArn: job.arn,
  jobId: job.jobId,
  ...(job.description === undefined ? {} : { description: job.description }),
});
const date = (name: string, ms: number | undefined): Record<string, Date> => (ms === undefined ? {} : { [name]: new Date(ms) });

function summary(state: IotState, job: Job): Record<string, unknown> {
  const group = [...job.targets].map((arn) => state.groups.get(arn.split('/')[1]!)).find((found) => found && job.targets.has(found.arn));
  return {
    jobArn: job.arn,
    jobId: job.jobId,
    ...(group ? { thingGroupId: group.thingGroupId } : {}),
    targetSelection: job.targetSelection,
    status: job.status,
    ...date('createdAt', job.createdAtMs),
    ...date('lastUpdatedAt', job.lastUpdatedAtMs),
    ...date('completedAt', job.completedAtMs),
    isConcurrent: isConcurrent(job),
  };
}

function processDetails({ counts, targets, waiting }: Job): Record<string, unknown> {
  return {
    // "Null after the job execution has finished rolling out to all the target devices" (API_JobProcessDetails).
    ...(waiting.size > 0 ? { processingTargets: [...targets] } : {}),
    numberOfCanceledThings: counts.CANCELED,
    numberOfSucceededThings: counts.SUCCEEDED,
    numberOfFailedThings: counts.FAILED,
    numberOfRejectedThings: counts.REJECTED,
    numberOfQueuedThings: counts.QUEUED,
    numberOfInProgressThings: counts.IN_PROGRESS,
    numberOfRemovedThings: counts.REMOVED,
    numberOfTimedOutThings: counts.TIMED_OUT,
  };
}

function schedulingOf({ startTime, endTime, endBehavior, maintenanceWindows }: Schedule): Record<string, unknown> {
  if (startTime === undefined && endTime === undefined && maintenanceWindows === undefined) return {};
  return {
    schedulingConfig: {
      ...(startTime === undefined ? {} : { startTime }),
      ...(endTime === undefined ? {} : { endTime, endBehavior }),
      ...(maintenanceWindows === undefined ? {} : { maintenanceWindows }),
    },
  };
}

function newJob(state: IotState, input: Parameters<Operation>[0], schedule: Schedule): Job {
  const template = input.jobTemplateArn === undefined ? undefined : templateByArn(state, input.jobTemplateArn);
  const now = state.now();
  const targets = new Set<string>(input.targets);
  if (targets.size < 1 || targets.size > JOB_LIMITS.targets)
    throw invalidRequest(`Targets of a job: got ${targets.size}, expected 1 to ${JOB_LIMITS.targets}`);
  const things = thingsOf(state, targets);
  const description: string | undefined = input.description ?? template?.description;
  checkDescription(description);
  const settings: JobSettings = { ...template?.settings, ...readSettings({ ...template?.settings, ...input }) };
  return {
    jobId: input.jobId,
    arn: state.arn(`job/${input.jobId}`),
    targets,
    targetSelection: input.targetSelection ?? 'SNAPSHOT',
    document: checkDocument(input.document ?? template?.document),
    ...(template ? { jobTemplateArn: template.arn } : {}),
    createdAtMs: now,
    settings,
    schedule,
    ...(description === undefined ? {} : { description }),
    status: schedule.startsAtMs === undefined ? 'IN_PROGRESS' : 'SCHEDULED',
    lastUpdatedAtMs: now,
    waiting: schedule.startsAtMs === undefined ? things : new Set(),
    notified: 0,
    rolloutEnded: false,
    executions: new Map(),
    counts: Object.fromEntries(EXECUTION_STATUSES.map((status) => [status, 0])) as Record<ExecutionStatus, number>,
    ended: { SUCCEEDED: 0, FAILED: 0, TIMED_OUT: 0, REJECTED: 0 },
    timers: new Set(),
  };
}

function checkRoom(state: IotState): void {
  const jobs = [...state.jobs.values()];
  if (jobs.filter(({ status }) => status === 'IN_PROGRESS').length >= JOB_LIMITS.activeJobs)
    throw limitExceeded(`At most ${JOB_LIMITS.activeJobs} jobs can be active`);
  if (jobs.filter(isConcurrent).length >= JOB_LIMITS.concurrentJobs)
    throw limitExceeded(`At most ${JOB_LIMITS.concurrentJobs} jobs can roll out at the same time`);
}

export function jobOperations(state: IotState, engine: JobEngine): Record<string, Operation> {
  return {
    CreateJob: (input) => {
      refuseUnserved(input);
      const jobId = checkJobId(input.jobId);
      const present = state.jobs.get(jobId);
      if (present) throw alreadyExists(`Job ${jobId} already exists`, jobId, present.arn);
      if (input.targetSelection !== undefined && !['SNAPSHOT', 'CONTINUOUS'].includes(input.targetSelection))
        throw invalidRequest(`Invalid targetSelection: ${input.targetSelection}`);
      checkRoom(state);
      const schedule = readSchedule(input.schedulingConfig, state.now(), input.targetSelection === 'CONTINUOUS');
      const job = newJob(state, input, schedule);
      setTags(state, job.arn, input.tags);
      engine.start(job);
      return reference(job);
    },
    DescribeJob: (input) => {
      const job = jobById(state, input.jobId);
      const { thingGroupId: _, ...shown } = summary(state, job);
      return {
        job: {
          ...shown,
          targets: [...job.targets],
          ...(job.description === undefined ? {} : { description: job.description }),
          ...(job.forceCanceled ? { forceCanceled: true } : {}),
          ...(job.reasonCode === undefined ? {} : { reasonCode: job.reasonCode }),
          ...(job.comment === undefined ? {} : { comment: job.comment }),
          ...(job.jobTemplateArn === undefined ? {} : { jobTemplateArn: job.jobTemplateArn }),
          ...job.settings,
          ...schedulingOf(job.schedule),
          jobProcessDetails: processDetails(job),
        },
      };
    },
    ListJobs: (input) => {
      checkWord('status', input.status, ['IN_PROGRESS', 'CANCELED', 'COMPLETED', 'DELETION_IN_PROGRESS', 'SCHEDULED']);
      checkWord('targetSelection', input.targetSelection, ['CONTINUOUS', 'SNAPSHOT']);
      const groupArn =
        input.thingGroupName === undefined
          ? [...state.groups.values()].find(({ thingGroupId }) => thingGroupId === input.thingGroupId)?.arn
          : groupByName(state, input.thingGroupName).arn;
      if (input.thingGroupId !== undefined && groupArn === undefined) throw notFound(`Thing group ${input.thingGroupId} not found`);
      const all = [...state.jobs.values()].filter(
        (job) =>
          (input.status === undefined || job.status === input.status) &&
          (input.targetSelection === undefined || job.targetSelection === input.targetSelection) &&
          (groupArn === undefined || job.targets.has(groupArn)),
      );
      const { items, token } = page(all.toReversed(), ({ jobId }) => jobId, input.nextToken, input.maxResults);
      return { jobs: items.map((job) => summary(state, job)), ...(token ? { nextToken: token } : {}) };
    },
    UpdateJob: (input) => {
      if (input.presignedUrlConfig !== undefined) throw notServed('presignedUrlConfig');
      const job = jobById(state, input.jobId);
      if (isOver(job)) throw invalidRequest(`Job ${job.jobId} is ${job.status}: it cannot be updated`);
      checkDescription(input.description);
      job.settings = { ...job.settings, ...readSettings({ ...job.settings, ...input }) };
      if (input.description !== undefined) job.description = input.description;
      job.lastUpdatedAtMs = state.now();
      return {};
    },
    CancelJob: (input) => {
      const job = jobById(state, input.jobId);
      const force = input.force === true;
      // After a cancellation without force, the executions that it left IN_PROGRESS can still be cancelled by force.
      if (job.status === 'COMPLETED' || (job.status === 'CANCELED' && !(force && job.counts.IN_PROGRESS > 0)))
        throw invalidRequest(`Job ${job.jobId} is ${job.status}: it cannot be cancelled`);
      const reasonCode = checkJobText('reasonCode', input.reasonCode, /^[\p{Upper}\p{Nd}_]{1,128}$/u);
      const comment = checkJobText('comment', input.comment, /^[^\p{C}]{1,2028}$/u);
      engine.cancel(job, {
        force,
        ...(reasonCode === undefined ? {} : { reasonCode }),
        ...(comment === undefined ? {} : { comment }),
      });
      return reference(job);
    },
    DeleteJob: (input) => {
      const job = jobById(state, input.jobId);
      if (!isOver(job) && input.force !== true)
        throw invalidStateTransition(
          `Job ${job.jobId} is ${job.status}: only a job that is COMPLETED or CANCELED can be deleted without force`,
        );
      engine.delete(job);
      return {};
    },
    GetJobDocument: (input) => ({ document: jobById(state, input.jobId).document }),
    AssociateTargetsWithJob: (input) => {
      const job = jobById(state, input.jobId);
      if (job.targetSelection !== 'CONTINUOUS' || job.status !== 'IN_PROGRESS')
        throw invalidRequest('Targets can be added only to a continuous job that is IN_PROGRESS');
      if (new Set([...job.targets, ...input.targets]).size > JOB_LIMITS.targets)
        throw limitExceeded(`A job may have at most ${JOB_LIMITS.targets} targets`);
      const comment = checkJobText('comment', input.comment, /^[^\p{C}]{1,2028}$/u);
      const things = thingsOf(state, input.targets);
      for (const target of input.targets) job.targets.add(target);
      if (comment !== undefined) job.comment = comment;
      job.lastUpdatedAtMs = state.now();
      engine.addThings(job, things);
      return reference(job);
    },
  };
}
