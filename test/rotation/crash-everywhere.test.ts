/**
 * The process dies before, or right after, its n-th call of a neighbour, for every n; then the message is delivered again. In the end everything must
 * be as if it had never died, and at no moment may a certificate be ACTIVE that is not on record.
 */
import { run as issue } from '../../lambda/rotation/issue/run.js';
import { run as prove } from '../../lambda/rotation/prove/run.js';
import { createCa, type IssuedCertificate, type TestCa } from '../builders/ca.js';
import { createRequest, type BuiltRequest } from '../builders/csr.js';
import { crashing, Death } from '../revocation/memory/crashing.js';
import { World, type Device } from './memory/world.js';

let ca: TestCa;
let certificate: IssuedCertificate;
let request: BuiltRequest;
beforeAll(async () => {
  ca = await createCa({ name: 'CN=Fleet CA' });
  certificate = await ca.issue({ subject: 'CN=dev-1' });
  request = await createRequest();
});

async function prepared(): Promise<{ world: World; device: Device }> {
  const world = new World(ca);
  return { world, device: await world.enrol(certificate, 'dev-1') };
}
const dies = (run: Promise<unknown>): Promise<boolean> =>
  run.then(
    () => false,
    (error: unknown) => {
      if (error instanceof Death) return true;
      throw error;
    },
  );
/** Everything ACTIVE is the old certificate, or the new one of an open rotation. */
function expectNoOrphan(world: World, device: Device): void {
  const { state, newCertificateId } = world.rotations.rows.get(device.old)!;
  for (const id of world.activeOf(device.thing)) expect([device.old, newCertificateId]).toContain(id);
  const active = [...world.iot.certificates].filter(([, { status }]) => status === 'ACTIVE').map(([id]) => id);
  expect(active.filter((id) => id !== device.old && id !== newCertificateId)).toEqual([]);
  if (active.includes(newCertificateId!)) expect(['registered', 'proved']).toContain(state);
  expect(active.length).toBeGreaterThan(0);
}

describe.each(['before', 'after'] as const)('%s any call', (moment) => {
  test('issue dies: one certificate, the same end', async () => {
    const undisturbed = await prepared();
    await undisturbed.world.issue(undisturbed.world.requestOf(undisturbed.device, request.base64));
    let deaths = 0;
    for (let n = 1; ; n++) {
      const { world, device } = await prepared();
      const event = world.requestOf(device, request.base64);
      const died = await dies(issue(crashing(world.issuePorts, n, moment), world.issueSettings, event));
      expectNoOrphan(world, device);
      if (died) expect(await world.issue(event)).toBe('issued');
      expect([n, world.endState()]).toEqual([n, undisturbed.world.endState()]);
      if (!died) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(25);
  });

  test('issue dies, and the device is contained before it is delivered again: nothing new is ACTIVE', async () => {
    for (let n = 1; ; n++) {
      const { world, device } = await prepared();
      const event = world.requestOf(device, request.base64);
      const died = await dies(issue(crashing(world.issuePorts, n, moment), world.issueSettings, event));
      if (!died) break;
      const told = world.lastAnswer?.status === 'issued';
      const { activatedAtMs } = world.rotations.rows.get(device.old)!;
      world.containments.things.add(device.thing);
      expect(await world.issue(event)).toBe('contained');
      // Recorded as ACTIVE: then containment sees it among the thing's certificates, and takes it.
      if (activatedAtMs === undefined) expect([n, world.activeOf(device.thing)]).toEqual([n, [device.old]]);
      expect(told && activatedAtMs === undefined).toBe(false);
    }
  });

  test('issue dies, and the redelivery comes after the CA has forgotten its token: still one certificate in the registry', async () => {
    for (let n = 1; ; n++) {
      const { world, device } = await prepared();
      const event = world.requestOf(device, request.base64);
      if (!(await dies(issue(crashing(world.issuePorts, n, moment), world.issueSettings, event)))) break;
      world.clock.advance(600_000);
      expect(await world.issue(event)).toBe('issued');
      expect(world.iot.certificates.size).toBe(2);
      expect(world.activeOf(device.thing)).toHaveLength(2);
      // Only between IssueCertificate and writing its answer down may the CA be asked a second time; nobody ever gets the first.
      expect(world.ca.issued.size).toBeLessThanOrEqual(2);
    }
  });

  test('prove dies: the old certificate INACTIVE, the new one ACTIVE, answered', async () => {
    const start = async () => {
      const { world, device } = await prepared();
      await world.issue(world.requestOf(device, request.base64));
      const fresh = world.rotations.rows.get(device.old)!.newCertificateId!;
      return { world, device, proof: world.proofOf(device.thing, fresh) };
    };
    const undisturbed = await start();
    await undisturbed.world.prove(undisturbed.proof);
    let deaths = 0;
    for (let n = 1; ; n++) {
      const { world, device, proof } = await start();
      const died = await dies(prove(crashing(world.provePorts, n, moment), world.proveSettings, proof));
      expectNoOrphan(world, device);
      if (died) expect(await world.prove(proof)).toBe('proved');
      expect([n, world.endState()]).toEqual([n, undisturbed.world.endState()]);
      if (!died) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(12);
  });
});
