/** What the state of a window means, case by case: without any one of the conditions in evaluate.ts, signs.ts or window-state.ts one of these is wrong. */
import type { MonitorSource } from '../../domain/fleet/behaviour-metrics.js';
import type { Behaviour } from '../../domain/fleet/behaviours.js';
import { LEAST_DEVICES, certain, conclude, silence } from '../../lambda/behaviour/watch/evaluate.js';
import { planOf } from '../../lambda/behaviour/watch/plan.js';
import { signOf } from '../../lambda/behaviour/watch/signs.js';
import { LATE_MS, emptyState, fold, isLater, type ClientState, type WindowState } from '../../lambda/behaviour/watch/window-state.js';
import { World, behaviour, certificateOf } from './memory/world.js';

const CUSTOM = { battery: 'number' } as const;
const planFor = (...behaviours: Behaviour[]) => planOf({ behaviours, customMetrics: CUSTOM });
const upper = behaviour({ name: 'sent', metric: 'aws:num-messages-sent', value: 3 });
const lower = behaviour({ name: 'alive', metric: 'aws:num-messages-sent', operator: 'greater-than', value: 0 });
const size = behaviour({ name: 'size', metric: 'aws:message-byte-size', value: 100 });
const small = behaviour({ name: 'small', metric: 'aws:message-byte-size', operator: 'greater-than-equals', value: 10 });
const address = behaviour({ name: 'address', metric: 'aws:source-ip-address', operator: 'in-cidr-set', value: ['10.0.0.0/8'] });
const away = behaviour({ name: 'away', metric: 'aws:disconnect-duration', value: 60 });
const median = behaviour({ name: 'median', metric: 'aws:num-messages-sent', value: undefined, statistic: 'p50' });
const bytes = behaviour({ name: 'bytes', metric: 'aws:all-bytes-out', value: 3 });

const ALL = new Set<MonitorSource>(['presence', 'sent', 'received', 'subscriptions', 'logs', 'reports']);
const stateWith = (client: ClientState, partial = false): WindowState => ({
  ...emptyState(),
  clients: new Map([['dev-1', client]]),
  partial,
});
const names = (verdicts: Iterable<{ readonly behaviour: Behaviour; readonly isNormal: boolean }>): string[] =>
  [...verdicts].map(({ behaviour: { name }, isNormal }) => `${name} ${isNormal ? 'normal' : 'abnormal'}`);
const concluded = (client: ClientState, behaviours: Behaviour[], { open = true, partial = false, sources = ALL } = {}) =>
  names(conclude(stateWith(client, partial), planFor(...behaviours), sources, () => open));

describe('during a window', () => {
  it.each<[string, Behaviour, ClientState, string[]]>([
    ['a sum over its upper limit is certain', upper, { s: { m: 4 } }, ['sent abnormal']],
    ['a sum within it is not: more may come', upper, { s: { m: 3 } }, []],
    ['a sum below its lower limit is not: more may come', lower, { s: { m: 0 } }, []],
    ['one message that is too large is', size, { r: { z: [1, 101] } }, ['size abnormal']],
    ['one message that is too small is', small, { r: { z: [9, 200] } }, ['small abnormal']],
    ['an address that is not allowed is', address, { t: { i: ['192.0.2.1'] } }, ['address abnormal']],
    ['allowed addresses are not: others may come', address, { t: { i: [] } }, []],
    ['a percentile is not: the others have not all spoken', median, { s: { m: 400 } }, []],
    ['an absence is the matter of the schedule', away, { p: { versionNumber: 1, connected: false, atMs: 0 } }, []],
    ['what was dealt with before is not said again', upper, { s: { m: 4 }, x: ['sent'] }, []],
    ['what no event was about is not said', size, { s: { m: 4 } }, []],
  ])('%s', (_, one, client, expected) => expect(names(certain('dev-1', client, planFor(one)))).toEqual(expected));
});

describe('at the end of a window', () => {
  it.each<[string, Behaviour, ClientState, string[]]>([
    ['a sum is normal at its limit', upper, { s: { m: 3 } }, ['sent normal']],
    ['a sum is abnormal below its lower limit, when the source is on and nothing came', lower, { s: {} }, ['alive abnormal']],
    ['a list is normal that holds nothing abnormal', address, { t: { i: [] } }, ['address normal']],
    ['a list of which nothing was heard is no datapoint', address, {}, []],
    ['a device that is connected is not away', away, { p: { versionNumber: 1, connected: true, atMs: 0 } }, ['away normal']],
    ['a device that has just gone is not yet away', away, { p: { versionNumber: 1, connected: false, atMs: 0 } }, []],
    ['a device of whose connection nothing was heard is not known to be back', away, {}, []],
    ['what a device does not report is not zero', bytes, {}, []],
    ['what was dealt with before is not said again', upper, { s: { m: 4 }, x: ['sent'] }, []],
  ])('%s', (_, one, client, expected) => expect(concluded(client, [one])).toEqual(expected));

  it('says nothing that is normal unless something waits for it', () => {
    expect(concluded({ s: { m: 3 } }, [upper], { open: false })).toEqual([]);
    expect(concluded({ s: { m: 4 } }, [upper], { open: false })).toEqual(['sent abnormal']);
  });

  it('does not take silence for zero where nobody listens', () => {
    expect(concluded({}, [upper], { sources: new Set<MonitorSource>(['presence']) })).toEqual([]);
    expect(concluded({}, [upper])).toEqual(['sent normal']);
  });

  it('draws from counts that were given up in between what is certain all the same, and nothing else', () => {
    expect(concluded({ s: { m: 4 } }, [upper], { partial: true })).toEqual(['sent abnormal']);
    expect(concluded({ s: { m: 3 } }, [upper], { partial: true })).toEqual([]);
    expect(concluded({ s: { m: 0 } }, [lower], { partial: true })).toEqual([]);
    expect(concluded({ r: { z: [1, 5] } }, [small], { partial: true })).toEqual([]);
    expect(concluded({ t: { i: [] } }, [address], { partial: true })).toEqual(['address normal']);
  });
});

describe('a percentile', () => {
  const fleet = (count: number): WindowState => ({
    ...emptyState(),
    clients: new Map(Array.from({ length: count }, (_, n): [string, ClientState] => [`dev-${n}`, { s: { m: n + 1 } }])),
  });
  const over = (state: WindowState) =>
    [...conclude(state, planFor(median), ALL, () => false)].map(({ clientId, value }) => [clientId, value.count]);

  it('of the whole shard is the limit of each device', () => {
    const found = over(fleet(LEAST_DEVICES));
    expect(found).toHaveLength(LEAST_DEVICES / 2);
    expect(found[0]).toEqual([`dev-${LEAST_DEVICES / 2}`, LEAST_DEVICES / 2 + 1]);
  });
  it('of few devices says nothing about any', () => expect(over(fleet(LEAST_DEVICES - 1))).toEqual([]));
  it('counts those that have a value', () => {
    const state = fleet(LEAST_DEVICES - 1);
    state.clients.set('quiet', {});
    expect(over(state)).toEqual([]);
  });
  it('of a state that was given up says nothing', () => expect(over({ ...fleet(LEAST_DEVICES), partial: true })).toEqual([]));
});

describe('silence', () => {
  const planned = (one: Behaviour) => planFor(one).all[0]!;
  it('is a zero of what the cloud counts', () => {
    expect(silence(planned(upper), ALL)).toEqual({ isNormal: true, value: { count: 0 } });
    expect(silence(planned(lower), ALL)).toEqual({ isNormal: false, value: { count: 0 } });
  });
  it.each<[string, Behaviour]>([
    ['what devices count', bytes],
    ['single messages', size],
    ['a list', address],
    ['a percentile', median],
    ['an absence', away],
  ])('is nothing about %s', (_, one) => expect(silence(planned(one), ALL)).toBeUndefined());
});

describe('a record', () => {
  const world = new World({ behaviours: [] });
  const values = (record: Parameters<typeof signOf>[0]) =>
    Object.fromEntries((signOf(record)?.values ?? []).filter(([, value]) => value !== 0));

  it('of a connection is an attempt from an address', () =>
    expect(values(world.presence('dev-1', 'connected'))).toEqual({
      'aws:num-connection-attempts': 1,
      'aws:source-ip-address': ['198.18.0.1'],
    }));
  it('of a refused connection is an attempt and a refusal', () =>
    expect(values(world.presence('dev-1', 'connect_failed'))).toMatchObject({
      'aws:num-connection-attempts': 1,
      'aws:num-authorization-failures': 1,
    }));
  it('of a refused connection is about who was authenticated, not about whom he claimed to be', () => {
    expect(signOf(world.presence('dev-1', 'connect_failed'))?.clientId).toBe(certificateOf('dev-1'));
    expect(signOf(world.presence('dev-1', 'connect_failed', 1, { principalIdentifier: undefined }))).toBeUndefined();
    expect(signOf(world.presence('dev-1', 'connected'))?.clientId).toBe('dev-1');
  });
  it.each(['AUTH_ERROR', 'FORBIDDEN_ACCESS'])('of an end by %s is a disconnect and a refusal', (disconnectReason) =>
    expect(values(world.presence('dev-1', 'disconnected', 1, { disconnectReason }))).toEqual({
      'aws:num-disconnects': 1,
      'aws:num-authorization-failures': 1,
    }),
  );
  it('of any other end is a disconnect', () =>
    expect(values(world.presence('dev-1', 'disconnected', 1, { disconnectReason: 'CONNECTION_LOST' }))).toEqual({
      'aws:num-disconnects': 1,
    }));
  it('of a refusal in the log is one, and known to be out of the log', () => {
    const refused = { kind: 'refused', clientId: 'dev-1', eventType: 'Subscribe', traceId: 't', timestamp: 1 } as const;
    expect(signOf(refused)).toMatchObject({ isFromLog: true, values: [['aws:num-authorization-failures', 1]] });
  });
  it.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [100, 100],
  ])('of a message of %d octets has %d', (octets, size) =>
    expect(signOf(world.sent('dev-1', octets))!.values[1]).toEqual(['aws:message-byte-size', size]),
  );
  it('names the thing where AWS says it is another name', () => {
    const state = emptyState();
    fold(state, signOf(world.presence('client-7', 'connected', 1, { thingName: 'pump-7' }))!, planFor(away), 0);
    fold(state, signOf(world.presence('dev-1', 'connected', 1, { thingName: 'dev-1' }))!, planFor(away), 0);
    expect([state.clients.get('client-7')!.n, state.clients.get('dev-1')!.n]).toEqual(['pump-7', undefined]);
  });
});

describe('an event', () => {
  const world = new World({ behaviours: [] });
  const start = world.clock.nowMs();
  const taken = (timestamp: number) => fold(emptyState(), signOf(world.sent('dev-1', 3, { timestamp }))!, planFor(upper), start);
  it('that is late by minutes counts in the window in which it comes', () => expect(taken(start - LATE_MS)).toBe('counted'));
  it('that is later than that does not count: its window has been judged', () => expect(taken(start - LATE_MS - 1)).toBe('late'));
  it('of a new client is lost when the state is full, of a known one it counts', () => {
    const state = { ...stateWith({}), full: true };
    const of = (client: string) => fold(state, signOf(world.sent(client))!, planFor(upper), start);
    expect([of('dev-1'), of('dev-2')]).toEqual(['counted', 'lost']);
  });
});

describe('of two states of a connection the later one is', () => {
  const one = { versionNumber: 3, connected: true, atMs: 100 };
  it.each([
    ['the one of the higher version, whatever the times', { ...one, versionNumber: 4, atMs: 50 }, true],
    ['not the one of the lower version', { ...one, versionNumber: 2, atMs: 200 }, false],
    ['of one connection its end', { ...one, connected: false, atMs: 50 }, true],
    ['of the same kind the younger', { ...one, atMs: 101 }, true],
    ['not the same one', one, false],
  ])('%s', (_, other, later) => expect(isLater(other, one)).toBe(later));
});
