/** The two functions with their neighbours in memory: what is said, when, and how often. */
import { gzipSync } from 'node:zlib';
import { METRICS } from '../../domain/fleet/metrics.js';
import { MONITOR_LIMITS } from '../../domain/protocol/fleet-events.js';
import { decodeState, encodeState } from '../../lambda/behaviour/watch/state-codec.js';
import { run as watch } from '../../lambda/behaviour/watch/run.js';
import { emptyState, type ClientState } from '../../lambda/behaviour/watch/window-state.js';
import { WINDOW_MS, World, behaviour } from './memory/world.js';

const flood = behaviour({ name: 'flood', metric: 'aws:num-messages-sent', value: 3, datapointsToClear: 2 });
const twice = behaviour({ name: 'twice', metric: 'aws:num-messages-sent', value: 3, datapointsToAlarm: 2 });
const alive = behaviour({ name: 'alive', metric: 'aws:num-messages-sent', operator: 'greater-than', value: 0, response: 'observe' });
const refusals = behaviour({ name: 'refusals', metric: 'aws:num-authorization-failures', value: 1 });
const address = behaviour({ name: 'address', metric: 'aws:source-ip-address', operator: 'in-cidr-set', value: ['10.0.0.0/8'] });
const away = behaviour({ name: 'away', metric: 'aws:disconnect-duration', value: 60 });
const battery = behaviour({ name: 'battery', metric: 'battery', operator: 'greater-than', value: 5 });

const messages = (world: World, client: string, count: number) => Array.from({ length: count }, () => world.sent(client));
const MINUTE = 60_000;

describe('a flood', () => {
  it('is announced with the message that makes it one, once, and not again at the end of the window', async () => {
    const world = new World({ behaviours: [flood] });
    await world.take(...messages(world, 'dev-1', 3));
    expect(world.announced).toEqual([]);
    await world.take(world.sent('dev-1'));
    expect(world.announced).toEqual(['in-alarm dev-1 flood']);
    await world.take(...messages(world, 'dev-1', 20));
    await world.endWindow();
    expect(world.announced).toEqual(['in-alarm dev-1 flood']);
    expect(world.topic.published[0]).toMatchObject({ metricValue: { count: 4 }, securityProfileName: 'fleetwarden-built-in' });
    expect([...world.standings.violations.values()]).toEqual([
      { isOpen: true, thingName: 'dev-1', evidence: expect.objectContaining({ clientId: 'dev-1', windowEndMs: world.windowStartMs }) },
    ]);
  });

  it('of another client, whose name begins alike, is another one', async () => {
    const world = new World({ behaviours: [flood] });
    await world.take(...messages(world, 'dev-1', 3), ...messages(world, 'dev-10', 3));
    expect(world.announced).toEqual([]);
  });

  it('that goes on stays one violation; it clears after as many quiet windows as it takes, and comes back as another', async () => {
    const world = new World({ behaviours: [flood] });
    for (const count of [5, 5, 1, 1]) {
      await world.take(...messages(world, 'dev-1', count));
      await world.endWindow();
    }
    expect(world.announced).toEqual(['in-alarm dev-1 flood', 'alarm-cleared dev-1 flood']);
    expect(world.standings.rows.size).toBe(0);
    await world.take(...messages(world, 'dev-1', 5));
    const [first, cleared, second] = world.topic.published;
    expect(cleared!.violationId).toBe(first!.violationId);
    expect(second!.violationId).not.toBe(first!.violationId);
  });

  it('counts towards an alarm of two windows only when they follow each other', async () => {
    const world = new World({ behaviours: [twice] });
    for (const count of [5, 0, 5, 5]) {
      if (count > 0) await world.take(...messages(world, 'dev-1', count));
      await world.endWindow();
      if (count === 0) expect(world.announced).toEqual([]);
    }
    expect(world.announced).toEqual(['in-alarm dev-1 twice']);
  });

  it('that was cut off is cleared by the round, though nothing comes of the device any more', async () => {
    const world = new World({ behaviours: [flood] });
    await world.take(...messages(world, 'dev-1', 5));
    await world.endWindow();
    for (let rounds = 0; rounds < 4; rounds += 1) {
      world.clock.advance(WINDOW_MS);
      await world.round();
    }
    expect(world.announced).toEqual(['in-alarm dev-1 flood', 'alarm-cleared dev-1 flood']);
    expect(world.topic.published[1]).toMatchObject({ metricValue: { count: 0 } });
  });
});

it('a device that must speak and does not is announced at the end of the window, and not before', async () => {
  const world = new World({ behaviours: [alive] });
  await world.take(world.presence('dev-1', 'connected'));
  expect(world.announced).toEqual([]);
  await world.endWindow();
  expect(world.announced).toEqual(['in-alarm dev-1 alive']);
  expect(world.signals.metrics.get(METRICS.violationsRaised)).toBe(1);
  expect(world.signals.metrics.has(METRICS.violationToNotify)).toBe(false);
});

it('a violation is announced of the thing, where the client is called otherwise, also when only an earlier window knew', async () => {
  const world = new World({ behaviours: [flood, away] });
  await world.take(world.presence('client-7', 'connected', 1, { thingName: 'pump-7' }));
  await world.endWindow();
  await world.take(...messages(world, 'client-7', 5), ...messages(world, 'unregistered', 5));
  expect(world.announced.toSorted()).toEqual(['in-alarm pump-7 flood', 'in-alarm unregistered flood']);
  const evidence = [...world.standings.violations.values()].map(({ thingName, evidence: said }) => [thingName, said?.address]);
  expect(evidence).toEqual(expect.arrayContaining([['pump-7', '198.18.0.1']]));
});

it('times in seconds and in milliseconds are the same times', async () => {
  const world = new World({ behaviours: [flood] });
  const seconds = Math.floor(world.clock.nowMs() / 1000);
  await world.take(...messages(world, 'dev-1', 2), ...[1, 2].map(() => world.sent('dev-1', 3, { timestamp: seconds })));
  expect(world.announced).toEqual(['in-alarm dev-1 flood']);
  await world.take(...messages(world, 'dev-2', 3), world.sent('dev-2', 3, { timestamp: seconds - 3600 }));
  expect(world.announced).toHaveLength(1);
  expect(world.signals.metrics.get(METRICS.monitorLate)).toBe(1);
});

it('records that are none of ours are counted and left out; what stands around them counts', async () => {
  const world = new World({ behaviours: [flood, battery] });
  const nonsense = [
    '',
    '{',
    'null',
    '[]',
    '{"kind":"sent"}',
    '{"kind":"other","clientId":"x","timestamp":1}',
    '\u001f\u008bnot gzip',
    `"${'x'.repeat(500)}"`,
  ];
  await world.take(...nonsense, ...messages(world, 'dev-1', 4), Buffer.from(gzipSync('[]')).toString('latin1'));
  expect(world.announced).toEqual(['in-alarm dev-1 flood']);
  expect(world.signals.metrics.get(METRICS.monitorUnreadable)).toBe(nonsense.length + 1);
  await world.take(
    world.report('dev-1', 1, { metrics: 'nonsense' }),
    world.report('dev-2', 1, { custom_metrics: { battery: [{ number: 2 }] } }),
  );
  expect(world.announced).toEqual(['in-alarm dev-1 flood', 'in-alarm dev-2 battery']);
  expect(world.signals.metrics.get(METRICS.reportUnreadable)).toBe(1);
});

it('our own back ends are not watched', async () => {
  const world = new World({ behaviours: [flood], ignored: ['backend'] });
  await world.take(...messages(world, 'backend', 10), ...messages(world, 'backend-2', 10));
  expect(world.announced).toEqual(['in-alarm backend-2 flood']);
});

describe('log lines', () => {
  const line = (fields: object) => ({
    timestamp: '2026-11-22 10:00:01.500',
    traceId: 'trace-1',
    eventType: 'Subscribe',
    status: 'Failure',
    reason: 'AUTHORIZATION_FAILURE',
    clientId: 'dev-1',
    ...fields,
  });
  const batch = (messageType: string, ...messages: readonly (object | string)[]) => ({
    messageType,
    logEvents: messages.map((message, index) => ({
      id: String(index),
      message: typeof message === 'string' ? message : JSON.stringify(message),
    })),
  });
  const gzipped = (value: object) => gzipSync(JSON.stringify(value)).toString('base64');
  const taken = async (world: World, value: object) => {
    const event = world.eventOf(['']);
    const [record] = event.Records;
    await watch(world.watchPorts, world.watchSettings, { ...event, Records: [{ kinesis: { ...record!.kinesis, data: gzipped(value) } }] });
  };

  it('of many clients are taken apart, and put back each under its own', async () => {
    const world = new World({ behaviours: [refusals], ignored: ['backend'] });
    await taken(
      world,
      batch(
        'DATA_MESSAGE',
        line({}),
        line({ clientId: 'dev-2', traceId: 'trace-2' }),
        line({ clientId: 'backend' }),
        line({ clientId: undefined }),
        line({ reason: 'OTHER' }),
        // Somebody else's certificate claims to be dev-1.
        line({ eventType: 'Connect', principalId: 'c0ffee', traceId: 'trace-3' }),
        line({ eventType: 'Connect', traceId: 'trace-4' }),
        'not json',
        line({ timestamp: 'now' }),
      ),
    );
    expect(world.stream.records.map(({ clientId, timestamp }) => [clientId, timestamp])).toEqual([
      ['dev-1', Date.parse('2026-11-22T10:00:01.500Z')],
      ['dev-2', Date.parse('2026-11-22T10:00:01.500Z')],
      ['c0ffee', Date.parse('2026-11-22T10:00:01.500Z')],
    ]);
    // A refusal whose time cannot be read, and a line that is no line: neither passes for nothing.
    expect(world.signals.metrics.get(METRICS.monitorUnreadable)).toBe(2);
    await world.take(...world.stream.records, ...world.stream.records, { ...world.stream.records[0], traceId: 'trace-9' });
    expect(world.announced).toEqual(['in-alarm dev-1 refusals']);
    expect(world.signals.metrics.get(METRICS.monitorCopies)).toBe(3);
  });

  it('that only ask whether the stream is there are nobody’s', async () => {
    const world = new World({ behaviours: [refusals] });
    await taken(world, batch('CONTROL_MESSAGE', line({})));
    expect(world.stream.records).toEqual([]);
    expect(world.signals.metrics.has(METRICS.monitorUnreadable)).toBe(false);
  });
});

it('one that claims to be another, and is refused, does not bring that other into alarm', async () => {
  const world = new World({ behaviours: [refusals, address] });
  const claims = Array.from({ length: 20 }, (_, n) =>
    world.presence('victim', 'connect_failed', n, { principalIdentifier: 'c0ffee', ipAddress: '192.0.2.66' }),
  );
  await world.take(...claims);
  await world.endWindow();
  expect(world.topic.published.map(({ thingName }) => thingName)).not.toContain('victim');
  expect(world.announced.toSorted()).toEqual(['in-alarm c0ffee address', 'in-alarm c0ffee refusals']);
});

describe('a device that is away', () => {
  it('is announced once, when it has been away too long, and cleared when it is back', async () => {
    const world = new World({ behaviours: [away] });
    await world.take(world.presence('dev-1', 'connected', 1), world.presence('dev-2', 'connected', 1));
    await world.take(world.presence('dev-1', 'disconnected', 1));
    await world.endWindow();
    for (let minutes = 0; minutes < 120; minutes += 5) {
      world.clock.advance(5 * MINUTE);
      await world.round();
    }
    expect(world.announced).toEqual(['in-alarm dev-1 away']);
    expect(world.topic.published[0]!.metricValue!.count).toBeGreaterThan(60);
    world.windowStartMs = world.clock.nowMs();
    await world.take(world.presence('dev-1', 'connected', 2));
    await world.endWindow();
    expect(world.announced).toEqual(['in-alarm dev-1 away', 'alarm-cleared dev-1 away']);
  });

  it('is cleared by the round, where the end of its window was missed', async () => {
    const world = new World({ behaviours: [away] });
    await world.presences.note({ clientId: 'dev-1', connected: false, versionNumber: 1, atMs: world.clock.nowMs() });
    world.clock.advance(61 * MINUTE);
    await world.round();
    await world.presences.note({ clientId: 'dev-1', connected: true, versionNumber: 2, atMs: world.clock.nowMs() });
    world.clock.advance(5 * MINUTE);
    await world.round();
    expect(world.announced).toEqual(['in-alarm dev-1 away', 'alarm-cleared dev-1 away']);
  });
});

describe('a violation that can be judged no more', () => {
  it('is invalidated when its behaviour is gone, and told to whoever listens', async () => {
    const before = new World({ behaviours: [flood] });
    await before.take(...messages(before, 'dev-1', 5));
    const after = new World({ behaviours: [] });
    for (const [key, row] of before.standings.rows) after.standings.rows.set(key, row);
    await after.round();
    expect(after.announced).toEqual(['invalidated'].map((word) => `alarm-${word} dev-1 flood`));
    expect(after.standings.rows.size).toBe(0);
  });

  it('is invalidated when its limit has changed, and judged anew by the new one', async () => {
    const before = new World({ behaviours: [flood] });
    await before.take(...messages(before, 'dev-1', 5));
    const after = new World({ behaviours: [{ ...flood, value: 4 }] });
    for (const [key, row] of before.standings.rows) after.standings.rows.set(key, row);
    await after.take(...messages(after, 'dev-1', 5));
    expect(after.announced).toEqual(['alarm-invalidated dev-1 flood', 'in-alarm dev-1 flood']);
  });

  it('is invalidated when a device has not reported for two days', async () => {
    const world = new World({ behaviours: [battery] });
    await world.take(world.report('dev-1', 1, { custom_metrics: { battery: [{ number: 2 }] } }));
    world.clock.advance(47 * 60 * MINUTE);
    await world.round();
    expect(world.announced).toEqual(['in-alarm dev-1 battery']);
    world.clock.advance(2 * 60 * MINUTE);
    await world.round();
    expect(world.announced).toEqual(['in-alarm dev-1 battery', 'alarm-invalidated dev-1 battery']);
  });
});

describe('a window that Lambda ends before its time', () => {
  it('says what is certain, and nothing else, and that something was lost', async () => {
    const world = new World({ behaviours: [alive, flood, address] });
    await world.take(world.presence('dev-1', 'connected', 1, { ipAddress: '10.0.0.1' }), ...messages(world, 'dev-2', 5));
    await watch(world.watchPorts, world.watchSettings, world.eventOf([], { early: true }));
    expect(world.announced).toEqual(['in-alarm dev-2 flood']);
    expect(world.signals.metrics.get(METRICS.monitorLost)).toBe(2);
    expect(world.presences.rows.get('dev-1')?.connected).toBe(true);
  });

  it('does not count what is normal so far: the rest of the window may not be', async () => {
    const world = new World({ behaviours: [{ ...address, datapointsToClear: 1 }] });
    await world.take(world.presence('dev-1', 'connected', 1));
    await world.endWindow();
    await world.take(world.presence('dev-1', 'connected', 2, { ipAddress: '10.0.0.1' }));
    await watch(world.watchPorts, world.watchSettings, world.eventOf([], { early: true }));
    expect(world.announced).toEqual(['in-alarm dev-1 address']);
  });
});

describe('the state of a window', () => {
  /** Names that do not compress: a fleet of UUIDs. */
  const big = (count: number) => {
    const state = emptyState();
    for (let n = 0; n < count; n += 1) {
      const client: ClientState = { s: { m: n % 400 }, r: { z: [n % 97, n % 7919] } };
      state.clients.set(`${(n * 2654435761) % 2 ** 32}-${(n * 40503) % 65536}-${n}`, client);
    }
    return state;
  };

  it('takes no further client when it is full, goes on with those that it has, and says so', async () => {
    const world = new World({ behaviours: [flood] });
    let count = 20_000;
    while (encodeState(big(count)).bytes <= MONITOR_LIMITS.fullBytes) count += 5000;
    const full = big(count);
    full.clients.set('dev-1', { s: { m: 3 } });
    world.carried = encodeState(full).carried;
    await world.take(world.sent('dev-1'), world.sent('dev-new'));
    expect(world.announced).toEqual(['in-alarm dev-1 flood']);
    expect(world.signals.metrics.get(METRICS.monitorLost)).toBe(1);
    expect(decodeState(world.carried).clients.has('dev-new')).toBe(false);
  });

  it('that would be more than Lambda carries is given up as a whole, and says so', () => {
    let count = 40_000;
    while (encodeState(big(count)).lost === 0) count += 20_000;
    const { carried, bytes, lost } = encodeState(big(count));
    expect(lost).toBe(count);
    expect(bytes).toBeLessThan(1000);
    expect(decodeState(carried)).toMatchObject({ partial: true, full: false });
  });

  it('of another form than ours begins anew; one of ours that cannot be read is an error', () => {
    expect(decodeState({}).clients.size).toBe(0);
    expect(decodeState({ v: 2, z: 'x' }).clients.size).toBe(0);
    expect(() => decodeState({ v: 1, z: 'x' })).toThrow(/unexpected end|JSON/);
  });

  it('is handed back to Lambda until the window ends, and then not', async () => {
    const world = new World({ behaviours: [flood] });
    const answer = await watch(world.watchPorts, world.watchSettings, world.eventOf([world.sent('dev-1')]));
    expect(answer).toMatchObject({ state: { v: 1 }, batchItemFailures: [] });
    expect(await watch(world.watchPorts, world.watchSettings, world.eventOf([], { final: true }))).toEqual({
      state: {},
      batchItemFailures: [],
    });
  });
});

it('a storm: a thousand things, ten violations each, a third of the events twice, in any order: each is announced once', async () => {
  const world = new World({ behaviours: [flood, refusals, address] });
  const records = Array.from({ length: 1000 }, (_, n) => [
    ...messages(world, `dev-${n}`, 6),
    world.presence(`dev-${n}`, 'connected', 1),
    world.presence(`dev-${n}`, 'connect_failed', 2),
    { kind: 'refused', clientId: `dev-${n}`, eventType: 'Publish-In', traceId: `a${n}`, timestamp: world.clock.nowMs() },
    { kind: 'refused', clientId: `dev-${n}`, eventType: 'Publish-In', traceId: `b${n}`, timestamp: world.clock.nowMs() },
  ]).flat();
  const copies = records.filter((_, index) => index % 3 === 0);
  const shuffled = [...records, ...copies]
    .map((record, index) => ({ record, key: (index * 7919) % 13_007 }))
    .toSorted((one, other) => one.key - other.key);
  for (let at = 0; at < shuffled.length; at += 2500) await world.take(...shuffled.slice(at, at + 2500).map(({ record }) => record));
  await world.endWindow();
  // Three of each client, and one of each certificate that was refused to connect.
  expect(world.announced).toHaveLength(4000);
  expect(new Set(world.topic.published.map(({ violationId }) => violationId)).size).toBe(4000);
  expect(world.signals.metrics.get(METRICS.monitorCopies)).toBe(copies.length);
});
