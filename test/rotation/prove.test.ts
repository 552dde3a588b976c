import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import { METRICS } from '../../domain/fleet/metrics.js';
import { createCa, type IssuedCertificate, type TestCa } from '../builders/ca.js';
import { createRequest } from '../builders/csr.js';
import { GRACE_MS, JOB, POLICY, World, type Device } from './memory/world.js';

let ca: TestCa;
let certificates: readonly IssuedCertificate[];
let world: World;
let device: Device;
let fresh: CertificateId;
beforeAll(async () => {
  ca = await createCa({ name: 'CN=Fleet CA' });
  certificates = await Promise.all(['dev-1', 'dev-2'].map((name) => ca.issue({ subject: `CN=${name}` })));
});
beforeEach(async () => {
  world = new World(ca);
  device = await world.enrol(certificates[0]!, 'dev-1');
  expect(await world.issue(world.requestOf(device, (await createRequest()).base64))).toBe('issued');
  fresh = world.rotations.rows.get(device.old)!.newCertificateId!;
});

const statusOf = (id: CertificateId) => world.iot.certificates.get(id)?.status;

test('a proof over the new certificate: the old one is INACTIVE, to be retired after the grace, and the device knows', async () => {
  world.clock.advance(1000);
  const nowMs = world.clock.nowMs();
  expect(await world.prove(world.proofOf(device.thing, fresh))).toBe('proved');
  expect([statusOf(device.old), statusOf(fresh)]).toEqual(['INACTIVE', 'ACTIVE']);
  expect(world.rotations.rows.get(device.old)).toMatchObject({ state: 'proved', provedAtMs: nowMs, retireAtMs: nowMs + GRACE_MS });
  expect(world.inventory.records.get(device.old)).toMatchObject({ status: 'INACTIVE' });
  expect(world.lastAnswer).toEqual({ version: 1, status: 'proved', jobId: JOB, certificateId: fresh });
  expect(world.metric(METRICS.rotationProved)).toBe(1);
});

test('the proof is on record before the old certificate is touched', async () => {
  world.iot.meanwhile = (id) => {
    if (id !== device.old) return;
    expect(world.rotations.rows.get(id)).toMatchObject({ state: 'proved' });
    expect(world.decisions.rows.at(-1)).toMatchObject({ subject: `CERT#${id}`, step: 'intent', reason: 'proved' });
  };
  await world.prove(world.proofOf(device.thing, fresh));
  expect(statusOf(device.old)).toBe('INACTIVE');
});

test('the same proof again, and twice at once, is answered again and counted once', async () => {
  const proof = world.proofOf(device.thing, fresh);
  expect(await Promise.all([world.prove(proof), world.prove(proof)])).toEqual(['proved', 'proved']);
  expect(await world.prove(proof)).toBe('proved');
  expect(world.iot.answers.filter(({ response }) => response.status === 'proved')).toHaveLength(3);
  expect(world.activeOf(device.thing)).toEqual([fresh]);
});

describe('refused, and the old certificate goes on working', () => {
  afterEach(() => expect(statusOf(device.old)).toBe('ACTIVE'));

  test('a proof over the old certificate', async () => {
    expect(await world.prove(world.proofOf(device.thing, device.old))).toBe('not-the-new-certificate');
    expect(world.lastAnswer).toMatchObject({ status: 'refused', reason: 'not-the-new-certificate', final: true });
  });

  test('a proof over another thing’s certificate, which hears nothing of it', async () => {
    const other = await world.enrol(certificates[1]!, 'dev-2', false);
    expect(await world.prove(world.proofOf(device.thing, other.old))).toBe('not-the-new-certificate');
    expect(await world.prove(world.proofOf(other.thing, fresh))).toBe('not-your-certificate');
    expect(world.iot.answers.filter(({ response }) => response.status === 'refused')).toEqual([]);
  });

  test('a proof for another job, or without one', async () => {
    expect(await world.prove(world.proofOf(device.thing, fresh, { jobId: 'another' }))).toBe('not-the-new-certificate');
    expect(await world.prove(world.proofOf(device.thing, fresh, { jobId: undefined }))).toBe('not-the-new-certificate');
  });

  test('a new certificate that was deactivated meanwhile', async () => {
    await world.iot.setStatus(fresh, 'INACTIVE');
    expect(await world.prove(world.proofOf(device.thing, fresh))).toBe('not-your-certificate');
  });

  test('a new certificate that is not allowed what the old one is: a person is told; then repaired, and it goes on', async () => {
    await world.iot.attachPolicy(device.old, 'added-since');
    expect(await world.prove(world.proofOf(device.thing, fresh))).toBe('not-permitted');
    expect(world.lastAnswer).toMatchObject({ reason: 'not-permitted', final: false });
    expect(world.metric(METRICS.rotationNotPermitted)).toBe(1);
    expect(world.iot.certificates.get(fresh)?.policies).toEqual(new Set([POLICY]));
  });

  test('a contained thing; anything while the emergency stop is set', async () => {
    world.containments.things.add(device.thing);
    expect(await world.prove(world.proofOf(device.thing, fresh))).toBe('contained');
    world.containments.things.clear();
    await world.stop.set(true, 'alice', 'exercise', world.clock.nowMs());
    expect(await world.prove(world.proofOf(device.thing, fresh))).toBe('stopped');
  });

  test('a rotation that was withdrawn', async () => {
    await world.rotations.move(device.old, ['registered'], { state: 'withdrawn' });
    expect(await world.prove(world.proofOf(device.thing, fresh))).toBe('not-the-new-certificate');
  });

  test.each(['observe', 'off'] as const)('anything in mode %s', async (mode) => {
    world.mode = mode;
    expect(await world.prove(world.proofOf(device.thing, fresh))).toBe('observed');
  });
});

test('a proof that waited too long is not taken, and not answered: the device may have gone back; it sends another', async () => {
  const proof = world.proofOf(device.thing, fresh);
  const answers = world.iot.answers.length;
  world.clock.advance(300_001);
  expect(await world.prove(proof)).toBe('nothing');
  expect([statusOf(device.old), world.iot.answers.length]).toEqual(['ACTIVE', answers]);
  expect(await world.prove(world.proofOf(device.thing, fresh))).toBe('proved');
});

test('an old certificate that was REVOKED meanwhile stays REVOKED', async () => {
  await world.iot.setStatus(device.old, 'REVOKED');
  expect(await world.prove(world.proofOf(device.thing, fresh))).toBe('proved');
  expect(statusOf(device.old)).toBe('REVOKED');
});

describe('a connection with the new certificate, minutes later', () => {
  let connectedAtMs: number;
  const connection = () => world.prove({ kind: 'presence', principal: fresh, connectedAtMs });
  beforeEach(() => {
    connectedAtMs = world.clock.nowMs();
    seen(fresh, connectedAtMs);
  });
  const seen = (id: CertificateId, lastSeenAtMs: number) => {
    world.inventory.records.set(id, { ...world.inventory.records.get(id)!, lastSeenAtMs });
  };

  test('is a proof: the old one is INACTIVE, and the device is told', async () => {
    expect(await connection()).toBe('proved');
    expect([statusOf(device.old), statusOf(fresh)]).toEqual(['INACTIVE', 'ACTIVE']);
    expect(world.lastAnswer).toMatchObject({ status: 'proved', certificateId: fresh });
  });

  test('is nothing new once the proof has come, and nothing where no rotation waits', async () => {
    await world.prove(world.proofOf(device.thing, fresh));
    const answers = world.iot.answers.length;
    expect(await connection()).toBe('nothing');
    expect(await world.prove({ kind: 'presence', principal: device.old, connectedAtMs: 0 })).toBe('nothing');
    expect(world.iot.answers).toHaveLength(answers);
  });

  test('proves nothing when it is looked at too late', async () => {
    world.clock.advance(300_001);
    expect(await connection()).toBe('nothing');
    expect(statusOf(device.old)).toBe('ACTIVE');
  });

  test('proves nothing once it has ended: who tries the new certificate and goes back keeps the old one', async () => {
    seen(fresh, connectedAtMs + 1); // its disconnection
    expect(await connection()).toBe('nothing');
    expect(statusOf(device.old)).toBe('ACTIVE');
  });

  test('is checked like a proof, and a refusal is not sent to a device that has asked for nothing', async () => {
    const answers = world.iot.answers.length;
    await world.iot.attachPolicy(device.old, 'added-since');
    expect(await connection()).toBe('not-permitted');
    expect(world.metric(METRICS.rotationNotPermitted)).toBe(1);
    world.containments.things.add(device.thing);
    expect(await connection()).toBe('contained');
    await world.stop.set(true, 'alice', 'exercise', world.clock.nowMs());
    expect(await connection()).toBe('stopped');
    await world.iot.setStatus(fresh, 'INACTIVE');
    expect(await connection()).toBe('not-your-certificate');
    expect(statusOf(device.old)).toBe('ACTIVE');
    expect(world.iot.answers).toHaveLength(answers);
  });
});
