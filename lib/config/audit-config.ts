/** The audit of AWS IoT Device Defender in the configuration: which checks, how often, and what each finding calls for. */
import { z } from 'zod';
import {
  AUDIT_CHECK_NAMES,
  AUDIT_RESPONSES,
  AUDIT_THRESHOLD_DAYS,
  auditCheck,
  type AuditCheckName,
  type AuditResponse,
} from '../../domain/fleet/audit-checks.js';
import { AUDIT_FREQUENCIES } from '../../domain/protocol/audit.js';
import { wholeNumber } from './field.js';
import type { RotationConfig } from './rotation-config.js';

const DAYS_OF_WEEK = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const;

const Schedule = z.strictObject({
  frequency: z.enum(AUDIT_FREQUENCIES).default('DAILY').describe('How often the account is audited. AWS chooses the hour.'),
  dayOfWeek: z.enum(DAYS_OF_WEEK).optional().describe('For WEEKLY and BIWEEKLY.'),
  dayOfMonth: z
    .string()
    .regex(/^([1-9]|[12][0-9]|3[01]|LAST)$/, 'expected "1" to "31" or "LAST"')
    .optional()
    .describe('For MONTHLY: `"1"` to `"31"` or `"LAST"`, as a text.'),
});

const Check = z.strictObject({ enabled: z.boolean().optional(), response: z.enum(AUDIT_RESPONSES).optional() });

export const AuditConfig = z.strictObject({
  mode: z
    .enum(['off', 'on'])
    .default('off')
    .describe(
      '`off`: nothing of the audit is deployed. `on`: a scheduled audit, and its findings to rotation, to quarantine, or to people. It changes nothing at a device by itself.',
    ),
  manage: z
    .strictObject({
      accountConfiguration: z
        .boolean()
        .default(false)
        .describe(
          'Merge what the audit needs into the account’s one audit configuration: role, SNS target, checks, thresholds. Nothing is switched off, nothing of other people’s is replaced, and nothing is reset when the stack is deleted. `false`: the outputs of the state stack have the command; run it before the app stack is deployed.',
        ),
      eventConfigurations: z
        .boolean()
        .default(false)
        .describe(
          'Merge the event types that this installation needs into the account’s event configurations (`CA_CERTIFICATE` where `devices.autoRegistration` is on). Also where `audit.mode` is `off`.',
        ),
    })
    .prefault({}),
  topicArn: z
    .string()
    .regex(/^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/, 'expected the ARN of an SNS topic')
    .optional()
    .describe(
      'The topic that the account’s audits notify already. Without it a topic is made. Its policy must let this account subscribe.',
    ),
  schedule: Schedule.prefault({}),
  expirationThresholdDays: wholeNumber(AUDIT_THRESHOLD_DAYS.least, AUDIT_THRESHOLD_DAYS.most)
    .default(30)
    .describe(
      'A certificate is found so many days before it ends. AWS takes no less than 30: shorter lives are found by `rotation` itself.',
    ),
  ageThresholdDays: wholeNumber(AUDIT_THRESHOLD_DAYS.least, AUDIT_THRESHOLD_DAYS.most)
    .optional()
    .describe('Switches the check of the age on: a certificate that was registered longer ago is found. Rotation then replaces it.'),
  checks: z
    .partialRecord(z.enum(AUDIT_CHECK_NAMES as [AuditCheckName, ...AuditCheckName[]]), Check)
    .default({})
    .describe(
      'By name of the check, `{ "enabled", "response" }` where it is to be other than in docs/audit.md: whether the scheduled audit makes it, and what a finding calls for (`notify`, `rotate`, `contain`, `revoke`).',
    ),
});
export type AuditConfig = z.output<typeof AuditConfig>;

/** The checks that the scheduled audit makes, in the order of the table. */
export function enabledChecks({ checks, ageThresholdDays }: AuditConfig): readonly AuditCheckName[] {
  return AUDIT_CHECK_NAMES.filter((name) => {
    const chosen = checks[name]?.enabled;
    if (chosen !== undefined) return chosen;
    return auditCheck(name).enabled || (name === 'DEVICE_CERTIFICATE_AGE_CHECK' && ageThresholdDays !== undefined);
  });
}

/** What a finding of each check calls for. */
export function auditResponses({ checks }: AuditConfig): Readonly<Record<AuditCheckName, AuditResponse>> {
  return Object.fromEntries(AUDIT_CHECK_NAMES.map((name) => [name, checks[name]?.response ?? auditCheck(name).response])) as Record<
    AuditCheckName,
    AuditResponse
  >;
}

/** Relations between the values. With the audit off they are not looked at. */
export function checkAudit(
  { audit, rotation }: { readonly audit: AuditConfig; readonly rotation: RotationConfig },
  context: z.RefinementCtx,
): void {
  const refuse = (path: readonly string[], input: unknown, message: string): void =>
    context.addIssue({ code: 'custom', path: ['audit', ...path], input, message });
  if (audit.mode === 'off') return;
  const { frequency, dayOfWeek, dayOfMonth } = audit.schedule;
  const isWeekly = frequency === 'WEEKLY' || frequency === 'BIWEEKLY';
  if (isWeekly !== (dayOfWeek !== undefined))
    refuse(
      ['schedule', 'dayOfWeek'],
      dayOfWeek,
      isWeekly ? `expected one of ${DAYS_OF_WEEK.join(', ')}` : `expected none with ${frequency}`,
    );
  if ((frequency === 'MONTHLY') !== (dayOfMonth !== undefined))
    refuse(
      ['schedule', 'dayOfMonth'],
      dayOfMonth,
      frequency === 'MONTHLY' ? 'expected "1" to "31" or "LAST"' : `expected none with ${frequency}`,
    );
  if (enabledChecks(audit).length === 0) refuse(['checks'], audit.checks, 'expected at least one check that is enabled');
  const expiring = 'DEVICE_CERTIFICATE_EXPIRING_CHECK';
  const isRotated = rotation.mode !== 'off' && enabledChecks(audit).includes(expiring) && auditResponses(audit)[expiring] === 'rotate';
  // Otherwise every certificate that rotation makes is found by the next audit, and replaced: the whole fleet, each day, for ever.
  if (isRotated && audit.expirationThresholdDays + rotation.graceDays >= rotation.validityDays)
    refuse(
      ['expirationThresholdDays'],
      audit.expirationThresholdDays,
      `expected, with rotation.graceDays, less than rotation.validityDays, ${rotation.validityDays}; or checks.${expiring} with "enabled": false: rotation finds by itself what ends soon`,
    );
  for (const name of AUDIT_CHECK_NAMES) {
    const response = audit.checks[name]?.response;
    const { responses } = auditCheck(name);
    if (response !== undefined && !responses.includes(response))
      refuse(['checks', name, 'response'], response, `expected one of ${responses.map((one) => `"${one}"`).join(', ')}`);
  }
}
