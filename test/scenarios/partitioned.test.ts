/** A Private CA with many CRLs, each for some of its certificates; and certificates that the inventory has never heard of. */
import { assemblyOf } from './support/assembly.js';
import { MINUTE, Scene, type Device } from './support/scene.js';

/** Their revocation events are lost, so that their CRLs decide. */
async function revokeQuietly(scene: Scene, devices: readonly Device[]): Promise<void> {
  scene.desk.world.faults.set({ lostEvent: 1 });
  for (const device of devices) await scene.revokeAtCa(device);
  scene.desk.world.faults.set({ lostEvent: 0 });
}

describe('a CA with CRLs of type PARTITIONED', () => {
  let scene: Scene;
  let devices: Device[];
  const crls = async (): Promise<string[]> => {
    const { Contents = [] } = await scene.desk.cloud.call<{ Contents?: { Key: string }[] }>('s3', 'ListObjectsV2', {
      Bucket: scene.crlBucket,
      Prefix: 'crl/',
    });
    return Contents.map(({ Key }) => Key);
  };

  beforeAll(async () => {
    scene = await Scene.open(await assemblyOf({ crlType: 'PARTITIONED' }), { privateCa: 4, pca: { partitionSize: 2 } });
    devices = scene.privateDevices;
  });
  afterAll(() => scene?.close());

  test('has each of its CRLs read and matched with the object in which it lies', async () => {
    // They were enrolled side by side: which two share a CRL is the CA's choice.
    await revokeQuietly(scene, devices.slice(0, 3));
    await scene.pass(31 * MINUTE);
    expect(await crls()).toHaveLength(2);
    expect(await scene.statuses(devices)).toEqual(['REVOKED', 'REVOKED', 'REVOKED', 'ACTIVE']);
    for (const key of await crls()) expect(await scene.ledger.mark(key)).toMatch(/^\d+$/);
  });

  test('a CRL of one partition in the place of another is refused', async () => {
    const [from, to] = (await crls()) as [string, string];
    const { Body } = await scene.desk.cloud.call<{ Body: Uint8Array }>('s3', 'GetObject', { Bucket: scene.crlBucket, Key: from });
    const before = scene.mutations().length;
    await scene.ledger.news();
    await scene.put(Body, to);
    await scene.put(Body, 'crl/00000000-0000-4000-8000-000000000000.crl');
    const refused = 'sync/refused: reader-refused distribution-point-mismatch';
    expect(await scene.ledger.outcomes()).toEqual([refused, refused]);
    expect(await scene.alarms()).toContain('crl-refused');
    expect(scene.mutations().slice(before)).toEqual([]);
  });
});

describe.each(['hex', 'decimal'] as const)('at a CA whose certificate ARNs end in %s', (serialForm) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open(await assemblyOf(), { privateCa: 3, pca: { serialForm } });
  });
  afterAll(() => scene?.close());

  test('a certificate that is not in the inventory is found by way of the CA', async () => {
    const [lost, other, bystander] = scene.privateDevices as [Device, Device, Device];
    for (const device of [lost, other]) await scene.ledger.forget(device.certificateId);
    expect(await scene.ledger.statusOf(lost.certificateId)).toBeUndefined();
    await revokeQuietly(scene, [lost, other]);
    await scene.pass(31 * MINUTE);
    expect(await scene.statuses([lost, other, bystander])).toEqual(['REVOKED', 'REVOKED', 'ACTIVE']);
    expect(scene.callsOfFunctions('acm-pca:GetCertificate')).not.toEqual([]);
  });
});
