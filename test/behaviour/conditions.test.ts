/** Conditions of the built-in monitor that no story of a window leads to: events that nothing identifies, behaviours that are not judged, words without a value. */
import type { Behaviour } from '../../domain/fleet/behaviours.js';
import { FleetRecord } from '../../domain/protocol/fleet-events.js';
import { criteriaOf } from '../../lambda/behaviour/standing/criteria.js';
import { planOf } from '../../lambda/behaviour/watch/plan.js';
import { signOf } from '../../lambda/behaviour/watch/signs.js';
import { emptyState, fold, type WindowState } from '../../lambda/behaviour/watch/window-state.js';
import { World, behaviour } from './memory/world.js';

const START = Date.parse('2026-11-22T10:00:00Z');
const planFor = (...behaviours: Behaviour[]) => planOf({ behaviours, customMetrics: {} });
const sent = behaviour({ name: 'sent', metric: 'aws:num-messages-sent' });
const received = behaviour({ name: 'received', metric: 'aws:num-messages-received' });
const subscriptions = behaviour({ name: 'subscriptions', metric: 'fleetwarden:num-subscriptions' });
const record = (fields: object): FleetRecord => FleetRecord.parse({ clientId: 'dev-1', timestamp: START, ...fields });

function sums(records: readonly FleetRecord[]): Readonly<Record<string, number>> {
  const state: WindowState = emptyState();
  const plan = planFor(sent, received, subscriptions);
  for (const each of records) fold(state, signOf(each)!, plan, START);
  const codes = new Map(plan.all.map(({ behaviour: { name }, metric: { code } }) => [code, name]));
  return Object.fromEntries(Object.entries(state.clients.get('dev-1')?.s ?? {}).map(([code, sum]) => [codes.get(code), sum]));
}

describe('an event that its source does not identify', () => {
  it.each<[string, FleetRecord]>([
    ['sent', record({ kind: 'sent', base64Length: 4, paddingAt: -1 })],
    ['received', record({ kind: 'received' })],
    ['sent', record({ kind: 'sent', base64Length: 4, paddingAt: -1, traceId: '' })],
  ])('is counted each time, as a message that was %s: better one too many than a flood that is taken for one message', (name, one) => {
    expect(signOf(one)?.identity).toBeUndefined();
    expect(sums([one, one, one])).toEqual({ [name]: 3 });
  });
  it('is counted once where its source does', () => {
    const one = record({ kind: 'sent', base64Length: 4, paddingAt: -1, traceId: 't1' });
    const same = record({ kind: 'received', traceId: 't1' });
    expect(sums([one, one, same, same])).toEqual({ sent: 1, received: 1 });
  });
});

describe('a subscription', () => {
  const to = (topics: readonly string[], sessionIdentifier?: string, timestamp = START): FleetRecord =>
    record({ kind: 'subscription', topics, sessionIdentifier, timestamp });
  it('to several topics counts for each of them, and a copy of it not at all', () => {
    expect(sums([to(['a', 'b'], 's1'), to(['a', 'b'], 's1')])).toEqual({ subscriptions: 2 });
  });
  it.each<[string, FleetRecord]>([
    ['another session', to(['a', 'b'], 's2')],
    ['other topics', to(['c', 'd'], 's1')],
    ['another moment', to(['a', 'b'], 's1', START + 1)],
    ['a session that is not named', to(['a', 'b'])],
  ])('of %s is another one', (_what, other) => {
    expect(sums([to(['a', 'b'], 's1'), other])).toEqual({ subscriptions: 4 });
  });
});

describe('a connection', () => {
  const world = new World({ behaviours: [] });
  it('of an address that is not told says nothing about addresses', () => {
    const values = signOf(world.presence('dev-1', 'connected', 1, { ipAddress: undefined }))?.values.map(([metric]) => metric);
    expect(values).not.toContain('aws:source-ip-address');
  });
  it('is one whatever its copies say of the time, and two with another version or another session', () => {
    const identity = (fields: object) => signOf(world.presence('dev-1', 'connected', 1, fields))?.identity;
    expect(identity({ timestamp: START })).toBe(identity({ timestamp: START + 99 }));
    const others = [{ versionNumber: 2 }, { sessionIdentifier: 'x' }, { clientId: 'dev-2' }].map(identity);
    expect(new Set([identity({}), ...others]).size).toBe(4);
  });
  it('that its source gives no session is told apart by its time', () => {
    const identity = (timestamp: number) =>
      signOf(world.presence('dev-1', 'connected', 1, { sessionIdentifier: undefined, timestamp }))?.identity;
    expect(identity(START)).not.toBe(identity(START + 1));
  });
  it('says who is there; an attempt that was refused does not', () => {
    const presence = (kind: 'connected' | 'disconnected' | 'connect_failed', fields: object = {}) =>
      signOf(world.presence('dev-1', kind, 7, fields))?.presence;
    expect(presence('connected')).toMatchObject({ connected: true, versionNumber: 7, address: '198.18.0.1' });
    expect(presence('disconnected')).toMatchObject({ connected: false });
    expect(presence('connect_failed')).toBeUndefined();
    expect(presence('connected', { versionNumber: undefined, ipAddress: undefined })).toEqual({
      versionNumber: 0,
      connected: true,
      atMs: world.clock.nowMs(),
    });
  });
  it('that begins is no refusal, whatever it says of an end', () => {
    const said = signOf(world.presence('dev-1', 'connected', 1, { disconnectReason: 'AUTH_ERROR' }))?.values;
    expect(said).toContainEqual(['aws:num-authorization-failures', 0]);
  });
  it('that ends is no attempt, and has no address', () => {
    expect(Object.fromEntries(signOf(world.presence('dev-1', 'disconnected'))?.values ?? [])).toEqual({
      'aws:num-connection-attempts': 0,
      'aws:num-disconnects': 1,
      'aws:num-authorization-failures': 0,
    });
  });
});

describe('the plan', () => {
  it('refuses a metric that nobody knows: a behaviour that is not looked at must not go unnoticed', () => {
    const odd = behaviour({ name: 'odd', metric: 'aws:num-messages-cent' });
    expect(() => planFor(odd)).toThrow('behaviour "odd": got metric "aws:num-messages-cent", expected a known one');
  });
  it('leaves what is learnt to Detect', () => {
    const learnt = behaviour({ name: 'learnt', metric: 'aws:num-messages-sent', ml: { confidenceLevel: 'HIGH' } as never });
    expect(planFor(learnt, sent).all.map(({ behaviour: { name } }) => name)).toEqual(['sent']);
  });
  it('knows all behaviours about one metric, each with its own judgement of a list', () => {
    const list = (name: string, value: string[]) => behaviour({ name, metric: 'aws:source-ip-address', operator: 'in-cidr-set', value });
    const { byMetric } = planFor(list('inner', ['10.0.0.0/8']), list('outer', ['0.0.0.0/0']), sent);
    expect(byMetric.get('aws:source-ip-address')?.map(({ isNormal }) => isNormal('192.0.2.1'))).toEqual([false, true]);
    expect([...byMetric.keys()]).toEqual(['aws:source-ip-address', 'aws:num-messages-sent']);
  });
});

describe('the words of a behaviour', () => {
  const words = (fields: Partial<Behaviour>) =>
    criteriaOf(behaviour({ name: 'b', metric: 'aws:message-byte-size', ...fields }), {
      prefix: 'fleetwarden',
      profileName: 'p',
      windowSeconds: 300,
      customMetrics: { battery: 'number' },
    }).words.criteria;
  it('have a value where it has one, under the kind of its metric', () => {
    expect(words({ value: 100 }).value).toEqual({ count: 100 });
    expect(words({ metric: 'battery', value: 5 }).value).toEqual({ number: 5 });
  });
  it('have none where a percentile is the limit, and none of a metric whose kind is not known', () => {
    expect(words({ value: undefined, statistic: 'p90' })).not.toHaveProperty('value');
    expect(words({ metric: 'odd', value: 5 })).not.toHaveProperty('value');
    expect(words({ value: 100 })).not.toHaveProperty('statisticalThreshold');
  });
});
