/** What an accepted report says, metric by metric (DDG detect-device-side-metrics.html, dd-detect-custom-metrics.html). The form has been checked (report-check.ts). */
import type { MetricValue } from './detect.js';
import type { Json } from './report-check.js';

const CUSTOM_MEMBERS: Readonly<Record<string, keyof MetricValue>> = {
  number: 'number',
  number_list: 'numbers',
  string_list: 'strings',
  ip_list: 'cidrs',
};

/** A metric that the report does not have is missing: it is no datapoint. */
export function reportValues(report: Json): ReadonlyMap<string, MetricValue> {
  const values = new Map<string, MetricValue>();
  const count = (metric: string, value: unknown): void => void (typeof value === 'number' && values.set(metric, { count: value }));
  const metrics = pick(report, 'metrics', 'met');
  const network = pick(metrics, 'network_stats', 'ns');
  count('aws:all-bytes-in', pick(network, 'bytes_in', 'bi'));
  count('aws:all-bytes-out', pick(network, 'bytes_out', 'bo'));
  count('aws:all-packets-in', pick(network, 'packets_in', 'pi'));
  count('aws:all-packets-out', pick(network, 'packets_out', 'po'));
  for (const [kind, long, short] of [
    ['tcp', 'listening_tcp_ports', 'tp'],
    ['udp', 'listening_udp_ports', 'up'],
  ] as const) {
    const listening = pick(metrics, long, short);
    const ports = listOf(pick(listening, 'ports', 'pts'))?.map((port) => Number(pick(port, 'port', 'pt')));
    if (ports) values.set(`aws:listening-${kind}-ports`, { ports });
    count(`aws:num-listening-${kind}-ports`, pick(listening, 'total', 't') ?? ports?.length);
  }
  const established = pick(pick(metrics, 'tcp_connections', 'tc'), 'established_connections', 'ec');
  const peers = listOf(pick(established, 'connections', 'cs'))?.map((peer) => hostOf(String(pick(peer, 'remote_addr', 'rad'))));
  if (peers) values.set('aws:destination-ip-addresses', { cidrs: peers });
  count('aws:num-established-tcp-connections', pick(established, 'total', 't') ?? peers?.length);
  for (const [name, value] of Object.entries((pick(report, 'custom_metrics', 'cmet') ?? {}) as Json)) {
    const [[kind, held] = ['', undefined]] = Object.entries(listOf(value)?.[0] ?? {});
    const member = CUSTOM_MEMBERS[kind];
    if (member && !name.startsWith('aws:')) values.set(name, { [member]: held });
  }
  return values;
}

const pick = (from: unknown, long: string, short: string): unknown => {
  const held = from as Json | undefined;
  return held?.[long] ?? held?.[short];
};
const listOf = (value: unknown): readonly object[] | undefined => (Array.isArray(value) ? (value as object[]) : undefined);

/** `192.0.2.1:8883`, `[2001:db8::1]:8883`, or an address alone. */
const hostOf = (address: string): string => /^\[(.+)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
