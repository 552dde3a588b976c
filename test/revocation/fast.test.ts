import { METRICS } from '../../domain/fleet/metrics.js';
import { RevocationEvent } from '../../lambda/revocation/fast/event.js';
import { createCa, type TestCa } from '../builders/ca.js';
import { CA_ARN, World, type Device } from './memory/world.js';

let ca: TestCa;
let world: World;
beforeAll(async () => {
  ca = await createCa({ name: 'CN=Fleet CA' });
});
beforeEach(() => {
  world = new World(ca);
});
const event = (arn: string, change: object = {}): RevocationEvent =>
  RevocationEvent.parse({
    version: '0',
    source: 'aws.acm-pca',
    'detail-type': 'ACM Private CA Certificate Revocation',
    time: '2026-11-22T09:59:58Z',
    resources: [CA_ARN, arn],
    detail: { result: 'success' },
    ...change,
  });

test('the event of a revocation puts its device out, before any CRL', async () => {
  const [device, stays] = await world.enrol(2);
  await world.fast(event(device!.arn));
  await world.drain();
  expect([device!, stays!].map((one) => world.statusOf(one))).toEqual(['REVOKED', 'ACTIVE']);
  expect(world.metric(METRICS.secondsToRevoke)).toBe(2);
});

test('the same event again is counted once by the brake, and settles at once', async () => {
  const [device] = await world.enrol(1);
  await world.fast(event(device!.arn));
  await world.fast(event(device!.arn));
  await world.drain();
  expect(await world.fast(event(device!.arn))).toBe('handled-before');
  expect([...world.brake.runs.values()].map(({ count }) => count)).toEqual([1]);
});

test('the serial number is taken from the certificate and not from the ARN', async () => {
  const [device] = await world.enrol(1);
  const odd = `${CA_ARN}/certificate/${device!.serial.toString(10)}`;
  world.privateCa.issued.set(odd, device!.pem);
  await world.fast(event(odd));
  expect(world.revokeQueue.messages).toMatchObject([
    { serialNumber: device!.serialNumber, certificateArn: odd, source: 'event', reason: 'unknown' },
  ]);
});

describe('what is left to the CRL', () => {
  const left = async (sent: RevocationEvent, reason: string) => {
    expect(await world.fast(sent)).toBe(reason);
    expect(world.revokeQueue.messages).toEqual([]);
  };
  let device: Device;
  beforeEach(async () => {
    device = (await world.enrol(1))[0]!;
  });

  test.each<[string, (arn: string) => RevocationEvent, string]>([
    ['a revocation that failed', (arn) => event(arn, { detail: { result: 'failure' } }), 'not-a-success'],
    ['a CA that is no anchor', (arn) => event(arn, { resources: [`${CA_ARN}x`, arn] }), 'not-our-ca'],
    ["a certificate below another CA's ARN", () => event(`${CA_ARN}x/certificate/1`), 'not-our-ca'],
    ['a certificate that the CA never issued', () => event(`${CA_ARN}/certificate/1234`), 'not-issued-here'],
  ])('%s', async (_sentence, make, reason) => {
    expect(await world.fast(make(device.arn))).toBe(reason);
    expect(world.revokeQueue.messages).toEqual([]);
  });

  test('a certificate that the pinned key did not sign', async () => {
    const { certificatePem } = await (await createCa({ name: 'CN=Fleet CA' })).issue({ subject: 'CN=dev-1' });
    world.privateCa.issued.set(device.arn, certificatePem);
    await left(event(device.arn), 'other-certificate');
    expect(world.metric(METRICS.mismatch)).toBe(1);
  });

  test("a CA's certificate, which pages", async () => {
    world.privateCa.issued.set(device.arn, (await ca.issue({ subject: 'CN=Sub CA', ca: true })).certificatePem);
    await left(event(device.arn), 'ca-certificate-listed');
    expect(world.metric(METRICS.caCertificateListed)).toBe(1);
  });

  test('everything over the brake', async () => {
    const devices = await world.enrol(6);
    for (const one of devices.slice(0, 5)) expect(await world.fast(event(one.arn))).toBe('revocation-event');
    expect(await world.fast(event(devices[5]!.arn))).toBe('over-the-brake');
    expect(world.revokeQueue.messages).toHaveLength(5);
    expect(world.metric(METRICS.fastPathBraked)).toBe(1);
  });

  test('everything in mode observe, off, and under the emergency stop', async () => {
    world.mode = 'observe';
    await left(event(device.arn), 'mode-observe');
    world.mode = 'off';
    await left(event(device.arn), 'mode-off');
    world.mode = 'enforce';
    await world.stop.set(true, 'alice', 'drill', 0);
    await left(event(device.arn), 'emergency-stop');
    expect(world.brake.runs.size).toBe(0);
  });
});

test('an event without its two resources is not understood', () => {
  expect(() => event('x', { resources: [CA_ARN] })).toThrow('resources');
});
