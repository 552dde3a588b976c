/**
 * `$aws/events/job/…` and `$aws/events/jobExecution/…`, off until UpdateEventConfigurations switches JOB and JOB_EXECUTION on. At least once and
 * unordered: duplicated and put off as the faults of the desk say.
 * https://docs.aws.amazon.com/iot/latest/developerguide/events-jobs.html
 */
import { randomUUID } from 'node:crypto';
import type { IotState } from '../state.js';
import type { Job, JobExecution } from './job.js';
import { seconds, type Json } from './wire.js';

export type JobOperation = 'completed' | 'canceled' | 'deleted' | 'cancellation_in_progress' | 'deletion_in_progress';
const STATUS_OF: Readonly<Record<JobOperation, string>> = {
  completed: 'COMPLETED',
  canceled: 'CANCELED',
  deleted: 'DELETED',
  cancellation_in_progress: 'CANCELLATION_IN_PROGRESS',
  deletion_in_progress: 'DELETION_IN_PROGRESS',
};

export class JobEvents {
  constructor(private readonly state: IotState) {}

  job(job: Job, operation: JobOperation): void {
    this.publish('JOB', `$aws/events/job/${job.jobId}/${operation}`, {
      operation,
      jobId: job.jobId,
      status: STATUS_OF[operation],
      targetSelection: job.targetSelection,
      targets: [...job.targets],
      ...(job.description === undefined ? {} : { description: job.description }),
      ...(job.completedAtMs === undefined ? {} : { completedAt: job.completedAtMs }),
      createdAt: job.createdAtMs,
      lastUpdatedAt: job.lastUpdatedAtMs,
      ...(operation === 'completed'
        ? {
            jobProcessDetails: {
              numberOfCanceledThings: job.counts.CANCELED,
              numberOfRejectedThings: job.counts.REJECTED,
              numberOfFailedThings: job.counts.FAILED,
              numberOfRemovedThings: job.counts.REMOVED,
              numberOfSucceededThings: job.counts.SUCCEEDED,
            },
          }
        : {}),
      ...(operation !== 'completed' && operation !== 'canceled' && job.comment !== undefined ? { comment: job.comment } : {}),
    });
  }

  /** Once an execution is over, or deleted. */
  execution(execution: JobExecution, deleted = false): void {
    const operation = deleted ? 'deleted' : execution.status.toLowerCase();
    this.publish('JOB_EXECUTION', `$aws/events/jobExecution/${execution.job.jobId}/${operation}`, {
      operation,
      jobId: execution.job.jobId,
      thingArn: execution.thingArn,
      status: execution.status,
      statusDetails: execution.statusDetails,
    });
  }

  private publish(eventType: 'JOB' | 'JOB_EXECUTION', topic: string, message: Json): void {
    if (!this.state.settings.events?.configurations[eventType]?.Enabled) return;
    const text = JSON.stringify({ eventType, eventId: randomUUID(), timestamp: seconds(this.state.now()), ...message });
    const { world, parts } = this.state.cloud;
    const { copies, delayMs } = world.faults.delivery();
    const send = (): void => parts.gateway?.publish(topic, text, { qos: 1 });
    for (let copy = 0; copy < copies; copy++) {
      if (delayMs > 0) world.clock.after(delayMs, send);
      else send();
    }
  }
}
