/** Reports of devices: Device Defender's own samples, in both notations, and what devices write that is none. */
import fc from 'fast-check';
import { readReport, type ReportFields } from '../../domain/protocol/device-report.js';

const LONG: ReportFields = {
  header: { report_id: 1795342500, version: '1.0' },
  metrics: {
    listening_tcp_ports: { ports: [{ interface: 'eth0', port: 22 }], total: 1 },
    listening_udp_ports: { ports: [{ interface: 'eth0', port: 5353 }], total: 1 },
    network_stats: { bytes_in: 30680, bytes_out: 10652, packets_in: 113, packets_out: 118 },
    tcp_connections: {
      established_connections: {
        connections: [{ local_interface: 'eth0', local_port: 41822, remote_addr: '198.51.100.7:8883' }],
        total: 1,
      },
    },
  },
  custom_metrics: {
    cpu_temp: [{ number: 61 }],
    open_files: [{ number_list: [1, 2, 3] }],
    procs: [{ string_list: ['agent', 'updater'] }],
    dns_servers: [{ ip_list: ['192.0.2.53'] }],
  },
};
const SHORT: ReportFields = {
  hed: { rid: 1795342500, v: '1.0' },
  met: {
    tp: { pts: [{ if: 'eth0', pt: 22 }], t: 1 },
    up: { pts: [{ if: 'eth0', pt: 5353 }], t: 1 },
    ns: { bi: 30680, bo: 10652, pi: 113, po: 118 },
    tc: { ec: { cs: [{ li: 'eth0', lp: 41822, rad: '198.51.100.7:8883' }], t: 1 } },
  },
  cmet: LONG.custom_metrics,
};

describe('a report', () => {
  it('says the same in short and in long names', () => {
    expect(readReport(SHORT)).toEqual(readReport(LONG));
    expect(Object.fromEntries(readReport(LONG)!.values)).toEqual({
      'aws:all-bytes-in': 30680,
      'aws:all-bytes-out': 10652,
      'aws:all-packets-in': 113,
      'aws:all-packets-out': 118,
      'aws:listening-tcp-ports': [22],
      'aws:num-listening-tcp-ports': 1,
      'aws:listening-udp-ports': [5353],
      'aws:num-listening-udp-ports': 1,
      'aws:num-established-tcp-connections': 1,
      'aws:destination-ip-addresses': ['198.51.100.7'],
      cpu_temp: 61,
      open_files: [1, 2, 3],
      procs: ['agent', 'updater'],
      dns_servers: ['192.0.2.53'],
    });
  });

  it('counts ports where it has no total', () => {
    const read = readReport({ header: LONG.header, metrics: { listening_tcp_ports: { ports: [{ port: 1 }, { port: 2 }] } } });
    expect(read!.values.get('aws:num-listening-tcp-ports')).toBe(2);
  });

  it.each(['198.51.100.7', '198.51.100.7:8883', '[2001:db8::1]:443', '2001:db8::1', '[2001:db8::1]'])('reads the peer %s', (peer) => {
    const metrics = { tcp_connections: { established_connections: { connections: [{ remote_addr: peer }] } } };
    expect(readReport({ header: LONG.header, metrics })!.values.get('aws:destination-ip-addresses')).toEqual([
      peer.includes('2001') ? '2001:db8::1' : '198.51.100.7',
    ]);
  });

  it.each<[string, ReportFields]>([
    ['without a header', { metrics: {} }],
    ['with two headers', { header: LONG.header, hed: SHORT.hed }],
    ['with text for ports', { header: LONG.header, metrics: { listening_tcp_ports: { ports: 'all' } } }],
    ['with a port beyond the last', { header: LONG.header, metrics: { listening_tcp_ports: { ports: [{ port: 70_000 }] } } }],
    ['with fewer than no octets', { header: LONG.header, metrics: { network_stats: { bytes_in: -1 } } }],
    [
      'with a peer that is no address',
      {
        header: LONG.header,
        metrics: { tcp_connections: { established_connections: { connections: [{ remote_addr: 'evil.example' }] } } },
      },
    ],
    ['with a custom metric of two values', { header: LONG.header, custom_metrics: { x: [{ number: 1 }, { number: 2 }] } }],
    [
      'with a thousand and one ports',
      { header: LONG.header, metrics: { listening_tcp_ports: { ports: Array.from({ length: 1001 }, () => ({ port: 1 })) } } },
    ],
    ['in short names with nonsense', { hed: SHORT.hed, met: { tp: 5 } }],
  ])('%s is none', (_, fields) => expect(readReport(fields)).toBeUndefined());

  it('cannot pass off a metric of its own as one of AWS', () => {
    const read = readReport({ header: LONG.header, custom_metrics: { 'aws:all-bytes-out': [{ number: 0 }] } });
    expect([...read!.values]).toEqual([]);
  });

  it('of whatever a device writes is read or refused, and never throws', () => {
    fc.assert(
      fc.property(
        fc.record({ header: fc.anything(), metrics: fc.anything(), met: fc.anything(), hed: fc.anything(), cmet: fc.anything() }),
        (fields) => {
          const read = readReport(fields as ReportFields);
          expect(read === undefined || read.values instanceof Map).toBe(true);
        },
      ),
    );
  });
});
