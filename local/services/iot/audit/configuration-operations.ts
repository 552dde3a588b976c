/** The account's audit configuration: one for the account and region (https://docs.aws.amazon.com/iot/latest/apireference/API_UpdateAccountAuditConfiguration.html). */
import type { Operation } from '../../../models/service.js';
import { invalidRequest } from '../errors.js';
import type { IotState } from '../state.js';
import type { AuditConfiguration, AuditState } from './audit.js';
import { AUDIT_CHECK_NAMES, AUDIT_CHECKS } from './checks.js';

interface CheckInput {
  readonly enabled?: boolean;
  readonly configuration?: Readonly<Record<string, string>>;
}

/** Thresholds are strings of 30 to 3652 days (FACTS C2). */
function checkSettings(checkName: string, { configuration }: CheckInput): void {
  if (!AUDIT_CHECKS[checkName]) throw invalidRequest(`Unknown audit check ${checkName}`);
  for (const [name, value] of Object.entries(configuration ?? {})) {
    if (AUDIT_CHECKS[checkName].configuration?.[name] === undefined) throw invalidRequest(`${checkName} has no configuration ${name}`);
    if (!/^\d{2,4}$/.test(value) || Number(value) < 30 || Number(value) > 3652)
      throw invalidRequest(`Invalid ${name}: got ${value}, expected 30 to 3652`);
  }
}

export function isEnabled(audit: AuditState, checkName: string): boolean {
  return audit.configuration?.checks.get(checkName)?.enabled === true;
}

/** A patch: what is not named stays as it is. */
function merged(audit: AuditState, input: Parameters<Operation>[0]): AuditConfiguration {
  const held = audit.configuration;
  const roleArn: string | undefined = input.roleArn ?? held?.roleArn;
  const checks = new Map(held?.checks);
  const changes: Readonly<Record<string, CheckInput>> = input.auditCheckConfigurations ?? {};
  for (const [name, change] of Object.entries(changes)) {
    checkSettings(name, change);
    const before = checks.get(name);
    const configuration = change.configuration ?? before?.configuration;
    checks.set(name, { enabled: change.enabled ?? before?.enabled ?? false, ...(configuration ? { configuration } : {}) });
  }
  if (roleArn === undefined) throw invalidRequest('The first configuration needs a roleArn');
  if (!held && ![...checks.values()].some(({ enabled }) => enabled))
    throw invalidRequest('The first configuration needs at least one enabled check');
  const targets: Readonly<Record<string, AuditConfiguration['notification']>> = input.auditNotificationTargetConfigurations ?? {};
  const stranger = Object.keys(targets).find((type) => type !== 'SNS');
  if (stranger) throw invalidRequest(`Unknown notification target ${stranger}`);
  const notification = targets['SNS'] ? { ...held?.notification, ...targets['SNS'] } : held?.notification;
  return { roleArn, checks, ...(notification ? { notification } : {}) };
}

export function auditConfigurationOperations(state: IotState, audit: AuditState): Record<string, Operation> {
  return {
    UpdateAccountAuditConfiguration: (input) => {
      const next = merged(audit, input);
      for (const { scheduledAuditName, targetCheckNames } of audit.schedules.values()) {
        const used = targetCheckNames.find((name) => !next.checks.get(name)?.enabled);
        if (used) throw invalidRequest(`${used} cannot be disabled: the scheduled audit ${scheduledAuditName} uses it`);
      }
      audit.configuration = next;
      // "When a check is disabled, any data collected for it is deleted."
      if (!isEnabled(audit, 'DEVICE_CERTIFICATE_SHARED_CHECK')) state.connections.shared.clear();
      if (!isEnabled(audit, 'CONFLICTING_CLIENT_IDS_CHECK')) state.connections.conflicts.clear();
      return {};
    },
    DescribeAccountAuditConfiguration: () => {
      const held = audit.configuration;
      return {
        ...(held ? { roleArn: held.roleArn } : {}),
        ...(held?.notification ? { auditNotificationTargetConfigurations: { SNS: held.notification } } : {}),
        auditCheckConfigurations: Object.fromEntries(AUDIT_CHECK_NAMES.map((name) => [name, held?.checks.get(name) ?? { enabled: false }])),
      };
    },
    DeleteAccountAuditConfiguration: (input) => {
      if (audit.schedules.size > 0 && input.deleteScheduledAudits !== true)
        throw invalidRequest('There are scheduled audits: delete them, or set deleteScheduledAudits');
      for (const { cancel } of audit.schedules.values()) cancel();
      audit.schedules.clear();
      audit.configuration = undefined;
      state.connections.shared.clear();
      state.connections.conflicts.clear();
      return {};
    },
  };
}
