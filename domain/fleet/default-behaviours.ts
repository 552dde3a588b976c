/**
 * What is normal unless the configuration says otherwise: one behaviour for each metric. The limits are far from what a quiet device does and close
 * to what a captured one does; the sets name what is never right (docs/behaviours.md explains each). Whoever knows the fleet says it closer.
 */
import type { CustomMetricType } from './behaviour-metrics.js';
import type { Behaviour } from './behaviours.js';

/** Special-purpose blocks from which, and to which, nothing travels on the Internet (RFC 6890): documentation, test, reserved. */
const NEVER_ROUTED = ['0.0.0.0/8', '192.0.2.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4', '2001:db8::/32'];
/** Telnet, rlogin, and the ports on which botnets of things listen and spread. */
const BAD_TCP_PORTS = [21, 23, 513, 514, 2323, 5555, 7547, 23231, 48101];
/** Amplifiers of denial-of-service attacks: chargen, TFTP, portmapper, SSDP, memcached. */
const BAD_UDP_PORTS = [17, 19, 69, 111, 1900, 11211];

const within = (
  name: string,
  metric: string,
  value: number,
  [toAlarm, toClear]: readonly [number, number],
  response: Behaviour['response'],
) =>
  ({
    name,
    metric,
    operator: 'less-than-equals',
    value,
    datapointsToAlarm: toAlarm,
    datapointsToClear: toClear,
    response,
  }) as const satisfies Behaviour;

const never = (
  name: string,
  metric: string,
  operator: 'not-in-cidr-set' | 'not-in-port-set',
  value: readonly (string | number)[],
  response: Behaviour['response'],
) => ({ name, metric, operator, value, datapointsToAlarm: 1, datapointsToClear: 3, response }) as const satisfies Behaviour;

const AT_ONCE = [1, 3] as const;
const SECOND_TIME = [2, 3] as const;

export const DEFAULT_BEHAVIOURS: readonly Behaviour[] = [
  within('message-size', 'aws:message-byte-size', 32_768, AT_ONCE, 'notify'),
  within('messages-sent', 'aws:num-messages-sent', 600, AT_ONCE, 'contain'),
  within('messages-received', 'aws:num-messages-received', 600, SECOND_TIME, 'notify'),
  within('authorization-failures', 'aws:num-authorization-failures', 5, AT_ONCE, 'contain'),
  never('source-address', 'aws:source-ip-address', 'not-in-cidr-set', NEVER_ROUTED, 'contain'),
  within('connection-attempts', 'aws:num-connection-attempts', 30, SECOND_TIME, 'notify'),
  within('disconnects', 'aws:num-disconnects', 30, SECOND_TIME, 'notify'),
  within('disconnect-duration', 'aws:disconnect-duration', 1440, [1, 1], 'notify'),
  within('subscriptions', 'fleetwarden:num-subscriptions', 100, AT_ONCE, 'notify'),
  within('bytes-out', 'aws:all-bytes-out', 50_000_000, SECOND_TIME, 'notify'),
  within('bytes-in', 'aws:all-bytes-in', 50_000_000, SECOND_TIME, 'notify'),
  within('packets-out', 'aws:all-packets-out', 100_000, SECOND_TIME, 'notify'),
  within('packets-in', 'aws:all-packets-in', 100_000, SECOND_TIME, 'notify'),
  within('tcp-port-count', 'aws:num-listening-tcp-ports', 20, AT_ONCE, 'notify'),
  within('udp-port-count', 'aws:num-listening-udp-ports', 20, AT_ONCE, 'notify'),
  never('tcp-ports', 'aws:listening-tcp-ports', 'not-in-port-set', BAD_TCP_PORTS, 'contain'),
  never('udp-ports', 'aws:listening-udp-ports', 'not-in-port-set', BAD_UDP_PORTS, 'notify'),
  never('destination-addresses', 'aws:destination-ip-addresses', 'not-in-cidr-set', NEVER_ROUTED, 'notify'),
  within('tcp-connections', 'aws:num-established-tcp-connections', 50, SECOND_TIME, 'notify'),
  {
    name: 'battery',
    metric: 'battery',
    operator: 'greater-than-equals',
    value: 5,
    datapointsToAlarm: 1,
    datapointsToClear: 3,
    response: 'observe',
  },
  { ...within('cpu-temperature', 'cpu_temp', 95, [3, 3], 'notify') },
];

/** Battery: charge in per cent. CPU temperature: degrees Celsius. A device that does not report them violates nothing. */
export const DEFAULT_CUSTOM_METRICS: Readonly<Record<string, CustomMetricType>> = { battery: 'number', cpu_temp: 'number' };
