/**
 * The report of a device on itself, in the long JSON form of AWS IoT Device Defender
 * (https://docs.aws.amazon.com/iot-device-defender/latest/devguide/detect-device-side-metrics.html): one firmware serves Detect and the built-in monitor.
 */
import type { DeviceMetrics, Traffic } from './device-metrics.js';

const VERSION = '1.0';
/** A device with more open ports or peers than that says how many there are, and names the first ones: a message has 128 KB. */
const MOST_LISTED = 100;

export class Reports {
  private lastId = 0;
  private before: Traffic | undefined;

  /** `nowMs` gives the report its id, which must grow; a clock that was put back does not make it shrink. */
  of({ listeningTcpPorts, listeningUdpPorts, traffic, peers, custom }: DeviceMetrics, nowMs: number): object {
    this.lastId = Math.max(this.lastId + 1, Math.floor(nowMs / 1000));
    const added = traffic && this.before && since(this.before, traffic);
    if (traffic) this.before = traffic;
    return {
      header: { report_id: this.lastId, version: VERSION },
      metrics: {
        ...(listeningTcpPorts ? { listening_tcp_ports: open(listeningTcpPorts) } : {}),
        ...(listeningUdpPorts ? { listening_udp_ports: open(listeningUdpPorts) } : {}),
        ...(added ? { network_stats: added } : {}),
        ...(peers
          ? {
              tcp_connections: {
                established_connections: {
                  connections: peers.slice(0, MOST_LISTED).map((remote_addr) => ({ remote_addr })),
                  total: peers.length,
                },
              },
            }
          : {}),
      },
      ...(custom ? { custom_metrics: Object.fromEntries(Object.entries(custom).map(([name, value]) => [name, [valueOf(value)]])) } : {}),
    };
  }
}

const open = (ports: readonly number[]) => ({ ports: ports.slice(0, MOST_LISTED).map((port) => ({ port })), total: ports.length });

/** `undefined` where a counter has become smaller: an interface was reset, and the difference would be a lie. */
function since(before: Traffic, now: Traffic): object | undefined {
  const added = {
    bytes_in: now.bytesIn - before.bytesIn,
    bytes_out: now.bytesOut - before.bytesOut,
    packets_in: now.packetsIn - before.packetsIn,
    packets_out: now.packetsOut - before.packetsOut,
  };
  return Object.values(added).some((count) => count < 0) ? undefined : added;
}

/** An array of one such value: Device Defender's own form. */
function valueOf(value: number | readonly number[] | readonly string[]): object {
  if (typeof value === 'number') return { number: value };
  return value.every((one) => typeof one === 'number') ? { number_list: value } : { string_list: value };
}
