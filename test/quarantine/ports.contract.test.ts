/**
 * One spec for what quarantine keeps: the ledger in memory that its other tests use, and the adapters on DynamoDB, here against the desk. What holds for one
 * holds for the other, or the other tests prove nothing. AWS IoT has a spec of its own: rights.contract.test.ts.
 */
import { randomUUID } from 'node:crypto';
import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { thingName, type ThingName } from '../../domain/fleet/thing-name.js';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import { CONTAINMENT_STATES } from '../../domain/protocol/containment.js';
import { dynamoContainmentBudget } from '../../lambda/aws/containment-budget.js';
import { dynamoContainmentHolds } from '../../lambda/aws/containment-holds.js';
import { dynamoCertificateClaims, dynamoContainmentRecords } from '../../lambda/aws/containment-records.js';
import { dynamoInventory } from '../../lambda/aws/inventory.js';
import { dynamoRevocationHolds } from '../../lambda/aws/revocation-holds.js';
import { monitorViolations } from '../../lambda/aws/violations-monitor.js';
import { dynamoStandings } from '../../lambda/aws/violations-standings.js';
import type { CertificateClaims, Containment, ContainmentRecords } from '../../lambda/ports/containment-records.js';
import type { Booking, ContainmentBudget, ContainmentHold, ContainmentHolds } from '../../lambda/ports/containment-work.js';
import type { CertificateRecord, RevocationRecord } from '../../lambda/ports/inventory.js';
import type { RevocationHolds } from '../../lambda/ports/revocation-holds.js';
import type { StepPorts } from '../../lambda/quarantine/ports.js';
import type { ViolationSource } from '../../lambda/ports/violations.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import { startTestDesk, type TestDesk } from '../inventory/desk.js';
import { deviceCertificate, fleetCa, recordOf } from '../inventory/fleet.js';
import { MemoryBudget, MemoryClaims, MemoryContainmentHolds, MemoryRecords } from './memory/ledger.js';
import { MemoryInventory, MemoryViolations } from './memory/world.js';

const PROFILE = 'fleetwarden-built-in';
const HOUR = 3_600_000;

interface Ports {
  readonly records: ContainmentRecords;
  readonly claims: CertificateClaims;
  readonly budget: ContainmentBudget;
  readonly holds: ContainmentHolds;
  readonly inventory: StepPorts['inventory'];
  readonly violations: ViolationSource;
  readonly revocationHolds: RevocationHolds;
  /** Puts a revocation on record. */
  revoked(record: RevocationRecord): Promise<void>;
  /** Puts a certificate into the inventory. */
  known(record: CertificateRecord): Promise<void>;
  /** Brings a thing into alarm, as the source has it. */
  violated(thing: ThingName, violationId: string): Promise<void>;
}

function memoryPorts(): Ports {
  const inventory = new MemoryInventory();
  const violations = new MemoryViolations();
  return {
    records: new MemoryRecords(),
    claims: new MemoryClaims(),
    budget: new MemoryBudget(() => wallClock.nowMs()),
    holds: new MemoryContainmentHolds(),
    inventory,
    violations,
    revocationHolds: inventory,
    revoked: async (record) => void inventory.revocations.set(`${record.issuerId}#${record.serialNumber}`, record),
    known: async (record) => void inventory.records.set(record.certificateId, record),
    violated: async (thing, violationId) => {
      const named = { violationId, thingName: thing, behavior: 'flood', metric: 'aws:num-messages-sent', securityProfileName: PROFILE };
      violations.rows.set(violationId, { ...named, isOpen: true, lastEventType: 'in-alarm', startedAtMs: 1, updatedAtMs: 1 });
    },
  };
}

let desk: TestDesk | undefined;
afterAll(() => desk?.stop());

async function deskPorts(): Promise<Ports> {
  desk = await startTestDesk();
  const ledger = { client: desk.documents, table: await desk.table('ledger') };
  const inventoryTable = await desk.table('inventory');
  const inventory = dynamoInventory(desk.documents, inventoryTable, wallClock);
  return {
    records: dynamoContainmentRecords(ledger, wallClock),
    claims: dynamoCertificateClaims(ledger),
    budget: dynamoContainmentBudget(ledger, wallClock),
    holds: dynamoContainmentHolds(ledger),
    inventory,
    violations: monitorViolations(ledger, PROFILE),
    revocationHolds: dynamoRevocationHolds(desk.documents, inventoryTable),
    revoked: (record) => inventory.rememberRevocation(record),
    known: async (record) => void (await inventory.record(record)),
    violated: async (thing, violationId) => {
      const behavior = { name: 'flood', metric: 'aws:num-messages-sent' };
      const said = { violationEventTime: 1, thingName: thing, behavior, violationEventType: 'in-alarm', violationId } as const;
      const counted = { criteria: 'abc', lastWindowEndMs: HOUR, abnormalInRow: 1, normalInRow: 0, startedAtMs: 1, updatedAtMs: 1 };
      await dynamoStandings(ledger, wallClock).write(
        undefined,
        {
          ...counted,
          clientId: thing,
          thingName: thing,
          behaviour: 'flood',
          violationId,
          pending: { ...said, securityProfileName: PROFILE },
        },
        { clientId: thing, windowStartMs: 0, windowEndMs: HOUR },
      );
    },
  };
}

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
};
const newThing = (): ThingName => thingName(`pump-${randomUUID()}`);
const newCertificate = (): CertificateId => certificateId(`${randomUUID()}${randomUUID()}`.replaceAll('-', ''));
const containmentOf = (thing: ThingName, more: Partial<Containment> = {}): Containment => ({
  containmentId: `operator-${randomUUID()}`,
  thingName: thing,
  state: 'recorded',
  response: 'contain',
  trigger: { kind: 'operator', id: 'a1b2c3d4e5f6', by: 'ops', reason: 'smells', atMs: 5, evidence: { port: 23, seen: true } },
  snapshot: {
    takenAtMs: 7,
    certificates: [{ certificateId: newCertificate(), status: 'ACTIVE', policies: ['device'] }],
    groups: [{ name: 'hall', policies: [] }],
    dynamicGroups: ['warm'],
    clientIds: [thing, 'other'],
  },
  adopted: [],
  startedAtMs: 8,
  updatedAtMs: 8,
  endsAtMs: 9,
  ...more,
});

describe.each<[string, () => Promise<Ports>]>([
  ['in memory', async () => memoryPorts()],
  ['in the tables', deskPorts],
])('%s', (_where, start) => {
  let ports: Ports;
  let thing: ThingName;
  beforeAll(async () => {
    ports = await start();
  });
  beforeEach(() => {
    thing = newThing();
  });

  describe('a containment', () => {
    it('is there as it was written, from its beginning to its end, and not before', async () => {
      const { records } = ports;
      const row = containmentOf(thing);
      expect(await records.get(thing)).toBeUndefined();
      expect(await records.open(row)).toBe('opened');
      expect(await records.get(thing)).toEqual(row);
      expect(await all(records.all())).toContainEqual(row);
      expect(await records.past(thing, row.containmentId)).toBeUndefined();
      // What wakes a workflow is no part of the history.
      await records.move(thing, row.containmentId, ['recorded'], { taskToken: 'secret' });
      await records.close(thing, row.containmentId, 99);
      expect(await records.get(thing)).toBeUndefined();
      expect((await all(records.all())).map((each) => each.thingName)).not.toContain(thing);
      expect(await records.past(thing, row.containmentId)).toStrictEqual({ ...row, state: 'released', releasedAtMs: 99 });
    });

    it('is opened once: the same again is ours, another one finds it there and changes nothing', async () => {
      const row = containmentOf(thing);
      await ports.records.open(row);
      expect(await ports.records.open({ ...row, snapshot: { ...row.snapshot, certificates: [] } })).toBe('ours');
      expect(await ports.records.open(containmentOf(thing))).toBe('other');
      expect(await ports.records.get(thing)).toEqual(row);
    });

    it('of a thing is not that of one whose name only begins so', async () => {
      await ports.records.open(containmentOf(thing));
      expect(await ports.records.get(thingName(`${thing}0`))).toBeUndefined();
    });

    it.each(CONTAINMENT_STATES)('moves from the states that are named, and %s is not among them', async (state) => {
      const row = containmentOf(thing, { state });
      await ports.records.open(row);
      const others = CONTAINMENT_STATES.filter((each) => each !== state);
      expect(await ports.records.move(thing, row.containmentId, others, { updatedAtMs: 50 })).toBeUndefined();
      expect(await ports.records.get(thing)).toEqual(row);
      expect(await ports.records.move(thing, row.containmentId, [state], { updatedAtMs: 50 })).toEqual({ ...row, updatedAtMs: 50 });
      expect(await ports.records.get(thing)).toEqual({ ...row, updatedAtMs: 50 });
    });

    it('does not move by the word of another containment, nor when there is none', async () => {
      const row = containmentOf(thing);
      expect(await ports.records.move(thing, row.containmentId, CONTAINMENT_STATES, { state: 'cut' })).toBeUndefined();
      await ports.records.open(row);
      expect(await ports.records.move(thing, 'operator-x', CONTAINMENT_STATES, { state: 'cut' })).toBeUndefined();
      expect((await ports.records.get(thing))?.state).toBe('recorded');
    });

    it('loses what a move sets to nothing, and keeps what it does not name', async () => {
      const release = { by: 'ops', reason: 'r', rekey: true, force: false, atMs: 3 };
      const row = containmentOf(thing, { state: 'reopened', rekeying: true, rekeyAskedAtMs: 4, release });
      await ports.records.open(row);
      const moved = await ports.records.move(thing, row.containmentId, ['reopened'], { rekeying: undefined, release: undefined });
      expect(Object.keys(moved ?? {})).not.toEqual(expect.arrayContaining(['rekeying']));
      const { rekeying: _rekeying, release: _release, ...rest } = row;
      expect(moved).toStrictEqual(rest);
      expect(await ports.records.get(thing)).toStrictEqual(rest);
    });

    it('takes every change of many who write at once', async () => {
      const row = containmentOf(thing);
      await ports.records.open(row);
      const changes = [{ endsAtMs: 77 }, { restarts: 3 }, { taskToken: 't' }, { settledAtMs: 5 }];
      await Promise.all(changes.map((change) => ports.records.move(thing, row.containmentId, ['recorded'], change)));
      expect(await ports.records.get(thing)).toEqual({ ...row, ...Object.assign({}, ...changes) });
    });

    it('is closed once, by its own name, and its thing can be contained again', async () => {
      const [first, second] = [containmentOf(thing), containmentOf(thing)];
      await ports.records.open(first);
      await ports.records.close(thing, second.containmentId, 98);
      expect(await ports.records.get(thing)).toEqual(first);
      await ports.records.close(thing, first.containmentId, 99);
      expect(await ports.records.open(second)).toBe('opened');
      await ports.records.close(thing, first.containmentId, 100);
      expect(await ports.records.get(thing)).toEqual(second);
      expect((await ports.records.past(thing, first.containmentId))?.releasedAtMs).toBe(99);
      expect(await ports.records.past(thing, second.containmentId)).toBeUndefined();
    });
  });

  describe('the claim on a certificate', () => {
    const seen = (id: CertificateId, status: 'ACTIVE' | 'INACTIVE' = 'ACTIVE', policies = ['device']) => ({
      certificateId: id,
      status,
      policies,
    });

    it('keeps what the first thing found, and who holds it', async () => {
      const { claims } = ports;
      const [id, other] = [newCertificate(), newThing()];
      expect(await claims.claim(seen(id), thing)).toEqual(seen(id));
      expect(await claims.claim(seen(id, 'INACTIVE', ['repair']), other)).toEqual(seen(id));
      expect(await claims.claim(seen(id, 'INACTIVE', []), thing)).toEqual(seen(id));
      expect(await claims.letGo(id, thing)).toEqual({ holders: [other], snapshot: seen(id) });
      expect(await claims.letGo(id, thing)).toEqual({ holders: [other], snapshot: seen(id) });
      expect(await claims.letGo(id, other)).toEqual({ holders: [], snapshot: seen(id) });
    });

    it('keeps that its CA had it on hold, and does not learn it from the second', async () => {
      const [held, free] = [newCertificate(), newCertificate()];
      const found = { ...seen(held, 'INACTIVE'), onHold: true as const };
      expect(await ports.claims.claim(found, thing)).toEqual(found);
      expect(await ports.claims.claim(seen(held, 'INACTIVE'), newThing())).toEqual(found);
      await ports.claims.claim(seen(free), thing);
      expect(await ports.claims.claim({ ...seen(free, 'INACTIVE'), onHold: true }, newThing())).toEqual(seen(free));
    });

    it('is forgotten when nobody holds it, and not before', async () => {
      const { claims } = ports;
      const id = newCertificate();
      expect(await claims.letGo(id, thing)).toBeUndefined();
      await claims.claim(seen(id), thing);
      expect(await claims.forget(id)).toBe(false);
      await claims.letGo(id, thing);
      expect(await claims.forget(id)).toBe(true);
      expect(await claims.forget(id)).toBe(true);
      expect(await claims.letGo(id, thing)).toBeUndefined();
      expect(await claims.claim(seen(id, 'INACTIVE'), thing)).toEqual(seen(id, 'INACTIVE'));
    });

    it('that is taken up again before it is forgotten still says how it was found', async () => {
      const id = newCertificate();
      await ports.claims.claim(seen(id), thing);
      await ports.claims.letGo(id, thing);
      expect(await ports.claims.claim(seen(id, 'INACTIVE', []), newThing())).toEqual(seen(id));
      expect(await ports.claims.forget(id)).toBe(false);
    });

    it('holds a certificate without policies as well', async () => {
      const id = newCertificate();
      expect(await ports.claims.claim(seen(id, 'INACTIVE', []), thing)).toEqual(seen(id, 'INACTIVE', []));
    });
  });

  describe('the budget', () => {
    let nowMs: number;
    let mine: Set<string>;
    beforeEach(() => {
      nowMs = wallClock.nowMs();
      mine = new Set();
    });
    const booking = (more: Partial<Booking> = {}): Booking => {
      const made = { thingName: newThing(), containmentId: `b-${randomUUID()}`, sinceMs: nowMs, groups: ['hall'], ...more };
      mine.add(made.containmentId);
      return made;
    };
    const ours = (booked: readonly Booking[]): Booking[] => booked.filter(({ containmentId }) => mine.has(containmentId));
    const yes = () => Promise.resolve(true);

    it('books all or none, after it has asked with what is booked without those', async () => {
      const [first, ...more] = [booking(), booking(), booking()] as const;
      expect(await ports.budget.book([first], yes)).toBe(true);
      const asked: Booking[][] = [];
      const refuse = async (booked: readonly Booking[]) => asked.push(ours(booked)) === 0;
      expect(await ports.budget.book([first, ...more], refuse)).toBe(false);
      expect(asked).toEqual([[]]);
      expect(ours(await ports.budget.booked())).toEqual([first]);
      expect(await ports.budget.book(more, async (booked) => ours(booked).length === 1)).toBe(true);
      expect(ours(await ports.budget.booked())).toHaveLength(3);
    });

    it('asks nobody for what is booked already', async () => {
      const one = booking();
      await ports.budget.book([one], yes);
      expect(await ports.budget.book([{ ...one, sinceMs: nowMs + 5 }], () => Promise.resolve(false))).toBe(true);
      expect(ours(await ports.budget.booked())).toEqual([one]);
    });

    it('counts what is open however old it is, and what is freed until an hour after it began', async () => {
      const [old, oldFreed, fresh] = [booking({ sinceMs: nowMs - 2 * HOUR }), booking({ sinceMs: nowMs - 2 * HOUR }), booking()];
      await ports.budget.book([old, oldFreed, fresh], yes);
      for (const { thingName: name, containmentId } of [oldFreed, fresh]) await ports.budget.free(name, containmentId, nowMs + 1);
      expect(ours(await ports.budget.booked())).toHaveLength(2);
      expect(ours(await ports.budget.booked())).toEqual(expect.arrayContaining([old, { ...fresh, freedAtMs: nowMs + 1 }]));
    });

    it('frees once, and what was never booked without a word', async () => {
      const one = booking();
      await ports.budget.book([one], yes);
      for (const atMs of [nowMs + 1, nowMs + 9]) await ports.budget.free(one.thingName, one.containmentId, atMs);
      await ports.budget.free(one.thingName, 'b-unknown', nowMs);
      expect(ours(await ports.budget.booked())).toEqual([{ ...one, freedAtMs: nowMs + 1 }]);
    });

    it('takes what was freed for what must be booked again', async () => {
      const one = booking();
      await ports.budget.book([one], yes);
      await ports.budget.free(one.thingName, one.containmentId, nowMs);
      expect(await ports.budget.book([one], () => Promise.resolve(false))).toBe(false);
      expect(await ports.budget.book([one], yes)).toBe(true);
      expect(ours(await ports.budget.booked())).toEqual([one]);
    });

    it('gives up a booking that nobody has counted on since it was read, once', async () => {
      const one = booking({ sinceMs: nowMs - 3 * HOUR });
      await ports.budget.book([one], yes);
      const [seen] = ours(await ports.budget.booked());
      expect(await ports.budget.giveUp(seen!, nowMs)).toBe(true);
      expect(ours(await ports.budget.booked())).toEqual([]);
      expect(await ports.budget.giveUp(seen!, nowMs)).toBe(false);
      expect(await ports.budget.giveUp(booking(), nowMs)).toBe(false);
    });

    it('does not give up what somebody counts on: an old booking is renewed by whoever books it again, and nobody is asked', async () => {
      const one = booking({ sinceMs: nowMs - 3 * HOUR });
      await ports.budget.book([one], yes);
      const [seen] = ours(await ports.budget.booked());
      expect(await ports.budget.book([one], () => Promise.resolve(false))).toBe(true);
      expect(await ports.budget.giveUp(seen!, nowMs)).toBe(false);
      const [renewed] = ours(await ports.budget.booked());
      expect(renewed).toMatchObject({ ...one, renewedAtMs: expect.any(Number) as number });
      expect(renewed!.freedAtMs).toBeUndefined();
      expect(await ports.budget.giveUp(renewed!, nowMs)).toBe(true);
    });

    it('books again what was given up before it began after all', async () => {
      const one = booking({ sinceMs: nowMs - 3 * HOUR });
      await ports.budget.book([one], yes);
      await ports.budget.giveUp(one, nowMs);
      expect(await ports.budget.book([{ ...one, sinceMs: nowMs }], yes)).toBe(true);
      expect(ours(await ports.budget.booked())).toEqual([{ ...one, sinceMs: nowMs }]);
    });

    it('lets one of several that come at once have the rest', async () => {
      const taken = await Promise.all(
        Array.from({ length: 5 }, () => {
          const one = booking();
          return ports.budget.book([one], (booked) => Promise.resolve(ours(booked).length < 2));
        }),
      );
      expect(taken.filter(Boolean)).toHaveLength(2);
      expect(ours(await ports.budget.booked())).toHaveLength(2);
    });
  });

  describe('a certificateHold that found its certificate INACTIVE', () => {
    const issuerId = 'f'.repeat(64);
    const holdOf = (more: Partial<RevocationRecord> = {}, action: 'hold' | 'revoke' | 'reactivate' = 'hold'): RevocationRecord => {
      const serialNumber = serialNumberFromHex(randomUUID().replaceAll('-', ''));
      const message = { version: 1, action, anchorId: 'a', serialNumber, reason: 'certificateHold', source: 'crl', runId: 'r' } as const;
      return { issuerId, serialNumber, state: 'done', outcome: 'already-inactive', message, updatedAtMs: 1, ...more };
    };
    const outcomeOf = async ({ serialNumber }: RevocationRecord) =>
      (await ports.inventory.bySerial(issuerId, serialNumber)).revocation?.outcome;

    it('is taken over: whoever lifts it finds that it was the reason; once more is no harm', async () => {
      const hold = holdOf();
      await ports.revoked(hold);
      expect(await ports.revocationHolds.takeOver(issuerId, hold.serialNumber)).toBe(true);
      expect(await outcomeOf(hold)).toBe('deactivated');
      expect(await ports.revocationHolds.takeOver(issuerId, hold.serialNumber)).toBe(true);
    });

    it.each<[string, RevocationRecord]>([
      ['a revocation', holdOf({ outcome: 'revoked' }, 'revoke')],
      ['the first stage of one', holdOf({ outcome: 'deactivated' }, 'revoke')],
      ['a hold under way', holdOf({ state: 'acting', outcome: undefined })],
      ['one that was lifted', holdOf({ outcome: 'not-ours' }, 'reactivate')],
    ])('is not made of %s', async (_, other) => {
      await ports.revoked(other);
      expect(await ports.revocationHolds.takeOver(issuerId, other.serialNumber)).toBe(false);
      expect(await outcomeOf(other)).toBe(other.outcome);
    });

    it('is not made of nothing', async () => {
      const { serialNumber } = holdOf();
      expect(await ports.revocationHolds.takeOver(issuerId, serialNumber)).toBe(false);
      expect((await ports.inventory.bySerial(issuerId, serialNumber)).revocation).toBeUndefined();
    });
  });

  describe('a held list', () => {
    const held = (): ContainmentHold => {
      const hash = `${randomUUID()}${randomUUID()}`.replaceAll('-', '');
      const reason = 'over-containment-brake';
      return { hash, kind: 'contain', state: 'HELD', count: 7, reason, listKey: `holds/${hash}.json`, createdAtMs: 5 };
    };

    it('is kept once, as it was put', async () => {
      const hold = held();
      expect(await ports.holds.get(hold.hash)).toBeUndefined();
      expect(await ports.holds.put(hold)).toBe(true);
      expect(await ports.holds.put({ ...hold, count: 9 })).toBe(false);
      expect(await ports.holds.get(hold.hash)).toEqual(hold);
      expect(await all(ports.holds.all())).toContainEqual(hold);
    });

    it('moves from the state that is named only, and keeps who decided when it is applied', async () => {
      const hold = held();
      expect(await ports.holds.move(hold.hash, 'HELD', 'APPROVED', 'ann', 6)).toBe(false);
      await ports.holds.put(hold);
      expect(await ports.holds.move(hold.hash, 'REJECTED', 'HELD', 'ann', 6)).toBe(false);
      expect(await ports.holds.move(hold.hash, 'HELD', 'APPROVED', 'ann', 6)).toBe(true);
      expect(await ports.holds.move(hold.hash, 'HELD', 'REJECTED', 'bob', 7)).toBe(false);
      expect(await ports.holds.get(hold.hash)).toEqual({ ...hold, state: 'APPROVED', decidedBy: 'ann', decidedAtMs: 6 });
      expect(await ports.holds.move(hold.hash, 'APPROVED', 'APPLIED', 'machine', 8)).toBe(true);
      expect(await ports.holds.get(hold.hash)).toMatchObject({ state: 'APPLIED', decidedBy: 'ann', decidedAtMs: 6 });
    });
  });

  describe('the inventory, as quarantine uses it', () => {
    it('knows a certificate by its id and by its thing, and takes a status of one that it knows', async () => {
      const device = await deviceCertificate(await fleetCa(), thing);
      await ports.known(recordOf(device, { thingName: thing, clientId: 'client-7' }));
      expect(await all(ports.inventory.byThing(thing))).toMatchObject([{ certificateId: device.certificateId, clientId: 'client-7' }]);
      await ports.inventory.setStatus(device.certificateId, 'INACTIVE', 'contained', 'containment');
      expect(await ports.inventory.byId(device.certificateId)).toMatchObject({ status: 'INACTIVE', statusReason: 'contained' });
      expect(await ports.inventory.bySerial(device.issuerId, device.serialNumber)).not.toHaveProperty('revocation');
    });

    it('leaves REVOKED what is REVOKED, and makes up no certificate', async () => {
      const device = await deviceCertificate(await fleetCa(), thing);
      await ports.inventory.setStatus(device.certificateId, 'ACTIVE', 'released', 'containment');
      expect(await ports.inventory.byId(device.certificateId)).toBeUndefined();
      await ports.known(recordOf(device, { thingName: thing, status: 'REVOKED' }));
      await ports.inventory.setStatus(device.certificateId, 'ACTIVE', 'released', 'containment');
      expect(await ports.inventory.byId(device.certificateId)).toMatchObject({ status: 'REVOKED' });
    });
  });

  describe('a violation at its source', () => {
    it('is read again by its id, and is among those of its thing', async () => {
      const violationId = randomUUID().replaceAll('-', '');
      await ports.violated(thing, violationId);
      const found = await ports.violations.read({ violationId, thingName: thing, securityProfileName: PROFILE });
      expect(found).toMatchObject({ violationId, thingName: thing, behavior: 'flood', securityProfileName: PROFILE, isOpen: true });
      expect(await all(ports.violations.openOf(thing))).toMatchObject([{ violationId }]);
      expect(await all(ports.violations.openOf(`${thing}0`))).toEqual([]);
    });

    it('is never that of another thing, another profile or another id', async () => {
      const violationId = randomUUID().replaceAll('-', '');
      await ports.violated(thing, violationId);
      const other = `${thing}0`;
      const asOther = await ports.violations.read({ violationId, thingName: other, securityProfileName: PROFILE });
      expect(asOther?.thingName).not.toBe(other);
      expect(await ports.violations.read({ violationId, thingName: thing, securityProfileName: 'other' })).toBeUndefined();
      expect(await ports.violations.read({ violationId: 'f', thingName: thing, securityProfileName: PROFILE })).toBeUndefined();
    });
  });
});
