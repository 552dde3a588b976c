/**
 * What a device says about itself, in the JSON of AWS IoT Device Defender, with long and short names
 * (https://docs.aws.amazon.com/iot-device-defender/latest/devguide/detect-device-side-metrics.html). One firmware serves both listeners: with Detect the
 * same report goes to `$aws/things/<thing>/defender/metrics/json`, for the built-in monitor to `<topicPrefix>/<thing>/report`.
 */
import { z } from 'zod';
import { parseAddress } from '../fleet/cidr.js';

/** No device has more to say, and one that has is not to fill the window of all. */
const MOST = 1000;
const amount = z.number().nonnegative();
const port = z.number().int().min(0).max(65_535);
const ports = <Port extends string>(name: Port) => z.array(z.object({ [name]: port })).max(MOST);

const HEADER = z.object({ report_id: z.number(), version: z.string().optional() });
const SHORT_HEADER = z.object({ rid: z.number(), v: z.string().optional() });

const METRICS = z.object({
  listening_tcp_ports: z.object({ ports: ports('port').optional(), total: amount.optional() }).optional(),
  listening_udp_ports: z.object({ ports: ports('port').optional(), total: amount.optional() }).optional(),
  network_stats: z
    .object({ bytes_in: amount.optional(), bytes_out: amount.optional(), packets_in: amount.optional(), packets_out: amount.optional() })
    .optional(),
  tcp_connections: z
    .object({
      established_connections: z
        .object({
          connections: z
            .array(z.object({ remote_addr: z.string().max(64).optional() }))
            .max(MOST)
            .optional(),
          total: amount.optional(),
        })
        .optional(),
    })
    .optional(),
});
const SHORT_METRICS = z.object({
  tp: z.object({ pts: ports('pt').optional(), t: amount.optional() }).optional(),
  up: z.object({ pts: ports('pt').optional(), t: amount.optional() }).optional(),
  ns: z.object({ bi: amount.optional(), bo: amount.optional(), pi: amount.optional(), po: amount.optional() }).optional(),
  tc: z
    .object({
      ec: z
        .object({
          cs: z
            .array(z.object({ rad: z.string().max(64).optional() }))
            .max(MOST)
            .optional(),
          t: amount.optional(),
        })
        .optional(),
    })
    .optional(),
});
/** An array of one: Device Defender's own form. */
const CUSTOM_METRICS = z.record(
  z.string().max(128),
  z
    .array(
      z.object({
        number: z.number().optional(),
        number_list: z.array(z.number()).max(MOST).optional(),
        string_list: z.array(z.string().max(256)).max(MOST).optional(),
        ip_list: z.array(z.string().max(64)).max(MOST).optional(),
      }),
    )
    .length(1),
);

/** As the topic rule passes it on: the top-level fields of either notation. */
export const ReportFields = z.object({
  header: z.unknown().optional(),
  hed: z.unknown().optional(),
  metrics: z.unknown().optional(),
  met: z.unknown().optional(),
  custom_metrics: z.unknown().optional(),
  cmet: z.unknown().optional(),
});
export type ReportFields = z.infer<typeof ReportFields>;

/** One value of one metric: a number, or the elements of a list. */
export type ReportedValue = number | readonly (number | string)[];

export interface DeviceReport {
  /** Grows with each report of a device; the same one twice is one. */
  readonly reportId: number;
  /** Metric, by AWS's own name or that of the custom metric → value. */
  readonly values: ReadonlyMap<string, ReportedValue>;
}

/** `undefined`: not a report. Whatever a device writes, it is read or refused as a whole: half a report would be a false one. */
export function readReport(fields: ReportFields): DeviceReport | undefined {
  const long = HEADER.safeParse(fields.header);
  const short = SHORT_HEADER.safeParse(fields.hed);
  if (long.success === short.success) return undefined;
  const values = new Map<string, ReportedValue>();
  const understood = long.success
    ? readMetrics(METRICS.safeParse(fields.metrics ?? {}), values) && readCustom(fields.custom_metrics, values)
    : readMetrics(shortMetrics(fields.met ?? {}), values) && readCustom(fields.cmet, values);
  if (!understood) return undefined;
  return { reportId: long.success ? long.data.report_id : short.data!.rid, values };
}

type Metrics = z.infer<typeof METRICS>;

/** The short notation, in the words of the long one. */
function shortMetrics(met: unknown): { readonly success: boolean; readonly data?: Metrics } {
  const { success, data } = SHORT_METRICS.safeParse(met);
  if (!success) return { success };
  const open = (side: typeof data.tp) => side && { ports: side.pts?.map(({ pt }) => ({ port: pt! })), total: side.t };
  const { ns, tc } = data;
  return {
    success,
    data: {
      listening_tcp_ports: open(data.tp),
      listening_udp_ports: open(data.up),
      network_stats: ns && { bytes_in: ns.bi, bytes_out: ns.bo, packets_in: ns.pi, packets_out: ns.po },
      tcp_connections: tc && {
        established_connections: tc.ec && { connections: tc.ec.cs?.map(({ rad }) => ({ remote_addr: rad })), total: tc.ec.t },
      },
    },
  };
}

function readMetrics(read: { readonly success: boolean; readonly data?: Metrics }, into: Map<string, ReportedValue>): boolean {
  if (!read.success || read.data === undefined) return false;
  const { listening_tcp_ports: tcp, listening_udp_ports: udp, network_stats: net, tcp_connections: connections } = read.data;
  const put = (metric: string, value: ReportedValue | undefined): void => void (value !== undefined && into.set(metric, value));
  put('aws:all-bytes-in', net?.bytes_in);
  put('aws:all-bytes-out', net?.bytes_out);
  put('aws:all-packets-in', net?.packets_in);
  put('aws:all-packets-out', net?.packets_out);
  put(
    'aws:listening-tcp-ports',
    tcp?.ports?.map(({ port: open }) => open!),
  );
  put('aws:num-listening-tcp-ports', tcp?.total ?? tcp?.ports?.length);
  put(
    'aws:listening-udp-ports',
    udp?.ports?.map(({ port: open }) => open!),
  );
  put('aws:num-listening-udp-ports', udp?.total ?? udp?.ports?.length);
  const established = connections?.established_connections;
  put('aws:num-established-tcp-connections', established?.total ?? established?.connections?.length);
  const peers = established?.connections?.flatMap(({ remote_addr: peer }) => (peer === undefined ? [] : [hostOf(peer)]));
  if (peers?.some((peer) => peer === undefined)) return false;
  put('aws:destination-ip-addresses', peers as string[] | undefined);
  return true;
}

function readCustom(metrics: unknown, into: Map<string, ReportedValue>): boolean {
  if (metrics === undefined || metrics === null) return true;
  const read = CUSTOM_METRICS.safeParse(metrics);
  if (!read.success) return false;
  for (const [name, [said]] of Object.entries(read.data)) {
    const value = said?.number ?? said?.number_list ?? said?.string_list ?? said?.ip_list;
    // A device may call its metric as it likes, but not like one of AWS, which it would then forge past the checks above.
    if (value !== undefined && !name.includes(':')) into.set(name, value);
  }
  return true;
}

/** `198.51.100.7:8883`, `[2001:db8::1]:8883`, or an address alone. `undefined`: none of these. */
function hostOf(peer: string): string | undefined {
  const host = /^\[(.+)\](?::\d{1,5})?$/.exec(peer)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(peer)?.[1] ?? peer;
  return parseAddress(host) === undefined ? undefined : host;
}
