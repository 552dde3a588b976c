/** What Linux knows: /proc/net of the whole computer (proc_pid_net(5)). Elsewhere nothing is known, and nothing is said. */
import { readFile } from 'node:fs/promises';
import type { DeviceMetrics, Traffic } from './device-metrics.js';

/** tcp_states.h; a UDP socket without a peer is in the state of a closed TCP one. */
const ESTABLISHED = '01';
const CLOSED = '07';
const LISTEN = '0A';

interface Socket {
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
  readonly state: string;
}

export async function hostMetrics(directory = '/proc/net'): Promise<DeviceMetrics> {
  const textOf = (name: string): Promise<string | undefined> => readFile(`${directory}/${name}`, 'utf8').catch(() => undefined);
  const [tcp4, tcp6, udp4, udp6, dev] = await Promise.all(['tcp', 'tcp6', 'udp', 'udp6', 'dev'].map(textOf));
  if (tcp4 === undefined) return {};
  const tcp = [...sockets(tcp4), ...sockets(tcp6 ?? '')];
  const udp = [...sockets(udp4 ?? ''), ...sockets(udp6 ?? '')];
  return {
    listeningTcpPorts: portsOf(tcp, LISTEN),
    listeningUdpPorts: portsOf(udp, CLOSED),
    peers: tcp
      .filter(({ state, remote }) => state === ESTABLISHED && !isLoopback(remote.address))
      .map(({ remote: { address, port } }) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`)),
    ...(dev === undefined ? {} : { traffic: traffic(dev) }),
  };
}

function portsOf(all: readonly Socket[], wanted: string): number[] {
  const open = all.filter(({ state, local }) => state === wanted && !isLoopback(local.address)).map(({ local }) => local.port);
  return [...new Set(open)].toSorted((a, b) => a - b);
}

/** Lines `sl local_address rem_address st …`, addresses as `0100007F:1F90`. */
export function sockets(text: string): Socket[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length > 3)
    .map(([, local, remote, state]) => ({ local: endOf(local!), remote: endOf(remote!), state: state! }));
}

function endOf(text: string): Socket['local'] {
  const [address, port] = text.split(':');
  return { address: addressOf(address!), port: Number.parseInt(port!, 16) };
}

/** Words of 32 bits in the byte order of the host, which is little-endian wherever Node runs on Linux but for s390x. */
function addressOf(hex: string): string {
  const octets = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).toReversed().map((octet) => Number.parseInt(octet, 16)),
  );
  if (octets.length === 4) return octets.join('.');
  const isMapped = octets.slice(0, 10).every((octet) => octet === 0) && octets[10] === 255 && octets[11] === 255;
  if (isMapped) return octets.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => ((octets[2 * index]! << 8) | octets[2 * index + 1]!).toString(16));
  return groups.join(':');
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '0:0:0:0:0:0:0:1';

/** Lines `eth0: bytes packets errs drop fifo frame compressed multicast bytes packets …`, received first. */
export function traffic(text: string): Traffic {
  const sum = { bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0 };
  for (const line of text.split('\n').slice(2)) {
    const [name, counters] = line.split(':');
    if (counters === undefined || name!.trim() === 'lo') continue;
    const values = counters.trim().split(/\s+/).map(Number);
    sum.bytesIn += values[0] ?? 0;
    sum.packetsIn += values[1] ?? 0;
    sum.bytesOut += values[8] ?? 0;
    sum.packetsOut += values[9] ?? 0;
  }
  return sum;
}
