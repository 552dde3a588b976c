/** From a job on offer to a rotation that has begun. */
import { ROTATION_OPERATION, RotationJob } from '../../domain/protocol/rotation.js';
import type { Device, Session } from '../device.js';
import type { JobExecution } from '../jobs/job-messages.js';
import type { In } from './record.js';

const isOurs = ({ jobDocument }: JobExecution): boolean =>
  (jobDocument as { readonly operation?: unknown } | null | undefined)?.operation === ROTATION_OPERATION;

/** The job of a rotation among those that are not over. One of another operation is left alone, and does not keep ours from being found behind it. */
export async function findJob(first: JobExecution | undefined, { jobs }: Session): Promise<JobExecution | undefined> {
  if (!first || isOurs(first)) return first;
  for (const jobId of await jobs.pending()) {
    const execution = jobId === first.jobId ? undefined : await jobs.describe(jobId);
    if (execution && isOurs(execution)) return execution;
  }
  return undefined;
}

/**
 * Says IN_PROGRESS. `undefined`: there is nothing to do, because the job is over or was turned down. An execution that is IN_PROGRESS already was
 * accepted before a power cut that came before the first record: it is accepted again.
 */
export async function accept(execution: JobExecution, device: Device, { jobs }: Session): Promise<In<'accepted'> | undefined> {
  const { jobId, executionNumber, status } = execution;
  if (status !== 'QUEUED' && status !== 'IN_PROGRESS') return undefined;
  if (!RotationJob.safeParse(execution.jobDocument).success) {
    // A job in progress cannot be REJECTED any more.
    await jobs.update(execution, status === 'QUEUED' ? 'REJECTED' : 'FAILED', { reason: 'unsupported-document' });
    device.tell({ kind: 'warning', message: `${jobId}: the document is not one that this device knows` });
    return undefined;
  }
  const updated = await jobs.update(execution, 'IN_PROGRESS', { step: 'accepted' });
  if (updated === 'over') return undefined;
  return {
    state: 'accepted',
    jobId,
    executionNumber,
    versionNumber: updated.versionNumber,
    label: `${jobId}-${executionNumber}`,
    old: await device.identities.active(),
  };
}
