import { METRICS } from '../../domain/fleet/metrics.js';
import { createCa, type TestCa } from '../builders/ca.js';
import { crlPem, type CrlEntrySpec } from '../builders/crl.js';
import { BUCKET, CRL_KEY, World, type Device } from './memory/world.js';

const KEY_COMPROMISE = 1;
const CERTIFICATE_HOLD = 6;
const revoked = (...devices: readonly Device[]): CrlEntrySpec[] => devices.map(({ serial }) => ({ serial, reason: KEY_COMPROMISE }));
const onHold = (...devices: readonly Device[]): CrlEntrySpec[] => devices.map(({ serial }) => ({ serial, reason: CERTIFICATE_HOLD }));

let ca: TestCa;
let world: World;
beforeAll(async () => {
  ca = await createCa({ name: 'CN=Fleet CA' });
});
beforeEach(() => {
  world = new World(ca);
});

describe('a CRL reaches the fleet', () => {
  test('its certificates are REVOKED and their devices cut off; the others stay', async () => {
    const [gone, other, stays] = await world.enrol(3);
    await world.publish(world.crl(1n, revoked(gone!, other!)));
    await world.drain();
    expect([gone!, other!, stays!].map((device) => world.statusOf(device))).toEqual(['REVOKED', 'REVOKED', 'ACTIVE']);
    expect([...world.registry.connected]).toEqual(['dev-3']);
    expect(world.metric(METRICS.revoked)).toBe(2);
  });

  test('only what is new is sent: the second CRL costs the second certificate', async () => {
    const [first, second] = await world.enrol(2);
    await world.publish(world.crl(1n, revoked(first!)));
    await world.drain();
    const callsBefore = world.registry.calls.length;
    await world.publish(world.crl(2n, revoked(first!, second!)));
    expect(world.revokeQueue.messages.map(({ serialNumber }) => serialNumber)).toEqual([second!.serialNumber]);
    await world.drain();
    expect(world.registry.calls.slice(callsBefore).every(({ of }) => of !== first!.id)).toBe(true);
  });

  test('a message says who, why, when, and which CRL said so', async () => {
    const [device] = await world.enrol(1);
    await world.publish(world.crl(7n, revoked(device!)));
    expect(world.revokeQueue.messages).toEqual([
      {
        version: 1,
        action: 'revoke',
        anchorId: 'fleet-ca',
        serialNumber: device!.serialNumber,
        reason: 'keyCompromise',
        revocationDate: '2026-01-01T00:00:00.000Z',
        source: 'crl',
        crlNumber: '7',
        runId: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  test('PEM is read like DER', async () => {
    const [device] = await world.enrol(1);
    await world.publish(Buffer.from(crlPem(world.crl(1n, revoked(device!)))));
    await world.drain();
    expect(world.statusOf(device!)).toBe('REVOKED');
  });

  test('certificateHold makes INACTIVE, and a later revocation of the same certificate makes REVOKED', async () => {
    const [device] = await world.enrol(1);
    await world.publish(world.crl(1n, onHold(device!)));
    await world.drain();
    expect(world.statusOf(device!)).toBe('INACTIVE');
    await world.publish(world.crl(2n, revoked(device!)));
    await world.drain();
    expect(world.statusOf(device!)).toBe('REVOKED');
  });

  test('an expired CRL still revokes, and alarms', async () => {
    const [device] = await world.enrol(1);
    const past = (days: number) => new Date(world.clock.nowMs() - days * 86_400_000);
    await world.publish(world.crl(1n, revoked(device!), { thisUpdate: past(9), nextUpdate: past(2) }));
    await world.drain();
    expect(world.statusOf(device!)).toBe('REVOKED');
    expect(world.metric(METRICS.crlExpired)).toBe(1);
  });

  test('the certificate of a CA on a CRL pages, and is never sent to the worker', async () => {
    const [device] = await world.enrol(1);
    await world.publish(world.crl(1n, [{ serial: 1n, reason: 2 }, ...revoked(device!)])); // 1 is the serial number of the CA itself
    expect(world.revokeQueue.messages).toHaveLength(1);
    expect(world.metric(METRICS.caCertificateListed)).toBe(1);
  });
});

describe('what does not come from the CA changes nothing', () => {
  let devices: readonly Device[];
  beforeEach(async () => {
    devices = await world.enrol(3);
    await world.publish(world.crl(5n, revoked(devices[0]!)));
    await world.drain();
  });
  const untouched = () => {
    expect(world.revokeQueue.messages).toEqual([]);
    expect(devices.map((device) => world.statusOf(device))).toEqual(['REVOKED', 'ACTIVE', 'ACTIVE']);
    expect([...world.marks.marks.values()].map(({ crlNumber }) => crlNumber)).toEqual(['5']);
  };

  test('a forged CRL', async () => {
    const forger = await createCa({ name: 'CN=Fleet CA' });
    await world.publish(world.crl(6n, revoked(...devices), { signWith: forger.privateKey }));
    untouched();
    expect(world.metric(METRICS.crlRefused)).toBe(1);
    expect(world.signals.lines.at(-1)).toMatchObject({ level: 'warn', ids: { outcome: 'refused', refusals: ['bad-signature'] } });
  });

  test('a truncated CRL', async () => {
    await world.publish(world.crl(6n, revoked(...devices)).subarray(0, -40));
    untouched();
    expect(world.signals.lines.at(-1)).toMatchObject({ ids: { outcome: 'refused', refusals: ['truncated'] } });
  });

  test('a CRL of a CA that is no trust anchor', async () => {
    await world.publish(world.crl(6n, revoked(...devices), { ca: await createCa({ name: 'CN=Stranger' }) }));
    untouched();
    expect(world.signals.lines.at(-1)).toMatchObject({ ids: { outcome: 'no-anchor' } });
  });

  test('a CRL of our CA in the folder of another one', async () => {
    await world.publish(world.crl(6n, revoked(...devices)), 'external/other/ca.crl');
    untouched();
    expect(world.signals.lines.at(-1)).toMatchObject({ ids: { outcome: 'no-anchor' } });
  });

  test('a CRL that says it is published elsewhere', async () => {
    await world.publish(world.crl(6n, revoked(...devices), { idp: { uris: ['http://crls.example/elsewhere.crl'] } }));
    untouched();
    expect(world.signals.lines.at(-1)).toMatchObject({ ids: { refusals: ['distribution-point-mismatch'] } });
  });

  test('an older CRL put in place of the current one: rollback', async () => {
    await world.publish(world.crl(4n, []));
    untouched();
    expect(world.metric(METRICS.crlRollback)).toBe(1);
  });

  test('the same number with other content: equivocation', async () => {
    await world.publish(world.crl(5n, revoked(devices[1]!)));
    untouched();
    expect(world.metric(METRICS.crlEquivocation)).toBe(1);
  });

  test('an event of an older version that comes late is no rollback', async () => {
    const late = world.crls.put(CRL_KEY, world.crl(4n, []));
    world.crls.put(CRL_KEY, world.crl(5n, revoked(devices[0]!)));
    await world.sync({ kind: 'object', ...late });
    untouched();
    expect(world.metric(METRICS.crlRollback)).toBe(0);
    expect(world.signals.lines.at(-1)).toMatchObject({ level: 'info', ids: { outcome: 'stale' } });
  });

  test('an older file that lies beside the current one is no rollback for the sweep', async () => {
    world.crls.put('crl/old.crl', world.crl(4n, []));
    await world.sync({ kind: 'object', bucket: BUCKET, key: 'crl/old.crl' });
    untouched();
    expect(world.metric(METRICS.crlRollback)).toBe(0);
  });

  test('the rollback is found by the sweep when its event is lost', async () => {
    world.crls.put(CRL_KEY, world.crl(4n, []));
    await world.sync({ kind: 'sweep' });
    await world.drainSync();
    untouched();
    expect(world.metric(METRICS.crlRollback)).toBe(1);
  });

  test('a CRL object that disappears: alarm, nothing un-revoked', async () => {
    world.crls.delete(CRL_KEY);
    await world.sync({ kind: 'sweep' });
    await world.drainSync();
    untouched();
    expect(world.metric(METRICS.crlAbsent)).toBe(1);
  });

  test('an event for an object that never was applied and is gone is no alarm', async () => {
    await world.sync({ kind: 'object', bucket: BUCKET, key: 'crl/never.crl', versionId: 'v99' });
    expect(world.metric(METRICS.crlAbsent)).toBe(0);
  });
});

describe('entries that leave a CRL', () => {
  test('an empty CRL after a full one is legal: nothing is un-revoked, nothing is lost when the entries come back', async () => {
    const devices = await world.enrol(4);
    await world.publish(world.crl(1n, revoked(...devices)));
    await world.drain();
    await world.publish(world.crl(2n, []));
    await world.drain();
    expect(devices.map((device) => world.statusOf(device))).toEqual(Array(4).fill('REVOKED'));
    expect(world.metric(METRICS.crlRollback)).toBe(0);
    await world.publish(world.crl(3n, revoked(...devices)));
    expect(world.revokeQueue.messages).toEqual([]); // done already: not sent again, and not counted against the brake
    expect([...world.marks.marks.values()][0]).toMatchObject({ crlNumber: '3', entries: 4 });
  });

  test('most of a long list at once is worth a warning', async () => {
    world.floor = 100;
    await world.publish(
      world.crl(
        1n,
        Array.from({ length: 40 }, (_, i) => ({ serial: BigInt(1000 + i) })),
      ),
    );
    await world.publish(world.crl(2n, []));
    expect(world.metric(METRICS.crlShrunk)).toBe(1);
  });

  test('a hold that leaves waits for a person; approved, the certificate is ACTIVE again', async () => {
    const [device] = await world.enrol(1);
    await world.publish(world.crl(1n, onHold(device!)));
    await world.drain();
    await world.publish(world.crl(2n, []));
    await world.drain();
    expect(world.statusOf(device!)).toBe('INACTIVE');
    expect(world.metric(METRICS.holdRemoved)).toBe(1);
    const [hold] = [...world.holds.holds.values()];
    expect(hold).toMatchObject({ kind: 'reactivate', state: 'HELD', count: 1 });
    await world.holds.move(hold!.hash, 'HELD', 'APPROVED', 'alice', world.clock.nowMs());
    await world.sync({ kind: 'approved', hash: hold!.hash });
    await world.drain();
    expect(world.statusOf(device!)).toBe('ACTIVE');
  });

  test('a hold that left and came back is not reactivated by the approval of its leaving', async () => {
    const [device] = await world.enrol(1);
    for (const [number, entries] of [
      [1n, onHold(device!)],
      [2n, []],
      [3n, onHold(device!)],
    ] as const) {
      await world.publish(world.crl(number, entries));
      await world.drain();
    }
    const [hold] = [...world.holds.holds.values()];
    await world.holds.move(hold!.hash, 'HELD', 'APPROVED', 'alice', world.clock.nowMs());
    await world.sync({ kind: 'approved', hash: hold!.hash });
    await world.drain();
    expect(world.statusOf(device!)).toBe('INACTIVE');
    expect(world.holds.holds.get(hold!.hash)?.state).toBe('APPLIED');
  });

  test('what was INACTIVE before the hold stays INACTIVE after it', async () => {
    const [device] = await world.enrol(1);
    world.registry.certificates.get(device!.id)!.status = 'INACTIVE';
    await world.publish(world.crl(1n, onHold(device!)));
    await world.drain();
    await world.publish(world.crl(2n, []));
    const [hold] = [...world.holds.holds.values()];
    await world.holds.move(hold!.hash, 'HELD', 'APPROVED', 'alice', world.clock.nowMs());
    await world.sync({ kind: 'approved', hash: hold!.hash });
    await world.drain();
    expect(world.statusOf(device!)).toBe('INACTIVE');
    expect(world.outcomes).toContain('not-ours');
  });
});

describe('an unchanged CRL', () => {
  test('costs the sweep one conditional GET, no state, no call of the registry', async () => {
    const [device] = await world.enrol(1);
    await world.publish(world.crl(1n, revoked(device!)));
    await world.drain();
    const { length } = world.registry.calls;
    world.crls.asked.length = 0;
    const load = jest.spyOn(world.states, 'load');
    await world.sync({ kind: 'sweep' });
    await world.drainSync();
    expect(world.crls.asked).toEqual([{ key: CRL_KEY, ifNoneMatch: expect.stringMatching(/^"/) }]);
    expect(world.registry.calls).toHaveLength(length);
    expect(load).not.toHaveBeenCalled();
    expect(world.metric(METRICS.crlUnchanged)).toBe(1);
  });

  test('says so when it has expired meanwhile', async () => {
    await world.publish(world.crl(1n, []));
    world.clock.advance(8 * 86_400_000);
    await world.sync({ kind: 'sweep' });
    await world.drainSync();
    expect(world.metric(METRICS.crlExpired)).toBe(1);
  });

  test('the same CRL under another ETag is read once and recognised from then on', async () => {
    const crl = world.crl(1n, []);
    await world.publish(crl);
    await world.publish(Buffer.from(crlPem(crl)));
    const load = jest.spyOn(world.states, 'load');
    await world.sync({ kind: 'object', bucket: BUCKET, key: CRL_KEY });
    expect(load).not.toHaveBeenCalled();
    expect(world.metric(METRICS.crlUnchanged)).toBe(2);
  });
});

describe('events that come twice, late or never', () => {
  test('the sweep finds a CRL whose event was lost', async () => {
    const [device] = await world.enrol(1);
    world.crls.put(CRL_KEY, world.crl(1n, revoked(device!)));
    await world.sync({ kind: 'sweep' });
    await world.drainSync();
    await world.drain();
    expect(world.statusOf(device!)).toBe('REVOKED');
  });

  test('the sweep leaves the objects alone that ACM PCA puts beside its CRLs', async () => {
    world.crls.put('crl/acm-pca-permission-test-key', Buffer.alloc(0));
    await world.sync({ kind: 'sweep' });
    expect(world.syncQueue.messages).toEqual([]);
  });

  test('events out of order and twice end where events in order end', async () => {
    const devices = await world.enrol(3);
    const events = [1, 2, 3].map(
      (n) => ({ kind: 'object', ...world.crls.put(CRL_KEY, world.crl(BigInt(n), revoked(...devices.slice(0, n)))) }) as const,
    );
    for (const i of [2, 0, 1, 2, 0]) await world.sync(events[i]!);
    await world.drain();
    expect(devices.map((device) => world.statusOf(device))).toEqual(['REVOKED', 'REVOKED', 'REVOKED']);
    expect([...world.marks.marks.values()].map(({ crlNumber }) => crlNumber)).toEqual(['3']);
    expect(world.metric(METRICS.crlRollback)).toBe(0);
  });

  test('a version that is gone when its event comes: the current one counts', async () => {
    const [device] = await world.enrol(1);
    world.crls.put(CRL_KEY, world.crl(1n, revoked(device!)));
    await world.sync({ kind: 'object', bucket: BUCKET, key: CRL_KEY, versionId: 'expired-version' });
    await world.drain();
    expect(world.statusOf(device!)).toBe('REVOKED');
  });

  test('two runs of the same CRL at once: one mark, counted once', async () => {
    const devices = await world.enrol(3);
    const ref = world.crls.put(CRL_KEY, world.crl(1n, revoked(...devices)));
    await Promise.all([world.sync({ kind: 'object', ...ref }), world.sync({ kind: 'object', ...ref })]);
    await world.drain();
    expect(devices.map((device) => world.statusOf(device))).toEqual(['REVOKED', 'REVOKED', 'REVOKED']);
    expect([...world.brake.runs.values()].map(({ count }) => count)).toEqual([3]);
    expect(world.marks.marks.size).toBe(1);
  });

  test('two CRLs at once: the run that loses the mark starts again and ends right', async () => {
    const devices = await world.enrol(4);
    const events = [1, 2].map(
      (n) => ({ kind: 'object', ...world.crls.put(CRL_KEY, world.crl(BigInt(n), revoked(...devices.slice(0, 2 * n)))) }) as const,
    );
    world.floor = 10;
    await Promise.all(events.map((event) => world.sync(event)));
    await world.drain();
    expect(devices.map((device) => world.statusOf(device))).toEqual(Array(4).fill('REVOKED'));
    expect([...world.marks.marks.values()].map(({ crlNumber, entries }) => [crlNumber, entries])).toEqual([['2', 4]]);
  });
});

describe('several CAs and partitions', () => {
  test('partitions of one CA have marks of their own, and the object decides which', async () => {
    world.anchors.list[0] = {
      ...world.anchors.list[0]!,
      crl: { type: 'PARTITIONED', prefix: 'crl/', distributionPoints: ['http://crls.example/{key}'] },
    };
    const [one, other] = await world.enrol(2);
    const idp = (key: string) => ({ idp: { uris: [`http://crls.example/${key}`] } });
    await world.publish(world.crl(9n, revoked(one!), idp('crl/a.crl')), 'crl/a.crl');
    await world.publish(world.crl(2n, revoked(other!), idp('crl/b.crl')), 'crl/b.crl');
    await world.drain();
    expect([one!, other!].map((device) => world.statusOf(device))).toEqual(['REVOKED', 'REVOKED']);
    expect([...world.marks.marks.values()].map(({ partition, crlNumber }) => [partition, crlNumber])).toEqual([
      ['http://crls.example/crl/a.crl', '9'],
      ['http://crls.example/crl/b.crl', '2'],
    ]);
  });

  test('two CAs below one prefix are told apart by name and key', async () => {
    const second = await createCa({ name: 'CN=Second CA' });
    world.anchors.list.push({ ...world.anchors.list[0]!, anchorId: 'second', certificatePem: second.certificatePem });
    await world.publish(world.crl(1n, [{ serial: 5n }], { ca: second }), 'crl/second.crl');
    expect(world.revokeQueue.messages).toMatchObject([{ anchorId: 'second', serialNumber: '5' }]);
  });

  test.each([
    ['with fewer serial numbers', [{ serial: 5n }, { serial: 6n }]],
    ['with as many, but one of them another', [{ serial: 7n }]],
  ])('a state that is well formed and not the one that the mark names, %s, is an error: nothing is lost in it', async (_what, second) => {
    await world.publish(world.crl(1n, [{ serial: 5n }]));
    const [one] = world.states.objects.keys();
    await world.publish(world.crl(2n, second));
    const two = [...world.states.objects.keys()].find((key) => key !== one);
    world.states.objects.set(two!, world.states.objects.get(one!)!); // somebody has put the older state in its place
    await expect(world.publish(world.crl(3n, []))).rejects.toThrow(/serial state: got [0-9a-f]{64}, expected [0-9a-f]{64}/);
  });

  test('a damaged state is an error, never "nothing handed over yet"', async () => {
    const [device] = await world.enrol(1);
    await world.publish(world.crl(1n, revoked(device!)));
    const [key] = world.states.objects.keys();
    const octets = world.states.objects.get(key!)!;
    octets.fill(0xff, octets.length - 4);
    await expect(world.publish(world.crl(2n, revoked(device!)))).rejects.toThrow('serial state');
    world.states.objects.delete(key!);
    await expect(world.publish(world.crl(3n, revoked(device!)))).rejects.toThrow('NoSuchKey');
  });
});

describe('switches', () => {
  test('observe changes nothing at all, says what it would do, and enforce then does it', async () => {
    const devices = await world.enrol(2);
    world.mode = 'observe';
    await world.publish(world.crl(1n, revoked(...devices)));
    const { revokeQueue, marks, holds, brake, states } = world;
    expect([revokeQueue.messages.length, marks.marks.size, holds.holds.size, brake.runs.size, states.objects.size]).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect(world.signals.lines.at(-1)).toMatchObject({ ids: { outcome: 'observed', wouldSend: 2, wouldHold: 0 } });
    world.mode = 'enforce';
    await world.sync({ kind: 'sweep' });
    await world.drainSync();
    await world.drain();
    expect(devices.map((device) => world.statusOf(device))).toEqual(['REVOKED', 'REVOKED']);
  });

  test('observe says what the brake would hold', async () => {
    const devices = await world.enrol(6);
    world.mode = 'observe';
    await world.publish(world.crl(1n, revoked(...devices)));
    expect(world.signals.lines.at(-1)).toMatchObject({ ids: { wouldSend: 0, wouldHold: 6 } });
    expect(world.holds.holds.size).toBe(0);
  });

  test('off reads nothing', async () => {
    world.mode = 'off';
    await world.publish(world.crl(1n, []));
    expect(world.crls.asked).toEqual([]);
  });

  test('under the emergency stop nothing is handed over, and afterwards the sweep does it', async () => {
    const [device] = await world.enrol(1);
    await world.stop.set(true, 'alice', 'drill', world.clock.nowMs());
    await world.publish(world.crl(1n, revoked(device!)));
    expect([world.revokeQueue.messages.length, world.marks.marks.size, world.brake.runs.size]).toEqual([0, 0, 0]);
    await world.stop.set(false, 'alice', 'drill over', world.clock.nowMs());
    await world.sync({ kind: 'sweep' });
    await world.drainSync();
    await world.drain();
    expect(world.statusOf(device!)).toBe('REVOKED');
  });
});
