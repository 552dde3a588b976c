import { heldListHash, readHeldList, writeHeldList, type HeldEntry } from '../../domain/fleet/held-list.js';
import { METRICS } from '../../domain/fleet/metrics.js';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import type { RevocationEvent } from '../../lambda/revocation/fast/event.js';
import type { Hold } from '../../lambda/ports/holds.js';
import { createCa, type TestCa } from '../builders/ca.js';
import type { CrlEntrySpec } from '../builders/crl.js';
import { World, type Device } from './memory/world.js';

const revoked = (devices: readonly Device[]): CrlEntrySpec[] => devices.map(({ serial }) => ({ serial, reason: 1 }));
const MINUTE = 60_000;

let ca: TestCa;
let world: World;
beforeAll(async () => {
  ca = await createCa({ name: 'CN=Fleet CA' });
});
beforeEach(() => {
  world = new World(ca);
});
const statuses = (devices: readonly Device[]) => devices.map((device) => world.statusOf(device));
const onlyHold = (): Hold => {
  const holds = [...world.holds.holds.values()];
  expect(holds).toHaveLength(1);
  return holds[0]!;
};

describe('the brake', () => {
  test.each([
    ['just below its limit', 4, 'REVOKED'],
    ['at its limit', 5, 'REVOKED'],
    ['just above its limit', 6, 'ACTIVE'],
  ])('%s: %i new revocations → %s', async (_sentence, count, expected) => {
    const devices = await world.enrol(count);
    await world.publish(world.crl(1n, revoked(devices)));
    await world.drain();
    expect(statuses(devices)).toEqual(Array(count).fill(expected));
    expect(world.metric(METRICS.revocationsHeld)).toBe(expected === 'ACTIVE' ? count : 0);
  });

  test('a fleet of three may lose all three', async () => {
    const devices = await world.enrol(3);
    world.inventory.active = 3;
    await world.publish(world.crl(1n, revoked(devices)));
    await world.drain();
    expect(statuses(devices)).toEqual(Array(3).fill('REVOKED'));
  });

  test('a big fleet may lose one in a hundred', async () => {
    const devices = await world.enrol(8);
    world.inventory.active = 800;
    await world.publish(world.crl(1n, revoked(devices)));
    await world.drain();
    expect(statuses(devices)).toEqual(Array(8).fill('REVOKED'));
  });

  test('several runs within the hour count together, and after the hour they do not', async () => {
    const devices = await world.enrol(9);
    await world.publish(world.crl(1n, revoked(devices.slice(0, 3))));
    world.clock.advance(30 * MINUTE);
    await world.publish(world.crl(2n, revoked(devices.slice(0, 6)))); // 3 + 3 > 5
    expect(onlyHold()).toMatchObject({ count: 3, limit: 5, state: 'HELD' });
    world.clock.advance(31 * MINUTE);
    await world.publish(world.crl(3n, revoked(devices)));
    await world.drain();
    expect(statuses(devices)).toEqual([...Array(3).fill('REVOKED'), ...Array(3).fill('ACTIVE'), ...Array(3).fill('REVOKED')]);
  });

  test('what the fast path has done already does not use it up', async () => {
    const devices = await world.enrol(9);
    const event = ({ arn }: Device): RevocationEvent => ({
      source: 'aws.acm-pca',
      'detail-type': 'ACM Private CA Certificate Revocation',
      time: '2026-11-22T09:59:00Z',
      resources: [arn.split('/certificate/')[0]!, arn],
      detail: { result: 'success' },
    });
    for (const device of devices.slice(0, 4)) await world.fast(event(device));
    await world.drain();
    world.clock.advance(61 * MINUTE);
    await world.publish(world.crl(1n, revoked(devices))); // nine are new to the CRL state, five are still to be done
    await world.drain();
    expect(statuses(devices)).toEqual(Array(9).fill('REVOKED'));
    expect(world.holds.holds.size).toBe(0);
  });

  test('a run that was granted and died is granted again, also when the fleet has shrunk meanwhile', async () => {
    const devices = await world.enrol(8);
    world.inventory.active = 800;
    const crl = world.crl(1n, revoked(devices));
    jest.spyOn(world.states, 'save').mockRejectedValueOnce(new Error('the process dies here'));
    await expect(world.publish(crl)).rejects.toThrow('dies');
    world.revokeQueue.messages = [];
    world.inventory.active = 700;
    await world.publish(crl);
    await world.drain();
    expect(statuses(devices)).toEqual(Array(8).fill('REVOKED'));
    expect([...world.brake.runs.values()].map(({ count }) => count)).toEqual([8]);
  });

  test('while a list is held, later CRLs bring what is new in them and nothing else', async () => {
    const devices = await world.enrol(8);
    await world.publish(world.crl(1n, revoked(devices.slice(0, 6))));
    await world.publish(world.crl(2n, revoked(devices)));
    expect(world.revokeQueue.messages.map(({ serialNumber }) => serialNumber).sort()).toEqual(
      devices
        .slice(6)
        .map(({ serialNumber }) => serialNumber)
        .sort(),
    );
    expect(onlyHold()).toMatchObject({ count: 6 });
  });

  test('the first CRL of a new CA is braked like any other', async () => {
    const devices = await world.enrol(6);
    await world.publish(world.crl(1n, [...revoked(devices), ...Array.from({ length: 50 }, (_, i) => ({ serial: BigInt(i + 100) }))]));
    expect(world.revokeQueue.messages).toEqual([]);
    expect(onlyHold()).toMatchObject({ count: 56 });
  });
});

describe('a held list', () => {
  let devices: readonly Device[];
  beforeEach(async () => {
    devices = await world.enrol(7);
    await world.publish(world.crl(1n, revoked(devices)));
  });
  const decide = (hash: string, from: Hold['state'], to: Hold['state']) => world.holds.move(hash, from, to, 'alice', world.clock.nowMs());
  const approved = (hash: string) => world.sync({ kind: 'approved', hash });

  test('is carried out when it is approved, and says who approved it', async () => {
    const { hash } = onlyHold();
    await decide(hash, 'HELD', 'APPROVED');
    await approved(hash);
    await world.drain();
    expect(statuses(devices)).toEqual(Array(7).fill('REVOKED'));
    expect(onlyHold()).toMatchObject({ state: 'APPLIED', decidedBy: 'alice' });
    expect(world.decisions.rows).toContainEqual(
      expect.objectContaining({
        subject: `HOLD#${hash}`,
        step: 'outcome',
        reason: 'approved',
        detail: expect.objectContaining({ sent: 7, approvedBy: 'alice' }),
      }),
    );
  });

  test('is not carried out before it is approved, whatever a message says', async () => {
    await approved(onlyHold().hash);
    expect(world.revokeQueue.messages).toEqual([]);
  });

  test('is not carried out by the approval of another list', async () => {
    const { hash } = onlyHold();
    const other = 'f'.repeat(64);
    world.holds.holds.set(other, { ...onlyHold(), hash: other, state: 'APPROVED' });
    await approved(other);
    expect(world.revokeQueue.messages).toEqual([]);
    expect(world.metric(METRICS.heldListAltered)).toBe(1);
    expect(world.holds.holds.get(hash)?.state).toBe('HELD');
  });

  test('is not carried out when somebody has changed the stored list', async () => {
    const { hash, listKey } = onlyHold();
    const octets = world.states.objects.get(listKey)!;
    world.states.objects.set(listKey, Buffer.from(octets.toString().replace(devices[0]!.serialNumber, 'abcdef')));
    await decide(hash, 'HELD', 'APPROVED');
    await approved(hash);
    expect(world.revokeQueue.messages).toEqual([]);
    expect(world.metric(METRICS.heldListAltered)).toBe(1);
    expect(onlyHold().state).toBe('APPROVED');
  });

  test('is carried out once: a second message finds the approval used up', async () => {
    const { hash } = onlyHold();
    await decide(hash, 'HELD', 'APPROVED');
    await approved(hash);
    const sent = world.revokeQueue.messages.length;
    await approved(hash);
    expect(world.revokeQueue.messages).toHaveLength(sent);
    expect(await decide(hash, 'HELD', 'APPROVED')).toBe(false);
  });

  describe('of more entries than one run can hand over', () => {
    const ENTRIES = 25_000;
    const PER_SLICE = 10_000;
    let hash: string;
    beforeEach(async () => {
      const strangers = Array.from({ length: ENTRIES }, (_, i) => ({ serial: BigInt(i + 1_000_000), reason: 1 }));
      await world.publish(world.crl(2n, [...revoked(devices), ...strangers]));
      hash = [...world.holds.holds.values()].find(({ count }) => count === ENTRIES)!.hash;
      await decide(hash, 'HELD', 'APPROVED');
    });
    const serials = () => new Set(world.revokeQueue.messages.map(({ serialNumber }) => serialNumber));

    test('is taken up where a run died, and ends', async () => {
      const sendAll = world.revokeQueue.sendAll.bind(world.revokeQueue);
      let slices = 0;
      world.revokeQueue.sendAll = async (messages) => {
        if (++slices === 2) throw new Error('the function ran out of time');
        return sendAll(messages);
      };
      await expect(approved(hash)).rejects.toThrow('out of time');
      expect(world.holds.holds.get(hash)).toMatchObject({ state: 'APPROVED', handedOver: PER_SLICE });
      await approved(hash);
      expect(world.revokeQueue.messages).toHaveLength(ENTRIES); // none twice
      expect(serials().size).toBe(ENTRIES);
      expect(world.holds.holds.get(hash)?.state).toBe('APPLIED');
    });

    test('stops before its time is up, and asks to be called again', async () => {
      const sendAll = world.revokeQueue.sendAll.bind(world.revokeQueue);
      world.revokeQueue.sendAll = async (messages) => {
        world.clock.advance(160_000);
        return sendAll(messages);
      };
      await approved(hash);
      expect(world.revokeQueue.messages).toHaveLength(PER_SLICE);
      expect(world.syncQueue.messages).toEqual([{ kind: 'approved', hash }]);
      await world.drainSync();
      expect(serials().size).toBe(ENTRIES);
      expect(world.holds.holds.get(hash)?.state).toBe('APPLIED');
    });
  });

  test('that was rejected stays out, also when later CRLs list the same entries', async () => {
    const { hash } = onlyHold();
    await decide(hash, 'HELD', 'REJECTED');
    await approved(hash);
    await world.publish(world.crl(2n, revoked(devices)));
    await world.sync({ kind: 'sweep' });
    await world.drainSync();
    await world.drain();
    expect(statuses(devices)).toEqual(Array(7).fill('ACTIVE'));
    expect(world.holds.holds.size).toBe(1);
  });

  test('that was rejected can be reopened and approved', async () => {
    const { hash } = onlyHold();
    await decide(hash, 'HELD', 'REJECTED');
    await decide(hash, 'REJECTED', 'HELD');
    await decide(hash, 'HELD', 'APPROVED');
    await approved(hash);
    await world.drain();
    expect(statuses(devices)).toEqual(Array(7).fill('REVOKED'));
  });

  test('whose approval message was lost is brought up by the sweep', async () => {
    await decide(onlyHold().hash, 'HELD', 'APPROVED');
    await world.sync({ kind: 'sweep' });
    await world.drainSync();
    await world.drain();
    expect(statuses(devices)).toEqual(Array(7).fill('REVOKED'));
  });

  test.each([
    ['under the emergency stop', async () => world.stop.set(true, 'bob', 'drill', 0)],
    ['in mode observe', async () => void (world.mode = 'observe')],
  ])('that is approved %s waits, and keeps its approval', async (_sentence, switchOff) => {
    const { hash } = onlyHold();
    await decide(hash, 'HELD', 'APPROVED');
    await switchOff();
    await approved(hash);
    expect(world.revokeQueue.messages).toEqual([]);
    expect(onlyHold().state).toBe('APPROVED');
  });

  test('keeps its alarm up at each sweep until somebody has decided', async () => {
    const before = world.metric(METRICS.revocationsHeld);
    await world.sync({ kind: 'sweep' });
    expect(world.metric(METRICS.revocationsHeld)).toBe(before + 7);
    await decide(onlyHold().hash, 'HELD', 'REJECTED');
    await world.sync({ kind: 'sweep' });
    expect(world.metric(METRICS.revocationsHeld)).toBe(before + 7);
  });
});

describe('the octets of a held list', () => {
  const header = {
    version: 1,
    kind: 'revoke',
    anchorId: 'fleet-ca',
    issuerKeyId: 'ab',
    partition: 'COMPLETE',
    crlNumber: '7',
    digest: 'a'.repeat(64),
  } as const;
  const entries: HeldEntry[] = Array.from({ length: 3000 }, (_, i) => ({
    serialNumber: serialNumberFromHex((i + 1).toString(16)),
    reason: i % 2 === 0 ? 'keyCompromise' : 'certificateHold',
    revocationDate: '2026-01-01T00:00:00.000Z',
  }));

  test('are JSON, read back as written, and hash to the name of the list', async () => {
    const list = await writeHeldList(header, entries);
    const octets = Buffer.concat(list.parts);
    expect(heldListHash(octets)).toBe(list.hash);
    expect(list.count).toBe(3000);
    expect((JSON.parse(octets.toString()) as { entries: unknown[] }).entries).toHaveLength(3000);
    const read = readHeldList(octets);
    expect(read.header).toEqual(header);
    expect([...read.entries]).toEqual(entries);
  });

  test('have another hash when any one thing in them is another', async () => {
    const { hash } = await writeHeldList(header, entries);
    const others = [
      writeHeldList({ ...header, kind: 'reactivate' }, entries),
      writeHeldList({ ...header, anchorId: 'other' }, entries),
      writeHeldList({ ...header, crlNumber: '8' }, entries),
      writeHeldList(header, entries.slice(1)),
      writeHeldList(header, entries.with(0, { ...entries[0]!, reason: 'superseded' })),
    ];
    for (const other of others) expect((await other).hash).not.toBe(hash);
  });

  test.each(['', '{}', '{"version":1,"entries":[\n\n]}\n', '{"version":2,"entries":[]}'])(
    'that are not in this form are refused: %j',
    (text) => {
      expect(() => [...readHeldList(Buffer.from(text)).entries]).toThrow(/held list|expected|Invalid/i);
    },
  );
});
