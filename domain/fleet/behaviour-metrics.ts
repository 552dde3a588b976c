/**
 * What a behaviour can be about: every metric of AWS IoT Device Defender Detect, in AWS's own names, and what the built-in monitor can say about it.
 * https://docs.aws.amazon.com/iot-device-defender/latest/devguide/detect-cloud-side-metrics.html, …/detect-device-side-metrics.html, …/dd-detect-custom-metrics.html
 */

/** What the built-in monitor listens to. Each is switched on by itself, because each is metered by itself (docs/behaviours.md). */
export const MONITOR_SOURCES = ['presence', 'subscriptions', 'sent', 'received', 'logs', 'reports'] as const;
export type MonitorSource = (typeof MONITOR_SOURCES)[number];

/** The member of MetricValue in which values and thresholds stand. */
export const METRIC_KINDS = ['count', 'cidrs', 'ports', 'number', 'numbers', 'strings'] as const;
export type MetricKind = (typeof METRIC_KINDS)[number];

/**
 * How the events of one window become one datapoint.
 *
 *     sum       all of them together
 *     range     the smallest and the largest: each single one must be normal
 *     set       those values that are not normal; each single one must be
 *     offline   minutes since the device disconnected; looked at by schedule, because nothing arrives from a device that is away
 */
export type Gathering = 'sum' | 'range' | 'set' | 'offline';

export interface BehaviourMetric {
  readonly side: 'cloud' | 'device' | 'custom';
  readonly kind: MetricKind;
  readonly gathering: Gathering;
  /** One of these must be on for the built-in monitor to see it. */
  readonly sources: readonly MonitorSource[];
  /** ML Detect can learn it. */
  readonly ml: boolean;
  /** Detect wants `durationSeconds`: the metric has a dimension of time. */
  readonly timed: boolean;
  /** Only the built-in monitor knows it. @default Detect knows it as well */
  readonly builtInOnly?: true;
  /** Its name in the state of a window, which has one megabyte for all. */
  readonly code: string;
}

const count = (code: string, sources: readonly MonitorSource[]): BehaviourMetric => ({
  side: 'cloud',
  kind: 'count',
  gathering: 'sum',
  sources,
  ml: true,
  timed: true,
  code,
});
const traffic = (code: string): BehaviourMetric => ({ ...count(code, ['reports']), side: 'device' });
const gauge = (code: string): BehaviourMetric => ({ ...traffic(code), gathering: 'range' });
const list = (side: 'cloud' | 'device', kind: MetricKind, code: string, source: MonitorSource): BehaviourMetric => ({
  side,
  kind,
  gathering: 'set',
  sources: [source],
  ml: false,
  timed: false,
  code,
});

export const BEHAVIOUR_METRICS = {
  'aws:message-byte-size': { ...count('z', ['sent']), gathering: 'range', timed: false },
  'aws:num-messages-sent': count('m', ['sent']),
  'aws:num-messages-received': count('v', ['received']),
  /** By presence: refused connections, and connections that were ended because of what the device tried. By logs: each single refusal. */
  'aws:num-authorization-failures': count('a', ['presence', 'logs']),
  'aws:source-ip-address': list('cloud', 'cidrs', 'i', 'presence'),
  'aws:num-connection-attempts': count('c', ['presence']),
  'aws:num-disconnects': count('d', ['presence']),
  'aws:disconnect-duration': { ...count('o', ['presence']), gathering: 'offline', ml: false, timed: false },
  'aws:all-bytes-out': traffic('bo'),
  'aws:all-bytes-in': traffic('bi'),
  'aws:all-packets-out': traffic('po'),
  'aws:all-packets-in': traffic('pi'),
  'aws:num-listening-tcp-ports': gauge('nt'),
  'aws:num-listening-udp-ports': gauge('nu'),
  'aws:listening-tcp-ports': list('device', 'ports', 'tp', 'reports'),
  'aws:listening-udp-ports': list('device', 'ports', 'up', 'reports'),
  'aws:destination-ip-addresses': list('device', 'cidrs', 'da', 'reports'),
  'aws:num-established-tcp-connections': gauge('ec'),
  /** Topics subscribed to: one that walks through topics that it may read stands out here, one that may not stands out by its refusals. */
  'fleetwarden:num-subscriptions': { ...count('s', ['subscriptions']), ml: false, builtInOnly: true },
} as const satisfies Readonly<Record<string, BehaviourMetric>>;

/** The types of custom metrics, as CreateCustomMetric has them. */
export const CUSTOM_METRIC_TYPES = ['number', 'number-list', 'string-list', 'ip-address-list'] as const;
export type CustomMetricType = (typeof CUSTOM_METRIC_TYPES)[number];

const CUSTOM_KINDS = { number: 'number', 'number-list': 'numbers', 'string-list': 'strings', 'ip-address-list': 'cidrs' } as const;

/** `undefined`: neither a metric of AWS nor a custom metric that is declared. */
export function behaviourMetric(name: string, custom: Readonly<Record<string, CustomMetricType>>): BehaviourMetric | undefined {
  if (Object.hasOwn(BEHAVIOUR_METRICS, name)) return BEHAVIOUR_METRICS[name as keyof typeof BEHAVIOUR_METRICS];
  const type = Object.hasOwn(custom, name) ? custom[name] : undefined;
  if (type === undefined) return undefined;
  const kind = CUSTOM_KINDS[type];
  const gathering = kind === 'number' ? 'range' : 'set';
  return { side: 'custom', kind, gathering, sources: ['reports'], ml: kind === 'number', timed: kind === 'number', code: `x:${name}` };
}

/**
 * Is it known what a device did of which nothing came? What the cloud counts is zero then, and whether it is connected is known; a report that does not come,
 * an address that does not connect and the size of no message say nothing.
 */
export function isKnownInSilence(name: string): boolean {
  const metric = behaviourMetric(name, {});
  return metric !== undefined && (metric.gathering === 'offline' || (metric.gathering === 'sum' && metric.side === 'cloud'));
}
