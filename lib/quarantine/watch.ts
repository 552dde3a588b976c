/** The alarms on what the functions of quarantine report: what each means and what to do stands in docs/runbook.md, one article each. */
import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { METRICS } from '../../domain/fleet/metrics.js';
import type { Alarms } from '../observability/alarms.js';
import type { Article } from '../observability/articles.js';

/** Bad things of which one is one too many, each with its article. */
export const QUARANTINE_ALARMS = {
  contained: 'contained',
  containmentsHeld: 'containments-held',
  neverListed: 'never-listed-violates',
  violationNotified: 'violation-notified',
  violationForged: 'violation-forged',
  shutOffUnanswered: 'shut-off-unanswered',
  timeBoxOver: 'time-box-over',
  containmentStuck: 'containment-stuck',
  containmentWeakened: 'containment-weakened',
  rekeyFailed: 'rekey-failed',
} as const satisfies Partial<Record<keyof typeof METRICS, Article>>;

/** Everything else that is counted: shown on the dashboard, and nobody is woken by it. */
export const QUARANTINE_INFORMATION = [
  'containmentsFound',
  'released',
  'releaseRefused',
  'thingsContained',
  'violationsLeft',
  'shutOffDone',
  'shutOffByCommand',
  'certificatesAdopted',
] as const satisfies readonly (keyof typeof METRICS)[];

export function watchQuarantine(alarms: Alarms, watch: IFunction): void {
  alarms.addEach(QUARANTINE_ALARMS);
  alarms.onSilence('containment-watch-silent', watch, Duration.minutes(30));
}
