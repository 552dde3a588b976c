import 'reflect-metadata';
import { UpdateCertificateCommand } from '@aws-sdk/client-iot';
import { DeleteConnectionCommand } from '@aws-sdk/client-iot-data-plane';
import * as x509 from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { enrol, type EnrolledDevice } from '../../local/fleet/enrol.js';
import { startFleet, type Fleet } from '../../local/fleet/fleet.js';
import type { TestCa } from '../builders/ca.js';
import { startGatewayDesk, type GatewayDesk } from './gateway-desk.js';

const SIZE = 40;
let desk: GatewayDesk;
let devices: EnrolledDevice[];
let fleet: Fleet;
const progress: number[] = [];

beforeAll(async () => {
  desk = await startGatewayDesk();
  devices = await enrol({
    thingNames: Array.from({ length: SIZE }, (_, i) => `pump-${String(i).padStart(4, '0')}`),
    iot: desk.iot,
    issuer: { kind: 'software', sign: ({ csrPem, commonName }) => sign(desk.ca, csrPem, commonName) },
    policyName: 'device',
    onProgress: (done) => progress.push(done),
  });
  fleet = await startFleet({ ...desk.gateway, devices, telemetryEveryMs: 200, backoff: { firstMs: 100, longestMs: 400 } });
});
afterAll(async () => {
  await fleet.stop();
  await desk.stop();
});

const inState = (state: string, thingNames: readonly string[]) => (states: ReadonlyMap<string, { readonly state: string }>) =>
  thingNames.every((name) => states.get(name)?.state === state);
const names = (list: readonly EnrolledDevice[]): string[] => list.map(({ thingName }) => thingName);

test('all devices are enrolled, connect under their own names and publish', async () => {
  expect(progress).toEqual(Array.from({ length: SIZE }, (_, i) => i + 1));
  await fleet.waitFor(inState('connected', names(devices)));
  expect(desk.gateway.connections()).toHaveLength(SIZE);
  for (let i = 0; i < 100 && fleet.published() < SIZE; i++) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(fleet.published()).toBeGreaterThanOrEqual(SIZE);
});

test('a device that is put out is cut, refused at every attempt, and let in again when its certificate is ACTIVE again; the others stay', async () => {
  const [victim, ...others] = devices;
  const seen: string[] = [];
  const off = fleet.on('change', (change) => seen.push(`${change.thingName} ${change.state}`));
  const set = (newStatus: 'ACTIVE' | 'INACTIVE') =>
    desk.iot.send(new UpdateCertificateCommand({ certificateId: victim!.certificateId, newStatus }));
  await set('INACTIVE');
  await desk.data.send(new DeleteConnectionCommand({ clientId: victim!.thingName }));
  await fleet.waitFor(inState('refused', [victim!.thingName]));
  expect(seen.slice(0, 2)).toEqual([`${victim!.thingName} cut`, `${victim!.thingName} refused`]);
  expect(inState('connected', names(others))(fleet.states())).toBe(true);
  await set('ACTIVE');
  await fleet.waitFor(inState('connected', names(devices)));
  off();
});

test('a fleet that does not get there says how it stands', async () => {
  await expect(fleet.waitFor(() => false, 50)).rejects.toThrow(`${SIZE} connected`);
});

async function sign(ca: TestCa, csrPem: string, commonName: string): Promise<string> {
  const csr = new x509.Pkcs10CertificateRequest(csrPem);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const signingKey = await webcrypto.subtle.importKey('pkcs8', ca.privateKey.export({ type: 'pkcs8', format: 'der' }), algorithm, false, [
    'sign',
  ]);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [commonName] }],
    issuer: new x509.X509Certificate(ca.certificatePem).subject,
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2030-01-01T00:00:00Z'),
    signingAlgorithm: algorithm,
    signingKey,
    publicKey: csr.publicKey,
  });
  return certificate.toString('pem');
}
