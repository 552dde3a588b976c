/** Reports of a device on itself: in Device Defender's own form, read by the code of the monitor; with what Linux really knows. */
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { hostMetrics, sockets, traffic } from '../../agent/speech/host-metrics.js';
import { Reports } from '../../agent/speech/report.js';
import type { DeviceMetrics } from '../../agent/speech/device-metrics.js';
import { type ReportFields, readReport } from '../../domain/protocol/device-report.js';
import { startGatewayDesk, type GatewayDesk } from '../local/gateway-desk.js';
import { runDevice } from './in-process.js';

const read = (report: object) => readReport(report as ReportFields);
const NOW = Date.parse('2026-11-22T10:00:00Z');
const METRICS: DeviceMetrics = {
  listeningTcpPorts: [22, 8080],
  listeningUdpPorts: [5353],
  peers: ['198.51.100.7:8883', '[2001:db8::1]:443'],
  traffic: { bytesIn: 1000, bytesOut: 2000, packetsIn: 10, packetsOut: 20 },
  custom: { cpu_temp: 61, open_files: [1, 2], procs: ['agent'] },
};

test('a report is what Device Defender documents: the monitor reads every value of it', () => {
  const reports = new Reports();
  reports.of(METRICS, NOW);
  const later = { ...METRICS, traffic: { bytesIn: 1500, bytesOut: 2100, packetsIn: 15, packetsOut: 22 } };
  const report = read(reports.of(later, NOW + 300_000));
  expect(report?.reportId).toBe(NOW / 1000 + 300);
  expect(Object.fromEntries(report!.values)).toMatchObject({
    'aws:all-bytes-in': 500,
    'aws:all-bytes-out': 100,
    'aws:all-packets-in': 5,
    'aws:all-packets-out': 2,
    'aws:listening-tcp-ports': [22, 8080],
    'aws:num-listening-tcp-ports': 2,
    'aws:listening-udp-ports': [5353],
    'aws:num-established-tcp-connections': 2,
    'aws:destination-ip-addresses': ['198.51.100.7', '2001:db8::1'],
    cpu_temp: 61,
    open_files: [1, 2],
    procs: ['agent'],
  });
});

test('the first report, and one after an interface was reset, say nothing of traffic: the difference would be a lie', () => {
  const reports = new Reports();
  expect(read(reports.of(METRICS, NOW))?.values.has('aws:all-bytes-in')).toBe(false);
  const reset = { ...METRICS, traffic: { bytesIn: 5, bytesOut: 5, packetsIn: 1, packetsOut: 1 } };
  expect(read(reports.of(reset, NOW + 1))?.values.has('aws:all-bytes-in')).toBe(false);
});

test('report ids grow, also where the clock is put back', () => {
  const reports = new Reports();
  const ids = [NOW, NOW, NOW - 3_600_000].map((at) => read(reports.of({}, at))!.reportId);
  expect(ids).toEqual([NOW / 1000, NOW / 1000 + 1, NOW / 1000 + 2]);
});

test('a device with more ports than a message should hold says how many there are', () => {
  const report = read(new Reports().of({ listeningTcpPorts: Array.from({ length: 3000 }, (_, index) => index + 1) }, NOW));
  expect(report?.values.get('aws:num-listening-tcp-ports')).toBe(3000);
  expect(report?.values.get('aws:listening-tcp-ports')).toHaveLength(100);
});

describe('what Linux says', () => {
  test('addresses of /proc/net/tcp and tcp6', () => {
    const head = '  sl  local_address rem_address   st tx_queue rx_queue';
    const lines = [
      '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000',
      '   1: 0A00020F:9C40 076433C6:22B3 01 00000000:00000000',
      '   2: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000',
      '   3: 0000000000000000FFFF00000A00020F:9C40 B80D0120000000000000000001000000:01BB 01 00000000:00000000',
    ];
    expect(sockets([head, ...lines, ''].join('\n'))).toEqual([
      { local: { address: '127.0.0.1', port: 8080 }, remote: { address: '0.0.0.0', port: 0 }, state: '0A' },
      { local: { address: '15.2.0.10', port: 40_000 }, remote: { address: '198.51.100.7', port: 8883 }, state: '01' },
      { local: { address: '0:0:0:0:0:0:0:1', port: 22 }, remote: { address: '0:0:0:0:0:0:0:0', port: 0 }, state: '0A' },
      { local: { address: '15.2.0.10', port: 40_000 }, remote: { address: '2001:db8:0:0:0:0:0:1', port: 443 }, state: '01' },
    ]);
  });

  test('traffic of all interfaces but the loopback', () => {
    const text = [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
      '    lo:    9999      99    0    0    0     0          0         0     9999      99    0    0    0     0       0          0',
      '  eth0:  1000      10    0    0    0     0          0         0     2000      20    0    0    0     0       0          0',
      ' wlan0:1      2    0    0    0     0          0         0     3      4    0    0    0     0       0          0',
    ].join('\n');
    expect(traffic(text)).toEqual({ bytesIn: 1001, packetsIn: 12, bytesOut: 2003, packetsOut: 24 });
  });

  test('where there is no such directory nothing is known', async () => {
    expect(await hostMetrics('/nowhere')).toEqual({});
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;
  onLinux('a port that is open to others is seen, one on the loopback is not', async () => {
    const servers: Server[] = [];
    const listen = async (host: string): Promise<number> => {
      const server = createServer().listen(0, host);
      servers.push(server);
      await once(server, 'listening');
      return (server.address() as { port: number }).port;
    };
    try {
      const [open, hidden] = [await listen('0.0.0.0'), await listen('127.0.0.1')];
      const { listeningTcpPorts } = await hostMetrics();
      expect(listeningTcpPorts).toContain(open);
      expect(listeningTcpPorts).not.toContain(hidden);
    } finally {
      for (const server of servers) server.close();
    }
  });
});

describe('on the wire', () => {
  let desk: GatewayDesk;
  beforeAll(async () => {
    desk = await startGatewayDesk();
  });
  afterAll(() => desk.stop());

  test('a report goes to the topic of the device at its interval, however often the connection is lost', async () => {
    const device = await desk.enrol('meter');
    const heard: { readonly topic: string; readonly atMs: number; readonly report: object }[] = [];
    desk.cloud.parts.rules = ({ topic, payload }) => {
      if (topic.startsWith('$aws/events/')) return;
      heard.push({ topic, atMs: performance.now(), report: JSON.parse(Buffer.from(payload).toString()) as object });
    };
    const agent = runDevice(desk, device, { metrics: () => METRICS, random: () => 0.5, settings: { reportEveryMs: 600 } });
    try {
      await agent.until(({ kind }) => kind === 'reported');
      desk.gateway.disconnect('meter', 'CONNECTION_LOST');
      for (let wait = 0; wait < 100 && heard.length < 3; wait++) await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await agent.stop();
    }
    expect(new Set(heard.map(({ topic }) => topic))).toEqual(new Set(['fleet/meter/report']));
    expect(read(heard[0]!.report)?.values.get('aws:listening-tcp-ports')).toEqual([22, 8080]);
    const gaps = heard.slice(1).map(({ atMs }, index) => atMs - heard[index]!.atMs);
    expect(Math.min(...gaps)).toBeGreaterThan(500);
  });

  test('the same report goes to Device Defender, which accepts it, where the device is told to', async () => {
    const device = await desk.enrol('gauge');
    const heard: { readonly topic: string; readonly said: Record<string, unknown> }[] = [];
    desk.cloud.parts.rules = ({ topic, payload }) => {
      if (topic.includes('/gauge/')) heard.push({ topic, said: JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown> });
    };
    const agent = runDevice(desk, device, { metrics: () => METRICS, random: () => 1, settings: { reportsToDetect: true } });
    try {
      await agent.until(({ kind }) => kind === 'reported');
    } finally {
      await agent.stop();
    }
    expect(heard.map(({ topic }) => topic)).toEqual(['fleet/gauge/report', '$aws/things/gauge/defender/metrics/json/accepted']);
    const [report, answer] = heard.map(({ said }) => said);
    expect(answer).toMatchObject({
      status: 'ACCEPTED',
      [String((report!['header'] as { report_id: number }).report_id)]: expect.any(Number),
    });
  });
});
