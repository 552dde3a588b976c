/**
 * The metrics of Device Defender Detect, and what a behaviour may say about each: the kind of its value, whether it needs a duration
 * (https://docs.aws.amazon.com/iot-device-defender/latest/devguide/detect-cloud-side-metrics.html, detect-device-side-metrics.html, dd-detect-custom-metrics.html).
 */
import type { MetricValue } from './detect.js';

export type ValueKind = keyof MetricValue;

export interface DetectMetric {
  readonly kind: ValueKind;
  /** Measured by AWS IoT itself, whatever the device says. @default false: it comes from the device's reports */
  readonly cloud?: boolean;
  /** Counted over a time: `durationSeconds` must be given. */
  readonly counted?: boolean;
  /** A dimension (a topic filter) may narrow it. */
  readonly dimension?: boolean;
}

const counted: DetectMetric = { kind: 'count', counted: true };
const seen: DetectMetric = { ...counted, cloud: true };
const ofMessages: DetectMetric = { ...seen, dimension: true };

const METRICS: Readonly<Record<string, DetectMetric>> = {
  'aws:message-byte-size': { kind: 'count', cloud: true, dimension: true },
  'aws:num-messages-sent': ofMessages,
  'aws:num-messages-received': ofMessages,
  'aws:num-authorization-failures': ofMessages,
  'aws:source-ip-address': { kind: 'cidrs', cloud: true, dimension: true },
  'aws:num-connection-attempts': seen,
  'aws:num-disconnects': seen,
  'aws:disconnect-duration': { kind: 'count', cloud: true },
  'aws:all-bytes-out': counted,
  'aws:all-bytes-in': counted,
  'aws:all-packets-out': counted,
  'aws:all-packets-in': counted,
  'aws:num-listening-tcp-ports': { kind: 'count' },
  'aws:num-listening-udp-ports': { kind: 'count' },
  'aws:listening-tcp-ports': { kind: 'ports' },
  'aws:listening-udp-ports': { kind: 'ports' },
  'aws:destination-ip-addresses': { kind: 'cidrs' },
  'aws:num-established-tcp-connections': { kind: 'count' },
};

/** CustomMetricType → what its values are compared with. */
export const CUSTOM_METRIC_KINDS: Readonly<Record<string, ValueKind>> = {
  'string-list': 'strings',
  'ip-address-list': 'cidrs',
  'number-list': 'numbers',
  number: 'number',
};

const ORDER = ['less-than', 'less-than-equals', 'greater-than', 'greater-than-equals'];
export const OPERATORS: Readonly<Record<ValueKind, readonly string[]>> = {
  count: ORDER,
  number: ORDER,
  numbers: ['in-set', 'not-in-set'],
  strings: ['in-set', 'not-in-set'],
  cidrs: ['in-cidr-set', 'not-in-cidr-set'],
  ports: ['in-port-set', 'not-in-port-set'],
};

/** `undefined`: neither a metric of AWS nor a custom one of the account. */
export function detectMetric(name: string, customMetrics: ReadonlyMap<string, { readonly metricType: string }>): DetectMetric | undefined {
  if (name.startsWith('aws:')) return METRICS[name];
  const custom = customMetrics.get(name);
  return custom ? { kind: CUSTOM_METRIC_KINDS[custom.metricType]! } : undefined;
}
