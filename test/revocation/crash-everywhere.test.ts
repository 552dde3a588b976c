/**
 * The process dies before, or right after, its n-th call of a neighbour, for every n; then the message is delivered again. In the end
 * everything must be as if it had never died. "Right after" is the crueller one: the neighbour has done its part, and nobody knows.
 */
import type { SyncMessage } from '../../domain/protocol/revocation.js';
import { run as revoke } from '../../lambda/revocation/revoke/run.js';
import { run as sync } from '../../lambda/revocation/sync/run.js';
import { createCa, type IssuedCertificate, type TestCa } from '../builders/ca.js';
import type { CrlEntrySpec } from '../builders/crl.js';
import { crashing, Death } from './memory/crashing.js';
import { World, type Device } from './memory/world.js';

const FLEET = 8;
let ca: TestCa;
let issued: readonly IssuedCertificate[];
beforeAll(async () => {
  ca = await createCa({ name: 'CN=Fleet CA', key: 'RSA-2048' }); // RSA: the same CRL is the same octets each time
  issued = await Promise.all(Array.from({ length: FLEET }, (_, i) => ca.issue({ subject: `CN=dev-${i + 1}` })));
});

/** Prepares a world and gives the message whose handling is to die. The same certificates each time: the end states must be equal. */
interface Story {
  readonly prepare: (world: World, devices: readonly Device[]) => Promise<SyncMessage>;
  readonly settings?: Partial<Pick<World, 'secondStageDelayMs' | 'floor'>>;
}

const revoked = (devices: readonly Device[], reason = 1): CrlEntrySpec[] => devices.map(({ serial }) => ({ serial, reason }));
const put = (world: World, crl: Buffer, key?: string): SyncMessage => ({
  kind: 'object',
  ...world.crls.put(key ?? 'crl/4a1f0d2e-6b3c-4d8f-9a57-0c2b1e7f3d64.crl', crl),
});

const stories: Record<string, Story> = {
  'a CRL is applied': { prepare: async (world, devices) => put(world, world.crl(1n, revoked(devices.slice(0, 4)))) },
  'a second CRL is applied': {
    prepare: async (world, devices) => {
      await world.publish(world.crl(1n, revoked(devices.slice(0, 2))));
      await world.drain();
      return put(world, world.crl(2n, [...revoked(devices.slice(0, 4)), ...revoked(devices.slice(4, 5), 6)]));
    },
  },
  'a CRL is held': { prepare: async (world, devices) => put(world, world.crl(1n, revoked(devices))) },
  'a held list is approved': {
    prepare: async (world, devices) => {
      await world.publish(world.crl(1n, revoked(devices)));
      const [hold] = [...world.holds.holds.values()];
      await world.holds.move(hold!.hash, 'HELD', 'APPROVED', 'alice', world.clock.nowMs());
      return { kind: 'approved', hash: hold!.hash };
    },
  },
  'entries leave certificateHold': {
    prepare: async (world, devices) => {
      await world.publish(world.crl(1n, revoked(devices.slice(0, 2), 6)));
      await world.drain();
      return put(world, world.crl(2n, revoked(devices.slice(1, 3))));
    },
  },
  'a reactivation is approved': {
    prepare: async (world, devices) => {
      await world.publish(world.crl(1n, revoked(devices.slice(0, 2), 6)));
      await world.drain();
      await world.publish(world.crl(2n, []));
      const [hold] = [...world.holds.holds.values()];
      await world.holds.move(hold!.hash, 'HELD', 'APPROVED', 'alice', world.clock.nowMs());
      return { kind: 'approved', hash: hold!.hash };
    },
  },
  'second stages fall due': {
    settings: { secondStageDelayMs: 3_600_000 },
    prepare: async (world, devices) => {
      await world.publish(world.crl(1n, revoked(devices.slice(0, 3))));
      await world.drain();
      world.clock.advance(3_700_000);
      return { kind: 'sweep' };
    },
  },
};

function worldOf({ settings }: Story): { world: World; devices: readonly Device[] } {
  const world = Object.assign(new World(ca), settings);
  return { world, devices: world.enrolAll(issued) };
}

async function quiet(world: World): Promise<unknown> {
  await world.drainSync();
  for (let round = 0; world.revokeQueue.messages.length > 0 && round < 20; round++) await world.drain();
  return world.endState();
}

describe.each(Object.entries(stories))('%s', (_sentence, story) => {
  let undisturbed: unknown;
  beforeAll(async () => {
    const { world, devices } = worldOf(story);
    await world.sync(await story.prepare(world, devices));
    undisturbed = await quiet(world);
  });

  test.each(['before', 'after'] as const)('the sync dies %s any call', async (moment) => {
    let deaths = 0;
    for (let n = 1; ; n++) {
      const { world, devices } = worldOf(story);
      const message = await story.prepare(world, devices);
      const died = await sync(crashing(world.syncPorts, n, moment), world.syncSettings, message).then(() => false, isDeath);
      if (died) await world.sync(message);
      expect([n, await quiet(world)]).toEqual([n, undisturbed]);
      if (!died) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(5);
  });

  test.each(['before', 'after'] as const)('the worker dies %s any call', async (moment) => {
    let deaths = 0;
    for (let n = 1; ; n++) {
      const { world, devices } = worldOf(story);
      await world.sync(await story.prepare(world, devices));
      await world.drainSync();
      const batch = world.revokeQueue.messages.splice(0, 10);
      const results = await revoke(crashing(world.revokePorts, n, moment), world.revokeSettings, batch).catch((error: unknown) => {
        if (!isDeath(error)) throw error;
        return batch.map(() => ({ status: 'rejected', reason: error }) as const);
      });
      const died = results.some((result) => result.status === 'rejected' && isDeath(result.reason));
      // A process that dies answers nothing: SQS delivers the whole batch again, also what it had finished.
      if (died) world.revokeQueue.messages.unshift(...batch);
      expect([n, await quiet(world)]).toEqual([n, undisturbed]);
      if (!died) break;
      deaths += 1;
    }
    if (_sentence !== 'a CRL is held') expect(deaths).toBeGreaterThan(5);
  });
});

const isDeath = (error: unknown): true => {
  if (error instanceof Death) return true;
  throw error;
};
