/** What does not come by itself: lost events, certificates that are registered late, CAs that fall silent. */
import { RegisterCertificateWithoutCACommand } from '@aws-sdk/client-iot';
import { createSigningRequest } from '../../local/fleet/signing-request.js';
import { createCa } from '../builders/ca.js';
import { assemblyOf } from './support/assembly.js';
import { newSerial } from './support/factory.js';
import { HOUR, MINUTE, Scene, type Device } from './support/scene.js';

const DAY = 24 * HOUR;

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open(await assemblyOf(), { factory: 4 });
});
afterAll(() => scene?.close());

const rule = (operation: 'EnableRule' | 'DisableRule', Name: string) => scene.desk.cloud.call('events', operation, { Name });

test('when the event of a new CRL is lost, the next sweep finds it', async () => {
  const [device] = scene.factoryDevices as [Device];
  await rule('DisableRule', 'fleetwarden-crl-put');
  await scene.publish([device]);
  expect(await scene.statuses([device])).toEqual(['ACTIVE']);
  await scene.pass(16 * MINUTE); // the schedule, not a message of ours
  expect(await scene.statuses([device])).toEqual(['REVOKED']);
  await rule('EnableRule', 'fleetwarden-crl-put');
});

test('an unchanged CRL costs one conditional GET and no call of AWS IoT', async () => {
  await scene.sweep();
  const before = new Map(scene.desk.world.journal.counts());
  await scene.sweep();
  const after = scene.desk.world.journal.counts();
  const spent = Object.fromEntries([...after].map(([what, count]) => [what, count - (before.get(what) ?? 0)]).filter(([, n]) => n !== 0));
  const of = (service: string) => Object.entries(spent).filter(([what]) => what.startsWith(`${service}:`));
  expect(of('iot')).toEqual([]);
  expect(of('iotdata')).toEqual([]);
  expect(of('acm-pca')).toEqual([]);
  expect(spent['s3:PutObject']).toBeUndefined();
  // The desk's S3 answers 304 as an error; the journal says so.
  const conditional = scene.desk.world.journal
    .entries()
    .filter(({ what, detail }) => what === 's3:GetObject' && detail?.includes('NotModified'));
  expect(conditional.length).toBeGreaterThan(0);
  expect(spent['s3:GetObject']).toBe(1);
});

test('a serial number that nobody knows is remembered, and carried out when its certificate is registered', async () => {
  const serialNumber = newSerial();
  await scene.publish([scene.factoryDevices[0]!, { serialNumber }]);
  expect(await scene.ledger.revocations()).toMatchObject({ [serialNumber]: 'done/not-registered' });
  const [late] = await scene.enrol(['late-1'], (csrPem) => scene.factory.sign(csrPem, scene.desk.world.clock.date(), serialNumber));
  await scene.reconcile();
  expect(await scene.statuses([late!])).toEqual(['REVOKED']);
  expect(await scene.ledger.revocations()).toMatchObject({ [serialNumber]: 'done/revoked' });
});

test('a certificate whose revocation is remembered is cut off at its first connection', async () => {
  const serialNumber = newSerial();
  await scene.publish([scene.factoryDevices[0]!, { serialNumber }]);
  const [late] = await scene.enrol(['late-2'], (csrPem) => scene.factory.sign(csrPem, scene.desk.world.clock.date(), serialNumber));
  await scene.connect([late!]);
  await scene.until([late!], 'refused');
  expect(await scene.statuses([late!])).toEqual(['REVOKED']);
});

test('the certificate of the CA itself on its CRL pages a person, and is not fanned out', async () => {
  const before = scene.callsOfFunctions('iot').length;
  await scene.publish([scene.factoryDevices[0]!, { serialNumber: scene.factory.serialNumber }]);
  expect(await scene.alarms()).toContain('ca-certificate-listed');
  expect(scene.callsOfFunctions('iot').slice(before)).toEqual([]);
  expect(await scene.ledger.revocations()).not.toHaveProperty(scene.factory.serialNumber);
});

test('a certificate with a revoked serial number of another issuer is not touched', async () => {
  await scene.pass(HOUR); // the brake's
  const [, , bystander] = scene.factoryDevices as [Device, Device, Device];
  const depotTwin = await scene.depot.sign((await createSigningRequest('twin')).csrPem, scene.desk.world.clock.date(), newSerial());
  const { certificateId } = await scene.clients.iot.send(
    new RegisterCertificateWithoutCACommand({ certificatePem: depotTwin, status: 'ACTIVE' }),
  );
  await scene.reconcile();
  const before = scene.mutations().length;
  // The depot's CA revokes the serial number that a device of the factory has.
  await scene.put(scene.depot.crl(1, [bystander], scene.desk.world.clock.date()), 'external/depot/depot.crl');
  expect(await scene.statuses([bystander])).toEqual(['ACTIVE']);
  expect(await scene.ledger.statusOf(certificateId!)).toBe('ACTIVE');
  expect(scene.mutations().slice(before)).toEqual([]);
});

test('when the inventory points to another certificate, the registry’s own PEM decides, and nothing is done', async () => {
  const [, , bystander] = scene.factoryDevices as [Device, Device, Device];
  // Same name as the factory CA, another key: what a confused CA, or somebody who can write into the inventory, would bring about.
  const impostor = await createCa({ name: 'CN=Factory CA' });
  const issued = await impostor.issue({ subject: 'CN=impostor' });
  const { certificateId } = await scene.clients.iot.send(
    new RegisterCertificateWithoutCACommand({ certificatePem: issued.certificatePem, status: 'ACTIVE' }),
  );
  await scene.reconcile();
  const before = scene.mutations().length;
  await scene.publish([scene.factoryDevices[0]!, { serialNumber: issued.serialNumber }]);
  expect(await scene.ledger.statusOf(certificateId!)).toBe('ACTIVE');
  expect(await scene.ledger.revocations()).toMatchObject({ [issued.serialNumber]: 'done/mismatch' });
  expect(await scene.alarms()).toContain('certificate-mismatch');
  expect(await scene.statuses([bystander])).toEqual(['ACTIVE']);
  expect(scene.mutations().slice(before)).toEqual([]);
});

describe('when days go by', () => {
  test('a sweep that does not run any more is noticed by its silence', async () => {
    expect(await scene.alarms()).not.toContain('sweep-silent');
    await rule('DisableRule', 'fleetwarden-sweep');
    await scene.pass(2 * HOUR);
    expect(await scene.alarms()).toContain('sweep-silent');
  });

  test('a CA that publishes nothing has an expired CRL after its nextUpdate, and an old one a day later', async () => {
    // Sweeps every quarter of an hour would only be waited for: the days are silent, and the sweep at their end is by hand.
    const after = async (days: number): Promise<string[]> => {
      await scene.pass(days * DAY);
      await scene.sweep();
      return (await scene.alarms()).filter((alarm) => alarm === 'crl-expired' || alarm === 'crl-old');
    };
    // The last that was heard of it is six days old already.
    const thisUpdate = new Date(scene.desk.world.clock.nowMs() - 6 * DAY);
    const [revoked] = scene.factoryDevices as [Device];
    await scene.put(
      scene.factory.crl(scene.nextNumber(), [revoked], scene.desk.world.clock.date(), {
        thisUpdate,
        nextUpdate: new Date(thisUpdate.getTime() + 7 * DAY),
      }),
    );
    expect(await after(0.5)).toEqual([]);
    expect(await after(1)).toEqual(['crl-expired']);
    expect(await after(1)).toEqual(['crl-expired', 'crl-old']);
    expect(await scene.statuses(scene.factoryDevices)).toEqual(['REVOKED', 'ACTIVE', 'ACTIVE', 'ACTIVE']);
  });
});
