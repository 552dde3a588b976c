import { METRICS } from '../../domain/fleet/metrics.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import type { InventoryMessage } from '../../lambda/inventory/record/event.js';
import { run, type RecordSettings } from '../../lambda/inventory/record/run.js';
import type { CertificateStatus } from '../../domain/fleet/certificate-status.js';
import type { TestCa } from '../builders/ca.js';
import { deviceCertificate, fleetCa, recordOf, revocation, type DeviceCertificate } from './fleet.js';
import { MemoryCloud, START_MS } from './memory/memory-cloud.js';

const SETTINGS: RecordSettings = { mode: 'enforce', brake: { floor: 5, share: 0.01 }, brakeWindowMs: 3_600_000, perSecond: 10 };
const CA_ARN = 'arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/4a1f0d2e-6b3c-4d8f-9a57-0c2b1e7f3d64';
const CERTIFICATE_ARN = `${CA_ARN}/certificate/00b7c21f9e4d3a5586f0417c2de981a3`;

let ca: TestCa;
let device: DeviceCertificate;
let cloud: MemoryCloud;
const tell = (message: InventoryMessage, settings = SETTINGS) => run(cloud.ports, settings, message);

const connected = (changes: object = {}): InventoryMessage => ({
  kind: 'presence',
  eventType: 'connected',
  clientId: 'client-7',
  principalIdentifier: device.certificateId,
  timestamp: START_MS - 1000,
  ...changes,
});
const registered = (): InventoryMessage => ({ kind: 'registered', certificateId: device.certificateId });
const issued = (): InventoryMessage => ({
  source: 'aws.acm-pca',
  'detail-type': 'ACM Private CA Certificate Issuance',
  resources: [CA_ARN, CERTIFICATE_ARN],
  detail: { result: 'success' },
});
const register = (status: CertificateStatus, things = [device.thing]) =>
  cloud.registry.set(device.certificateId, { status, certificatePem: device.pem, things });
const theRecord = () => cloud.records.get(device.certificateId);

beforeAll(async () => {
  ca = await fleetCa();
  device = await deviceCertificate(ca, 'dev-1');
});
beforeEach(() => {
  cloud = new MemoryCloud();
});

describe('an issuance event', () => {
  test('gives a record of a certificate that is not registered, under the id which AWS IoT is expected to give it, with its ARN', async () => {
    cloud.issued.set(CERTIFICATE_ARN, device.pem);
    await tell(issued());
    expect(theRecord()).toEqual(recordOf(device, { status: 'NOT_REGISTERED', source: 'issuance', certificateArn: CERTIFICATE_ARN }));
  });

  test('that comes after the registration adds the ARN and changes nothing else', async () => {
    register('ACTIVE');
    await tell(connected());
    const before = theRecord();
    cloud.issued.set(CERTIFICATE_ARN, device.pem);
    await tell(issued());
    expect(theRecord()).toEqual({ ...before, certificateArn: CERTIFICATE_ARN, source: 'issuance' });
  });

  test('of a certificate which the CA does not know is rejected with that reason', async () => {
    await tell(issued());
    expect(cloud.records.size).toBe(0);
    expect(cloud.notes).toContainEqual({
      message: 'not for the inventory',
      ids: { certificateArn: CERTIFICATE_ARN, reason: 'this CA never issued that' },
    });
  });

  test('of a subordinate CA makes no device of it', async () => {
    cloud.issued.set(CERTIFICATE_ARN, ca.certificatePem);
    await tell(issued());
    expect(cloud.records.size).toBe(0);
    expect(cloud.notes[0]?.ids).toMatchObject({ reason: 'a CA certificate' });
  });

  test('is tried again later while the CA is still at it', async () => {
    const busy = Object.assign(new Error('still at it'), { name: 'RequestInProgressException' });
    const ports = { ...cloud.ports, privateCa: { getCertificate: () => Promise.reject(busy) } };
    await expect(run(ports, SETTINGS, issued())).rejects.toThrow(busy);
  });
});

describe('a presence event', () => {
  test('of an unknown certificate reads the registry: record, thing, client id, last seen', async () => {
    register('ACTIVE');
    await tell(connected());
    expect(theRecord()).toEqual(
      recordOf(device, { source: 'presence', thingName: device.thing, clientId: 'client-7', lastSeenAtMs: START_MS - 1000 }),
    );
  });

  test('of a known certificate costs no call of the registry', async () => {
    register('ACTIVE');
    await tell(connected());
    const before = { ...cloud.calls };
    await tell(connected({ timestamp: START_MS + 5000, clientId: 'client-8' }));
    expect(cloud.calls).toEqual(before);
    expect(theRecord()).toMatchObject({ lastSeenAtMs: START_MS + 5000, clientId: 'client-8' });
  });

  test('of a certificate that the registry does not have leaves no record', async () => {
    await tell(connected());
    expect(cloud.records.size).toBe(0);
  });

  test('tells the thing of an exclusive attachment, without asking for it', async () => {
    register('ACTIVE', []);
    await tell(connected({ thingName: 'dev-1' }));
    expect(theRecord()?.thingName).toBe('dev-1');
    expect(cloud.calls['thingsOf']).toBeUndefined();
  });

  test('with a certificate that nobody can read is counted and said, and stops nobody', async () => {
    cloud.registry.set(device.certificateId, { status: 'ACTIVE', certificatePem: 'no PEM', things: [] });
    await tell(connected());
    expect(cloud.metrics[METRICS.inventoryUnreadable]).toBe(1);
    expect(cloud.records.size).toBe(0);
  });
});

describe('a certificate turns up whose revocation is remembered', () => {
  beforeEach(() => {
    cloud.revocations.set(`${device.issuerId}#${device.serialNumber}`, revocation(device));
  });

  test('it goes to the revoke queue, once for the brake, with intent and outcome on record', async () => {
    register('PENDING_ACTIVATION');
    await tell(registered());
    expect(cloud.sent).toEqual([{ ...revocation(device).message, source: 'remembered', runId: `remembered:${device.certificateId}` }]);
    expect([...cloud.granted]).toEqual([`remembered:${device.certificateId}`]);
    expect(cloud.decisions.map(({ step, act, reason }) => [step, act, reason])).toEqual([
      ['intent', 'hand-over', 'registered-after-revocation'],
      ['outcome', 'hand-over', 'registered-after-revocation'],
    ]);
  });

  test('over the brake nothing is sent, the alarm is raised, and the reason is on record', async () => {
    register('ACTIVE');
    await tell(registered(), { ...SETTINGS, brake: { floor: 0, share: 0.01 } });
    expect(cloud.sent).toEqual([]);
    expect(cloud.metrics[METRICS.revocationsHeld]).toBe(1);
    expect(cloud.decisions).toMatchObject([{ step: 'outcome', reason: 'brake-keeps-back', detail: { usedInWindow: 0, limit: 0 } }]);
  });

  test('the brake lets exactly its limit through', async () => {
    cloud.counted = 200; // 1 % of 200 is 2, the floor is 1
    for (const taken of ['one']) cloud.granted.add(taken);
    register('ACTIVE');
    await tell(registered(), { ...SETTINGS, brake: { floor: 1, share: 0.01 } });
    expect(cloud.sent).toHaveLength(1);
  });

  test('mode observe writes what it would do and sends nothing', async () => {
    register('ACTIVE');
    await tell(registered(), { ...SETTINGS, mode: 'observe' });
    expect(cloud.sent).toEqual([]);
    expect(cloud.granted.size).toBe(0);
    expect(cloud.decisions).toMatchObject([{ reason: 'mode-observe' }]);
  });

  test('an issued certificate that nobody has registered is left alone', async () => {
    cloud.issued.set(CERTIFICATE_ARN, device.pem);
    await tell(issued());
    expect(cloud.sent).toEqual([]);
  });

  test('a certificate that was revoked, deleted and registered again does not come back to life', async () => {
    cloud.records.set(device.certificateId, recordOf(device, { status: 'REVOKED' }));
    cloud.revocations.set(`${device.issuerId}#${device.serialNumber}`, revocation(device, 'revoked'));
    register('ACTIVE');
    await tell(connected());
    expect(theRecord()?.status).toBe('REVOKED');
    expect(cloud.sent).toMatchObject([{ action: 'revoke', source: 'remembered' }]);
  });
});

describe('where quarantine is on', () => {
  const hear = (message: InventoryMessage) => run({ ...cloud.ports, quarantine: cloud.quarantine }, SETTINGS, message);

  test('a new certificate that connects on a contained thing is looked at, once for each such event', async () => {
    register('ACTIVE');
    cloud.contained.add(device.thing);
    await hear(connected());
    expect(cloud.looks).toEqual([device.thing]);
    await hear(connected({ timestamp: START_MS }));
    expect(cloud.looks).toEqual([device.thing]);
  });

  test('one that is attached to several things is looked at on those that are contained', async () => {
    register('ACTIVE', [thingName('dev-9'), device.thing]);
    cloud.contained.add(device.thing);
    await hear(connected());
    expect(cloud.looks).toEqual([device.thing]);
  });

  test('a registration of a certificate that is attached already is looked at', async () => {
    register('PENDING_ACTIVATION');
    cloud.contained.add(device.thing);
    await hear(registered());
    expect(cloud.looks).toEqual([device.thing]);
  });

  test('a certificate that was INACTIVE and connects again is looked at', async () => {
    register('ACTIVE');
    cloud.records.set(device.certificateId, recordOf(device, { status: 'INACTIVE', thingName: device.thing, lastSeenAtMs: 1 }));
    cloud.contained.add(device.thing);
    await hear(connected());
    expect(cloud.looks).toEqual([device.thing]);
  });

  test('a known certificate that AWS IoT names another thing of is looked at on that one', async () => {
    cloud.records.set(device.certificateId, recordOf(device, { thingName: thingName('dev-9'), clientId: 'client-7', lastSeenAtMs: 1 }));
    cloud.contained.add('dev-9').add(device.thing);
    await hear(connected({ thingName: 'dev-1' }));
    expect(cloud.looks).toEqual(['dev-1']);
  });

  test('a known certificate that calls itself by another name is looked at on the thing of that name', async () => {
    cloud.records.set(device.certificateId, recordOf(device, { thingName: thingName('dev-9'), clientId: 'dev-9', lastSeenAtMs: 1 }));
    cloud.contained.add('dev-9').add('dev-1');
    await hear(connected({ clientId: 'dev-1' }));
    expect(cloud.looks).toEqual(['dev-1']);
  });

  test('nothing is asked of a thing that is not contained, nor of one of which nothing is new', async () => {
    register('ACTIVE');
    await hear(connected());
    cloud.contained.add(device.thing).add('client-7');
    await hear(connected({ timestamp: START_MS }));
    await hear(connected({ timestamp: START_MS + 1, eventType: 'disconnected' }));
    expect(cloud.looks).toEqual([]);
  });

  test('what AWS IoT says of an attachment counts more than what a client calls itself', async () => {
    const known = { thingName: thingName('dev-9'), clientId: 'client-6', lastSeenAtMs: 1 };
    cloud.records.set(device.certificateId, recordOf(device, known));
    cloud.contained.add('dev-9').add('dev-1');
    await hear(connected({ thingName: 'dev-9', clientId: 'dev-1' }));
    expect(cloud.looks).toEqual([]);
  });

  test('a client id that no thing can have is noted, and looked for nowhere', async () => {
    cloud.records.set(device.certificateId, recordOf(device, { thingName: thingName('dev-9'), clientId: 'dev-9', lastSeenAtMs: 1 }));
    await hear(connected({ clientId: 'line 4/pump' }));
    expect([cloud.looks, cloud.uses]).toEqual([[], [['line 4/pump', device.certificateId, START_MS - 1000]]]);
  });

  test('the use of a client id is noted before the sighting: a delivery that dies in between notes it again', async () => {
    register('ACTIVE');
    await hear(connected({ clientId: 'dev-1' }));
    const lost = new Error('died');
    const dies = { ...cloud.ports, inventory: { ...cloud.ports.inventory, seen: () => Promise.reject(lost) } };
    const taken = connected({ clientId: 'dev-2', timestamp: START_MS });
    await expect(run({ ...dies, quarantine: cloud.quarantine }, SETTINGS, taken)).rejects.toThrow(lost);
    await hear(taken);
    await hear(connected({ clientId: 'dev-2', timestamp: START_MS + 1 }));
    expect(cloud.uses.filter(([clientId]) => clientId === 'dev-2')).toEqual([
      ['dev-2', device.certificateId, START_MS],
      ['dev-2', device.certificateId, START_MS],
    ]);
  });

  test('and where it is off, none of it is done', async () => {
    register('ACTIVE');
    cloud.contained.add(device.thing);
    await tell(connected());
    expect([cloud.looks, cloud.uses]).toEqual([[], []]);
  });
});
