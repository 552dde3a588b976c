/**
 * A device registers its certificate at the very moment at which the revocation of that certificate is carried out:
 *
 *     device, record     register ─► describe ─► write CERT, SERIAL ─► read REVOCATION ─► (remembered? revoke queue)
 *     revoke             read SERIAL ─► describe ─► write REVOCATION ─► read SERIAL, CERT again ─► (there? act)
 *
 * Whoever is where when the other passes: in the end the registry says REVOKED.
 */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { dynamoInventory } from '../../lambda/aws/inventory.js';
import { run as record } from '../../lambda/inventory/record/run.js';
import type { Inventory } from '../../lambda/ports/inventory.js';
import type { Registry } from '../../lambda/ports/registry.js';
import { run as revoke } from '../../lambda/revocation/revoke/run.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import type { TestCa } from '../builders/ca.js';
import { World } from '../revocation/memory/world.js';
import { startTestDesk, type TestDesk } from './desk.js';
import { deviceCertificate, fleetCa, revokeMessage, type DeviceCertificate } from './fleet.js';
import { MemoryCloud } from './memory/memory-cloud.js';
import { interleave, type Actor } from './turnstile.js';

let desk: TestDesk;
let ca: TestCa;
beforeAll(async () => {
  desk = await startTestDesk();
  ca = await fleetCa();
  device = await deviceCertificate(ca, 'dev-1');
});
afterAll(() => desk.stop());
let device: DeviceCertificate;

/** Each call to DynamoDB at the actor's gate. */
function gatedDocuments({ gated }: Actor): DynamoDBDocumentClient {
  return new Proxy(desk.documents, {
    get: (target, name) =>
      name !== 'send'
        ? (Reflect.get(target, name) as unknown)
        : (command: Parameters<typeof target.send>[0]) => gated(() => target.send(command)),
  });
}

function gatedRegistry(registry: Omit<Registry, 'page'>, { gated }: Actor): Omit<Registry, 'page'> {
  return {
    describe: (id) => gated(() => registry.describe(id)),
    setStatus: (id, status) => gated(() => registry.setStatus(id, status)),
    thingsOf: (id) => gated(() => registry.thingsOf(id)),
    deleteConnection: (clientId) => gated(() => registry.deleteConnection(clientId)),
  };
}

/** What the world looks like when both are through, and the worker has emptied its queue. */
async function play(
  schedule: Iterable<0 | 1>,
  recordInventory: (inventory: Inventory) => Inventory = (inventory) => inventory,
): Promise<string | undefined> {
  const table = await desk.table('inventory');
  const world = new World(ca);
  const message = revokeMessage(device);
  const registers = async (actor: Actor): Promise<void> => {
    await actor.gated(async () =>
      world.registry.certificates.set(device.certificateId, { status: 'ACTIVE', pem: device.pem, things: [device.thing] }),
    );
    const { ports } = new MemoryCloud();
    const inventory = recordInventory(dynamoInventory(gatedDocuments(actor), table, wallClock));
    await record(
      { ...ports, inventory, registry: gatedRegistry(world.registry, actor), revokeQueue: world.revokeQueue },
      { mode: 'enforce', brake: { floor: 5, share: 0.01 }, brakeWindowMs: 3_600_000, perSecond: 10 },
      { kind: 'registered', certificateId: device.certificateId },
    );
  };
  const revokes = async (actor: Actor): Promise<void> => {
    const inventory = dynamoInventory(gatedDocuments(actor), table, wallClock);
    const [result] = await revoke(
      { ...world.revokePorts, inventory, registry: gatedRegistry(world.registry, actor) },
      world.revokeSettings,
      [message],
    );
    if (result?.status === 'rejected') throw result.reason;
  };
  await interleave(registers, revokes, schedule);
  const inventory = dynamoInventory(desk.documents, table, wallClock);
  for (const left of world.revokeQueue.messages.splice(0)) {
    await revoke({ ...world.revokePorts, inventory }, world.revokeSettings, [left]);
  }
  return world.registry.certificates.get(device.certificateId)?.status;
}

const LONGEST = 16; // more turns than either of them needs
const turns = (count: number, who: 0 | 1): (0 | 1)[] => Array.from({ length: count }, () => who);
/** One of them is interrupted after `count` calls, for as long as the other needs. */
const interrupted = (who: 0 | 1, count: number): (0 | 1)[] => [...turns(count, who), ...turns(2 * LONGEST, who === 0 ? 1 : 0)];

test.each([
  ['registration', 0],
  ['revocation', 1],
] as const)('the %s is interrupted after each of its calls: REVOKED in the end', async (_name, who) => {
  for (let count = 0; count <= LONGEST; count += 1)
    expect({ count, status: await play(interrupted(who, count)) }).toEqual({ count, status: 'REVOKED' });
});

test('law: REVOKED in the end, in any interleaving', async () => {
  const schedules = fc.array(fc.constantFrom<0 | 1>(0, 1), { minLength: 8, maxLength: 2 * LONGEST });
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      expect(await play(schedule)).toBe('REVOKED');
    }),
    { numRuns: 40 },
  );
});

test('the exploration would find it: a record that reads the revocation before it writes lets a certificate slip through', async () => {
  const readsFirst = (inventory: Inventory): Inventory => ({
    ...inventory,
    async record(certificate) {
      const { revocation: remembered } = await inventory.bySerial(certificate.issuerId, certificate.serialNumber);
      const { created } = await inventory.record(certificate);
      return remembered === undefined ? { created } : { created, remembered };
    },
  });
  const ends: (string | undefined)[] = [];
  for (let count = 0; count <= LONGEST; count += 1) ends.push(await play(interrupted(0, count), readsFirst));
  expect(ends).toContain('ACTIVE');
});
