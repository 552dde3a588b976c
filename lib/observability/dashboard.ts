import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  Metric,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { METRICS, type MetricName } from '../../domain/fleet/metrics.js';
import { ownMetric } from './alarms.js';
import { RUNBOOK } from './articles.js';

export interface FleetDashboardProps {
  readonly prefix: string;
  readonly alarms: readonly IAlarm[];
  /** Show rotation as well. */
  readonly rotation: boolean;
}

/** One page: is anything wrong, is the loop alive, what was done, who was refused. */
export class FleetDashboard extends Construct {
  constructor(scope: Construct, id: string, { prefix, alarms, rotation }: FleetDashboardProps) {
    super(scope, id);
    const own = (...names: MetricName[]): IMetric[] => names.map((name) => ownMetric(prefix, name));
    const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 12, height: 6 });
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: prefix, defaultInterval: Duration.days(1) });
    dashboard.addWidgets(
      new TextWidget({
        markdown: `# ${prefix}\nEach alarm has an article in ${RUNBOOK}. State of everything: \`npx fleetwarden status\``,
        width: 24,
        height: 2,
      }),
    );
    dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24, height: 6 }));
    dashboard.addWidgets(
      new SingleValueWidget({ title: 'Held by the brake', metrics: own(METRICS.revocationsHeld), width: 6, height: 4 }),
      new SingleValueWidget({ title: 'Revoked', metrics: own(METRICS.revoked), width: 6, height: 4 }),
      new SingleValueWidget({
        title: 'Age of the oldest CRL in force',
        metrics: [ownMetric(prefix, METRICS.crlAgeSeconds, 'Maximum')],
        width: 6,
        height: 4,
      }),
      new SingleValueWidget({
        title: 'Seconds from put to revoked, 95 %',
        metrics: [ownMetric(prefix, METRICS.secondsToRevoke, 'p95')],
        width: 6,
        height: 4,
      }),
    );
    dashboard.addWidgets(
      graph(
        'CRLs',
        own(
          METRICS.crlApplied,
          METRICS.crlUnchanged,
          METRICS.crlRefused,
          METRICS.crlRollback,
          METRICS.crlEquivocation,
          METRICS.crlExpired,
          METRICS.crlAbsent,
        ),
      ),
      graph(
        'Revocations',
        own(
          METRICS.revocationsQueued,
          METRICS.revoked,
          METRICS.deactivated,
          METRICS.alreadyRevoked,
          METRICS.notRegistered,
          METRICS.mismatch,
          METRICS.revokeFailed,
        ),
      ),
    );
    dashboard.addWidgets(
      graph(
        'Inventory',
        own(
          METRICS.inventoryRecorded,
          METRICS.inventoryReconciled,
          METRICS.inventoryUnreadable,
          METRICS.orphanWithoutThing,
          METRICS.orphanSharedThing,
          METRICS.orphanUnknownIssuer,
        ),
      ),
      // AWS IoT's own count of refused connections: the proof that a revoked device stays out (FACTS B10).
      graph(
        'Connections',
        ['Connect.Success', 'Connect.AuthError', 'Connect.Throttle'].map(
          (metricName) => new Metric({ namespace: 'AWS/IoT', metricName, dimensionsMap: { Protocol: 'MQTT' }, statistic: 'Sum' }),
        ),
      ),
    );
    if (!rotation) return;
    dashboard.addWidgets(
      graph(
        'Rotations',
        own(
          METRICS.rotationsOpened,
          METRICS.rotationIssued,
          METRICS.rotationProved,
          METRICS.rotationRetired,
          METRICS.rotationWithdrawn,
          METRICS.rotationRefused,
        ),
      ),
      graph(
        'Devices that do not rotate',
        own(METRICS.rotationEscalated, METRICS.rotationDeadlineMissed, METRICS.expiredUnrotated, METRICS.campaignAborted),
      ),
    );
  }
}
