/** What `status` says of the audit, where it is on: open findings by severity. */
import { AUDIT_SEVERITIES, type AuditSeverity } from '../../domain/fleet/audit-checks.js';
import type { Application } from './application.js';
import { openFindings } from './findings.js';
import { bad, doubtful, good, timeAndAge } from './words.js';

export type AuditStatus = NonNullable<Awaited<ReturnType<typeof auditStatus>>>;

export async function auditStatus({ parameters, auditRecords }: Application) {
  if (parameters.auditQueueUrl === undefined) return undefined;
  const checks = [...(await auditRecords.checks()).values()];
  const lastAuditMs = Math.max(0, ...checks.map(({ completedMs }) => completedMs ?? 0));
  const open: Record<AuditSeverity, number> = { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0 };
  for await (const { severity } of openFindings(auditRecords, checks)) open[severity] += 1;
  return { lastAudit: lastAuditMs === 0 ? undefined : new Date(lastAuditMs).toISOString(), open };
}

export function auditLines({ lastAudit, open }: AuditStatus, nowMs: number): readonly (readonly [string, string])[] {
  if (lastAudit === undefined) return [['audit', doubtful('none has been read yet: fleetwarden audit begins one')]];
  const some = AUDIT_SEVERITIES.filter((severity) => open[severity] > 0).map((severity) => `${open[severity]} ${severity}`);
  const isBad = open.CRITICAL + open.HIGH > 0;
  return [
    ['newest audit', timeAndAge(Date.parse(lastAudit), nowMs)],
    ['  open findings', some.length === 0 ? good('none') : (isBad ? bad : doubtful)(`${some.join(', ')}: fleetwarden findings`)],
  ];
}
