/**
 * One spec for each port, and two who must meet it: the neighbours in memory that the other tests of this capability use, and the adapters
 * that run in AWS, here against the desk. What holds for one holds for the other, or the other tests prove nothing.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { RevokeMessage } from '../../domain/protocol/revocation.js';
import type { Brake } from '../../lambda/ports/brake.js';
import type { CrlObjectRef, CrlStore } from '../../lambda/ports/crl-store.js';
import type { Decision, DecisionLog } from '../../lambda/ports/decision-log.js';
import type { DueRevocations } from '../../lambda/ports/due.js';
import type { EmergencyStop } from '../../lambda/ports/emergency-stop.js';
import type { HighWater, HighWaterMarks } from '../../lambda/ports/high-water.js';
import type { Hold, Holds } from '../../lambda/ports/holds.js';
import { NoSlotInTime, type Pace } from '../../lambda/ports/pace.js';
import type { RevokeQueue, SyncQueue } from '../../lambda/ports/queues.js';
import type { SerialState } from '../../lambda/ports/serial-state.js';
import type { Desk } from '../../local/desk.js';
import { BUCKETS, deskPorts, deskWithStores } from './desk-ports.js';
import { MemoryCrlStore, MemoryStates } from './memory/buckets.js';
import { MemoryBrake, MemoryDecisions, MemoryDue, MemoryHolds, MemoryMarks, MemoryPace, MemoryStop } from './memory/ledger.js';
import { MemoryRevokeQueue, MemorySyncQueue } from './memory/world.js';

interface Ports {
  readonly brake: Brake;
  readonly pace: Pace;
  readonly holds: Holds;
  readonly marks: HighWaterMarks;
  readonly decisions: DecisionLog;
  readonly stop: EmergencyStop;
  readonly due: DueRevocations;
  readonly crls: CrlStore;
  readonly states: SerialState;
  readonly revokeQueue: RevokeQueue;
  readonly syncQueue: SyncQueue;
  putCrl(key: string, octets: Uint8Array): Promise<Required<CrlObjectRef>>;
  deleteCrl(key: string): Promise<void>;
  sentToRevoke(): Promise<unknown[]>;
  sentToSync(): Promise<unknown[]>;
}

function memoryPorts(): Ports {
  const crls = new MemoryCrlStore(BUCKETS.crls);
  const revokeQueue = new MemoryRevokeQueue();
  const syncQueue = new MemorySyncQueue();
  return {
    brake: new MemoryBrake(60),
    pace: new MemoryPace(),
    holds: new MemoryHolds(),
    marks: new MemoryMarks(),
    decisions: new MemoryDecisions(),
    stop: new MemoryStop(),
    due: new MemoryDue(),
    crls,
    states: new MemoryStates(),
    revokeQueue,
    syncQueue,
    putCrl: async (key, octets) => crls.put(key, octets),
    deleteCrl: async (key) => crls.delete(key),
    sentToRevoke: async () => [...revokeQueue.messages.splice(0), ...revokeQueue.deferred.splice(0)],
    sentToSync: async () => syncQueue.messages.splice(0),
  };
}

let desk: Desk | undefined;
afterAll(() => desk?.stop());

const NOW = Date.parse('2026-11-22T10:00:00Z');
const DECISION = {
  step: 'outcome',
  act: 'sync',
  reason: 'new-revocations',
  runId: 'r',
  by: 'sync',
  atMs: NOW,
  detail: { sent: 3, held: false },
} as const satisfies Omit<Decision, 'subject'>;
const HOUR = 3_600_000;
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
};
const bytes = async (parts: AsyncIterable<Uint8Array>): Promise<Buffer> => Buffer.concat(await all(parts));
const hex = (text: string): string => createHash('sha256').update(text).digest('hex');

describe.each<[string, () => Promise<Ports>]>([
  ['in memory', async () => memoryPorts()],
  [
    'on AWS, at the desk',
    async () => {
      desk = await deskWithStores();
      return deskPorts();
    },
  ],
])('%s', (_who, start) => {
  let ports: Ports;
  beforeAll(async () => {
    ports = await start();
  });

  describe('the brake', () => {
    // The window is one for all runs: each test has its own hours.
    let nowMs = NOW;
    beforeEach(() => {
      nowMs += 10 * HOUR;
    });
    const reserve = (runId: string, count: number, atMs = nowMs) => ports.brake.reserve(runId, count, 5, atMs);

    test('grants up to the limit and not one more', async () => {
      expect(await reserve(randomUUID(), 4)).toEqual({ granted: true, usedInWindow: 4 });
      expect(await reserve(randomUUID(), 2)).toEqual({ granted: false, usedInWindow: 4 });
      expect(await reserve(randomUUID(), 1)).toEqual({ granted: true, usedInWindow: 5 });
      expect(await reserve(randomUUID(), 1)).toEqual({ granted: false, usedInWindow: 5 });
    });

    test('refuses one run that is over the limit by itself', async () => {
      expect(await reserve(randomUUID(), 6)).toMatchObject({ granted: false });
    });

    test('grants a run again, counted once, also over a limit that has shrunk', async () => {
      const run = randomUUID();
      await reserve(run, 5);
      expect(await ports.brake.reserve(run, 5, 1, nowMs)).toEqual({ granted: true, usedInWindow: 5 });
      expect(await reserve(randomUUID(), 1)).toMatchObject({ granted: false });
    });

    test('forgets after the window and not before', async () => {
      await reserve(randomUUID(), 5);
      expect(await reserve(randomUUID(), 1, nowMs + 59 * 60_000)).toMatchObject({ granted: false });
      expect(await reserve(randomUUID(), 5, nowMs + 62 * 60_000)).toMatchObject({ granted: true });
    });

    test('grants nothing at no cost', async () => {
      expect(await reserve(randomUUID(), 0)).toEqual({ granted: true, usedInWindow: 0 });
    });

    test('lets no two runs at once take the same rest', async () => {
      await reserve(randomUUID(), 1); // from here on there is a window to fight for
      const results = await Promise.all(Array.from({ length: 8 }, () => reserve(randomUUID(), 1)));
      expect(results.filter(({ granted }) => granted)).toHaveLength(4);
    });
  });

  describe('the pace', () => {
    test('starts at once when it was idle, and behind the last slot when it was not', async () => {
      const name = randomUUID();
      expect(await ports.pace.reserve(name, 10, 10, NOW)).toBe(NOW);
      expect(await ports.pace.reserve(name, 5, 10, NOW + 100)).toBe(NOW + 1000);
      expect(await ports.pace.reserve(name, 1, 10, NOW + 100)).toBe(NOW + 1500);
      expect(await ports.pace.reserve(name, 1, 10, NOW + HOUR)).toBe(NOW + HOUR);
    });

    test('gives no slot twice to workers that ask at once', async () => {
      const name = randomUUID();
      const starts = await Promise.all(Array.from({ length: 8 }, () => ports.pace.reserve(name, 2, 10, NOW)));
      expect(starts.sort((a, b) => a - b)).toEqual(Array.from({ length: 8 }, (_, i) => NOW + i * 200));
    });

    test('reserves nothing that starts later than the caller can wait', async () => {
      const name = randomUUID();
      await ports.pace.reserve(name, 100, 10, NOW); // ten seconds
      await expect(ports.pace.reserve(name, 1, 10, NOW, NOW + 9_999)).rejects.toThrow(NoSlotInTime);
      expect(await ports.pace.reserve(name, 1, 10, NOW, NOW + 10_000)).toBe(NOW + 10_000);
      await expect(ports.pace.reserve(name, 1, 10, NOW, NOW + 10_000)).rejects.toThrow(NoSlotInTime);
      expect(await ports.pace.reserve(name, 1, 10, NOW + HOUR, NOW + HOUR)).toBe(NOW + HOUR); // idle again
    });

    test('is one for each name', async () => {
      const [one, other] = [randomUUID(), randomUUID()];
      await ports.pace.reserve(one, 100, 10, NOW);
      expect(await ports.pace.reserve(other, 1, 10, NOW)).toBe(NOW);
    });
  });

  describe('holds', () => {
    const held = (name: string): Hold => ({
      hash: hex(name),
      kind: 'revoke',
      state: 'HELD',
      anchorId: 'fleet-ca',
      issuerKeyId: 'ab',
      partition: 'COMPLETE',
      crlNumber: '340282366920938463463374607431768211456',
      count: 7,
      limit: 5,
      reason: 'over-the-brake',
      listKey: `holds/${hex(name)}.json`,
      createdAtMs: NOW,
    });

    test('are kept once, whatever state they have come to', async () => {
      const hold = held(randomUUID());
      expect(await ports.holds.put(hold)).toBe(true);
      await ports.holds.move(hold.hash, 'HELD', 'REJECTED', 'alice', NOW + 1);
      expect(await ports.holds.put(hold)).toBe(false);
      expect(await ports.holds.get(hold.hash)).toEqual({ ...hold, state: 'REJECTED', decidedBy: 'alice', decidedAtMs: NOW + 1 });
      expect((await all(ports.holds.all())).map(({ hash }) => hash)).toContain(hold.hash);
    });

    test('move only from the state that they are in', async () => {
      const hold = held(randomUUID());
      await ports.holds.put(hold);
      expect(await ports.holds.move(hold.hash, 'APPROVED', 'APPLIED', 'sync', NOW)).toBe(false);
      expect(await ports.holds.move(hold.hash, 'HELD', 'APPROVED', 'alice', NOW)).toBe(true);
      expect(await ports.holds.move(hold.hash, 'HELD', 'REJECTED', 'bob', NOW)).toBe(false);
    });

    test('are decided by one of two people at once', async () => {
      const hold = held(randomUUID());
      await ports.holds.put(hold);
      const moves = await Promise.all([
        ports.holds.move(hold.hash, 'HELD', 'APPROVED', 'alice', NOW),
        ports.holds.move(hold.hash, 'HELD', 'REJECTED', 'bob', NOW),
      ]);
      expect(moves.filter(Boolean)).toHaveLength(1);
    });

    test('remember who approved when they have been applied', async () => {
      const hold = held(randomUUID());
      await ports.holds.put(hold);
      await ports.holds.move(hold.hash, 'HELD', 'APPROVED', 'alice', NOW);
      await ports.holds.move(hold.hash, 'APPROVED', 'APPLIED', 'sync', NOW + 1);
      expect(await ports.holds.get(hold.hash)).toMatchObject({ state: 'APPLIED', decidedBy: 'alice', decidedAtMs: NOW });
    });

    test('remember how far they have been handed over, only once approved, and never less far', async () => {
      const hold = held(randomUUID());
      await ports.holds.put(hold);
      expect(await ports.holds.advance(hold.hash, 10)).toBe(false);
      await ports.holds.move(hold.hash, 'HELD', 'APPROVED', 'alice', NOW);
      expect(await ports.holds.advance(hold.hash, 20)).toBe(true);
      expect(await ports.holds.advance(hold.hash, 10)).toBe(false);
      expect(await ports.holds.get(hold.hash)).toMatchObject({ state: 'APPROVED', handedOver: 20 });
    });

    test('that nobody made are undefined, and do not move', async () => {
      expect(await ports.holds.get(hex('nobody'))).toBeUndefined();
      expect(await ports.holds.move(hex('nobody'), 'HELD', 'APPROVED', 'alice', NOW)).toBe(false);
    });
  });

  describe('high-water marks', () => {
    const mark = (issuerKeyId: string, crlNumber: string, change: Partial<HighWater> = {}): HighWater => ({
      issuerKeyId,
      partition: 'http://crls.example/crl/a.crl',
      crlNumber,
      thisUpdate: '2026-11-22T09:00:00.000Z',
      nextUpdate: '2026-11-29T09:00:00.000Z',
      digest: hex(issuerKeyId + crlNumber),
      stateKey: `state/${crlNumber}`,
      stateDigest: hex(crlNumber),
      entries: 3,
      bucket: BUCKETS.crls,
      key: `crl/${issuerKeyId}.crl`,
      versionId: 'v1',
      etag: '"e1"',
      appliedAtMs: NOW,
      ...change,
    });

    test('are raised from what was read, and from nothing else', async () => {
      const id = randomUUID();
      const [first, second, rival] = [mark(id, '1'), mark(id, '2'), mark(id, '2', { digest: hex('rival') })];
      expect(await ports.marks.raise(second, first)).toBe(false); // there is none yet
      expect(await ports.marks.raise(first, undefined)).toBe(true);
      expect(await ports.marks.raise(rival, undefined)).toBe(false);
      expect(await ports.marks.raise(second, first)).toBe(true);
      expect(await ports.marks.raise(rival, first)).toBe(false);
      expect(await ports.marks.get(id, second.partition)).toEqual(second);
    });

    test('are raised by one of two runs at once', async () => {
      const id = randomUUID();
      const raised = await Promise.all([ports.marks.raise(mark(id, '1'), undefined), ports.marks.raise(mark(id, '2'), undefined)]);
      expect(raised.filter(Boolean)).toHaveLength(1);
    });

    test('are found by their object, the last one raised first, and all together', async () => {
      const id = randomUUID();
      const [older, newer] = [mark(id, '1'), mark(id, '1', { partition: 'COMPLETE', appliedAtMs: NOW + 1 })];
      await ports.marks.raise(newer, undefined);
      await ports.marks.raise(older, undefined);
      expect(await ports.marks.ofObject(BUCKETS.crls, older.key)).toEqual(newer);
      expect((await all(ports.marks.all())).filter(({ issuerKeyId }) => issuerKeyId === id)).toHaveLength(2);
    });

    test('of an unknown series or object are undefined', async () => {
      expect(await ports.marks.get('unknown', 'COMPLETE')).toBeUndefined();
      expect(await ports.marks.ofObject(BUCKETS.crls, 'crl/unknown.crl')).toBeUndefined();
    });
  });

  test('the audit trail gives the decisions about one subject, oldest first, and no other row', async () => {
    const subject = `CRL#${randomUUID()}#COMPLETE`;
    const row = (atMs: number): Decision => ({ ...DECISION, subject, atMs });
    for (const atMs of [NOW, NOW + 1, NOW + 2]) await ports.decisions.append(row(atMs));
    await ports.decisions.append({ ...row(NOW), subject: `${subject}-other` });
    expect(await all(ports.decisions.of(subject))).toEqual([row(NOW), row(NOW + 1), row(NOW + 2)]);
  });

  test('what is written into the audit trail within one millisecond is read in the order in which it was written', async () => {
    const subject = `CERT#${randomUUID()}`;
    const acts = Array.from({ length: 12 }, (_, index) => `act-${index}`);
    for (const act of acts) await ports.decisions.append({ ...DECISION, subject, act });
    expect((await all(ports.decisions.of(subject))).map(({ act }) => act)).toEqual(acts);
  });

  test('the emergency stop is off until somebody sets it, and says who and why', async () => {
    expect(await ports.stop.state()).toMatchObject({ stopped: false });
    await ports.stop.set(true, 'alice', 'drill', NOW);
    expect(await ports.stop.state()).toEqual({ stopped: true, by: 'alice', reason: 'drill', atMs: NOW });
    await ports.stop.set(false, 'bob', 'over', NOW + 1);
    expect(await ports.stop.state()).toEqual({ stopped: false, by: 'bob', reason: 'over', atMs: NOW + 1 });
  });

  const message = (serialNumber: string): RevokeMessage => ({
    version: 1,
    action: 'complete',
    anchorId: 'fleet-ca',
    serialNumber,
    reason: 'keyCompromise',
    source: 'crl',
    crlNumber: '7',
    runId: 'r',
  });

  test('second stages wait until they are due, once for each certificate, until they are crossed out', async () => {
    await ports.due.put(message('b1'), 'issuer', NOW + HOUR);
    await ports.due.put(message('b1'), 'issuer', NOW + 2 * HOUR); // a redelivery does not move the date
    await ports.due.put(message('b2'), 'issuer', NOW + 3 * HOUR);
    expect(await all(ports.due.dueBy(NOW + HOUR - 1))).toEqual([]);
    const due = await all(ports.due.dueBy(NOW + 2 * HOUR));
    expect(due.map((one) => one.message)).toEqual([message('b1')]);
    await ports.due.done(due[0]!.key);
    expect(await all(ports.due.dueBy(NOW + 2 * HOUR))).toEqual([]);
    await ports.due.done(due[0]!.key);
    await ports.due.put(message('b1'), 'issuer', NOW + 4 * HOUR); // and may wait again
    expect((await all(ports.due.dueBy(NOW + 9 * HOUR))).map((one) => one.message.serialNumber)).toEqual(['b2', 'b1']);
  });

  describe('the CRL bucket', () => {
    test('opens the current version or a given one, and says which', async () => {
      const key = `crl/${randomUUID()}.crl`;
      const first = await ports.putCrl(key, Buffer.from('first'));
      const second = await ports.putCrl(key, Buffer.from('second'));
      for (const [ref, text, version] of [
        [{ bucket: first.bucket, key }, 'second', second.versionId],
        [first, 'first', first.versionId],
      ] as const) {
        const object = await ports.crls.open(ref);
        expect(object).toMatchObject({ found: 'yes', versionId: version, sizeBytes: text.length });
        expect(object.found === 'yes' && (await bytes(object.body)).toString()).toBe(text);
      }
      expect(await ports.crls.currentVersion(first)).toBe(second.versionId);
    });

    test('gives nothing but "unchanged" where the ETag is known', async () => {
      const ref = await ports.putCrl(`crl/${randomUUID()}.crl`, Buffer.from('the same'));
      const object = await ports.crls.open(ref);
      const etag = object.found === 'yes' ? object.etag : '';
      if (object.found === 'yes') await bytes(object.body);
      expect(await ports.crls.open({ bucket: ref.bucket, key: ref.key }, etag)).toEqual({ found: 'unchanged' });
      expect(await ports.crls.open(ref, '"another"')).toMatchObject({ found: 'yes' });
    });

    test('says "no" to what is not there, was deleted, or never was a version', async () => {
      const key = `crl/${randomUUID()}.crl`;
      expect(await ports.crls.open({ bucket: BUCKETS.crls, key })).toEqual({ found: 'no' });
      expect(await ports.crls.currentVersion({ bucket: BUCKETS.crls, key })).toBeUndefined();
      const ref = await ports.putCrl(key, Buffer.from('x'));
      await ports.deleteCrl(key);
      expect(await ports.crls.open({ bucket: BUCKETS.crls, key })).toEqual({ found: 'no' });
      expect(await ports.crls.currentVersion(ref)).toBeUndefined();
    });

    test('lists the keys below a prefix', async () => {
      const prefix = `external/${randomUUID()}/`;
      await ports.putCrl(`${prefix}a.crl`, Buffer.from('a'));
      await ports.putCrl(`${prefix}b.pem`, Buffer.from('b'));
      await ports.putCrl(`${prefix}gone.crl`, Buffer.from('c'));
      await ports.deleteCrl(`${prefix}gone.crl`);
      expect(await all(ports.crls.list(BUCKETS.crls, prefix))).toEqual([`${prefix}a.crl`, `${prefix}b.pem`]);
    });
  });

  test('a serial state comes back as it was saved; one that is not there is an error', async () => {
    const parts = [Buffer.alloc(70_000, 1), Buffer.alloc(3, 2), Buffer.alloc(70_000, 3)];
    await ports.states.save('state/a/b/7-x.serials', parts);
    expect((await bytes(ports.states.load('state/a/b/7-x.serials'))).equals(Buffer.concat(parts))).toBe(true);
    await expect(bytes(ports.states.load('state/a/b/8-x.serials'))).rejects.toThrow(/NoSuchKey|does not exist/);
  });

  test('every message that is handed over arrives, batch or not, from a list or a stream', async () => {
    const messages = Array.from({ length: 123 }, (_, i) => message((i + 1).toString(16)));
    expect(await ports.revokeQueue.sendAll(messages)).toBe(123);
    expect(
      await ports.revokeQueue.sendAll(
        (async function* () {
          yield message('abc');
        })(),
      ),
    ).toBe(1);
    expect(await ports.revokeQueue.sendAll([])).toBe(0);
    await ports.revokeQueue.defer(message('def'), 0);
    const arrived = (await ports.sentToRevoke()) as RevokeMessage[];
    const serials = (list: readonly RevokeMessage[]) => list.map(({ serialNumber }) => serialNumber).sort((a, b) => (a < b ? -1 : 1));
    expect(serials(arrived)).toEqual(serials([...messages, message('abc'), message('def')]));
    await ports.syncQueue.send({ kind: 'sweep' });
    expect(await ports.sentToSync()).toEqual([{ kind: 'sweep' }]);
  });

  test('messages that the queue does not take are an error', async () => {
    await expect(ports.revokeQueue.sendAll(failing())).rejects.toThrow('no more');
  });
});

async function* failing(): AsyncGenerator<RevokeMessage> {
  yield { version: 1, action: 'revoke', anchorId: 'fleet-ca', serialNumber: 'fff', reason: 'unspecified', source: 'crl', runId: 'r' };
  throw new Error('no more');
}
