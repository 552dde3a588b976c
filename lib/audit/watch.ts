/** The alarms on what the audit reports: what each means and what to do stands in docs/runbook.md, one article each. */
import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { METRICS } from '../../domain/fleet/metrics.js';
import type { Alarms } from '../observability/alarms.js';
import type { Article } from '../observability/articles.js';

/** Bad things of which one is one too many, each with its article. */
export const AUDIT_ALARMS = {
  auditFailed: 'audit-failed',
  auditCheckFailed: 'audit-check-failed',
  auditFindingsUnreadable: 'audit-findings-unreadable',
  auditAccountFinding: 'audit-account-finding',
  auditDeviceFinding: 'audit-device-finding',
} as const satisfies Partial<Record<keyof typeof METRICS, Article>>;

/** Everything else that is counted, and nobody is woken by it. */
export const AUDIT_INFORMATION = [
  'auditCollected',
  'auditFindings',
  'auditFindingsNew',
] as const satisfies readonly (keyof typeof METRICS)[];

/** Metrics that an alarm watches by a rule of their own, below. */
export const AUDIT_BY_RULE = ['auditSilent'] as const satisfies readonly (keyof typeof METRICS)[];

const PERIOD_MINUTES = 5;
const HOUR_MINUTES = 60;

export function watchAudit(alarms: Alarms, collect: IFunction, { watchHours }: { readonly watchHours: number }): void {
  // An audit says once what it has found: the alarm comes at once and stays for a day, CloudWatch’s longest for periods of minutes. The next audit says it
  // again as long as it stands.
  const aDay = { periods: (24 * HOUR_MINUTES) / PERIOD_MINUTES, datapoints: 1 };
  alarms.addEach(AUDIT_ALARMS, aDay);
  const untilNextWatch = { periods: (watchHours * HOUR_MINUTES) / PERIOD_MINUTES + 1, datapoints: 1 };
  alarms.addOwn('audit-silent', METRICS.auditSilent, untilNextWatch);
  // And if nobody watches.
  alarms.onSilence('audit-silent', collect, Duration.days(1), 'watch');
}
