import {
  DescribeAuditTaskCommand,
  type IoTClient,
  ListAuditFindingsCommand,
  ListAuditTasksCommand,
  type AuditFinding as ListedFinding,
  type DescribeAuditTaskCommandOutput,
  StartOnDemandAuditTaskCommand,
} from '@aws-sdk/client-iot';
import { AUDIT_SEVERITIES, auditCheck, auditCheckNamed, type AuditSeverity } from '../../domain/fleet/audit-checks.js';
import { ResourceIdentifier, deviceCertificateOf, resourceName } from '../../domain/fleet/audit-resource.js';
import type { AuditCheckRun, AuditFinding, AuditTask, Audits } from '../ports/audits.js';
import { errorName } from './retry.js';

/** Largest page that AWS IoT gives (FACTS C4). */
const PAGE = 250;
const TASK_STATUSES = ['IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELED'] as const;
const ENDED = ['COMPLETED', 'FAILED', 'CANCELED'] as const;
const RUN_STATUSES = [
  'IN_PROGRESS',
  'WAITING_FOR_DATA_COLLECTION',
  'CANCELED',
  'COMPLETED_COMPLIANT',
  'COMPLETED_NON_COMPLIANT',
  'FAILED',
] as const;

export function iotAudits(client: IoTClient): Audits {
  return {
    async describe(taskId) {
      try {
        return taskFrom(taskId, await client.send(new DescribeAuditTaskCommand({ taskId })));
      } catch (error) {
        if (errorName(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },

    async findings(taskId, token) {
      const { findings = [], nextToken } = await client.send(
        new ListAuditFindingsCommand({
          taskId,
          maxResults: PAGE,
          listSuppressedFindings: false,
          ...(token !== undefined && { nextToken: token }),
        }),
      );
      const read = findings.map(findingFrom);
      return {
        findings: read.filter((finding) => typeof finding !== 'string'),
        unreadable: read.filter((finding) => typeof finding === 'string'),
        ...(nextToken !== undefined && { nextToken }),
      };
    },

    async *ended(fromMs, toMs) {
      if (fromMs >= toMs) return;
      for (const taskStatus of ENDED) {
        let nextToken: string | undefined;
        do {
          const page = await client.send(
            new ListAuditTasksCommand({
              startTime: new Date(fromMs),
              endTime: new Date(toMs),
              taskStatus,
              maxResults: PAGE,
              ...(nextToken !== undefined && { nextToken }),
            }),
          );
          for (const { taskId } of page.tasks ?? []) if (taskId !== undefined) yield taskId;
          nextToken = page.nextToken;
        } while (nextToken !== undefined);
      }
    },

    async start(checks) {
      const { taskId } = await client.send(new StartOnDemandAuditTaskCommand({ targetCheckNames: [...checks] }));
      if (taskId === undefined) throw new Error('StartOnDemandAuditTask: got no taskId');
      return taskId;
    },
  };
}

/** A status that is not known here is an error: it must not be taken for a task that is over, or for one that runs. */
function taskFrom(taskId: string, answer: DescribeAuditTaskCommandOutput): AuditTask {
  const { taskStatus, taskStartTime, scheduledAuditName, auditDetails = {} } = answer;
  const status = TASK_STATUSES.find((one) => one === taskStatus);
  if (status === undefined || taskStartTime === undefined)
    throw new Error(`audit task ${taskId}: got status ${taskStatus} and start ${String(taskStartTime)}, expected both as documented`);
  const checks = Object.entries(auditDetails).map(([checkName, details]): AuditCheckRun => {
    const { checkRunStatus, nonCompliantResourcesCount = 0, suppressedNonCompliantResourcesCount = 0, errorCode, message } = details;
    return {
      checkName,
      // Of a check that ended in a way that is not known here only one thing is certain: that it did not complete.
      status: RUN_STATUSES.find((one) => one === checkRunStatus) ?? 'FAILED',
      nonCompliant: Math.max(0, nonCompliantResourcesCount - suppressedNonCompliantResourcesCount),
      ...(errorCode !== undefined && { errorCode }),
      ...(message !== undefined && { message: message.slice(0, 300) }),
    };
  });
  return { taskId, status, startedAtMs: taskStartTime.getTime(), checks, ...(scheduledAuditName !== undefined && { scheduledAuditName }) };
}

/** A text: the id of a finding that could not be understood. */
function findingFrom(listed: ListedFinding): AuditFinding | string {
  const { findingId = 'without an id', checkName, severity, nonCompliantResource, reasonForNonComplianceCode, isSuppressed } = listed;
  const identifier = ResourceIdentifier.safeParse(nonCompliantResource?.resourceIdentifier);
  const resource = identifier.success ? resourceName(identifier.data) : undefined;
  if (checkName === undefined || !identifier.success || resource === undefined) return findingId;
  const certificateId = deviceCertificateOf(identifier.data);
  return {
    findingId,
    checkName,
    severity: severityOf(checkName, severity),
    resourceType: nonCompliantResource?.resourceType ?? 'unknown',
    resource,
    ...(certificateId !== undefined && { certificateId }),
    reasonCode: reasonForNonComplianceCode ?? 'without a reason code',
    isSuppressed: isSuppressed === true,
  };
}

/** AWS’s own word first. Without one that is known, our table’s; a check that is not in the table is as bad as can be until somebody has looked. */
function severityOf(checkName: string, said: string | undefined): AuditSeverity {
  const name = auditCheckNamed(checkName);
  return AUDIT_SEVERITIES.find((one) => one === said) ?? (name === undefined ? 'CRITICAL' : auditCheck(name).severity);
}
