import { AUDIT_CHECK_NAMES, auditCheckNamed, type AuditCheckName } from '../../domain/fleet/audit-checks.js';
import { Misused, Refused, type Answer } from './answer.js';
import type { Application } from './application.js';

/** An audit on demand, of the checks that the account has enabled, or of those that are named. Its findings are read as those of a scheduled one. */
export async function startAudit(application: Application, named: readonly string[]): Promise<Answer> {
  const { auditQueue, audits, accountSettings } = application;
  if (auditQueue === undefined) throw new Refused('the audit is off in this installation: set audit.mode in its configuration, and deploy');
  const wanted = named.map(checkOf);
  const configured = (await accountSettings.auditConfiguration()).checks;
  const enabled = AUDIT_CHECK_NAMES.filter((name) => configured[name]?.enabled === true);
  const disabled = wanted.filter((name) => !enabled.includes(name));
  if (disabled.length > 0) throw new Refused(`not enabled in the account’s audit configuration: ${disabled.join(', ')}`);
  const checks = wanted.length > 0 ? wanted : enabled;
  if (checks.length === 0) throw new Refused('the account has no audit check enabled: set audit.manage.accountConfiguration, and deploy');
  const by = await application.caller();
  const taskId = await audits.start(checks);
  await auditQueue.send({ kind: 'task', taskId, by });
  return {
    json: { taskId, checks },
    text: () => `Audit ${taskId} of ${checks.length} checks has begun; AWS takes minutes to hours. Then: fleetwarden findings`,
  };
}

function checkOf(text: string): AuditCheckName {
  const name = auditCheckNamed(text.toUpperCase());
  if (name === undefined) throw new Misused(`check: got "${text}", expected one of ${AUDIT_CHECK_NAMES.join(', ')}`);
  return name;
}
