/**
 * A job and its executions as AWS IoT Jobs keeps them. One execution is one attempt of one thing; a retry is a further execution with the next
 * number. https://docs.aws.amazon.com/iot/latest/developerguide/iot-jobs-lifecycle.html
 */
import type { Schedule } from './schedule.js';
import type { JobSettings } from './settings.js';

export type JobStatus = 'IN_PROGRESS' | 'CANCELED' | 'COMPLETED' | 'SCHEDULED' | 'DELETION_IN_PROGRESS';

export const EXECUTION_STATUSES = ['QUEUED', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'REJECTED', 'REMOVED', 'CANCELED'] as const;
export type ExecutionStatus = (typeof EXECUTION_STATUSES)[number];
export type StatusDetails = Readonly<Record<string, string>>;

export const isTerminal = (status: ExecutionStatus): boolean => status !== 'QUEUED' && status !== 'IN_PROGRESS';

export interface JobExecution {
  readonly job: Job;
  readonly thingName: string;
  readonly thingArn: string;
  readonly executionNumber: number;
  readonly retryAttempt: number;
  /** Rank among all executions of the account: what is next for a thing goes by the order of queueing, and a millisecond may see many. */
  readonly order: number;
  readonly queuedAtMs: number;
  status: ExecutionStatus;
  statusDetails: StatusDetails;
  startedAtMs?: number;
  lastUpdatedAtMs: number;
  /** 1 when queued, one more with each change. */
  versionNumber: number;
  forceCanceled?: boolean;
  inProgressDeadlineMs?: number;
  stepDeadlineMs?: number;
  cancelTimer?: () => void;
}

export interface Job {
  readonly jobId: string;
  readonly arn: string;
  readonly targets: Set<string>;
  readonly targetSelection: 'SNAPSHOT' | 'CONTINUOUS';
  readonly document: string;
  readonly jobTemplateArn?: string;
  readonly createdAtMs: number;
  readonly schedule: Schedule;
  settings: JobSettings;
  description?: string;
  status: JobStatus;
  lastUpdatedAtMs: number;
  completedAtMs?: number;
  forceCanceled?: boolean;
  reasonCode?: string;
  comment?: string;
  /** Things that have not been told of the job yet, in the order of the rollout. */
  readonly waiting: Set<string>;
  /** Things that were told, a retry of one thing counts once: what raises an exponential rate. */
  notified: number;
  /** Set when the schedule's end has come: nothing is rolled out any more. */
  rolloutEnded: boolean;
  /** thingName → attempts, oldest first. */
  readonly executions: Map<string, JobExecution[]>;
  /** Things by the status of their latest execution. */
  readonly counts: Record<ExecutionStatus, number>;
  /** Executions that a device or a timer has ended, retried ones included: what abort criteria look at. */
  readonly ended: Record<'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'REJECTED', number>;
  /** Timers of rollout and schedule. */
  readonly timers: Set<() => void>;
}

export const latestOf = (job: Job, thingName: string): JobExecution | undefined => job.executions.get(thingName)?.at(-1);

/** A job is concurrent while it rolls out (https://docs.aws.amazon.com/iot/latest/developerguide/job-limits.html); cancelling takes no time on the desk. */
export const isConcurrent = (job: Job): boolean => job.status === 'IN_PROGRESS' && job.waiting.size > 0;

export const isOver = (job: Job): boolean => job.status === 'CANCELED' || job.status === 'COMPLETED';
