/** What the dashboard shows of each capability that can be switched on: one row each, in this order, under the rows that every installation has. */
import { METRICS, type MetricName } from '../../domain/fleet/metrics.js';

export interface Graph {
  readonly title: string;
  readonly metrics: readonly MetricName[];
  /** What one period of five minutes shows. @default Sum */
  readonly statistic?: 'Maximum' | 'Minimum';
}

export const CAPABILITY_ROWS = {
  rotation: [
    {
      title: 'Rotations',
      metrics: [
        METRICS.rotationsOpened,
        METRICS.rotationIssued,
        METRICS.rotationProved,
        METRICS.rotationRetired,
        METRICS.rotationWithdrawn,
        METRICS.rotationRefused,
      ],
    },
    {
      title: 'Devices that do not rotate',
      metrics: [METRICS.rotationEscalated, METRICS.rotationDeadlineMissed, METRICS.expiredUnrotated, METRICS.campaignAborted],
    },
  ],
  signer: [
    { title: 'CRLs of our own CAs', metrics: [METRICS.crlPublished, METRICS.crlPublishFailed] },
    { title: 'Seconds left of the CRL of our own that ends first', metrics: [METRICS.crlSecondsLeft], statistic: 'Minimum' },
  ],
  audit: [
    {
      title: 'Findings of the audit',
      metrics: [METRICS.auditFindings, METRICS.auditFindingsNew, METRICS.auditDeviceFinding, METRICS.auditAccountFinding],
    },
    {
      title: 'Audits',
      metrics: [
        METRICS.auditCollected,
        METRICS.auditFailed,
        METRICS.auditCheckFailed,
        METRICS.auditFindingsUnreadable,
        METRICS.auditSilent,
      ],
    },
  ],
  monitor: [
    {
      title: 'Violations seen by the monitor',
      metrics: [METRICS.violationsRaised, METRICS.violationsCleared, METRICS.violationsInvalidated, METRICS.violationToNotify],
    },
    {
      title: 'Events of the monitor',
      metrics: [
        METRICS.monitorEvents,
        METRICS.monitorCopies,
        METRICS.monitorLate,
        METRICS.monitorLost,
        METRICS.monitorUnreadable,
        METRICS.reportUnreadable,
      ],
    },
  ],
  quarantine: [
    { title: 'Things contained', metrics: [METRICS.thingsContained], statistic: 'Maximum' },
    {
      title: 'Containments',
      metrics: [
        METRICS.containmentsFound,
        METRICS.contained,
        METRICS.released,
        METRICS.shutOffDone,
        METRICS.shutOffByCommand,
        METRICS.shutOffUnanswered,
        METRICS.timeBoxOver,
        METRICS.containmentStuck,
      ],
    },
    {
      title: 'Not contained, or not released',
      metrics: [
        METRICS.containmentsHeld,
        METRICS.neverListed,
        METRICS.violationNotified,
        METRICS.violationForged,
        METRICS.violationsLeft,
        METRICS.releaseRefused,
        METRICS.rekeyFailed,
      ],
    },
  ],
} as const satisfies Readonly<Record<string, readonly Graph[]>>;

export type ShownCapability = keyof typeof CAPABILITY_ROWS;
