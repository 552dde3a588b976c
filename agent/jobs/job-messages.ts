/**
 * What AWS IoT Jobs says to a device (IG jobs-mqtt-api.html), as far as a device needs it. Fields that are not named here are ignored.
 */
import { z } from 'zod';

/** Below this a timestamp is in seconds: 10^11 s is the year 5138, 10^11 ms was 1973. AWS documents seconds, and some of its samples have milliseconds. */
const FIRST_MILLISECONDS = 1e11;
export const Timestamp = z.number().transform((value) => (value < FIRST_MILLISECONDS ? value * 1000 : value));

export const JOB_STATUSES = ['QUEUED', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'REJECTED', 'REMOVED', 'CANCELED'] as const;
const Status = z.enum(JOB_STATUSES);

/** The document is JSON over MQTT and a string over HTTPS: both are read. One that is not JSON is another program's. */
const JobDocument = z.unknown().transform((value) => {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
});

export const JobExecution = z.object({
  jobId: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  status: Status,
  versionNumber: z.number().int(),
  executionNumber: z.number().int(),
  queuedAt: Timestamp.optional(),
  jobDocument: JobDocument.optional(),
});
export type JobExecution = z.infer<typeof JobExecution>;

/** `notify-next`, and the accepted answer to `…/get`. Without `execution`: there is no further job. */
export const NextJob = z.object({ timestamp: Timestamp.optional(), execution: JobExecution.optional() });

const Summaries = z.array(z.object({ jobId: JobExecution.shape.jobId })).default([]);
/** Accepted answer to `get`: everything that is not over, the document left out. */
export const PendingJobs = z.object({ inProgressJobs: Summaries, queuedJobs: Summaries });

/** `notify`: the same by status, the ones in progress first. */
export const ListedJobs = z
  .object({ jobs: z.object({ IN_PROGRESS: Summaries, QUEUED: Summaries }).default({ IN_PROGRESS: [], QUEUED: [] }) })
  .transform(({ jobs }) => ({ jobIds: [...jobs.IN_PROGRESS, ...jobs.QUEUED].map(({ jobId }) => jobId) }));

const ExecutionState = z.object({ status: Status, versionNumber: z.number().int() });
/** Accepted answer to `…/update`, when includeJobExecutionState was asked for. */
export const Updated = z.object({ executionState: ExecutionState });

/** Codes: InvalidTopic, InvalidJson, InvalidRequest, InvalidStateTransition, ResourceNotFound, VersionMismatch, InternalError, RequestThrottled, TerminalStateReached. */
export const Rejection = z.object({ code: z.string(), message: z.string().optional(), executionState: ExecutionState.optional() });
export type Rejection = z.infer<typeof Rejection>;

/** Codes after which the same request can succeed. */
export const TRANSIENT_CODES: ReadonlySet<string> = new Set(['InternalError', 'RequestThrottled']);
/** Codes that say that this execution takes no update any more. */
export const OVER_CODES: ReadonlySet<string> = new Set(['TerminalStateReached', 'ResourceNotFound', 'InvalidStateTransition']);
