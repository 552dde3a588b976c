/** What the inventory's function tells rotation of connections and issuances, and what it keeps to itself. */
import { candidateCertificateId } from '../../domain/fleet/certificate-id.js';
import type { RotationPresence } from '../../domain/protocol/rotation-events.js';
import { InventoryMessage } from '../../lambda/inventory/record/event.js';
import { rememberIssued, tellOfConnection, type RotationNeighbours } from '../../lambda/inventory/record/for-rotation.js';
import { Certificate } from '../../domain/pki/certificate.js';
import { createCa, type IssuedCertificate, type TestCa } from '../builders/ca.js';
import { createRequest } from '../builders/csr.js';
import { MemoryIssuedCertificates } from './memory/ledger-lists.js';
import { CA_ARN } from './memory/issuing-ca.js';
import { World, type Device } from './memory/world.js';

const DAY_MS = 86_400_000;
let ca: TestCa;
let certificate: IssuedCertificate;
let world: World;
let device: Device;
let issued: MemoryIssuedCertificates;
let told: { readonly message: RotationPresence; readonly delaySeconds: number }[];
let neighbours: RotationNeighbours;
beforeAll(async () => {
  ca = await createCa({ name: 'CN=Fleet CA' });
  certificate = await ca.issue({ subject: 'CN=dev-1' });
});
beforeEach(async () => {
  world = new World(ca);
  device = await world.enrol(certificate, 'dev-1');
  issued = new MemoryIssuedCertificates();
  told = [];
  const send = async (message: RotationPresence, delaySeconds: number) => void told.push({ message, delaySeconds });
  neighbours = { rotations: world.rotations, issued, proveQueue: { send } };
});
const grant = async () => {
  await world.issue(world.requestOf(device, (await createRequest()).base64));
  return world.rotations.rows.get(device.old)!;
};

describe('a connection', () => {
  const presence = (principalIdentifier: string, eventType = 'connected') =>
    InventoryMessage.parse({ kind: 'presence', eventType, clientId: 'dev-1', principalIdentifier, timestamp: world.clock.nowMs() });
  const tell = (id: string, eventType?: string) =>
    tellOfConnection(neighbours, presence(id, eventType), world.inventory.records.get(id as Device['old']), world.clock.nowMs());

  test('with the new certificate of a rotation that waits for its proof is told to prove, three minutes later', async () => {
    const { newCertificateId = '' } = await grant();
    await tell(newCertificateId);
    expect(told).toEqual([
      { message: { kind: 'presence', principal: newCertificateId, connectedAtMs: world.clock.nowMs() }, delaySeconds: 180 },
    ]);
  });

  test('with any other certificate, a disconnection, and a connection after the proof are not', async () => {
    const { newCertificateId = '' } = await grant();
    await tell(device.old);
    await tell(newCertificateId, 'disconnected');
    await tell('ab'.repeat(32));
    await world.prove(world.proofOf(device.thing, newCertificateId));
    await tell(newCertificateId);
    expect(told).toEqual([]);
  });

  test('with a certificate that is not ACTIVE yet, or was taken back, is not', async () => {
    const { newCertificateId = '', oldCertificateId } = await grant();
    const row = world.rotations.rows.get(oldCertificateId)!;
    world.rotations.rows.set(oldCertificateId, { ...row, activatedAtMs: undefined });
    await tell(newCertificateId);
    world.rotations.rows.set(oldCertificateId, { ...row, state: 'withdrawn' });
    await tell(newCertificateId);
    expect(told).toEqual([]);
  });

  test('that is heard of too late is not: the end of it may be waiting behind it', async () => {
    const { newCertificateId = '' } = await grant();
    const message = presence(newCertificateId);
    world.clock.advance(60_001);
    await tellOfConnection(neighbours, message, world.inventory.records.get(newCertificateId as Device['old']), world.clock.nowMs());
    expect(told).toEqual([]);
  });

  test('with a certificate older than a month costs no read of the ledger', async () => {
    const { newCertificateId = '' } = await grant();
    let reads = 0;
    const byNew = world.rotations.byNew.bind(world.rotations);
    world.rotations.byNew = (id) => {
      reads += 1;
      return byNew(id);
    };
    world.clock.advance(29 * DAY_MS);
    await tell(newCertificateId);
    world.clock.advance(DAY_MS);
    await tell(newCertificateId);
    expect(reads).toBe(1);
  });
});

describe('an issuance', () => {
  const ARN = `${CA_ARN}/certificate/1234`;
  const remember = (pem: string) => rememberIssued(neighbours, world.clock, pem, candidateCertificateId(Certificate.read(pem).der), ARN);

  test('over the key of a rotation, in the name of its thing, is remembered until it is seen to have arrived', async () => {
    const { newCertificateArn = '', newCertificateId } = await grant();
    expect(await remember(world.ca.issued.get(newCertificateArn)!)).toBe(true);
    expect([...issued.rows.values()]).toEqual([
      { oldCertificateId: device.old, newCertificateId, certificateArn: ARN, toldAtMs: world.clock.nowMs() },
    ]);
  });

  test('over the key of a rotation in another name is somebody else’s', async () => {
    const request = await createRequest();
    await world.issue(world.requestOf(device, request.base64));
    const csrDer = Buffer.from(request.base64, 'base64');
    const other = await world.ca.issue({ csrDer, commonName: 'dev-10', validityDays: 10, idempotencyToken: 'somebody-else' });
    expect([await remember(world.ca.issued.get(other)!), issued.rows.size]).toEqual([false, 0]);
  });

  test('over a key that no rotation claimed is somebody else’s, also the key of a certificate that was rotated', async () => {
    await grant();
    expect(await remember((await ca.issue({ subject: 'CN=dev-1' })).certificatePem)).toBe(false);
    expect(await remember(certificate.certificatePem)).toBe(false);
    expect(issued.rows.size).toBe(0);
  });
});
