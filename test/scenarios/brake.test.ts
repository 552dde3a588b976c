/** One mistaken or malicious CRL, or many small ones, cannot take the fleet down: above the limit a person decides about that very list. */
import { assemblyOf, type Assembly } from './support/assembly.js';
import { MINUTE, Scene, type Device } from './support/scene.js';

/** The brake's hour, and the minute to which it counts. */
const WINDOW = 61 * MINUTE;

let assembly: Assembly;
beforeAll(async () => {
  assembly = await assemblyOf();
});

describe('a fleet of three', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open(assembly, { factory: 3 });
  });
  afterAll(() => scene?.close());

  test('can be revoked whole: the brake has a floor', async () => {
    await scene.publish(scene.factoryDevices);
    expect(await scene.statuses(scene.factoryDevices)).toEqual(['REVOKED', 'REVOKED', 'REVOKED']);
    expect(await scene.ledger.holds()).toEqual([]);
  });
});

describe('a fleet of which five may be revoked in an hour', () => {
  let scene: Scene;
  const listed: Device[] = [];
  let next = 0;
  /** The next CRL names so many devices more. */
  async function publishMore(count: number): Promise<Device[]> {
    const fresh = scene.factoryDevices.slice(next, (next += count));
    listed.push(...fresh);
    await scene.publish(listed);
    return fresh;
  }
  const all = (status: string, of: readonly Device[]) => of.map(() => status);
  const held = async () => (await scene.ledger.holds()).filter(({ state }) => state === 'HELD');

  beforeAll(async () => {
    scene = await Scene.open(assembly, { factory: 27, privateCa: 2 });
  });
  afterAll(() => scene?.close());

  test('just below the limit, the brake does not fire', async () => {
    const four = await publishMore(4);
    expect(await scene.statuses(four)).toEqual(all('REVOKED', four));
    expect(await held()).toEqual([]);
  });

  test('at the limit, reached by a second CRL within the hour, it does not fire', async () => {
    const fifth = await publishMore(1);
    expect(await scene.statuses(fifth)).toEqual(['REVOKED']);
    expect(await scene.alarms()).not.toContain('revocations-held');
  });

  test('the sixth within the hour is held', async () => {
    const before = scene.mutations().length;
    const sixth = await publishMore(1);
    expect(await scene.statuses(sixth)).toEqual(['ACTIVE']);
    expect(await held()).toMatchObject([{ kind: 'revoke', count: 1 }]);
    expect(await scene.alarms()).toContain('revocations-held');
    expect(scene.mutations().slice(before)).toEqual([]);
  });

  test('over the brake, the fast path leaves the revocation to the CRL, which holds it', async () => {
    const [lost] = scene.privateDevices as [Device];
    await scene.revokeAtCa(lost);
    await scene.rest();
    expect(await scene.statuses([lost])).toEqual(['ACTIVE']);
    expect(await scene.alarms()).toContain('fast-path-braked');
    await scene.pass(31 * MINUTE);
    expect(await scene.statuses([lost])).toEqual(['ACTIVE']);
    expect(await held()).toHaveLength(2);
  });

  test('after the hour, as many again go through, and what is held stays held', async () => {
    await scene.pass(WINDOW);
    const five = await publishMore(5);
    expect(await scene.statuses(five)).toEqual(all('REVOKED', five));
    expect(await held()).toHaveLength(2);
    expect(await scene.alarms()).toContain('revocations-held');
  });

  describe('a CRL with six at once', () => {
    let six: Device[];
    let hash: string;
    const approve = (list: string) => scene.fleetwarden('approve', list, '--yes');
    beforeAll(async () => {
      await scene.pass(WINDOW);
      six = await publishMore(6);
      hash = (await held()).find(({ count }) => count === 6)!.hash;
    });

    test('is held whole', async () => {
      expect(await scene.statuses(six)).toEqual(all('ACTIVE', six));
    });

    test('does not block the next CRL, which is within the limit', async () => {
      const one = await publishMore(1);
      expect(await scene.statuses(one)).toEqual(['REVOKED']);
      expect(await scene.statuses(six)).toEqual(all('ACTIVE', six));
    });

    test('cannot be approved by another hash', async () => {
      const { status } = await approve('0'.repeat(64));
      expect(status).toBe(1);
    });

    test('rejected, cannot be approved, nor comes up again by itself', async () => {
      expect((await scene.fleetwarden('reject', hash)).status).toBe(0);
      expect((await approve(hash)).status).toBe(1);
      await scene.pass(16 * MINUTE);
      expect(await scene.statuses(six)).toEqual(all('ACTIVE', six));
    });

    test('reopened and approved, is carried out to the last entry, and nobody else is', async () => {
      const before = await scene.statuses(scene.factoryDevices);
      expect((await scene.fleetwarden('reopen', hash)).status).toBe(0);
      expect((await approve(hash)).status).toBe(0);
      await scene.rest();
      const after = await scene.statuses(scene.factoryDevices);
      const changed = scene.factoryDevices.filter((_, i) => before[i] !== after[i]);
      expect(changed).toEqual(six);
      expect(await scene.statuses(six)).toEqual(all('REVOKED', six));
    });

    test('approved once, cannot be approved again', async () => {
      expect((await approve(hash)).status).toBe(1);
      expect((await scene.ledger.holds()).find((list) => list.hash === hash)).toMatchObject({ state: 'APPLIED' });
    });
  });

  test('a held list that somebody has altered in the bucket is not carried out', async () => {
    await scene.pass(WINDOW);
    const six = await publishMore(6);
    const { hash } = (await held()).find(({ count }) => count === 6)!;
    const Key = `holds/${hash}.json`;
    const Bucket = await scene.stateBucket();
    const { Body } = await scene.desk.cloud.call<{ Body: Uint8Array }>('s3', 'GetObject', { Bucket, Key });
    const text = Buffer.from(Body).toString();
    const [first, bystander] = [six[0]!.serialNumber, scene.factoryDevices.at(-1)!.serialNumber];
    expect(text).toContain(first);
    // The approval is given first, and the list changed under it.
    await scene.desk.cloud.call('events', 'DisableRule', { Name: 'fleetwarden-sweep' });
    await scene.idle('sync', async () => {
      expect((await scene.fleetwarden('approve', hash, '--yes')).status).toBe(0);
      await scene.desk.cloud.call('s3', 'PutObject', { Bucket, Key, Body: Buffer.from(text.replace(first, bystander)) });
    });
    expect(await scene.alarms()).toContain('held-list-altered');
    expect(await scene.statuses([...six, scene.factoryDevices.at(-1)!])).toEqual(all('ACTIVE', [...six, six[0]!]));
  });
});
