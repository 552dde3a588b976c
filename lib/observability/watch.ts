/** The alarms on what the functions report: what each means and what to do stands in docs/runbook.md, one article each. */
import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { METRICS } from '../../domain/fleet/metrics.js';
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
  crlShrunk: 'crl-shrunk',
  revocationsHeld: 'revocations-held',
  fastPathBraked: 'fast-path-braked',
  heldListAltered: 'held-list-altered',
  holdRemoved: 'hold-removed',
  caCertificateListed: 'ca-certificate-listed',
  mismatch: 'certificate-mismatch',
  stopped: 'emergency-stop',
  inventoryUnreadable: 'inventory-unreadable',
} as const satisfies Partial<Record<keyof typeof METRICS, Article>>;

/** Everything else that is counted: shown on the dashboard and by `fleetwarden status`, and nobody is woken by it. */
export const INFORMATION = [
  'crlApplied',
  'crlUnchanged',
  'revocationsQueued',
  'revoked',
  'deactivated',
  'alreadyRevoked',
  'notRegistered',
  'secondsToRevoke',
  'inventoryRecorded',
  'inventoryReconciled',
  'inventoryDeleted',
  'rememberedHandedOver',
  'orphanWithoutThing',
  'orphanSharedThing',
  'orphanUnknownIssuer',
] as const satisfies readonly (keyof typeof METRICS)[];

/** Metrics that an alarm watches by a rule of their own, below. */
export const BY_RULE = ['crlAgeSeconds', 'revokeFailed'] as const satisfies readonly (keyof typeof METRICS)[];

const DAY_SECONDS = 86_400;
const PERIOD_MINUTES = 5;

/**
 * Alarms on the metrics of the functions, and on their silence. The sweep says again, each time, what still stands (a held list, an expired
 * CRL): an alarm looks back over one sweep and a bit, so that it comes at once and stays until the matter is settled.
 */
export function watchFleet(alarms: Alarms, { revocation }: Configuration, sync: IFunction): void {
  const untilNextSweep = { periods: Math.ceil((revocation.sweepMinutes + PERIOD_MINUTES) / PERIOD_MINUTES), datapoints: 1 };
  alarms.addEach(ONE_IS_TOO_MANY, untilNextSweep);
  alarms.addOwn('crl-old', METRICS.crlAgeSeconds, {
    statistic: 'Maximum',
    atLeast: revocation.crlMaxAgeDays * DAY_SECONDS,
    ...untilNextSweep,
  });

  // A throttled call is tried again by itself: a quarter of an hour of nothing but failures is not.
  alarms.addOwn('revoke-failed', METRICS.revokeFailed, { periods: 3 });

  const twoSweeps = Duration.minutes(PERIOD_MINUTES * Math.ceil((2 * revocation.sweepMinutes) / PERIOD_MINUTES));
  alarms.onSilence('sweep-silent', sync, twoSweeps);
}
