import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  MathExpression,
  Metric,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { METRICS, type MetricName } from '../../domain/fleet/metrics.js';
import { ownMetric } from './alarms.js';
import { RUNBOOK } from './articles.js';
import { CAPABILITY_ROWS, type Graph, type ShownCapability } from './dashboard-rows.js';

export interface FleetDashboardProps {
  readonly prefix: string;
  readonly alarms: readonly IAlarm[];
  /** Capabilities that are on. */
  readonly shows: ReadonlySet<ShownCapability>;
  /** Security profiles of Device Defender Detect. @default Detect is off */
  readonly detectProfiles?: readonly string[] | undefined;
}

const WIDTH = 24;
/** One alarm widget takes no more (CloudWatch API reference, Dashboard body structure). */
const MOST_ALARMS = 100;

/** One page: is anything wrong, is the loop alive, what was done, who was refused. */
export class FleetDashboard extends Construct {
  constructor(scope: Construct, id: string, { prefix, alarms, shows, detectProfiles = [] }: FleetDashboardProps) {
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
    for (let from = 0; from < alarms.length; from += MOST_ALARMS) {
      const some = alarms.slice(from, from + MOST_ALARMS);
      dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms: some, width: 24, height: 6 }));
    }
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
    for (const [capability, row] of Object.entries(CAPABILITY_ROWS)) {
      if (!shows.has(capability as ShownCapability)) continue;
      dashboard.addWidgets(...(row as readonly Graph[]).map((shown) => this.graphOf(prefix, shown, WIDTH / row.length)));
    }
    if (detectProfiles.length > 0) dashboard.addWidgets(detectGraph(detectProfiles));
  }

  private graphOf(prefix: string, { title, metrics, statistic }: Graph, width: number): GraphWidget {
    return new GraphWidget({ title, left: metrics.map((name) => ownMetric(prefix, name, statistic)), width, height: 6 });
  }
}

/** AWS IoT's own counts, by security profile and behaviour (FACTS B10): whatever behaviours the profiles have, without naming them here. */
function detectGraph(profiles: readonly string[]): GraphWidget {
  const named = profiles.map((name) => `SecurityProfileName="${name}"`).join(' OR ');
  const search = (metricName: string): IMetric =>
    new MathExpression({
      expression: `SEARCH('{AWS/IoT,BehaviorName,SecurityProfileName} MetricName="${metricName}" (${named})', 'Sum', 300)`,
      label: '',
      usingMetrics: {},
    });
  return new GraphWidget({
    title: 'Violations seen by Device Defender Detect',
    left: ['Violations', 'ViolationsCleared', 'ViolationsInvalidated'].map(search),
    width: WIDTH,
    height: 6,
  });
}
