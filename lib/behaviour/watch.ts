/** The alarms on what the built-in monitor reports, and on its silence: what each means and what to do stands in docs/runbook.md, one article each. */
import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { METRICS } from '../../domain/fleet/metrics.js';
import { MONITOR_LIMITS } from '../../domain/protocol/fleet-events.js';
import type { Alarms } from '../observability/alarms.js';
import type { Article } from '../observability/articles.js';

/** Bad things of which one is one too many, each with its article. */
export const BEHAVIOUR_ALARMS = {
  violationToNotify: 'behaviour-violated',
  monitorUnreadable: 'monitor-unreadable',
  monitorLost: 'monitor-lossy',
} as const satisfies Partial<Record<keyof typeof METRICS, Article>>;

/** Of refusals out of the log of AWS IoT, where they are read. */
export const LOG_SOURCE_ALARMS = { refusalsNotLogged: 'refusals-not-logged' } as const satisfies Partial<
  Record<keyof typeof METRICS, Article>
>;

/** Everything else that is counted: shown on the dashboard, and nobody is woken by it. */
export const BEHAVIOUR_INFORMATION = [
  'violationsRaised',
  'violationsCleared',
  'violationsInvalidated',
  'monitorEvents',
  'monitorCopies',
  'monitorLate',
  'reportUnreadable',
] as const satisfies readonly (keyof typeof METRICS)[];

/** Metrics that an alarm watches by a rule of their own, below. */
export const BEHAVIOUR_BY_RULE = ['monitorStateBytes'] as const satisfies readonly (keyof typeof METRICS)[];

export interface Watched {
  readonly watch: IFunction;
  readonly offline: IFunction;
  readonly stream: IStream;
  /** Are refusals taken out of the log of AWS IoT? */
  readonly readsLogs: boolean;
}

const THROTTLED_LOG = { namespace: 'AWS/IoT', metricName: 'NumLogEventsFailedToPublishThrottled' } as const;
const FIVE_MINUTES = Duration.minutes(5);
/** Events stay in the stream for a day: who comes an hour late has time, who is told of it after an hour less. */
const BEHIND_MINUTES = 15;

export function watchMonitor(alarms: Alarms, { watch, offline, stream, readsLogs }: Watched): void {
  alarms.addEach(BEHAVIOUR_ALARMS);
  if (readsLogs) {
    alarms.addEach(LOG_SOURCE_ALARMS);
    // IG metrics_dimensions.html: log events that AWS IoT could not hand to CloudWatch Logs. Of the account, without dimensions.
    const metric = new Metric({ ...THROTTLED_LOG, statistic: 'Sum', period: FIVE_MINUTES });
    alarms.add('refusals-not-logged', { of: 'throttled', metric, atLeast: 1 });
  }
  alarms.addOwn('monitor-filling', METRICS.monitorStateBytes, { statistic: 'Maximum', atLeast: MONITOR_LIMITS.alarmBytes });
  alarms.add('monitor-behind', {
    metric: watch.metric('IteratorAge', { statistic: 'Maximum', period: FIVE_MINUTES }),
    atLeast: BEHIND_MINUTES * 60_000,
  });
  alarms.add('monitor-stream-full', {
    metric: stream.metric('WriteProvisionedThroughputExceeded', { statistic: 'Sum', period: FIVE_MINUTES }),
    atLeast: 1,
  });
  alarms.onSilence('monitor-silent', offline, Duration.minutes(30));
}
