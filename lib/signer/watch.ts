/** The alarms on what the signer reports: what each means and what to do stands in docs/runbook.md, one article each. */
import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { METRICS } from '../../domain/fleet/metrics.js';
import type { Alarms } from '../observability/alarms.js';

/** Counted, and nobody is woken by it. */
export const SIGNER_INFORMATION = ['crlPublished'] as const satisfies readonly (keyof typeof METRICS)[];

/** Metrics that an alarm watches by a rule of their own, below. */
export const SIGNER_BY_RULE = ['crlPublishFailed', 'crlSecondsLeft'] as const satisfies readonly (keyof typeof METRICS)[];

const DAY_SECONDS = 86_400;
/** A new CRL is due when half of its validity is over. When three quarters are, something has gone wrong for long, and a quarter is left to mend it. */
const SHARE_LEFT = 0.25;

export interface Watched {
  readonly publish: IFunction;
  /** Of several anchors the shortest. */
  readonly crlValidityDays: number;
  readonly lookMinutes: number;
}

export function watchSigner(alarms: Alarms, { publish, crlValidityDays, lookMinutes }: Watched): void {
  // What fails once is tried again by itself, and by the next look.
  alarms.addOwn('crl-publish-failed', METRICS.crlPublishFailed, { periods: 6, datapoints: 2 });
  // Told once at each look: looks back over one look and a bit, so that the alarm stays until the matter is settled.
  alarms.addOwn('crl-publish-late', METRICS.crlSecondsLeft, {
    statistic: 'Minimum',
    below: SHARE_LEFT * crlValidityDays * DAY_SECONDS,
    periods: lookMinutes / 5 + 1,
    datapoints: 1,
  });
  alarms.onSilence('crl-publish-late', publish, Duration.minutes(3 * lookMinutes), 'silent');
}
