/**
 * The life of jobs and their executions on the desk's clock: rollout by the minute, time-outs, retries, aborts, schedules, and what each change
 * sets off (messages to the thing, events, metrics).
 *
 *     create ─ SCHEDULED ─startTime─► IN_PROGRESS ──rolled out, all executions over──► COMPLETED
 *                                        └──CancelJob, or an abort criterion is met──► CANCELED
 */
import type { IotState } from '../state.js';
import { isOver, isTerminal, latestOf, type ExecutionStatus, type Job, type JobExecution, type StatusDetails } from './job.js';
import { JobEvents } from './job-events.js';
import { JobMetrics } from './job-metrics.js';
import { JobNotifications } from './notifications.js';
import { PendingExecutions } from './pending-executions.js';
import { failuresOfThing, metAbortCriterion, mayRetry, ratePerMinute } from './rollout.js';
import { opensAtMs, type Schedule } from './schedule.js';
import { isTargeted, thingsOf } from './targets.js';

const MINUTE_MS = 60_000;

export interface ExecutionChange {
  readonly status: ExecutionStatus;
  readonly statusDetails?: StatusDetails;
  /** Minutes; -1 stops the step timer. Counts only for IN_PROGRESS. */
  readonly stepTimeoutInMinutes?: number;
  readonly forceCanceled?: boolean;
}

export class JobEngine {
  readonly pending = new PendingExecutions();
  readonly metrics: JobMetrics;
  readonly events: JobEvents;
  private readonly notifications: JobNotifications;
  private order = 0;

  constructor(private readonly state: IotState) {
    this.metrics = new JobMetrics(state);
    this.events = new JobEvents(state);
    this.notifications = new JobNotifications(state, this.pending);
    state.membershipChanged = (thingName) => this.reconsider(thingName);
  }

  /** Takes up a new job. */
  start(job: Job): void {
    this.state.jobs.set(job.jobId, job);
    const now = this.state.now();
    const begin = (): void => {
      // The things of the targets as they are when the job begins, which is long after its creation where it is scheduled.
      for (const thingName of thingsOf(this.state, job.targets, true)) job.waiting.add(thingName);
      this.touch(job, { status: 'IN_PROGRESS' });
      this.rollOut(job);
    };
    const { startsAtMs = now, endsAtMs, endBehavior } = job.schedule;
    this.later(job, startsAtMs - now, begin);
    if (endsAtMs !== undefined) this.later(job, endsAtMs - now, () => this.endRollout(job, endBehavior));
  }

  /** CancelJob, or an abort: QUEUED executions are cancelled, those IN_PROGRESS with `force` only. */
  cancel(
    job: Job,
    { force, reasonCode, comment }: { readonly force: boolean; readonly reasonCode?: string; readonly comment?: string },
  ): void {
    this.stopTimers(job);
    job.waiting.clear();
    this.touch(job, {
      status: 'CANCELED',
      ...(force ? { forceCanceled: true } : {}),
      ...(reasonCode === undefined ? {} : { reasonCode }),
      ...(comment === undefined ? {} : { comment }),
    });
    this.events.job(job, 'cancellation_in_progress');
    this.cancelExecutions(job, force);
    job.completedAtMs = this.state.now();
    this.events.job(job, 'canceled');
  }

  delete(job: Job): void {
    this.stopTimers(job);
    job.waiting.clear();
    // With its executions gone it would else be complete.
    job.status = 'DELETION_IN_PROGRESS';
    this.events.job(job, 'deletion_in_progress');
    for (const execution of [...job.executions.values()].flat()) this.deleteExecution(execution);
    this.state.jobs.delete(job.jobId);
    this.state.tags.delete(job.arn);
    this.events.job(job, 'deleted');
  }

  /** The one place where an execution's state changes. The caller has checked that it may. */
  change(execution: JobExecution, { status, statusDetails, stepTimeoutInMinutes, forceCanceled }: ExecutionChange): void {
    const { job, thingName } = execution;
    const before = execution.status;
    const now = this.state.now();
    this.notifications.around(thingName, () => {
      execution.status = status;
      execution.lastUpdatedAtMs = now;
      execution.versionNumber += 1;
      if (statusDetails) execution.statusDetails = statusDetails;
      if (forceCanceled) execution.forceCanceled = true;
      this.setTimers(execution, before, stepTimeoutInMinutes);
      this.pending.note(execution);
      if (before === status) return;
      job.counts[before] -= 1;
      job.counts[status] += 1;
      this.metrics.changed(job, status);
      if (!isTerminal(status)) return;
      this.events.execution(execution);
      if (status === 'SUCCEEDED' || status === 'FAILED' || status === 'TIMED_OUT' || status === 'REJECTED') job.ended[status] += 1;
      if (!this.abortIfMet(job)) this.retryIfAllowed(execution);
    });
    this.completeIfDone(job);
  }

  /** What start-next sets for an execution that runs already: the step timer alone, without a new version. */
  setStepTimer(execution: JobExecution, minutes: number): void {
    this.setTimers(execution, execution.status, minutes);
  }

  deleteExecution(execution: JobExecution): void {
    const { job, thingName, status } = execution;
    const attempts = job.executions.get(thingName) ?? [];
    const wasLatest = attempts.at(-1) === execution;
    this.notifications.around(thingName, () => {
      execution.cancelTimer?.();
      this.pending.forget(execution);
      const left = attempts.filter((attempt) => attempt !== execution);
      if (left.length > 0) job.executions.set(thingName, left);
      else job.executions.delete(thingName);
      const latest = left.at(-1);
      if (wasLatest) job.counts[status] -= 1;
      if (wasLatest && latest) job.counts[latest.status] += 1;
      // "Deleting a job execution affects the computation value of the total completed execution" (jobs-configurations-specify.html).
      if (status === 'SUCCEEDED' || status === 'FAILED' || status === 'TIMED_OUT' || status === 'REJECTED') job.ended[status] -= 1;
      this.events.execution(execution, true);
    });
    this.completeIfDone(job);
  }

  /** Things that AssociateTargetsWithJob adds to a continuous job: told at once. */
  addThings(job: Job, things: Iterable<string>): void {
    for (const thingName of things) if (!latestOf(job, thingName)) this.join(job, thingName);
  }

  private rollOut(job: Job): void {
    if (isOver(job) || job.rolloutEnded) return;
    const now = this.state.now();
    const opens = opensAtMs(job.schedule, now);
    if (opens > now) {
      if (job.waiting.size > 0 && Number.isFinite(opens)) this.later(job, opens - now, () => this.rollOut(job));
      return;
    }
    for (const thingName of [...job.waiting].slice(0, ratePerMinute(job))) {
      job.waiting.delete(thingName);
      job.notified += 1;
      this.queue(job, thingName);
    }
    if (job.waiting.size > 0) this.later(job, MINUTE_MS, () => this.rollOut(job));
    else this.completeIfDone(job);
  }

  /** A thing that a continuous job gets later: told at once, or when the next maintenance window opens. */
  private join(job: Job, thingName: string): void {
    const now = this.state.now();
    const opens = opensAtMs(job.schedule, now);
    if (opens <= now) return this.queue(job, thingName);
    const isFirst = job.waiting.size === 0;
    job.waiting.add(thingName);
    if (isFirst && Number.isFinite(opens)) this.later(job, opens - now, () => this.rollOut(job));
  }

  private queue(job: Job, thingName: string): void {
    this.notifications.around(thingName, () => this.addExecution(job, thingName, 0));
  }

  private addExecution(job: Job, thingName: string, retryAttempt: number): void {
    const attempts = job.executions.get(thingName) ?? [];
    const now = this.state.now();
    const execution: JobExecution = {
      job,
      thingName,
      thingArn: this.state.arn(`thing/${thingName}`),
      executionNumber: (attempts.at(-1)?.executionNumber ?? 0) + 1,
      retryAttempt,
      order: this.order++,
      queuedAtMs: now,
      status: 'QUEUED',
      statusDetails: {},
      lastUpdatedAtMs: now,
      versionNumber: 1,
    };
    const before = attempts.at(-1);
    if (before) job.counts[before.status] -= 1;
    job.counts.QUEUED += 1;
    job.executions.set(thingName, [...attempts, execution]);
    this.metrics.changed(job, 'QUEUED');
    this.pending.note(execution);
  }

  private retryIfAllowed(execution: JobExecution): void {
    const { job, thingName, status } = execution;
    if (job.status !== 'IN_PROGRESS' || (status !== 'FAILED' && status !== 'TIMED_OUT')) return;
    const attempts = job.executions.get(thingName) ?? [];
    if (mayRetry(job, status, failuresOfThing(attempts))) this.addExecution(job, thingName, execution.retryAttempt + 1);
  }

  /** AWS notes reason and comment of its own; their texts are not documented. */
  private abortIfMet(job: Job): boolean {
    const met = job.status === 'IN_PROGRESS' ? metAbortCriterion(job) : undefined;
    if (!met) return false;
    const comment = `Aborted: at least ${met.thresholdPercentage} % of the executions ended as ${met.failureType}`;
    this.cancel(job, { force: false, reasonCode: 'ABORT_CRITERIA_MET', comment });
    return true;
  }

  /** A continuous job without an end goes on for ever, for things that may still join. */
  private completeIfDone(job: Job): void {
    if (job.status !== 'IN_PROGRESS' || job.waiting.size > 0 || job.counts.QUEUED + job.counts.IN_PROGRESS > 0) return;
    if (job.targetSelection === 'CONTINUOUS' && !job.rolloutEnded) return;
    this.stopTimers(job);
    this.touch(job, { status: 'COMPLETED', completedAtMs: this.state.now() });
    this.events.job(job, 'completed');
  }

  private endRollout(job: Job, behavior: Schedule['endBehavior']): void {
    if (isOver(job)) return;
    job.rolloutEnded = true;
    job.waiting.clear();
    if (behavior !== 'STOP_ROLLOUT') this.cancelExecutions(job, behavior === 'FORCE_CANCEL');
    this.completeIfDone(job);
  }

  private cancelExecutions(job: Job, force: boolean): void {
    for (const attempts of job.executions.values()) {
      const execution = attempts.at(-1)!;
      if (execution.status === 'QUEUED' || (force && execution.status === 'IN_PROGRESS'))
        this.change(execution, { status: 'CANCELED', ...(force ? { forceCanceled: true } : {}) });
    }
  }

  /** A thing joined or left a group, or was deleted. */
  private reconsider(thingName: string): void {
    for (const job of this.state.jobs.values()) {
      if (isOver(job) || job.status === 'SCHEDULED') continue;
      const latest = latestOf(job, thingName);
      const gone = !this.state.things.has(thingName) || (job.targetSelection === 'CONTINUOUS' && !isTargeted(this.state, job, thingName));
      if (gone) {
        job.waiting.delete(thingName);
        if (latest && !isTerminal(latest.status)) this.change(latest, { status: 'REMOVED' });
        else this.completeIfDone(job);
      } else if (job.targetSelection === 'CONTINUOUS' && !job.rolloutEnded && !job.waiting.has(thingName)) {
        if ((!latest || latest.status === 'REMOVED') && isTargeted(this.state, job, thingName)) this.join(job, thingName);
      }
    }
  }

  /**
   * The in-progress timer starts with IN_PROGRESS and cannot be moved; the step timer may be set anew by each update, and never outlasts it
   * (jobs-configurations-details.html, "How timers work for job timeouts").
   */
  private setTimers(execution: JobExecution, before: ExecutionStatus, stepMinutes: number | undefined): void {
    const now = this.state.now();
    const { timeoutConfig } = execution.job.settings;
    execution.cancelTimer?.();
    delete execution.cancelTimer;
    if (execution.status !== 'IN_PROGRESS') return;
    if (before !== 'IN_PROGRESS') {
      execution.startedAtMs = now;
      if (timeoutConfig) execution.inProgressDeadlineMs = now + timeoutConfig.inProgressTimeoutInMinutes * MINUTE_MS;
    }
    if (stepMinutes === -1) delete execution.stepDeadlineMs;
    else if (stepMinutes !== undefined) execution.stepDeadlineMs = now + stepMinutes * MINUTE_MS;
    const deadlineMs = deadlineOf(execution);
    if (deadlineMs === undefined) return;
    execution.cancelTimer = this.state.cloud.world.clock.after(deadlineMs - now, () => this.change(execution, { status: 'TIMED_OUT' }));
  }

  private touch(job: Job, change: Partial<Pick<Job, 'status' | 'forceCanceled' | 'reasonCode' | 'comment' | 'completedAtMs'>>): void {
    Object.assign(job, change, { lastUpdatedAtMs: this.state.now() });
  }

  private later(job: Job, delayMs: number, task: () => void): void {
    const cancel = this.state.cloud.world.clock.after(delayMs, () => {
      job.timers.delete(cancel);
      task();
    });
    job.timers.add(cancel);
  }

  private stopTimers(job: Job): void {
    for (const cancel of job.timers) cancel();
    job.timers.clear();
  }
}

/** When an execution that runs will be TIMED_OUT; undefined: never. */
function deadlineOf({ inProgressDeadlineMs, stepDeadlineMs }: JobExecution): number | undefined {
  const deadlines = [inProgressDeadlineMs, stepDeadlineMs].filter((ms) => ms !== undefined);
  return deadlines.length > 0 ? Math.min(...deadlines) : undefined;
}

/** Of an execution in progress with a timer: how long until it is TIMED_OUT, as both APIs of Jobs over HTTPS say it. */
export function timeLeft(execution: JobExecution, nowMs: number): { readonly approximateSecondsBeforeTimedOut?: number } {
  const deadlineMs = execution.status === 'IN_PROGRESS' ? deadlineOf(execution) : undefined;
  return deadlineMs === undefined ? {} : { approximateSecondsBeforeTimedOut: Math.ceil(Math.max(0, deadlineMs - nowMs) / 1000) };
}
