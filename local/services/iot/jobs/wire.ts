/**
 * Executions as devices see them over MQTT: times in seconds, the job document as the JSON that it is.
 * https://docs.aws.amazon.com/iot/latest/developerguide/jobs-mqtt-https-api.html
 */
import type { JobExecution } from './job.js';

export type Json = Readonly<Record<string, unknown>>;

export const seconds = (ms: number): number => Math.floor(ms / 1000);

export const summaryOf = (execution: JobExecution): Json => ({
  jobId: execution.job.jobId,
  queuedAt: seconds(execution.queuedAtMs),
  ...(execution.startedAtMs === undefined ? {} : { startedAt: seconds(execution.startedAtMs) }),
  lastUpdatedAt: seconds(execution.lastUpdatedAtMs),
  executionNumber: execution.executionNumber,
  versionNumber: execution.versionNumber,
});

export const stateOf = ({ status, statusDetails, versionNumber }: JobExecution): Json => ({ status, statusDetails, versionNumber });

export const documentOf = (execution: JobExecution): unknown => JSON.parse(execution.job.document);

export const executionOf = (execution: JobExecution, withDocument = true): Json => ({
  jobId: execution.job.jobId,
  thingName: execution.thingName,
  status: execution.status,
  ...(Object.keys(execution.statusDetails).length === 0 ? {} : { statusDetails: execution.statusDetails }),
  queuedAt: seconds(execution.queuedAtMs),
  ...(execution.startedAtMs === undefined ? {} : { startedAt: seconds(execution.startedAtMs) }),
  lastUpdatedAt: seconds(execution.lastUpdatedAtMs),
  versionNumber: execution.versionNumber,
  executionNumber: execution.executionNumber,
  ...(withDocument ? { jobDocument: documentOf(execution) } : {}),
});
