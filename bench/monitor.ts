/**
 * The built-in monitor on one core: events a second from the octets of a record to the state of its window, and how much of the megabyte that Lambda carries
 * ten thousand devices take. What is measured is the code of the function without AWS: decode, read, count, evaluate, encode.
 */
import { DEFAULT_BEHAVIOURS, DEFAULT_CUSTOM_METRICS } from '../domain/fleet/default-behaviours.js';
import { MONITOR_LIMITS } from '../domain/protocol/fleet-events.js';
import { certain } from '../lambda/behaviour/watch/evaluate.js';
import { planOf } from '../lambda/behaviour/watch/plan.js';
import { readRecord } from '../lambda/behaviour/watch/read-record.js';
import { signOf } from '../lambda/behaviour/watch/signs.js';
import { decodeState, encodeState, type CarriedState } from '../lambda/behaviour/watch/state-codec.js';
import { fold } from '../lambda/behaviour/watch/window-state.js';
import { median } from './measure.js';

const START = Date.parse('2026-11-22T10:00:00Z');
const plan = planOf({ behaviours: [...DEFAULT_BEHAVIOURS], customMetrics: { ...DEFAULT_CUSTOM_METRICS } });
const encoded = (record: object): string => Buffer.from(JSON.stringify(record)).toString('base64');
const nameOf = (n: number): string => `pump-${String(n).padStart(7, '0')}`;

let traces = 0;
const trace = (): string => {
  traces += 1;
  return `${traces.toString(16).padStart(8, '0')}-f7d1-feae-169f-${((traces * 2654435761) % 2 ** 32).toString(16).padStart(12, '0')}`;
};

const KINDS = {
  message: (n: number) =>
    encoded({ kind: 'sent', clientId: nameOf(n), base64Length: 400 + (n % 97) * 4, paddingAt: -1, traceId: trace(), timestamp: START + n }),
  presence: (n: number) =>
    encoded({
      kind: 'presence',
      eventType: 'connected',
      clientId: nameOf(n),
      sessionIdentifier: trace(),
      ipAddress: `10.${n % 200}.${(n >> 8) % 200}.7`,
      versionNumber: n % 50,
      timestamp: START + n,
    }),
  report: (n: number) =>
    encoded({
      kind: 'report',
      clientId: nameOf(n),
      timestamp: START + n,
      hed: { rid: START + n, v: '1.0' },
      met: {
        tp: { pts: [{ pt: 22 }, { pt: 8883 }], t: 2 },
        ns: { bi: 30680 + n, bo: 10652 + n, pi: 113, po: 118 },
        tc: { ec: { cs: [{ rad: '52.1.2.3:8883' }], t: 1 } },
      },
      cmet: { battery: [{ number: n % 100 }], cpu_temp: [{ number: 40 + (n % 30) }] },
    }),
} as const;

/** One invocation after the other, as Lambda makes them, and the processor time that they took. */
function window(batches: readonly (readonly string[])[]): { readonly seconds: number; readonly bytes: number } {
  let carried: CarriedState = {};
  let bytes = 0;
  const from = process.cpuUsage();
  for (const batch of batches) {
    const state = decodeState(carried);
    const touched = new Set<string>();
    for (const data of batch) {
      const read = readRecord(data);
      if (read.kind !== 'event') throw new Error('monitor: a record of the bench was not read');
      const sign = signOf(read.record)!;
      if (fold(state, sign, plan, START) === 'counted') touched.add(sign.clientId);
    }
    for (const clientId of touched)
      for (const verdict of certain(clientId, state.clients.get(clientId)!, plan))
        if (verdict.isNormal) throw new Error('monitor: normal is not certain');
    ({ carried, bytes } = encodeState(state));
  }
  const { user, system } = process.cpuUsage(from);
  return { seconds: (user + system) / 1_000_000, bytes };
}

export async function run(): Promise<unknown> {
  const quick = process.env['BENCH_QUICK'] === '1';
  const [devices, rounds, perDevice] = quick ? [2000, 1, 2] : [10_000, 5, 5];
  const rows: Record<string, { eventsPerSecond: number; stateBytesPer10kDevices: number; devicesPerShard: number }> = {};
  for (const [kind, make] of Object.entries(KINDS)) {
    const events = Array.from({ length: devices * perDevice }, (_, index) => make(index % devices));
    const batches = Array.from({ length: Math.ceil(events.length / MONITOR_LIMITS.batchSize) }, (_, index) =>
      events.slice(index * MONITOR_LIMITS.batchSize, (index + 1) * MONITOR_LIMITS.batchSize),
    );
    const taken = Array.from({ length: rounds }, () => window(batches));
    const eventsPerSecond = Math.round(events.length / median(taken.map(({ seconds }) => seconds)));
    const stateBytesPer10kDevices = Math.round((taken[0]!.bytes / devices) * 10_000);
    rows[kind] = {
      eventsPerSecond,
      stateBytesPer10kDevices,
      devicesPerShard: Math.floor((MONITOR_LIMITS.fullBytes / stateBytesPer10kDevices) * 10_000),
    };
  }
  console.table(rows);
  return rows;
}
