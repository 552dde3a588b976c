import { METRICS } from '../../domain/fleet/metrics.js';
import { candidateCertificateId } from '../../domain/fleet/certificate-id.js';
import { Certificate } from '../../domain/pki/certificate.js';
import type { RevokeMessage } from '../../domain/protocol/revocation.js';
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

const message = ({ serialNumber }: Pick<Device, 'serialNumber'>, change: Partial<RevokeMessage> = {}): RevokeMessage => ({
  version: 1,
  action: 'revoke',
  anchorId: 'fleet-ca',
  serialNumber,
  reason: 'keyCompromise',
  source: 'crl',
  runId: 'run-1',
  ...change,
});
const deliver = (...messages: readonly RevokeMessage[]) => {
  world.revokeQueue.messages.push(...messages);
  return world.drain();
};
const calls = (name: string) => world.registry.calls.filter(({ call }) => call === name).length;
const outcomeOf = (serialNumber: string) =>
  [...world.inventory.revocations.values()].find((record) => record.serialNumber === serialNumber)?.outcome;

describe('a serial number that nobody knows', () => {
  test('asks for a reconciliation: AWS IoT tells nobody of a registration by API', async () => {
    await deliver(message({ serialNumber: 'abcdef' }));
    expect(outcomeOf('abcdef')).toBe('not-registered');
    expect(world.asked).toHaveLength(1);
  });

  test('of a certificate that the CA knows and the registry does not: asks nothing, there is nothing to find', async () => {
    const [device] = await world.enrol(1, { inInventory: false });
    world.registry.certificates.clear();
    await deliver(message(device!));
    expect(outcomeOf(device!.serialNumber)).toBe('not-registered');
    expect(world.asked).toEqual([]);
  });
});

describe('finding the certificate', () => {
  test('the inventory knows it: one Describe, one Update, no call of the CA', async () => {
    const devices = await world.enrol(20);
    await deliver(...devices.map((device) => message(device)));
    expect([calls('describe'), calls('setStatus'), calls('deleteConnection'), calls('thingsOf'), world.privateCa.asked.length]).toEqual([
      20, 20, 20, 0, 0,
    ]);
  });

  test('the inventory does not: the CA is asked once for each, as soon as the form of its ARNs is learned', async () => {
    const devices = await world.enrol(20, { inInventory: false });
    await deliver(...devices.map((device) => message(device)));
    expect(devices.map((device) => world.statusOf(device))).toEqual(Array(20).fill('REVOKED'));
    expect([calls('describe'), calls('setStatus')]).toEqual([20, 20]);
    expect(world.privateCa.asked.length).toBeLessThanOrEqual(21);
    expect(calls('thingsOf')).toBe(20); // nobody knows the client id: the names of its things stand in for it
  });

  test.each([
    ['decimal', (serial: bigint) => serial.toString(10)],
    ['hexadecimal', (serial: bigint) => serial.toString(16)],
  ])('ARNs that end in the %s form are found too, and the form is remembered', async (_sentence, tail) => {
    const devices = await world.enrol(3, { inInventory: false });
    world.privateCa.issued.clear();
    for (const { serial, pem } of devices) world.privateCa.issued.set(`${CA_ARN}/certificate/${tail(serial)}`, pem);
    for (const device of devices) await deliver(message(device));
    expect(devices.map((device) => world.statusOf(device))).toEqual(Array(3).fill('REVOKED'));
    expect(world.privateCa.asked.length).toBeLessThanOrEqual(3 + 2);
  });

  test('the ARN of the event is used as it came', async () => {
    const [device] = await world.enrol(1, { inInventory: false });
    await deliver(message(device!, { source: 'event', certificateArn: device!.arn }));
    expect(world.privateCa.asked).toEqual([device!.arn]);
    expect(world.statusOf(device!)).toBe('REVOKED');
  });

  test('a CA that is not AWS is not asked; what the inventory does not know is remembered', async () => {
    world.anchors.list[0] = { ...world.anchors.list[0]!, type: 'external', certificateAuthorityArn: undefined };
    const [device] = await world.enrol(1, { inInventory: false });
    await deliver(message(device!));
    expect(world.privateCa.asked).toEqual([]);
    expect(outcomeOf(device!.serialNumber)).toBe('not-registered');
    expect(world.statusOf(device!)).toBe('ACTIVE');
  });

  test('an anchor that is not configured is an error: the message goes back', async () => {
    const [device] = await world.enrol(1);
    await deliver(message(device!, { anchorId: 'forgotten' }));
    expect(world.revokeQueue.messages).toHaveLength(1);
    expect(world.statusOf(device!)).toBe('ACTIVE');
    expect(world.metric(METRICS.revokeFailed)).toBe(1);
  });
});

describe("the registry's own record decides", () => {
  test('another certificate under the id: nothing is done, alarm', async () => {
    const [device, other] = await world.enrol(2);
    world.registry.certificates.set(device!.id, { status: 'ACTIVE', pem: other!.pem, things: [] });
    await deliver(message(device!));
    expect(world.statusOf(device!)).toBe('ACTIVE');
    expect(calls('setStatus')).toBe(0);
    expect(world.metric(METRICS.mismatch)).toBe(1);
  });

  test('the same serial number under another CA of the same name: nothing is done', async () => {
    const twin = await createCa({ name: 'CN=Fleet CA' });
    const [device] = await world.enrol(1);
    const { certificatePem } = await twin.issue({ subject: 'CN=dev-1', serialNumber: device!.serialNumber.padStart(32, '0') });
    world.registry.certificates.set(device!.id, { status: 'ACTIVE', pem: certificatePem, things: [] });
    await deliver(message(device!));
    expect(world.statusOf(device!)).toBe('ACTIVE');
    expect(world.metric(METRICS.mismatch)).toBe(1);
  });

  test('a PEM that cannot be read: nothing is done', async () => {
    const [device] = await world.enrol(1);
    world.registry.certificates.set(device!.id, { status: 'ACTIVE', pem: 'garbage', things: [] });
    await deliver(message(device!));
    expect(world.statusOf(device!)).toBe('ACTIVE');
    expect(world.metric(METRICS.mismatch)).toBe(1);
  });

  test.each([true, false])("a CA's certificate pages, and is not touched (in the inventory: %s)", async (inInventory) => {
    const { certificatePem } = await ca.issue({ subject: 'CN=Sub CA', ca: true, serialNumber: '7777' });
    const [device] = await world.enrol(1, { inInventory });
    const id = inInventory ? device!.id : candidateCertificateId(Certificate.read(certificatePem).der);
    world.registry.certificates.set(id, { status: 'ACTIVE', pem: certificatePem, things: [] });
    if (inInventory)
      world.inventory.certificates.set(id, {
        ...world.inventory.certificates.get(id)!,
        serialNumber: Certificate.read(certificatePem).serialNumber,
      });
    else world.privateCa.issued.set(`${CA_ARN}/certificate/7777`, certificatePem);
    await deliver(message({ serialNumber: '7777' }));
    expect(world.registry.certificates.get(id)?.status).toBe('ACTIVE');
    expect(world.metric(METRICS.caCertificateListed)).toBe(1);
    expect(outcomeOf('7777')).toBe('is-a-ca');
  });

  test('unknown, already revoked, and deleted each have their own outcome', async () => {
    const [already, deleted, unknown] = await world.enrol(3);
    world.registry.certificates.get(already!.id)!.status = 'REVOKED';
    world.registry.certificates.delete(deleted!.id);
    world.inventory.certificates.delete(unknown!.id);
    world.registry.certificates.delete(unknown!.id);
    await deliver(...[already!, deleted!, unknown!].map((device) => message(device)));
    expect([already!, deleted!, unknown!].map(({ serialNumber }) => outcomeOf(serialNumber))).toEqual([
      'already-revoked',
      'deleted',
      'not-registered',
    ]);
    expect(calls('setStatus')).toBe(0);
    expect(world.inventory.certificates.get(deleted!.id)?.status).toBe('DELETED');
  });

  test('deleted between Describe and Update is recorded as deleted', async () => {
    const [device] = await world.enrol(1);
    world.registry.trouble = ({ call }) => void (call === 'setStatus' && world.registry.certificates.delete(device!.id));
    await deliver(message(device!));
    expect(outcomeOf(device!.serialNumber)).toBe('deleted');
  });

  test('issued but never registered is remembered, without an alarm of deletion', async () => {
    const [device] = await world.enrol(1, { registered: false });
    world.inventory.certificates.set(device!.id, { ...world.inventory.certificates.get(device!.id)!, status: 'NOT_REGISTERED' });
    await deliver(message(device!));
    expect(outcomeOf(device!.serialNumber)).toBe('not-registered');
  });

  test('registered at the very moment of remembering: it is found and revoked', async () => {
    const [device] = await world.enrol(1, { inInventory: false });
    world.anchors.list[0] = { ...world.anchors.list[0]!, type: 'external', certificateAuthorityArn: undefined };
    const { issuerId, serialNumber } = Certificate.read(device!.pem);
    const remember = world.inventory.rememberRevocation.bind(world.inventory);
    jest.spyOn(world.inventory, 'rememberRevocation').mockImplementationOnce(async (record) => {
      await remember(record);
      const certificate = {
        certificateId: device!.id,
        issuerId,
        serialNumber,
        notBeforeMs: 0,
        notAfterMs: 1,
        status: 'ACTIVE',
        source: 'registration',
      } as const;
      world.inventory.certificates.set(device!.id, certificate);
    });
    await deliver(message(device!));
    expect(world.statusOf(device!)).toBe('REVOKED');
  });

  test('a certificate that was revoked, deleted and registered again is revoked again when it turns up', async () => {
    const [device] = await world.enrol(1);
    await deliver(message(device!));
    world.registry.certificates.get(device!.id)!.status = 'ACTIVE'; // deleted and registered anew
    await deliver(message(device!, { source: 'remembered' }));
    expect(world.statusOf(device!)).toBe('REVOKED');
  });
});

describe('carrying it out', () => {
  test('status first, then the connection, then the record', async () => {
    const [device] = await world.enrol(1);
    await deliver(message(device!));
    expect(world.registry.calls.map(({ call }) => call)).toEqual(['describe', 'setStatus', 'deleteConnection']);
    expect(world.decisions.rows.map(({ step, act, reason }) => [step, act, reason])).toEqual([
      ['intent', 'revoke', 'as-asked'],
      ['outcome', 'revoke', 'as-asked'],
    ]);
    expect(world.inventory.certificates.get(device!.id)).toMatchObject({ status: 'REVOKED', statusReason: 'keyCompromise' });
  });

  test('both the client id last seen and the name of the thing are cut off', async () => {
    const [device] = await world.enrol(1);
    world.inventory.certificates.set(device!.id, { ...world.inventory.certificates.get(device!.id)!, clientId: 'gateway-7' });
    await deliver(message(device!));
    expect(world.registry.calls.filter(({ call }) => call === 'deleteConnection').map(({ of }) => of)).toEqual(['gateway-7', 'dev-1']);
  });

  test('a message that comes twice costs no second call', async () => {
    const [device] = await world.enrol(1);
    await deliver(message(device!));
    const { length } = world.registry.calls;
    await deliver(message(device!), message(device!, { source: 'event', runId: 'run-2' }));
    expect(world.registry.calls).toHaveLength(length);
  });

  test('a repeated message sets the inventory right, where an old event had come late', async () => {
    const [device] = await world.enrol(1);
    await deliver(message(device!));
    await world.inventory.setStatus(device!.id, 'ACTIVE', 'an event from before');
    await deliver(message(device!));
    expect(world.inventory.certificates.get(device!.id)?.status).toBe('REVOKED');
  });

  test('two stages: INACTIVE at once, REVOKED by the sweep when the delay is over', async () => {
    world.secondStageDelayMs = 3_600_000;
    const [device] = await world.enrol(1);
    await deliver(message(device!), message(device!));
    expect(world.statusOf(device!)).toBe('INACTIVE');
    expect(world.registry.connected.size).toBe(0);
    await world.sync({ kind: 'sweep' });
    await world.drain();
    expect(world.statusOf(device!)).toBe('INACTIVE');
    world.clock.advance(3_600_001);
    await world.sync({ kind: 'sweep' });
    expect(world.due.rows.size).toBe(0);
    await world.drain();
    expect(world.statusOf(device!)).toBe('REVOKED');
  });

  test('the second stage waits for the emergency stop to be lifted', async () => {
    world.secondStageDelayMs = 1000;
    const [device] = await world.enrol(1);
    await deliver(message(device!));
    world.clock.advance(2000);
    await world.stop.set(true, 'alice', 'drill', 0);
    await world.sync({ kind: 'sweep' });
    expect([world.revokeQueue.messages.length, world.due.rows.size]).toEqual([0, 1]);
  });
});

describe('switches', () => {
  test('under the emergency stop each message goes back for later, and nothing is asked of the registry', async () => {
    const [device] = await world.enrol(1);
    await world.stop.set(true, 'alice', 'drill', 0);
    await deliver(message(device!));
    expect(world.registry.calls).toEqual([]);
    expect(world.revokeQueue.deferred).toEqual([message(device!)]);
    expect(world.revokeQueue.messages).toEqual([]);
    expect(world.metric(METRICS.stopped)).toBe(1);
  });

  test('a stop that is set while a slow batch is under way bites at the next slot', async () => {
    world.perSecond = 1;
    const devices = await world.enrol(3);
    world.registry.trouble = ({ call }) => void (call === 'setStatus' && world.stop.set(true, 'alice', 'now', 0));
    await deliver(...devices.map((device) => message(device)));
    expect(devices.map((device) => world.statusOf(device))).toEqual(['REVOKED', 'ACTIVE', 'ACTIVE']);
    expect(world.revokeQueue.deferred).toHaveLength(2);
  });

  test('observe reads and reports, changes nothing, and keeps the message', async () => {
    const [device] = await world.enrol(1);
    world.mode = 'observe';
    const before = world.endState();
    await deliver(message(device!));
    expect(world.endState()).toEqual(before);
    expect(world.registry.calls.map(({ call }) => call)).toEqual(['describe']);
    expect(world.signals.lines).toContainEqual(
      expect.objectContaining({ message: 'would settle certificate', ids: expect.objectContaining({ outcome: 'revoked' }) }),
    );
    expect(world.revokeQueue.deferred).toHaveLength(1);
  });

  test('off keeps the message and asks nothing', async () => {
    const [device] = await world.enrol(1);
    world.mode = 'off';
    await deliver(message(device!));
    expect([world.registry.calls.length, world.revokeQueue.deferred.length]).toEqual([0, 1]);
  });
});

describe('the pace', () => {
  test('ten a second: a hundred take ten seconds, evenly', async () => {
    const devices = await world.enrol(100);
    const startMs = world.clock.nowMs();
    await deliver(...devices.map((device) => message(device)));
    const updates = world.registry.calls.filter(({ call }) => call === 'setStatus').map(({ atMs }) => atMs - startMs);
    expect(updates).toHaveLength(100);
    expect(Math.max(...updates)).toBeLessThanOrEqual(10_000 * 1.05);
    for (let second = 0; second < 10; second++)
      expect(updates.filter((at) => at >= second * 1000 && at < (second + 1) * 1000).length).toBeLessThanOrEqual(11);
  });

  test('repeated messages take no slots', async () => {
    const devices = await world.enrol(10);
    await deliver(...devices.map((device) => message(device)));
    const nextAtMs = world.pace.nextAtMs.get('iot-registry');
    await deliver(...devices.map((device) => message(device)));
    expect(world.pace.nextAtMs.get('iot-registry')).toBe(nextAtMs);
  });

  test('a throttled call is repeated in a new slot, and nothing is lost', async () => {
    const devices = await world.enrol(30);
    let n = 0;
    world.registry.trouble = () => (++n % 3 === 0 ? Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' }) : undefined);
    await deliver(...devices.map((device) => message(device)));
    for (let delivery = 0; delivery < 5 && world.revokeQueue.messages.length > 0; delivery++) await world.drain();
    expect(devices.map((device) => world.statusOf(device))).toEqual(Array(30).fill('REVOKED'));
    expect([...world.inventory.revocations.values()].map(({ outcome }) => outcome)).toEqual(Array(30).fill('revoked'));
  });

  test('a call that fails otherwise goes back to the queue alone', async () => {
    const devices = await world.enrol(3);
    world.registry.trouble = ({ call, of }) =>
      call === 'setStatus' && of === devices[1]!.id ? new Error('InternalFailureException') : undefined;
    await deliver(...devices.map((device) => message(device)));
    expect(world.revokeQueue.messages.map(({ serialNumber }) => serialNumber)).toEqual([devices[1]!.serialNumber]);
    expect([devices[0]!, devices[2]!].map((device) => world.statusOf(device))).toEqual(['REVOKED', 'REVOKED']);
  });
});
