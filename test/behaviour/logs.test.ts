/** Refusals out of the log of AWS IoT: which lines are taken, whose they are, and that none counts twice. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { METRICS } from '../../domain/fleet/metrics.js';
import { FleetRecord, REFUSAL_FILTER, type RefusedRecord } from '../../domain/protocol/fleet-events.js';
import { certain } from '../../lambda/behaviour/watch/evaluate.js';
import { planOf } from '../../lambda/behaviour/watch/plan.js';
import { readRecord } from '../../lambda/behaviour/watch/read-record.js';
import { run as watch } from '../../lambda/behaviour/watch/run.js';
import { signOf } from '../../lambda/behaviour/watch/signs.js';
import { decodeState, encodeState } from '../../lambda/behaviour/watch/state-codec.js';
import { emptyState, fold } from '../../lambda/behaviour/watch/window-state.js';
import { compileFilterPattern } from '../../local/services/logs/filter-pattern.js';
import { World, behaviour, certificateOf } from './memory/world.js';

const START = Date.parse('2026-11-22T10:00:00Z');
const CERTIFICATE = certificateOf('pump-1');
/** As people have found them in their logs (flutter-aws-iot issue 1, of Connect), and IG cwl-format.html. */
const refused = (fields: object = {}) => ({
  timestamp: '2026-11-22 10:00:01.632',
  logLevel: 'ERROR',
  traceId: 'bed5fbca-eae3-3523-aa08-aa0f02119b1c',
  accountId: '111122223333',
  status: 'Failure',
  eventType: 'Publish-In',
  protocol: 'MQTT',
  topicName: 'fleet/pump-2/telemetry',
  clientId: 'pump-1',
  principalId: CERTIFICATE,
  sourceIp: '198.51.100.7',
  sourcePort: 49430,
  reason: 'AUTHORIZATION_FAILURE',
  details: 'Authorization Failure',
  ...fields,
});
const batch = (...messages: readonly (object | string)[]): string =>
  gzipSync(
    JSON.stringify({
      messageType: 'DATA_MESSAGE',
      owner: '111122223333',
      logGroup: 'AWSIotLogsV2',
      logStream: 'a-stream_of_many_devices',
      subscriptionFilters: ['refusals'],
      logEvents: messages.map((message, index) => ({
        id: String(index),
        timestamp: START,
        message: typeof message === 'string' ? message : JSON.stringify(message),
      })),
    }),
  ).toString('base64');
const read = (...messages: readonly (object | string)[]) => {
  const record = readRecord(batch(...messages));
  if (record.kind !== 'refusals') throw new Error(`got ${record.kind}, expected refusals`);
  return record;
};

describe('the filter', () => {
  const wants = compileFilterPattern(REFUSAL_FILTER);

  it.each(['Connect', 'Publish-In', 'Publish-Out', 'Subscribe'])('takes a refused %s', (eventType) =>
    expect(wants(JSON.stringify(refused({ eventType })))).toBe(true),
  );
  it.each<[string, object | string]>([
    ['a certificate that is refused: anybody can make those', { eventType: 'Connection.AuthNError', reason: 'DEVICE_CERTIFICATE_REVOKED' }],
    ['what is allowed', { status: 'Success', logLevel: 'INFO', reason: undefined }],
    ['a failure of another kind', { reason: 'SERVER_ERROR' }],
    ['an end of a connection', { eventType: 'Disconnect', reason: 'DUPLICATE_CLIENT_ID' }],
    ['the word in another field, which may be a topic of the device’s choice', { reason: undefined, topicName: 'AUTHORIZATION_FAILURE' }],
  ])('leaves out %s', (_, fields) => expect(wants(JSON.stringify(refused(fields as object)))).toBe(false));
  it('leaves out what is no JSON', () => expect(wants('AUTHORIZATION_FAILURE')).toBe(false));
});

describe('a line', () => {
  const whose = (fields: object) => read(refused(fields)).refusals.map(({ clientId }) => clientId);

  it.each<[string, object, readonly string[]]>([
    ['of a client that was let in is its', {}, ['pump-1']],
    ['of a subscription too', { eventType: 'Subscribe' }, ['pump-1']],
    ['of a refused connection is that of the certificate, not of the name that it claimed', { eventType: 'Connect' }, [CERTIFICATE]],
    ['over HTTPS, where there is no client, is that of the certificate', { protocol: 'HTTP', clientId: undefined }, [CERTIFICATE]],
    ['the same where AWS IoT writes N/A', { protocol: 'HTTP', clientId: 'N/A' }, [CERTIFICATE]],
    [
      'of an app that was let in under the name of a thing is the app’s: the thing has done nothing',
      { principalId: 'AROAEXAMPLEID:CognitoIdentityCredentials' },
      ['AROAEXAMPLEID:CognitoIdentityCredentials'],
    ],
    ['without a principal is the client’s', { principalId: undefined }, ['pump-1']],
    ['of a call about a client is the caller’s', { eventType: 'DeleteConnection', principalId: CERTIFICATE }, [CERTIFICATE]],
    ['of a call of nobody is not that of the client that it is about', { eventType: 'DeleteConnection', principalId: undefined }, []],
    ['of nobody is nobody’s', { clientId: undefined, principalId: undefined }, []],
    ['of a connection of nobody is not that of the name', { eventType: 'Connect', principalId: undefined }, []],
    ['of another reason is no refusal, whatever the filter lets through', { reason: 'SERVER_ERROR' }, []],
  ])('%s', (_, fields, expected) => expect(whose(fields)).toEqual(expected));

  it('is not lost in a topic as long as a device likes', () => {
    const { refusals, unreadable } = read(refused({ topicName: 'x'.repeat(100_000), eventType: 'Subscribe' }));
    expect([refusals[0]?.topicName?.length, unreadable]).toEqual([256, 0]);
    expect(FleetRecord.safeParse(refusals[0]).success).toBe(true);
  });

  it('of a message that was not delivered goes on once for each client of its batch, whatever the topics', () => {
    const out = (n: number) =>
      refused({ eventType: 'Publish-Out', clientId: `pump-${n % 3}`, topicName: `fleet/pump-${n}/commands`, traceId: `t${n}` });
    expect(read(...Array.from({ length: 300 }, (_, n) => out(n))).refusals).toHaveLength(3);
  });

  it.each<[string, object | string]>([
    ['is cut off', JSON.stringify(refused()).slice(0, 80)],
    ['is a text', 'AUTHORIZATION_FAILURE'],
    ['is no object', '"AUTHORIZATION_FAILURE"'],
    ['has a time that we do not know', refused({ timestamp: '22/Nov/2026' })],
    ['has no trace id', refused({ traceId: undefined })],
    ['has a client id longer than AWS IoT allows', refused({ clientId: 'x'.repeat(129) })],
  ])('that %s is counted as unreadable, and the others of its batch are read', (_, line) => {
    const { refusals, unreadable } = read(line, refused());
    expect([refusals.length, unreadable]).toEqual([1, 1]);
  });

  it('that cannot be read is an alarm, and does not hold up the shard', async () => {
    const world = new World({ behaviours: [] });
    const event = world.eventOf(['']);
    const data = batch('nonsense', refused(), refused({ timestamp: 1 }));
    await watch(world.watchPorts, world.watchSettings, { ...event, Records: [{ kinesis: { ...event.Records[0]!.kinesis, data } }] });
    expect(world.signals.metrics.get(METRICS.monitorUnreadable)).toBe(2);
    expect(world.stream.records).toHaveLength(1);
  });

  it.each(['', 'H4sIAAAA', Buffer.from([0x1f, 0x8b, 8]).toString('base64'), gzipSync('{"messageType":"OTHER"}').toString('base64')])(
    'of a batch that is none (%j) is not looked for',
    (data) => expect(readRecord(data)).toEqual({ kind: 'unreadable' }),
  );
});

describe('a refusal', () => {
  const limit = 5;
  const plan = planOf({
    behaviours: [behaviour({ name: 'refused', metric: 'aws:num-authorization-failures', value: limit })],
    customMetrics: {},
  });
  const world = new World({ behaviours: [] });
  /** The same refused publish, as presence tells of it and as the log does. */
  const byPresence = (n: number) =>
    world.presence('pump-1', 'disconnected', n, { disconnectReason: 'AUTH_ERROR', sessionIdentifier: `s${n}`, timestamp: START + n });
  const byLog = (n: number, fields: Partial<RefusedRecord> = {}): FleetRecord => ({
    kind: 'refused',
    clientId: 'pump-1',
    eventType: 'Publish-In',
    topicName: 'fleet/pump-2/telemetry',
    traceId: `t${n}`,
    timestamp: START + n,
    ...fields,
  });
  function counted(records: readonly FleetRecord[]): number {
    let state = emptyState();
    for (const record of records) {
      fold(state, signOf(record)!, plan, START);
      state = decodeState(encodeState(state).carried);
    }
    const { s, l } = state.clients.get('pump-1') ?? {};
    const [verdict] = [...certain('pump-1', state.clients.get('pump-1') ?? {}, plan)];
    const most = Math.max(s?.['a'] ?? 0, l?.['a'] ?? 0);
    expect(verdict?.value.count ?? 0).toBe(most > limit ? most : 0);
    return most;
  }

  it('of which both tell counts once, in any order, however much of either is late, lost or said twice', () => {
    const events = fc.array(
      fc.record({ presence: fc.integer({ min: 0, max: 2 }), log: fc.integer({ min: 0, max: 2 }), key: fc.integer() }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(events, (each) => {
        const records = each.flatMap(({ presence, log, key }, n) => [
          ...Array.from({ length: presence }, () => ({ record: byPresence(n), key })),
          ...Array.from({ length: log }, (_, copy) => ({ record: byLog(n), key: -key * (copy + 1) })),
        ]);
        const most = counted(records.toSorted((one, other) => one.key - other.key).map(({ record }) => record));
        const heard = Math.max(each.filter(({ presence }) => presence > 0).length, each.filter(({ log }) => log > 0).length);
        expect(most).toBe(heard);
        expect(most).toBeLessThanOrEqual(each.length);
      }),
    );
  });

  it('is counted by presence alone where the log is deaf, and by the log alone where there is no presence', () => {
    expect(counted(Array.from({ length: 7 }, (_, n) => byPresence(n)))).toBe(7);
    expect(counted(Array.from({ length: 7 }, (_, n) => byLog(n, { eventType: 'Subscribe' })))).toBe(7);
  });

  it('five honest refusals, told of twice, are not six', () =>
    expect(counted(Array.from({ length: 5 }, (_, n) => [byPresence(n), byLog(n)]).flat())).toBe(5));

  it('to deliver counts once: who is written to has done nothing, however often, and on however many topics', () => {
    const out = (n: number, topicName: string) => byLog(n, { eventType: 'Publish-Out', topicName });
    expect(counted(Array.from({ length: 1000 }, (_, n) => out(n, 'fleet/pump-1/commands')))).toBe(1);
    expect(counted(Array.from({ length: 30 }, (_, n) => out(n, `fleet/pump-${n}/telemetry`)))).toBe(1);
  });

  it('of two topics in one packet is two, of the same line twice is one', () => {
    const one = byLog(1, { eventType: 'Subscribe' });
    expect(counted([one, one, byLog(1, { eventType: 'Subscribe', topicName: 'secrets' })])).toBe(2);
  });
});
