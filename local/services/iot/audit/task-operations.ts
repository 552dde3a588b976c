/** Audit tasks and their findings (https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeAuditTask.html, API_ListAuditFindings.html). */
import type { Operation } from '../../../models/service.js';
import { AUDIT_LIMITS } from '../../../world/quotas.js';
import { checkWord, invalidRequest, limitExceeded, notFound } from '../errors.js';
import { page } from '../paging.js';
import { canonical, type AuditFinding, type AuditState, type AuditTask, type CheckRun } from './audit.js';
import type { AuditRunner } from './audit-runner.js';
import { AUDIT_CHECKS } from './checks.js';
import { checkTargets } from './targets.js';

function taskById(audit: AuditState, taskId: unknown): AuditTask {
  if (typeof taskId !== 'string' || !/^[a-zA-Z0-9-]{1,40}$/.test(taskId)) throw invalidRequest(`Invalid taskId: ${String(taskId)}`);
  const found = audit.tasks.get(taskId);
  if (!found) throw notFound(`Audit task ${taskId} not found`);
  return found;
}

const details = ({ status, total, nonCompliant, suppressed, errorCode, message }: CheckRun): Record<string, unknown> => ({
  checkRunStatus: status,
  ...(status.startsWith('COMPLETED') ? { checkCompliant: status === 'COMPLETED_COMPLIANT' } : {}),
  ...(total === undefined ? {} : { totalResourcesCount: total }),
  ...(nonCompliant === undefined ? {} : { nonCompliantResourcesCount: nonCompliant }),
  ...(suppressed === undefined ? {} : { suppressedNonCompliantResourcesCount: suppressed }),
  ...(errorCode === undefined ? {} : { errorCode }),
  ...(message === undefined ? {} : { message }),
});

function statistics(task: AuditTask): Record<string, number> {
  const count = (status: string): number => [...task.checks.values()].filter((run) => run.status === status).length;
  return {
    totalChecks: task.checks.size,
    inProgressChecks: count('IN_PROGRESS'),
    waitingForDataCollectionChecks: 0,
    compliantChecks: count('COMPLETED_COMPLIANT'),
    nonCompliantChecks: count('COMPLETED_NON_COMPLIANT'),
    failedChecks: count('FAILED'),
    canceledChecks: count('CANCELED'),
  };
}

const finding = (found: AuditFinding): Record<string, unknown> => ({
  findingId: found.findingId,
  taskId: found.task.taskId,
  checkName: found.checkName,
  taskStartTime: new Date(found.task.startedAtMs),
  findingTime: new Date(found.foundAtMs),
  severity: AUDIT_CHECKS[found.checkName]!.severity,
  nonCompliantResource: found.resource,
  ...(found.related ? { relatedResources: found.related } : {}),
  reasonForNonCompliance: found.reason,
  reasonForNonComplianceCode: found.reasonCode,
  isSuppressed: found.isSuppressed,
});

/** By task, or by a span of time; not both, and one of them there must be. */
function findingsAskedFor(audit: AuditState, input: Parameters<Operation>[0]): AuditFinding[] {
  const byTime = input.startTime !== undefined && input.endTime !== undefined;
  if ((input.taskId === undefined) === !byTime || (input.taskId !== undefined && (input.startTime ?? input.endTime) !== undefined))
    throw invalidRequest('Either taskId or startTime and endTime must be given, not both');
  if (byTime && input.startTime > input.endTime) throw invalidRequest('startTime is after endTime');
  const resource = input.resourceIdentifier === undefined ? undefined : canonical(input.resourceIdentifier);
  return [...audit.findings.values()].filter(
    (found) =>
      (byTime
        ? found.foundAtMs >= input.startTime.getTime() && found.foundAtMs <= input.endTime.getTime()
        : found.task.taskId === input.taskId) &&
      (input.checkName === undefined || found.checkName === input.checkName) &&
      (input.listSuppressedFindings === undefined || found.isSuppressed === input.listSuppressedFindings) &&
      (resource === undefined || canonical(found.resource.resourceIdentifier) === resource),
  );
}

export function auditTaskOperations(audit: AuditState, runner: AuditRunner): Record<string, Operation> {
  return {
    StartOnDemandAuditTask: (input) => {
      const running = [...audit.tasks.values()].filter(
        ({ status, taskType }) => status === 'IN_PROGRESS' && taskType === 'ON_DEMAND_AUDIT_TASK',
      );
      if (running.length >= AUDIT_LIMITS.onDemandAudits)
        throw limitExceeded(`At most ${AUDIT_LIMITS.onDemandAudits} on-demand audits at a time`);
      return { taskId: runner.start(checkTargets(audit, input.targetCheckNames)).taskId };
    },
    DescribeAuditTask: (input) => {
      const task = taskById(audit, input.taskId);
      return {
        taskStatus: task.status,
        taskType: task.taskType,
        taskStartTime: new Date(task.startedAtMs),
        taskStatistics: statistics(task),
        ...(task.scheduledAuditName === undefined ? {} : { scheduledAuditName: task.scheduledAuditName }),
        auditDetails: Object.fromEntries([...task.checks].map(([name, run]) => [name, details(run)])),
      };
    },
    CancelAuditTask: async (input) => {
      const task = taskById(audit, input.taskId);
      if (task.status !== 'IN_PROGRESS') throw invalidRequest(`Audit task ${task.taskId} is ${task.status}: it cannot be cancelled`);
      await runner.cancel(task);
      return {};
    },
    ListAuditTasks: (input) => {
      checkWord('taskType', input.taskType, ['ON_DEMAND_AUDIT_TASK', 'SCHEDULED_AUDIT_TASK']);
      checkWord('taskStatus', input.taskStatus, ['IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELED']);
      const all = [...audit.tasks.values()].filter(
        (task) =>
          task.startedAtMs >= input.startTime.getTime() &&
          task.startedAtMs <= input.endTime.getTime() &&
          (input.taskType === undefined || task.taskType === input.taskType) &&
          (input.taskStatus === undefined || task.status === input.taskStatus),
      );
      const { items, token } = page(all, ({ taskId }) => taskId, input.nextToken, input.maxResults);
      const tasks = items.map(({ taskId, status, taskType }) => ({ taskId, taskStatus: status, taskType }));
      return { tasks, ...(token ? { nextToken: token } : {}) };
    },
    ListAuditFindings: (input) => {
      const all = findingsAskedFor(audit, input);
      const { items, token } = page(all, ({ findingId }) => findingId, input.nextToken, input.maxResults);
      return { findings: items.map(finding), ...(token ? { nextToken: token } : {}) };
    },
    DescribeAuditFinding: (input) => {
      const found = audit.findings.get(input.findingId);
      if (!found) throw notFound(`Audit finding ${input.findingId} not found`);
      return { finding: finding(found) };
    },
  };
}
