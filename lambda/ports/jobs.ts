import type { RotationJob } from '../../domain/protocol/rotation.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';

export type JobExecutionStatus = 'QUEUED' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'REJECTED' | 'REMOVED' | 'CANCELED';

export interface JobRollout {
  readonly baseRatePerMinute: number;
  readonly incrementFactor: number;
  readonly increaseAfterSucceeded: number;
  readonly abortAtPercent: number;
  readonly abortAfterExecuted: number;
  readonly inProgressTimeoutMinutes: number;
}

/** AWS IoT Jobs. `undefined` only ever means "does not exist". Creating is idempotent by its deterministic id. */
export interface Jobs {
  /** CreateJob for one thing group: 10 a second, not adjustable. */
  create(jobId: string, thingGroupName: string, document: RotationJob, rollout: JobRollout): Promise<void>;
  /** DescribeJob. */
  describe(jobId: string): Promise<{ readonly status: string; readonly counts: Readonly<Record<JobExecutionStatus, number>> } | undefined>;
  /** DescribeJobExecution. */
  execution(jobId: string, thing: ThingName): Promise<{ readonly status: JobExecutionStatus } | undefined>;
  /** CancelJob. With `force` (the default) executions IN_PROGRESS too, otherwise only those that wait. Done already: success. */
  cancel(jobId: string, reason: string, force?: boolean): Promise<void>;
  /** CancelJobExecution, with force. Ended already, or gone: success. */
  cancelExecution(jobId: string, thing: ThingName): Promise<void>;
}

/** Thing groups of campaigns. */
export interface CampaignGroups {
  create(thingGroupName: string, campaignId: string): Promise<void>;
  add(thingGroupName: string, thing: ThingName): Promise<void>;
  remove(thingGroupName: string, thing: ThingName): Promise<void>;
}
