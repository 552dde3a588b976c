/** Laws of a window: whatever the order of its events, and however often they come, it says the same. Run on real records, through the real reader. */
import fc from 'fast-check';
import { FleetRecord } from '../../domain/protocol/fleet-events.js';
import { conclude } from '../../lambda/behaviour/watch/evaluate.js';
import { planOf } from '../../lambda/behaviour/watch/plan.js';
import { signOf } from '../../lambda/behaviour/watch/signs.js';
import { decodeState, encodeState } from '../../lambda/behaviour/watch/state-codec.js';
import {
  KEPT_ELEMENTS,
  SEEN_MESSAGES,
  SEEN_OTHERS,
  emptyState,
  fold,
  type WindowState,
} from '../../lambda/behaviour/watch/window-state.js';
import { behaviour } from './memory/world.js';

const START = Date.parse('2026-11-22T10:00:00Z');
const plan = planOf({
  customMetrics: { battery: 'number', procs: 'string-list' },
  behaviours: [
    behaviour({ name: 'sent', metric: 'aws:num-messages-sent', value: 2 }),
    behaviour({ name: 'size', metric: 'aws:message-byte-size', value: 100 }),
    behaviour({ name: 'small', metric: 'aws:message-byte-size', operator: 'greater-than', value: 3 }),
    behaviour({ name: 'received', metric: 'aws:num-messages-received', value: 2 }),
    behaviour({ name: 'refused', metric: 'aws:num-authorization-failures', value: 1 }),
    behaviour({ name: 'attempts', metric: 'aws:num-connection-attempts', value: 1 }),
    behaviour({ name: 'ends', metric: 'aws:num-disconnects', value: 0 }),
    behaviour({ name: 'address', metric: 'aws:source-ip-address', operator: 'in-cidr-set', value: ['10.0.0.0/30'] }),
    behaviour({ name: 'ports', metric: 'aws:listening-tcp-ports', operator: 'in-port-set', value: [1, 2] }),
    behaviour({ name: 'odd-ports', metric: 'aws:listening-tcp-ports', operator: 'not-in-port-set', value: [3, 5] }),
    behaviour({ name: 'bytes', metric: 'aws:all-bytes-out', value: 50 }),
    behaviour({ name: 'battery', metric: 'battery', operator: 'greater-than', value: 5 }),
    behaviour({ name: 'procs', metric: 'procs', operator: 'in-set', value: ['agent'] }),
    behaviour({ name: 'away', metric: 'aws:disconnect-duration', value: 60 }),
  ],
});

const client = fc.constantFrom('dev-1', 'dev-10', '__proto__');
const at = fc.integer({ min: START - 60_000, max: START + 300_000 });
/** What AWS identifies: sessions, traces, reports. */
const record: fc.Arbitrary<FleetRecord> = fc
  .oneof(
    fc.record({
      kind: fc.constant('presence' as const),
      eventType: fc.constantFrom('connected', 'disconnected', 'connect_failed'),
      clientId: client,
      principalIdentifier: fc.constantFrom('a1', 'b2'),
      versionNumber: fc.nat(4),
      ipAddress: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.9', '192.0.2.1'),
      disconnectReason: fc.constantFrom('AUTH_ERROR', 'CONNECTION_LOST'),
    }),
    fc.record({
      kind: fc.constant('sent' as const),
      clientId: client,
      base64Length: fc.constantFrom(4, 8, 200),
      paddingAt: fc.constant(-1),
      traceId: fc.uuid(),
    }),
    fc.record({ kind: fc.constant('received' as const), clientId: client, traceId: fc.uuid() }),
    fc.record({
      kind: fc.constant('subscription' as const),
      clientId: client,
      sessionIdentifier: fc.uuid(),
      topics: fc.array(fc.constant('t'), { maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('refused' as const), clientId: client, eventType: fc.constant('Subscribe'), traceId: fc.uuid() }),
    fc
      .record({
        clientId: client,
        id: fc.nat(5),
        ports: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 25 }),
        bytes: fc.nat(40),
        charge: fc.nat(10),
        procs: fc.subarray(['agent', 'sh', 'miner']),
      })
      .map(({ clientId, id, ports, bytes, charge, procs }) => ({
        kind: 'report' as const,
        clientId,
        header: { report_id: id },
        metrics: { listening_tcp_ports: { ports: ports.map((port) => ({ port })) }, network_stats: { bytes_out: bytes } },
        custom_metrics: { battery: [{ number: charge }], procs: [{ string_list: procs }] },
      })),
  )
  .chain((fields) => at.map((timestamp) => FleetRecord.parse({ ...fields, timestamp })));

/** A session begins once and ends once, and a report id is given once: what the sources promise. */
const unique = (records: readonly FleetRecord[]): FleetRecord[] => [
  ...new Map(records.map((each) => [signOf(each)?.identity ?? Symbol('none'), each])).values(),
];

function stateOf(records: readonly FleetRecord[], carriedEvery = 0): WindowState {
  let state = emptyState();
  for (const [index, each] of records.entries()) {
    fold(state, signOf(each)!, plan, START);
    if (carriedEvery > 0 && index % carriedEvery === 0) state = decodeState(encodeState(state).carried);
  }
  return state;
}
const sources = new Set(['presence', 'subscriptions', 'sent', 'received', 'reports'] as const);
const byText = (one: unknown, other: unknown): number => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);
const said = (state: WindowState) =>
  [...conclude(state, plan, sources, () => true)]
    .map(({ clientId, behaviour: { name }, isNormal, value }) => ({ clientId, name, isNormal, value }))
    .toSorted(byText);
const clientsOf = (state: WindowState) => [...state.clients].toSorted(byText);

describe('a window', () => {
  it('says the same in whatever order its events come', () => {
    const shuffled = fc
      .array(record, { maxLength: 40 })
      .map(unique)
      .chain((records) => fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length })));
    fc.assert(
      fc.property(shuffled, ([records, otherwise]) => {
        expect(clientsOf(stateOf(otherwise))).toEqual(clientsOf(stateOf(records)));
        expect(said(stateOf(otherwise))).toEqual(said(stateOf(records)));
      }),
    );
  });

  it('says the same when any of its events come again, and again', () => {
    const repeated = fc
      .array(record, { maxLength: 30 })
      .map(unique)
      .chain((records) => fc.tuple(fc.constant(records), fc.shuffledSubarray([...records, ...records, ...records], { minLength: 0 })));
    fc.assert(
      fc.property(repeated, ([records, copies]) =>
        expect(clientsOf(stateOf([...records, ...copies]))).toEqual(clientsOf(stateOf(records))),
      ),
    );
  });

  it('says the same however it is cut into invocations: the state that Lambda carries loses nothing', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), fc.integer({ min: 1, max: 5 }), (records, every) =>
        expect(clientsOf(stateOf(records, every))).toEqual(clientsOf(stateOf(records))),
      ),
    );
  });

  it('keeps sixteen abnormal elements of a behaviour, and each behaviour at least one of its own', () => {
    const ports = Array.from({ length: 60 }, (_, index) => ({ port: index + 1 }));
    const all = FleetRecord.parse({
      kind: 'report',
      clientId: 'dev-1',
      timestamp: START,
      header: { report_id: 1 },
      metrics: { listening_tcp_ports: { ports } },
    });
    const kept = stateOf([all]).clients.get('dev-1')!.t!['tp']!;
    expect(kept).toEqual(Array.from({ length: KEPT_ELEMENTS }, (_, index) => index + 3));
    const verdicts = said(stateOf([all])).filter(({ name }) => name.includes('ports'));
    expect(verdicts.map(({ name, value }) => [name, value.ports?.slice(0, 2)])).toEqual([
      ['odd-ports', [3, 5]],
      ['ports', [3, 4]],
    ]);
  });

  const message = (n: number) =>
    FleetRecord.parse({ kind: 'sent', clientId: 'dev-1', base64Length: 4, paddingAt: -1, traceId: `t${n}`, timestamp: START });
  const refusal = (n: number) =>
    FleetRecord.parse({ kind: 'refused', clientId: 'dev-1', eventType: 'Connect', traceId: `r${n}`, timestamp: START });

  it('counts a copy of a message that comes after thousands of others: that far it cannot remember', () => {
    const messages = Array.from({ length: SEEN_MESSAGES }, (_, n) => message(n));
    const near = stateOf([message(-1), ...messages.slice(1), message(-1)]);
    expect(near.clients.get('dev-1')!.s!['m']).toBe(SEEN_MESSAGES);
    const far = stateOf([message(-1), ...messages, message(-1)]);
    expect(far.clients.get('dev-1')!.s!['m']).toBe(SEEN_MESSAGES + 2);
  });

  it('is not made to forget a refusal by a flood of messages', () => {
    const messages = Array.from({ length: SEEN_MESSAGES + 5 }, (_, n) => message(n));
    const state = emptyState();
    for (const each of [refusal(1), ...messages, refusal(1)]) fold(state, signOf(each)!, plan, START);
    expect(state.clients.get('dev-1')!.l!['a']).toBe(1);
    expect(SEEN_OTHERS).toBeGreaterThan(SEEN_MESSAGES);
  });
});
