/** The alarms on what the functions report: what each means and what to do stands in docs/runbook.md, one article each. */
import { Duration } from 'aws-cdk-lib';
import { TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { METRICS, type MetricName } from '../../domain/fleet/metrics.js';
import type { Configuration } from '../config/configuration.js';
import type { Alarms } from './alarms.js';
import type { Article } from './articles.js';

/** Bad things of which one is one too many, each with its article. */
export const ONE_IS_TOO_MANY = {
  crlRefused: 'crl-refused',
  crlRollback: 'crl-rollback',
  crlEquivocation: 'crl-equivocation',
  crlExpired: 'crl-expired',
  crlAbsent: 'crl-absent',
  crlWithoutAnchor: 'crl-without-anchor',
  crlShrunk: 'crl-shrunk',
  revocationsHeld: 'revocations-held',
  holdRemoved: 'hold-removed',
  caCertificateListed: 'ca-certificate-listed',
  mismatch: 'certificate-mismatch',
  revokeFailed: 'revoke-failed',
  stopped: 'emergency-stop',
  inventoryUnreadable: 'inventory-unreadable',
} as const satisfies Partial<Record<keyof typeof METRICS, Article>>;

/** AWS Private CA refreshes a CRL around the middle of its validity (FACTS A1): at twice the validity it is certainly late. */
const LATEST_REFRESH = 2;
const DAY_SECONDS = 86_400;

export function watchRevocation(alarms: Alarms, configuration: Configuration, sync: IFunction): void {
  for (const [metric, article] of Object.entries(ONE_IS_TOO_MANY))
    alarms.addOwn(article, METRICS[metric as keyof typeof ONE_IS_TOO_MANY] satisfies MetricName);

  const validityDays = configuration.trustAnchors.flatMap((anchor) => ('create' in anchor ? [anchor.create.crl.expirationDays] : []));
  if (validityDays.length > 0) {
    alarms.addOwn('crl-old', METRICS.crlAgeSeconds, {
      statistic: 'Maximum',
      atLeast: LATEST_REFRESH * Math.max(...validityDays) * DAY_SECONDS,
    });
  }

  // Silence is the symptom: nothing that the functions emit could tell of a sweep that never starts.
  alarms.add('sweep-silent', {
    metric: sync.metricInvocations({
      period: Duration.minutes(5 * Math.ceil((2 * configuration.revocation.sweepMinutes) / 5)),
      statistic: 'Sum',
    }),
    below: 1,
    missing: TreatMissingData.BREACHING,
  });
}
