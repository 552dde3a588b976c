import type { AuditTask } from './audit.js';

/**
 * What the topic gets when an audit is over: counts only, no findings (schema `arn:aws:iot:::schema:auditnotification/1.0`, FACTS C5). Sent for
 * compliant audits too, and for every audit of the account. `auditDetails` is a list here, a map in DescribeAuditTask.
 */
export function completionMessage(task: AuditTask, accountId: string): Readonly<Record<string, unknown>> {
  const runs = [...task.checks.values()];
  const count = (status: string): number => runs.filter((run) => run.status === status).length;
  return {
    accountId,
    taskId: task.taskId,
    taskStatus: task.status,
    taskType: task.taskType,
    ...(task.scheduledAuditName === undefined ? {} : { scheduledAuditName: task.scheduledAuditName }),
    failedChecksCount: count('FAILED'),
    canceledChecksCount: count('CANCELED'),
    nonCompliantChecksCount: count('COMPLETED_NON_COMPLIANT'),
    compliantChecksCount: count('COMPLETED_COMPLIANT'),
    totalChecksCount: runs.length,
    taskStartTime: task.startedAtMs,
    auditDetails: [...task.checks].map(([checkName, run]) => ({
      checkName,
      checkRunStatus: run.status,
      nonCompliantResourcesCount: run.nonCompliant ?? 0,
      totalResourcesCount: run.total ?? 0,
      ...(run.suppressed === undefined ? {} : { suppressedNonCompliantResourceCount: run.suppressed }),
      ...(run.message === undefined ? {} : { message: run.message }),
      ...(run.errorCode === undefined ? {} : { errorCode: run.errorCode }),
    })),
  };
}
