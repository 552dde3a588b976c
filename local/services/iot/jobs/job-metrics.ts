/** AWS/IoT metrics with the dimension JobId, once a simulated minute with changes (https://docs.aws.amazon.com/iot/latest/developerguide/metrics_dimensions.html#jobs-metrics). */
import type { MetricValue } from '../../../cloud.js';
import type { IotState } from '../state.js';
import type { ExecutionStatus, Job } from './job.js';

const PERIOD_MS = 60_000;

/** AWS has no metric for TIMED_OUT, and writes "Succeded". */
const WORD: Readonly<Partial<Record<ExecutionStatus, string>>> = {
  QUEUED: 'Queued',
  IN_PROGRESS: 'InProgress',
  SUCCEEDED: 'Succeded',
  FAILED: 'Failed',
  REJECTED: 'Rejected',
  REMOVED: 'Removed',
  CANCELED: 'Canceled',
};

export class JobMetrics {
  private readonly changes = new Map<Job, Map<string, number>>();
  private waiting = false;

  constructor(private readonly state: IotState) {}

  changed(job: Job, status: ExecutionStatus): void {
    const word = WORD[status];
    if (word !== undefined) this.count(job, `${word}JobExecutionCount`);
    else this.count(job);
  }

  /** A request of a device that was refused. */
  clientError(job: Job): void {
    this.count(job, 'ClientErrorCount');
  }

  private count(job: Job, name?: string): void {
    const counts = this.changes.get(job) ?? new Map<string, number>();
    this.changes.set(job, counts);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    if (!this.waiting) this.state.cloud.world.clock.after(PERIOD_MS, () => this.flush());
    this.waiting = true;
  }

  private flush(): void {
    this.waiting = false;
    const values: MetricValue[] = [];
    for (const [job, counts] of this.changes) {
      const send = (name: string, value: number): void => {
        values.push({ namespace: 'AWS/IoT', name, dimensions: { JobId: job.jobId }, value, unit: 'Count' });
      };
      for (const [name, value] of counts) send(name, value);
      for (const [status, word] of Object.entries(WORD)) send(`${word}JobExecutionTotalCount`, job.counts[status as ExecutionStatus]);
    }
    this.changes.clear();
    this.state.cloud.parts.metrics?.(values);
  }
}
