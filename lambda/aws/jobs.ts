import {
  AddThingToThingGroupCommand,
  CancelJobCommand,
  CancelJobExecutionCommand,
  CreateJobCommand,
  CreateThingGroupCommand,
  DescribeJobCommand,
  DeleteJobCommand,
  DeleteThingGroupCommand,
  DescribeJobExecutionCommand,
  DescribeThingGroupCommand,
  GetJobDocumentCommand,
  RemoveThingFromThingGroupCommand,
  type CreateJobCommandInput,
  type IoTClient,
} from '@aws-sdk/client-iot';
import type { CampaignGroups, JobExecutionStatus, JobRollout, Jobs } from '../ports/jobs.js';
import { errorName } from './retry.js';

const isAbsent = (error: unknown): boolean => errorName(error) === 'ResourceNotFoundException';
const isThere = (error: unknown): boolean => errorName(error) === 'ResourceAlreadyExistsException';

const EXECUTION_STATUSES: ReadonlySet<string> = new Set<JobExecutionStatus>([
  'QUEUED',
  'IN_PROGRESS',
  'SUCCEEDED',
  'FAILED',
  'TIMED_OUT',
  'REJECTED',
  'REMOVED',
  'CANCELED',
]);

/** A status that AWS adds one day is an error here, not a guess: whether a device may go on is unknown. */
function executionStatus(text: string | undefined, what: string): JobExecutionStatus {
  if (text === undefined || !EXECUTION_STATUSES.has(text))
    throw new Error(`${what}: got status "${text}", expected one of ${[...EXECUTION_STATUSES].join(', ')}`);
  return text as JobExecutionStatus;
}

/** `undefined` where AWS says that it does not exist; every other failure is thrown. */
async function unlessAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** What a job's status leaves to cancel. */
const ENDED: ReadonlySet<string | undefined> = new Set(['CANCELED', 'COMPLETED', 'DELETION_IN_PROGRESS']);

export function iotJobs(iot: IoTClient): Jobs {
  const describeJob = async (jobId: string) => (await unlessAbsent(iot.send(new DescribeJobCommand({ jobId }))))?.job;

  return {
    async create(jobId, thingGroupName, document, rollout) {
      const { thingGroupArn } = await iot.send(new DescribeThingGroupCommand({ thingGroupName }));
      if (thingGroupArn === undefined) throw new Error(`DescribeThingGroup ${thingGroupName}: got no ARN`);
      try {
        await iot.send(
          new CreateJobCommand({
            jobId,
            targets: [thingGroupArn],
            document: JSON.stringify(document),
            description: `Fleetwarden: rotation of certificates, campaign ${document.campaignId}`,
            ...schedule(rollout),
            jobExecutionsRolloutConfig: {
              maximumPerMinute: rollout.maximumPerMinute,
              exponentialRate: {
                baseRatePerMinute: Math.min(rollout.baseRatePerMinute, rollout.maximumPerMinute),
                incrementFactor: rollout.incrementFactor,
                rateIncreaseCriteria: { numberOfSucceededThings: rollout.increaseAfterSucceeded },
              },
            },
            abortConfig: {
              criteriaList: [
                {
                  failureType: 'ALL',
                  action: 'CANCEL',
                  thresholdPercentage: rollout.abortAtPercent,
                  minNumberOfExecutedThings: rollout.abortAfterExecuted,
                },
              ],
            },
            timeoutConfig: { inProgressTimeoutInMinutes: rollout.inProgressTimeoutMinutes },
          }),
        );
      } catch (error) {
        if (!isThere(error)) throw error;
        const taken = await iot.send(new GetJobDocumentCommand({ jobId }));
        if (taken.document !== JSON.stringify(document)) throw new Error(`job ${jobId}: the id is taken by another job`, { cause: error });
      }
    },

    async describe(jobId) {
      const job = await describeJob(jobId);
      if (job === undefined) return undefined;
      if (job.status === undefined) throw new Error(`DescribeJob ${jobId}: got no status`);
      const details = job.jobProcessDetails ?? {};
      return {
        status: job.status,
        counts: {
          QUEUED: details.numberOfQueuedThings ?? 0,
          IN_PROGRESS: details.numberOfInProgressThings ?? 0,
          SUCCEEDED: details.numberOfSucceededThings ?? 0,
          FAILED: details.numberOfFailedThings ?? 0,
          TIMED_OUT: details.numberOfTimedOutThings ?? 0,
          REJECTED: details.numberOfRejectedThings ?? 0,
          REMOVED: details.numberOfRemovedThings ?? 0,
          CANCELED: details.numberOfCanceledThings ?? 0,
        },
      };
    },

    async execution(jobId, thing) {
      const found = await unlessAbsent(iot.send(new DescribeJobExecutionCommand({ jobId, thingName: thing })));
      return found && { status: executionStatus(found.execution?.status, `execution of ${jobId} on ${thing}`) };
    },

    async cancel(jobId, reason, force = true) {
      const job = await describeJob(jobId);
      if (job === undefined || ENDED.has(job.status)) return;
      try {
        await iot.send(new CancelJobCommand({ jobId, comment: reason, force }));
      } catch (error) {
        // It may have ended since we looked.
        const now = await describeJob(jobId);
        if (now !== undefined && !ENDED.has(now.status)) throw error;
      }
    },

    async cancelExecution(jobId, thing) {
      try {
        await unlessAbsent(iot.send(new CancelJobExecutionCommand({ jobId, thingName: thing, force: true })));
      } catch (error) {
        if (errorName(error) !== 'InvalidStateTransitionException') throw error; // it has ended
      }
    },

    async remove(jobId) {
      await unlessAbsent(iot.send(new DeleteJobCommand({ jobId, force: true })));
    },
  };
}

/**
 * A snapshot by default: the group is complete when the job is made, and the job says when it is done. AWS IoT takes maintenance windows for
 * continuous jobs alone (FACTS D1): such a job never says that it is done, and is removed when its campaign is tidied away.
 */
function schedule({ maintenanceWindow }: JobRollout): Pick<CreateJobCommandInput, 'targetSelection' | 'schedulingConfig'> {
  if (maintenanceWindow === undefined) return { targetSelection: 'SNAPSHOT' };
  return { targetSelection: 'CONTINUOUS', schedulingConfig: { maintenanceWindows: [maintenanceWindow] } };
}

export function iotCampaignGroups(iot: IoTClient): CampaignGroups {
  return {
    async create(thingGroupName, campaignId) {
      try {
        await iot.send(
          new CreateThingGroupCommand({
            thingGroupName,
            thingGroupProperties: {
              thingGroupDescription: 'Fleetwarden: things of one rotation campaign',
              attributePayload: { attributes: { campaignId } },
            },
          }),
        );
      } catch (error) {
        if (!isThere(error)) throw error;
      }
    },
    async add(thingGroupName, thing) {
      await iot.send(new AddThingToThingGroupCommand({ thingGroupName, thingName: thing }));
    },
    async remove(thingGroupName, thing) {
      await unlessAbsent(iot.send(new RemoveThingFromThingGroupCommand({ thingGroupName, thingName: thing })));
    },
    async delete(thingGroupName) {
      await unlessAbsent(iot.send(new DeleteThingGroupCommand({ thingGroupName })));
    },
  };
}
