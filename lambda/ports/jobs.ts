import type { MaintenanceWindow } from '../../domain/fleet/maintenance-window.js';
import type { RotationJob } from '../../domain/protocol/rotation.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';

export type JobExecutionStatus = 'QUEUED' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'REJECTED' | 'REMOVED' | 'CANCELED';

export interface JobRollout {
  readonly baseRatePerMinute: number;
  /** The rate grows up to this: no more devices are told than can be served. */
  readonly maximumPerMinute: number;
  readonly incrementFactor: number;
  readonly increaseAfterSucceeded: number;
  readonly abortAtPercent: number;
  readonly abortAfterExecuted: number;
  readonly inProgressTimeoutMinutes: number;
  /** Devices are told of the job within it alone; `undefined`: at any time. */
  readonly maintenanceWindow?: MaintenanceWindow;
}

/** AWS IoT Jobs. `undefined` only ever means "does not exist". Creating is idempotent by its deterministic id. */
export interface Jobs {
  /**
   * CreateJob for one thing group: 10 a second, not adjustable. There already, with this very document: success. Throws when the id is taken by
   * another job: an id stays taken until its job is deleted, also when that one has long ended (FACTS D1).
   */
  create(jobId: string, thingGroupName: string, document: RotationJob, rollout: JobRollout): Promise<void>;
  /** DescribeJob. */
  describe(jobId: string): Promise<{ readonly status: string; readonly counts: Readonly<Record<JobExecutionStatus, number>> } | undefined>;
  /** DescribeJobExecution. */
  execution(jobId: string, thing: ThingName): Promise<{ readonly status: JobExecutionStatus } | undefined>;
  /** CancelJob. With `force` (the default) executions IN_PROGRESS too, otherwise only those that wait. Done already: success. */
  cancel(jobId: string, reason: string, force?: boolean): Promise<void>;
  /** CancelJobExecution, with force. Ended already, or gone: success. */
  cancelExecution(jobId: string, thing: ThingName): Promise<void>;
  /** DeleteJob, with force: its executions go with it, and its id is free again. Gone already: success. */
  remove(jobId: string): Promise<void>;
}

/** Thing groups of campaigns. */
export interface CampaignGroups {
  create(thingGroupName: string, campaignId: string): Promise<void>;
  add(thingGroupName: string, thing: ThingName): Promise<void>;
  remove(thingGroupName: string, thing: ThingName): Promise<void>;
  /** DeleteThingGroup: who is still in it leaves it. Gone already: success. */
  delete(thingGroupName: string): Promise<void>;
}
