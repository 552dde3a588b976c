/** The alarms on what the functions of rotation report: what each means and what to do stands in docs/runbook.md, one article each. */
import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { METRICS } from '../../domain/fleet/metrics.js';
import type { Alarms } from '../observability/alarms.js';
import type { Article } from '../observability/articles.js';

/** Bad things of which one is one too many, each with its article. */
export const ROTATION_ALARMS = {
  expiredUnrotated: 'expired-unrotated',
  rotationEscalated: 'rotation-escalated',
  rotationDeadlineMissed: 'rotation-deadline-missed',
  campaignAborted: 'campaign-aborted',
  rotationSuspicious: 'rotation-suspicious',
  rotationNotPermitted: 'rotation-not-permitted',
  issuedNotAsOrdered: 'issued-not-as-ordered',
  requestRefusedByCa: 'request-refused-by-ca',
  orphanSuperseded: 'orphan-superseded',
  retirementBlocked: 'retirement-blocked',
} as const satisfies Partial<Record<keyof typeof METRICS, Article>>;

/** Everything else that is counted: shown on the dashboard, and nobody is woken by it. One device that fails is tried again by the next run. */
export const ROTATION_INFORMATION = [
  'rotationsFound',
  'rotationsOpened',
  'campaignLaunched',
  'campaignCompleted',
  'rotationIssued',
  'rotationProved',
  'rotationRefused',
  'rotationWithdrawn',
  'rotationRetired',
  'supersedeByHand',
  'campaignTidied',
] as const satisfies readonly (keyof typeof METRICS)[];

/** Metrics that an alarm watches by a rule of their own, below. */
export const ROTATION_BY_RULE = ['retireFailed'] as const satisfies readonly (keyof typeof METRICS)[];

export interface Watched {
  readonly start: IFunction;
  readonly retire: IFunction;
  readonly roundMinutes: number;
}

export function watchRotation(alarms: Alarms, { start, retire, roundMinutes }: Watched): void {
  alarms.addEach(ROTATION_ALARMS);
  // What fails once is tried again by the next round; what fails in each of four rounds is for a person.
  alarms.addOwn('retire-failed', METRICS.retireFailed, { periods: Math.ceil((4 * roundMinutes) / 5), datapoints: 4 });

  alarms.onSilence('rotation-silent', start, Duration.days(1), 'start');
  alarms.onSilence('rotation-silent', retire, Duration.hours(1), 'retire');
}
