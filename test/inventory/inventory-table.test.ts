import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, GetCommand, TransactWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { dynamoInventoryPages } from '../../lambda/aws/inventory-pages.js';
import { dynamoInventory } from '../../lambda/aws/inventory.js';
import { dynamoReconciliation } from '../../lambda/aws/reconciliation.js';
import { NOTHING_YET } from '../../lambda/inventory/reconcile/steps.js';
import type { CertificateRecord, Inventory } from '../../lambda/ports/inventory.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import { startTestDesk, type TestDesk } from './desk.js';
import { deviceCertificates, fleetCa, recordOf, revocation, type DeviceCertificate } from './fleet.js';

let desk: TestDesk;
let devices: DeviceCertificate[];
let table: string;
let inventory: Inventory;

beforeAll(async () => {
  desk = await startTestDesk();
  devices = await deviceCertificates(await fleetCa(), 6);
});
afterAll(() => desk.stop());
beforeEach(async () => {
  table = await desk.table('inventory');
  inventory = dynamoInventory(desk.documents, table, wallClock);
});

async function all(records: AsyncIterable<CertificateRecord>): Promise<CertificateRecord[]> {
  const found: CertificateRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}

const device = (index = 0): DeviceCertificate => devices[index]!;

describe('a record', () => {
  test('is found by id, by issuer and serial number, by thing, by status and by expiry day', async () => {
    const record = recordOf(device(), {
      thingName: device().thing,
      clientId: 'dev-1',
      lastSeenAtMs: 1795342500757,
      statusReason: 'as-asked',
    });
    expect(await inventory.record(record)).toEqual({ created: true });
    expect(await inventory.byId(record.certificateId)).toEqual(record);
    expect(await inventory.bySerial(record.issuerId, record.serialNumber)).toEqual({ certificate: record });
    expect(await all(inventory.byThing(device().thing))).toEqual([record]);
    expect(await all(inventory.byStatus('ACTIVE'))).toEqual([record]);
    expect(await all(inventory.byStatus('REVOKED'))).toEqual([]);
    expect(await all(inventory.byExpiryDay(new Date(record.notAfterMs).toISOString().slice(0, 10)))).toEqual([record]);
  });

  test('of which nobody knows anything is undefined everywhere', async () => {
    expect(await inventory.byId(device().certificateId)).toBeUndefined();
    expect(await inventory.bySerial(device().issuerId, device().serialNumber)).toEqual({});
    expect(await all(inventory.byThing(thingName('nobody')))).toEqual([]);
  });

  test('identity is equality: dev-1 is not dev-10', async () => {
    await inventory.record(recordOf(device(), { thingName: thingName('dev-10') }));
    expect(await all(inventory.byThing(thingName('dev-1')))).toEqual([]);
  });

  test('keeps what a second teller does not know, and is not new the second time', async () => {
    await inventory.record(recordOf(device(), { thingName: device().thing }));
    expect(await inventory.record(recordOf(device(), { status: 'INACTIVE', source: 'reconciliation' }))).toEqual({ created: false });
    expect(await inventory.byId(device().certificateId)).toMatchObject({
      thingName: device().thing,
      status: 'INACTIVE',
      source: 'reconciliation',
    });
  });

  test('never leaves REVOKED, neither by record nor by setStatus', async () => {
    await inventory.record(recordOf(device(), { status: 'REVOKED' }));
    await inventory.record(recordOf(device(), { status: 'ACTIVE' }));
    await inventory.setStatus(device().certificateId, 'ACTIVE', 'why', 'revocation');
    expect((await inventory.byId(device().certificateId))?.status).toBe('REVOKED');
    expect(await all(inventory.byStatus('ACTIVE'))).toEqual([]);
  });

  test('two certificates of one serial number: the one that can still connect is found', async () => {
    const [dead, alive] = [recordOf(device(), { status: 'REVOKED' }), recordOf(device(), { certificateId: device(1).certificateId })];
    await inventory.record(dead);
    await inventory.record(alive);
    expect((await inventory.bySerial(device().issuerId, device().serialNumber)).certificate).toEqual(alive);
  });
});

describe('the ACTIVE count', () => {
  test('is unknown until it was counted once, and goes with every change of status from then on', async () => {
    await inventory.record(recordOf(device()));
    expect(await inventory.activeCount()).toBeUndefined();
    await inventory.setActiveCount(1);
    await inventory.record(recordOf(device(1)));
    await inventory.record(recordOf(device(2), { status: 'INACTIVE' }));
    expect(await inventory.activeCount()).toBe(2);
    await inventory.setStatus(device(1).certificateId, 'REVOKED', 'keyCompromise', 'revocation');
    await inventory.setStatus(device(2).certificateId, 'ACTIVE', 'released', 'revocation');
    await inventory.setStatus(device(2).certificateId, 'ACTIVE', 'released', 'revocation');
    expect(await inventory.activeCount()).toBe(2);
  });

  test('is exact when many writers meet', async () => {
    await inventory.setActiveCount(0);
    await Promise.all(devices.flatMap((one) => [inventory.record(recordOf(one)), inventory.record(recordOf(one))]));
    expect(await inventory.activeCount()).toBe(6);
    await Promise.all(
      devices
        .slice(0, 4)
        .flatMap((one) => [
          inventory.setStatus(one.certificateId, 'REVOKED', 'keyCompromise', 'revocation'),
          inventory.record(recordOf(one, { thingName: one.thing })),
          inventory.seen(one.certificateId, 'client', undefined, 5),
        ]),
    );
    expect(await inventory.activeCount()).toBe(2);
    expect(await all(inventory.byStatus('REVOKED'))).toHaveLength(4);
  });
});

describe('the ACTIVE count after a complete reconciliation', () => {
  test('is what was counted with every change, where something changed during the run', async () => {
    const pages = dynamoInventoryPages(desk.documents, table, wallClock);
    const before = await pages.countChanges();
    for (const one of devices) await inventory.record(recordOf(one)); // a first import: six are listed …
    await inventory.setStatus(device().certificateId, 'REVOKED', 'keyCompromise', 'revocation'); // … and one is revoked meanwhile
    await pages.settleActiveCount(6, before);
    expect(await inventory.activeCount()).toBe(5);
  });

  test('is what was listed, where nothing changed: a count that went astray is put right', async () => {
    const pages = dynamoInventoryPages(desk.documents, table, wallClock);
    await inventory.record(recordOf(device()));
    await inventory.setActiveCount(99);
    await pages.settleActiveCount(1, await pages.countChanges());
    expect(await inventory.activeCount()).toBe(1);
  });

  test('is known also when the fleet has none', async () => {
    const pages = dynamoInventoryPages(desk.documents, table, wallClock);
    await pages.settleActiveCount(0, await pages.countChanges());
    expect(await inventory.activeCount()).toBe(0);
  });
});

describe('seen', () => {
  test('knows the unknown, keeps the newest sighting in any order', async () => {
    expect(await inventory.seen(device().certificateId, 'dev-1', undefined, 10)).toBe(false);
    await inventory.record(recordOf(device()));
    expect(await inventory.seen(device().certificateId, 'dev-1', device().thing, 10)).toBe(true);
    expect(await inventory.seen(device().certificateId, 'older', undefined, 9)).toBe(true);
    expect(await inventory.seen(device().certificateId, 'dev-1', undefined, 10)).toBe(true);
    expect(await inventory.byId(device().certificateId)).toMatchObject({ clientId: 'dev-1', lastSeenAtMs: 10, thingName: device().thing });
  });
});

describe('revocations', () => {
  test('are remembered before there is a certificate, and told to the one who records it', async () => {
    const remembered = revocation(device());
    await inventory.rememberRevocation(remembered);
    expect(await inventory.bySerial(device().issuerId, device().serialNumber)).toEqual({ revocation: remembered });
    expect(await inventory.record(recordOf(device()))).toEqual({ created: true, remembered });
  });

  test('that are done are found among many, whatever their outcome; under way is not done', async () => {
    const [done, underWay, mismatched] = [device(0), device(1), device(2)];
    await inventory.rememberRevocation(revocation(done, 'revoked'));
    await inventory.rememberRevocation({ ...revocation(underWay), state: 'acting' });
    await inventory.rememberRevocation(revocation(mismatched, 'mismatch'));
    const others = Array.from({ length: 450 }, (_, index) => serialNumberFromHex((index + 1).toString(16)));
    const asked = [...others, done.serialNumber, done.serialNumber, underWay.serialNumber, mismatched.serialNumber];
    expect(await inventory.alreadyDone(done.issuerId, asked)).toEqual(new Set([done.serialNumber, mismatched.serialNumber]));
    expect(await inventory.alreadyDone('other issuer', asked)).toEqual(new Set());
  });

  test('keys that DynamoDB leaves unprocessed are asked for again: what was not read is not absent', async () => {
    const serials = devices.map(({ serialNumber }) => serialNumber);
    for (const one of devices) await inventory.rememberRevocation(revocation(one, 'revoked'));
    const stingy = leavingUnprocessed(desk.documents, 2);
    expect(await dynamoInventory(stingy, table, wallClock).alreadyDone(device().issuerId, serials)).toEqual(new Set(serials));
    const never = leavingUnprocessed(desk.documents, 0);
    await expect(
      dynamoInventory(never, table, { ...wallClock, sleepUntil: () => Promise.resolve() }).alreadyDone(device().issuerId, serials),
    ).rejects.toThrow('BatchGetItem: 6 of 6 still not taken');
  });
});

describe('transactions that met another', () => {
  test('are repeated until the other one is through', async () => {
    let conflicts = 3;
    const client = intercept(desk.documents, (command) => {
      if (command instanceof TransactWriteCommand && (conflicts -= 1) >= 0) throw conflict('TransactionConflict');
    });
    expect(await dynamoInventory(client, table, wallClock).record(recordOf(device()))).toEqual({ created: true });
  });

  test('are given up at last, and nothing is half written', async () => {
    const client = intercept(desk.documents, (command) => {
      if (command instanceof TransactWriteCommand) throw conflict('ThrottlingError');
    });
    const impatient = dynamoInventory(client, table, { ...wallClock, sleepUntil: () => Promise.resolve() });
    await expect(impatient.record(recordOf(device()))).rejects.toThrow(TransactionCanceledException);
    expect(await inventory.bySerial(device().issuerId, device().serialNumber)).toEqual({});
  });
});

describe('pages for the reconciliation', () => {
  test('walk through a status shard by shard, and go on where they stopped', async () => {
    const pages = dynamoInventoryPages(desk.documents, table, wallClock);
    for (const one of devices) await inventory.record(recordOf(one));
    const found: string[] = [];
    let cursor: Parameters<typeof pages.statusPage>[1] | undefined = { shard: '0' };
    while (cursor !== undefined) {
      const page: Awaited<ReturnType<typeof pages.statusPage>> = await pages.statusPage('ACTIVE', cursor);
      found.push(...page.certificates.map(({ certificateId }) => certificateId));
      cursor = page.next;
    }
    const ids = devices.map(({ certificateId }) => certificateId).sort();
    expect(found).toEqual(ids);
    const first = ids[0]!;
    const after = await pages.statusPage('ACTIVE', { shard: first.charAt(0), after: first });
    expect(after.certificates.map(({ certificateId }) => certificateId)).toEqual(
      ids.slice(1).filter((id) => id.startsWith(first.charAt(0))),
    );
  });

  test('know the known, the marked of one run, and the revocations of many', async () => {
    const pages = dynamoInventoryPages(desk.documents, table, wallClock);
    for (const one of devices.slice(0, 3)) await inventory.record(recordOf(one));
    await inventory.rememberRevocation(revocation(device(1)));
    const ids = devices.map(({ certificateId }) => certificateId);
    expect([...(await pages.byIds(ids)).keys()].sort()).toEqual(ids.slice(0, 3).sort());
    expect(await pages.revocationsOf(devices)).toEqual([revocation(device(1))]);
    await pages.mark(ids.slice(0, 2), 'run-1', 1795342500757);
    await pages.mark(ids.slice(1, 2), 'run-2', 1795342500757);
    expect(await pages.marked(ids, 'run-1')).toEqual(new Set([ids[0]]));
    expect(await pages.marked(ids, 'run-2')).toEqual(new Set([ids[1]]));
  });
});

test('the checkpoint of a reconciliation: one of two savers wins, a lost answer is no lost race, reports are kept', async () => {
  const ledger = { client: desk.documents, table: await desk.table('ledger') };
  const reconciliation = dynamoReconciliation(ledger);
  const first = {
    runId: '2026-11-22T04:00:00.000Z',
    sequence: 0,
    phase: { name: 'listing' as const },
    tally: NOTHING_YET,
    examples: { withoutThing: [], sharedThing: [], unknownIssuer: [], unreadable: [] },
    countChanges: 0,
    startedAtMs: 1,
    updatedAtMs: 1,
  };
  const second = { ...first, sequence: 1, phase: { name: 'listing' as const, marker: 'opaque' } };
  expect(await reconciliation.checkpoint()).toBeUndefined();
  expect(await reconciliation.save(first, undefined)).toBe(true);
  expect(await reconciliation.save(first, undefined)).toBe(false);
  expect((await Promise.all([reconciliation.save(second, first), reconciliation.save(second, first)])).sort()).toEqual([false, true]);
  expect(await reconciliation.checkpoint()).toEqual(second);

  // The answer of the write is lost on the way, and the SDK sends it again.
  const twice = intercept(desk.documents, undefined, true);
  expect(await dynamoReconciliation({ ...ledger, client: twice }).save({ ...second, sequence: 2 }, second)).toBe(true);

  await reconciliation.report(first);
  await reconciliation.report({ ...first, runId: '2026-11-23T04:00:00.000Z' });
  expect((await reconciliation.lastReport())?.runId).toBe('2026-11-23T04:00:00.000Z');
});

/** The same client, asked before each command; `twice`: each command reaches DynamoDB twice, and the second answer is the one that arrives. */
function intercept(client: DynamoDBDocumentClient, before?: (command: unknown) => void, twice = false): DynamoDBDocumentClient {
  return new Proxy(client, {
    get: (target, name) =>
      name !== 'send'
        ? (Reflect.get(target, name) as unknown)
        : async (command: Parameters<typeof target.send>[0]) => {
            before?.(command);
            if (twice) await target.send(command);
            return target.send(command);
          },
  });
}

function conflict(Code: string): TransactionCanceledException {
  return new TransactionCanceledException({ message: 'cancelled', $metadata: {}, CancellationReasons: [{ Code }, { Code: 'None' }] });
}

/** BatchGetItem takes at most `most` keys of a call and leaves the others, as DynamoDB may at any time. */
function leavingUnprocessed(client: DynamoDBDocumentClient, most: number): DynamoDBDocumentClient {
  return new Proxy(client, {
    get: (target, name) =>
      name !== 'send'
        ? (Reflect.get(target, name) as unknown)
        : async (command: BatchGetCommand) => {
            const [[tableName, request]] = Object.entries(command.input.RequestItems ?? {}) as [
              [string, { Keys: Record<string, unknown>[] }],
            ];
            const rest = { ...request, Keys: request.Keys.slice(most) };
            const unprocessed = rest.Keys.length === 0 ? {} : { UnprocessedKeys: { [tableName]: rest } };
            if (most === 0) return { Responses: {}, ...unprocessed };
            const answer = await target.send(
              new BatchGetCommand({ RequestItems: { [tableName]: { ...request, Keys: request.Keys.slice(0, most) } } }),
            );
            return { ...answer, ...unprocessed };
          },
  });
}

describe('who has used a client id', () => {
  test('is remembered by certificate, with the latest time, in whatever order it is told', async () => {
    const [one, other] = [device(0).certificateId, device(1).certificateId];
    await inventory.noteUse('dev-7', one, 2000);
    await inventory.noteUse('dev-7', one, 1000);
    await inventory.noteUse('dev-7', other, 3000);
    await inventory.noteUse('dev-70', other, 4000);
    const users = await inventory.usersOf('dev-7');
    expect([...users].sort((a, b) => a.seenAtMs - b.seenAtMs)).toEqual([
      { certificateId: one, seenAtMs: 2000 },
      { certificateId: other, seenAtMs: 3000 },
    ]);
    expect(await inventory.usersOf('nobody')).toEqual([]);
  });

  test('goes by itself after six weeks, and is no record of a certificate', async () => {
    const id = device().certificateId;
    await inventory.noteUse('line 4/pump', id, 1_795_342_500_757);
    const { Item } = await desk.documents.send(new GetCommand({ TableName: table, Key: { pk: 'CLIENT#line 4/pump', sk: `CERT#${id}` } }));
    expect(Item?.['ttl']).toBe(1_795_342_500 + 42 * 86_400);
    expect(await inventory.byId(id)).toBeUndefined();
    expect(await all(inventory.byThing(thingName('line')))).toEqual([]);
  });
});
