/** The ways in which a person keeps the machine from acting: emergency stop, observe, off, and the second of two stages. */
import { assemblyOf } from './support/assembly.js';
import { newSerial } from './support/factory.js';
import { HOUR, MINUTE, Scene, type Device } from './support/scene.js';

describe('the emergency stop', () => {
  let scene: Scene;
  let first: Device, second: Device, third: Device;
  beforeAll(async () => {
    scene = await Scene.open(await assemblyOf(), { factory: 3, privateCa: 1 });
    [first, second, third] = scene.factoryDevices as [Device, Device, Device];
  });
  afterAll(() => scene?.close());

  test('set by the command line, halts what is on the queue already', async () => {
    await scene.idle('revoke', async () => {
      await scene.publish([first]);
      expect((await scene.fleetwarden('pause', '--reason', 'drill')).status).toBe(0);
    });
    expect(await scene.statuses([first])).toEqual(['ACTIVE']);
    expect(await scene.alarms()).toContain('emergency-stop');
    expect(scene.mutations()).toEqual([]);
  });

  test('halts a CRL that comes meanwhile, and a revocation event, and reports both', async () => {
    await scene.publish([first, second]);
    await scene.revokeAtCa(scene.privateDevices[0]!);
    await scene.pass(2 * HOUR); // sweeps, deferred messages and the CRL of the Private CA among them
    expect(await scene.statuses([first, second, ...scene.privateDevices])).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE']);
    expect(scene.mutations()).toEqual([]);
  });

  test('lifted, everything that waited is carried out within a quarter of an hour', async () => {
    expect((await scene.fleetwarden('resume')).status).toBe(0);
    await scene.pass(16 * MINUTE);
    expect(await scene.statuses([first, second, third, ...scene.privateDevices])).toEqual(['REVOKED', 'REVOKED', 'ACTIVE', 'REVOKED']);
  });
});

describe('observe', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open(await assemblyOf({ revocation: { mode: 'observe' } }), { factory: 8, privateCa: 1 });
  });
  afterAll(() => scene?.close());

  test('reports the plan for a CRL and for a revocation event, and changes nothing', async () => {
    await scene.publish([scene.factoryDevices[0]!]);
    await scene.publish(scene.factoryDevices);
    await scene.revokeAtCa(scene.privateDevices[0]!);
    await scene.pass(31 * MINUTE);
    expect(await scene.statuses([...scene.factoryDevices, ...scene.privateDevices])).toEqual(Array.from({ length: 9 }, () => 'ACTIVE'));
    expect(scene.mutations()).toEqual([]);
    const log = await scene.log('revocation-sync');
    expect(log).toContainEqual(expect.objectContaining({ outcome: 'observed', wouldSend: 1, wouldHold: 0 }));
    expect(log).toContainEqual(expect.objectContaining({ outcome: 'observed', wouldSend: 0, wouldHold: 8 }));
    expect(await scene.log('revocation-fast')).toContainEqual(expect.objectContaining({ reason: 'mode-observe' }));
  });

  test('keeps no state: the same CRL is reported again by the sweep, as news', async () => {
    expect(await scene.ledger.mark('external/factory/factory.crl')).toBeUndefined();
    expect(await scene.ledger.holds()).toEqual([]);
    expect(await scene.ledger.revocations()).toEqual({});
    const { Contents = [] } = await scene.desk.cloud.call<{ Contents?: unknown[] }>('s3', 'ListObjectsV2', {
      Bucket: await scene.stateBucket(),
    });
    expect(Contents).toEqual([]);
  });

  test('is a promise of the roles too: no function may change a certificate or drop a connection', async () => {
    const certificateArn = scene.factoryDevices[0]!.certificateArn;
    for (const role of await scene.roles()) {
      for (const [action, resource] of [
        ['iot:UpdateCertificate', certificateArn],
        ['iot:DeleteConnection', certificateArn.replace(/cert\/.*/, 'client/pump-1')],
      ] as const)
        expect({ role, action, ...scene.desk.cloud.iam.roleAllows(role, { action, resource }) }).toMatchObject({
          role,
          action,
          allowed: false,
        });
    }
  });
});

describe('off', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open(await assemblyOf({ revocation: { mode: 'off' } }), { factory: 1 });
  });
  afterAll(() => scene?.close());

  test('does not even read a CRL', async () => {
    await scene.publish(scene.factoryDevices);
    await scene.pass(31 * MINUTE);
    expect(await scene.statuses(scene.factoryDevices)).toEqual(['ACTIVE']);
    expect(scene.callsOfFunctions('s3:')).toEqual([]);
    expect(scene.mutations()).toEqual([]);
  });
});

describe('two stages', () => {
  let scene: Scene;
  let first: Device, second: Device, third: Device;
  beforeAll(async () => {
    scene = await Scene.open(await assemblyOf({ revocation: { secondStageDelayMinutes: 120, sweepMinutes: 60 } }), {
      factory: 3,
      connected: true,
    });
    [first, second, third] = scene.factoryDevices as [Device, Device, Device];
  });
  afterAll(() => scene?.close());

  test('make a certificate INACTIVE at once', async () => {
    await scene.publish([first]);
    await scene.until([first], 'refused');
    expect(await scene.statuses([first])).toEqual(['INACTIVE']);
  });

  test('and REVOKED after the delay, not before', async () => {
    await scene.pass(119 * MINUTE);
    expect(await scene.statuses([first])).toEqual(['INACTIVE']);
    await scene.pass(70 * MINUTE); // an hourly sweep brings it up
    expect(await scene.statuses([first])).toEqual(['REVOKED']);
    expect(await scene.ledger.statusOf(first.certificateId)).toBe('REVOKED');
  });

  test('also when the message of the second one is lost with its worker, and for one that a person made ACTIVE in between', async () => {
    await scene.publish([first, second, third]);
    expect(await scene.statuses([second, third])).toEqual(['INACTIVE', 'INACTIVE']);
    await scene.desk.cloud.call('iot', 'UpdateCertificate', { certificateId: third.certificateId, newStatus: 'ACTIVE' });
    // The worker dies in the middle of the first of the two.
    const spare = scene.killAt('iot:DescribeCertificate', 1);
    await scene.pass(190 * MINUTE);
    spare();
    await scene.settle();
    expect(await scene.statuses([second, third])).toEqual(['REVOKED', 'REVOKED']);
  });

  test('of a serial number that nobody knows begin when its certificate is registered', async () => {
    const serialNumber = newSerial();
    await scene.publish([first, second, third, { serialNumber }]);
    const [late] = await scene.enrol(['late'], (csrPem) => scene.factory.sign(csrPem, scene.desk.world.clock.date(), serialNumber));
    await scene.reconcile();
    expect(await scene.statuses([late!])).toEqual(['INACTIVE']);
    await scene.pass(190 * MINUTE);
    expect(await scene.statuses([late!])).toEqual(['REVOKED']);
  });
});
