/**
 * Jobs that are to be obeyed at once, beside whatever the rotation is doing: shut-off and resume. A rotation can wait for hours for its answer, and a job
 * behind it is announced by the list of jobs alone:
 *
 *     notify-next {execution with document}       obeyed, if it is one of ours
 *     notify      {ids}  ── a moment ──► what notify-next has not shown meanwhile is read, and obeyed, if it is one of ours
 *
 * One after the other, in the order in which they came. What is not done when the connection ends, is found again with the next one.
 */
import { DEVICE_OPERATIONS, ShutOffJob, type DeviceOperation } from '../../domain/protocol/shut-off.js';
import type { Clock } from '../clock.js';
import type { JobExecution } from '../jobs/job-messages.js';
import type { JobsClient } from '../jobs/jobs-client.js';
import { jitteredMs } from '../retry.js';
import type { AgentSettings } from '../settings.js';
import type { Obeyed, ShutOff } from './shut-off.js';

const OPERATIONS: ReadonlySet<unknown> = new Set(DEVICE_OPERATIONS);

/** Is it for this part of the device, by the operation that it names, in whatever version? Everything else is another program's. */
export const namesOperation = (document: unknown): boolean =>
  OPERATIONS.has((document as { readonly operation?: unknown } | null | undefined)?.operation);

export const isOrder = ({ jobDocument }: JobExecution): boolean => namesOperation(jobDocument);

/** Told to shut off or to resume, by a job or by a command, and how that ended. */
export type OrderEvent = { readonly kind: 'order'; readonly operation: DeviceOperation } & Obeyed &
  ({ readonly jobId: string } | { readonly executionId: string });

export interface OrdersContext {
  readonly shutOff: ShutOff;
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: Pick<AgentSettings, 'ask'>;
  readonly tell: (event: OrderEvent | { readonly kind: 'warning'; readonly message: string }) => void;
}

export class Orders {
  /** Jobs that have been seen with their document on this connection, of whatever operation → which attempt it was. */
  private readonly seen = new Map<string, number>();
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly device: OrdersContext,
    private readonly jobs: JobsClient,
    /** Aborted when the connection is over. */
    private readonly signal: AbortSignal,
  ) {}

  /** A job, with its document. Resolves when it is obeyed, if it is to be obeyed. */
  saw(execution: JobExecution | undefined): Promise<void> {
    if (!execution || this.seen.get(execution.jobId) === execution.executionNumber) return this.turn;
    this.seen.set(execution.jobId, execution.executionNumber);
    if (isOrder(execution)) this.turn = this.turn.then(() => this.take(execution));
    return this.turn;
  }

  /** The list of jobs has changed. */
  async listed(jobIds: readonly string[]): Promise<void> {
    const { clock, settings, random } = this.device;
    if (jobIds.every((jobId) => this.seen.has(jobId))) return;
    try {
      await clock.sleep(settings.ask.firstMs / 2 + jitteredMs(settings.ask, 0, random), this.signal);
      await this.read(jobIds);
    } catch (error) {
      this.warn(error);
    }
  }

  /** Reads the whole list: what came while the device was away, and lies behind a rotation. */
  async look(): Promise<void> {
    try {
      await this.read(await this.jobs.pending());
    } catch (error) {
      this.warn(error);
    }
  }

  private async read(jobIds: readonly string[]): Promise<void> {
    for (const jobId of jobIds) if (!this.seen.has(jobId)) await this.saw(await this.jobs.describe(jobId));
  }

  /** Until it is done, or the connection is over. */
  private async take(execution: JobExecution): Promise<void> {
    const { clock, settings, random } = this.device;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.obey(execution);
      } catch (error) {
        this.warn(error);
        if (this.signal.aborted) return;
        await clock.sleep(jitteredMs(settings.ask, attempt, random), this.signal).catch(() => undefined);
      }
    }
  }

  private async obey(execution: JobExecution): Promise<void> {
    const { jobId, executionNumber, status } = execution;
    if (status !== 'QUEUED' && status !== 'IN_PROGRESS') return;
    const job = ShutOffJob.safeParse(execution.jobDocument);
    if (!job.success) {
      // A job in progress cannot be REJECTED any more.
      await this.jobs.update(execution, status === 'QUEUED' ? 'REJECTED' : 'FAILED', { reason: 'unsupported-document' });
      return this.device.tell({ kind: 'warning', message: `${jobId}: the document is not one that this device knows` });
    }
    // Over: cancelled meanwhile. Who is not contained any more must not be shut off.
    const accepted = await this.jobs.update(execution, 'IN_PROGRESS', { step: 'accepted' });
    if (accepted === 'over') return;
    const obeyed = await this.device.shutOff.obey(job.data);
    this.device.tell({ kind: 'order', jobId, operation: job.data.operation, ...obeyed });
    await this.jobs.update({ jobId, executionNumber, versionNumber: accepted.versionNumber }, obeyed.status, obeyed.details);
  }

  private warn(error: unknown): void {
    if (!this.signal.aborted) this.device.tell({ kind: 'warning', message: error instanceof Error ? error.message : String(error) });
  }
}
