import { generateKeyPairSync } from 'node:crypto';
import { METRICS } from '../../domain/fleet/metrics.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { Certificate } from '../../domain/pki/certificate.js';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import { RequestRefusedByCa } from '../../lambda/ports/issuing-ca.js';
import { createCa, type IssuedCertificate, type TestCa } from '../builders/ca.js';
import { compressedSpki, createRequest, requestOver, rsaPair, spkiWithoutNull } from '../builders/csr.js';
import { type Device, JOB, POLICY, World } from './memory/world.js';

let ca: TestCa;
let certificates: readonly IssuedCertificate[];
let world: World;
let device: Device;
beforeAll(async () => {
  ca = await createCa({ name: 'CN=Fleet CA' });
  certificates = await Promise.all(['dev-1', 'dev-2'].map((name) => ca.issue({ subject: `CN=${name}` })));
});
beforeEach(async () => {
  world = new World(ca);
  device = await world.enrol(certificates[0]!, 'dev-1');
});

const newOf = () => world.rotations.rows.get(device.old)!.newCertificateId!;
const refused = (reason: string) => ({ status: 'refused', reason, jobId: JOB });
/** Sends this request and tells the outcome; nothing but the old certificate may be ACTIVE after a refusal. */
async function sent(csr: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const outcome = await world.issue(world.requestOf(device, csr, more));
  if (outcome !== 'issued') expect(world.activeOf(device.thing)).toEqual([device.old]);
  return outcome;
}

describe('a request in order', () => {
  test('gives a certificate with our subject and its key, ACTIVE, exclusive, with the old one’s policies; and the device has it', async () => {
    const request = await createRequest();
    expect(await sent(request.base64)).toBe('issued');
    const fresh = newOf();
    const registered = world.iot.certificates.get(fresh)!;
    expect(registered).toMatchObject({ status: 'ACTIVE', policies: new Set([POLICY]), things: new Set([device.thing]) });
    expect(world.lastAnswer).toEqual({ version: 1, status: 'issued', jobId: JOB, certificateId: fresh, certificatePem: registered.pem });
    expect(world.iot.answers.at(-1)?.topic).toBe('fleet/dev-1/rotation/response');
    const certificate = Certificate.read(registered.pem);
    expect(certificate.subject).toBe('CN=dev-1');
    expect(certificate.publicKey.equals(request.publicKey)).toBe(true);
    expect(world.inventory.records.get(fresh)).toMatchObject({ status: 'ACTIVE', thingName: 'dev-1' });
    expect(world.rotations.rows.get(device.old)).toMatchObject({ state: 'registered', newCertificateId: fresh });
    expect(world.activeOf(device.thing).toSorted()).toEqual([device.old, fresh].toSorted());
    expect(world.metric(METRICS.rotationIssued)).toBe(1);
  });

  test.each(['P-384', 'RSA-2048', 'RSA-3072'] as const)('is accepted with a key of %s', async (key) => {
    expect(await sent((await createRequest({ key, subject: 'CN=dev-1' })).base64)).toBe('issued');
  });

  test('never passes through ACTIVE before it is on record, with its thing and policies', async () => {
    world.iot.meanwhile = (id, status) => {
      if (id === device.old || status !== 'ACTIVE') return;
      expect(world.rotations.rows.get(device.old)).toMatchObject({ state: 'registered', newCertificateId: id });
      expect(world.iot.certificates.get(id)).toMatchObject({ policies: new Set([POLICY]), things: new Set([device.thing]) });
    };
    expect(await sent((await createRequest()).base64)).toBe('issued');
    expect(world.iot.history.filter(({ id }) => id === newOf()).map(({ status }) => status)).toEqual(['INACTIVE', 'ACTIVE']);
  });

  test('waits for a slow CA, and leaves it to the next delivery where that takes too long', async () => {
    world.ca.slowness = 3;
    expect(await sent((await createRequest()).base64)).toBe('issued');
    const other = await world.enrol(certificates[1]!, 'dev-2');
    world.ca.slowness = 25;
    const event = world.requestOf(other, (await createRequest()).base64);
    await expect(world.issue(event)).rejects.toThrow('not issued after 20 s');
    expect(await world.issue(event)).toBe('issued');
    expect(world.ca.issued.size).toBe(2);
  });

  test('gives a thing with a long name the hash of it, never a part', async () => {
    const name = 'n'.repeat(128);
    const { old } = await world.enrol(certificates[1]!, name);
    expect(await world.issue(world.requestOf({ thing: thingName(name), old }, (await createRequest()).base64))).toBe('issued');
    const { subject } = Certificate.read(world.iot.certificates.get(world.rotations.rows.get(old)!.newCertificateId!)!.pem);
    expect(subject).toMatch(/^CN=[0-9a-f]{64}$/);
  });
});

describe('the same request again', () => {
  test('gives the same certificate, for longer than the CA remembers its token', async () => {
    const { base64 } = await createRequest();
    await sent(base64);
    const first = world.lastAnswer;
    world.clock.advance(86_400_000);
    expect(await sent(base64)).toBe('issued');
    expect(world.lastAnswer).toEqual(first);
    expect([world.ca.issued.size, world.iot.certificates.size]).toEqual([1, 2]);
  });

  test('twice at once gives one certificate', async () => {
    const event = world.requestOf(device, (await createRequest()).base64);
    expect(await Promise.all([world.issue(event), world.issue(event), world.issue(event)])).toEqual(['issued', 'issued', 'issued']);
    expect([world.ca.issued.size, world.iot.certificates.size]).toEqual([1, 2]);
    expect(new Set(world.iot.answers.map(({ response }) => JSON.stringify(response))).size).toBe(1);
  });

  test('does not bring back a certificate that somebody has deactivated since', async () => {
    const { base64 } = await createRequest();
    await sent(base64);
    await world.iot.setStatus(newOf(), 'INACTIVE');
    expect(await sent(base64)).toBe('not-permitted');
    expect(world.metric(METRICS.rotationNotPermitted)).toBe(1);
  });
});

describe('another request for the same rotation', () => {
  test('is refused, and the first one stands', async () => {
    await sent((await createRequest()).base64);
    const fresh = newOf();
    expect(await world.issue(world.requestOf(device, (await createRequest()).base64))).toBe('another-request');
    expect([newOf(), world.ca.issued.size]).toEqual([fresh, 1]);
  });

  test('at the same moment: one of the two is granted, the other refused', async () => {
    const [one, other] = [await createRequest(), await createRequest()];
    const outcomes = await Promise.all([one, other].map(({ base64 }) => world.issue(world.requestOf(device, base64))));
    expect(outcomes.toSorted()).toEqual(['another-request', 'issued']);
    expect([world.ca.issued.size, world.iot.certificates.size]).toEqual([1, 2]);
  });
});

describe('refused', () => {
  const attempts: Record<string, [() => Promise<string> | string, string]> = {
    'a request that is no request': [() => Buffer.from('nonsense').toString('base64'), 'bad-request'],
    'a request with something behind it': [
      async () => Buffer.concat([(await createRequest()).der, Buffer.from([0])]).toString('base64'),
      'bad-request',
    ],
    'a request signed with another key': [
      async () => {
        const { publicKey } = await createRequest();
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        return requestOver(publicKey.export({ type: 'spki', format: 'der' }), privateKey).toString('base64');
      },
      'bad-request',
    ],
    'a key of RSA-1024': [async () => (await createRequest({ key: 'RSA-1024' })).base64, 'weak-key'],
    'a key of P-521': [async () => (await createRequest({ key: 'P-521' })).base64, 'weak-key'],
    'an RSA key with the exponent 3': [
      () => {
        const { publicKey, privateKey } = rsaPair(2048, 3);
        return requestOver(publicKey.export({ type: 'spki', format: 'der' }), privateKey).toString('base64');
      },
      'weak-key',
    ],
    'another thing’s name': [async () => (await createRequest({ subject: 'CN=dev-2' })).base64, 'foreign-name'],
    'a name that begins like its own': [async () => (await createRequest({ subject: 'CN=dev-10' })).base64, 'foreign-name'],
    'its own name and more': [async () => (await createRequest({ subject: 'CN=dev-1,O=Example' })).base64, 'foreign-name'],
    'an alternative name, be it its own': [async () => (await createRequest({ dnsNames: ['dev-1'] })).base64, 'foreign-name'],
    'the rights of a CA': [async () => (await createRequest({ ca: true })).base64, 'asks-for-ca'],
    'extensions of any other kind': [async () => (await createRequest({ ca: false })).base64, 'asks-for-ca'],
  };
  test.each(Object.entries(attempts))('%s', async (_sentence, [csr, reason]) => {
    expect(await sent(await csr())).toBe(reason);
    expect(world.lastAnswer).toMatchObject(refused(reason));
    expect(world.decisions.rows.at(-1)).toMatchObject({ subject: `CERT#${device.old}`, step: 'outcome', reason });
    expect([world.ca.issued.size, world.iot.certificates.size]).toEqual([0, 1]);
    expect(world.rotations.rows.get(device.old)).toMatchObject({ state: 'offered' });
  });

  test('the key of its own old certificate', async () => {
    const { privateKey } = certificates[0]!;
    const { spkiDer } = Certificate.read(certificates[0]!.certificatePem);
    expect(await sent(requestOver(spkiDer, privateKey).toString('base64'))).toBe('key-reused');
    expect(world.metric(METRICS.rotationSuspicious)).toBe(1);
  });

  test('that key in another form of writing', async () => {
    const { privateKey, certificatePem } = certificates[0]!;
    expect(await sent(requestOver(compressedSpki(Certificate.read(certificatePem).publicKey), privateKey).toString('base64'))).toBe(
      'weak-key',
    );
    const rsa = rsaPair(2048);
    expect(await sent(requestOver(spkiWithoutNull(rsa.publicKey), rsa.privateKey).toString('base64'))).toBe('weak-key');
  });

  test('a key that another thing has rotated to, or away from', async () => {
    const other = await world.enrol(certificates[1]!, 'dev-2');
    const request = await createRequest();
    expect(await world.issue(world.requestOf(other, request.base64))).toBe('issued');
    expect(await sent((await createRequest({ keys: request.keys })).base64)).toBe('key-reused');
    const { spkiDer } = Certificate.read(certificates[1]!.certificatePem);
    expect(await sent(requestOver(spkiDer, certificates[1]!.privateKey).toString('base64'))).toBe('key-reused');
  });

  test('a payload that is not of the protocol is answered, and does not fill the dead-letter queue', async () => {
    expect(await sent('', { csr: { not: 'text' } })).toBe('bad-request');
    expect(await sent((await createRequest()).base64, { version: 2 })).toBe('bad-request');
    expect(await sent('A'.repeat(9000))).toBe('bad-request');
    expect(await sent((await createRequest()).base64, { jobId: 'not a job!' })).toBe('no-open-job');
  });

  test('a certificate for which no rotation is open: AWS IoT and the CA are not asked at all', async () => {
    const other = await world.enrol(certificates[1]!, 'dev-2', false);
    expect(await world.issue(world.requestOf(other, (await createRequest()).base64))).toBe('not-due');
    expect(world.lastAnswer).toMatchObject(refused('not-due'));
    expect(world.pace.nextAtMs.size).toBe(0);
  });

  test('a message under another thing’s name; and that thing hears nothing of it', async () => {
    const other = await world.enrol(certificates[1]!, 'dev-2');
    const csr = (await createRequest()).base64;
    expect(await world.issue(world.requestOf(device, csr, { thingName: other.thing }))).toBe('not-your-certificate');
    expect(await world.issue(world.requestOf(device, csr, { principal: 'eu-west-1:cognito-identity' }))).toBe('not-due');
    expect(world.iot.answers).toEqual([]);
    expect(world.metric(METRICS.rotationSuspicious)).toBe(1);
  });

  test('a certificate that is attached to two things', async () => {
    world.iot.certificates.get(device.old)!.things.add(thingName('dev-9'));
    expect(await world.issue(world.requestOf(device, (await createRequest()).base64))).toBe('not-your-certificate');
  });

  test('a certificate that is not ACTIVE', async () => {
    await world.iot.setStatus(device.old, 'INACTIVE');
    expect(await world.issue(world.requestOf(device, (await createRequest()).base64))).toBe('not-your-certificate');
  });

  test('a thing with a second ACTIVE certificate that no rotation knows of', async () => {
    const stray = await world.iot.register(certificates[1]!.certificatePem, '', 'ACTIVE');
    await world.iot.attachThing(stray, device.thing);
    expect(await world.issue(world.requestOf(device, (await createRequest()).base64))).toBe('two-already');
    expect(world.ca.issued.size).toBe(0);
  });

  test('a contained thing, and anything while the emergency stop is set; both not for good', async () => {
    const { base64 } = await createRequest();
    world.containments.things.add(device.thing);
    expect(await sent(base64)).toBe('contained');
    expect(world.lastAnswer).toMatchObject({ final: false });
    world.containments.things.clear();
    await world.stop.set(true, 'alice', 'exercise', world.clock.nowMs());
    expect(await sent(base64)).toBe('stopped');
    await world.stop.set(false, 'alice', 'exercise', world.clock.nowMs());
    expect(await sent(base64)).toBe('issued');
  });
});

describe('while others act on the same device', () => {
  test('contained while the certificate is being issued: never ACTIVE', async () => {
    const issue = world.ca.issue.bind(world.ca);
    world.ca.issue = async (order) => {
      world.containments.things.add(device.thing);
      return issue(order);
    };
    expect(await sent((await createRequest()).base64)).toBe('contained');
    expect(world.iot.history.filter(({ id }) => id === newOf()).map(({ status }) => status)).toEqual(['INACTIVE']);
  });

  test('contained at the moment of activation: INACTIVE again, and the device does not get it; released, the same request is granted', async () => {
    const { base64 } = await createRequest();
    world.iot.meanwhile = (id, status) => {
      if (id !== device.old && status === 'ACTIVE') world.containments.things.add(device.thing);
    };
    expect(await sent(base64)).toBe('contained');
    expect(world.iot.certificates.get(newOf())?.status).toBe('INACTIVE');
    expect(world.iot.answers.map(({ response }) => response.status)).toEqual(['refused']);
    world.iot.meanwhile = () => undefined;
    world.containments.things.clear();
    expect(await sent(base64)).toBe('issued');
    expect(world.ca.issued.size).toBe(1);
  });

  test('the old certificate is revoked meanwhile: whoever has its key gets no new one', async () => {
    world.iot.meanwhile = (id, status) => {
      if (id !== device.old && status === 'ACTIVE') world.iot.certificates.get(device.old)!.status = 'REVOKED';
    };
    expect(await world.issue(world.requestOf(device, (await createRequest()).base64))).toBe('not-your-certificate');
    expect(world.activeOf(device.thing)).toEqual([]);
  });

  test('the rotation is withdrawn at the moment of activation: nothing stays ACTIVE', async () => {
    world.iot.meanwhile = (id, status) => {
      if (id !== device.old && status === 'ACTIVE')
        void world.rotations.move(device.old, ['registered'], { state: 'withdrawn', updatedAtMs: 0 });
    };
    const event = world.requestOf(device, (await createRequest()).base64);
    await expect(world.issue(event)).rejects.toThrow('withdrawn');
    expect(world.activeOf(device.thing)).toEqual([device.old]);
    expect(await world.issue(event)).toBe('not-due');
  });

  test('the CA has revoked the new certificate before it was registered: it is never made ACTIVE', async () => {
    const fetch = world.ca.fetch.bind(world.ca);
    world.ca.fetch = async (reference) => {
      const pem = await fetch(reference);
      const { issuerId, serialNumber } = Certificate.read(pem!);
      const message = {
        version: 1,
        action: 'revoke',
        anchorId: 'fleet-ca',
        serialNumber,
        reason: 'keyCompromise',
        source: 'crl',
        runId: 'r',
      } as const;
      world.inventory.revocations.set(`${issuerId}#${serialNumber}`, {
        issuerId,
        serialNumber: serialNumberFromHex(serialNumber),
        state: 'done',
        outcome: 'not-registered',
        message,
        updatedAtMs: 0,
      });
      return pem;
    };
    expect(await sent((await createRequest()).base64)).toBe('not-permitted');
    expect(world.iot.history.filter(({ id }) => id === newOf()).map(({ status }) => status)).toEqual(['INACTIVE']);
  });
});

describe('a CA that issues something else than was ordered', () => {
  const deviations: Record<string, () => Promise<World['ca']['deviation']>> = {
    'another subject': async () => ({ subject: 'CN=dev-2' }),
    'a subject with more in it': async () => ({ subject: 'CN=dev-1,OU=admins' }),
    'another key': async () => ({ publicKey: (await createRequest()).publicKey }),
    'a CA certificate': async () => ({ ca: true }),
    'a certificate for servers too': async () => ({ usages: ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1'] }),
    'a certificate for any use': async () => ({ usages: [] }),
    'alternative names': async () => ({ dnsNames: ['gateway.example'] }),
    'a longer life': async () => ({ validityDays: 366 }),
    'the signature of another CA of the same name': async () => ({ signer: await createCa({ name: 'CN=Fleet CA' }) }),
  };
  test.each(Object.entries(deviations))('%s: not registered, alarmed, refused', async (_sentence, deviation) => {
    world.ca.deviation = await deviation();
    expect(await sent((await createRequest()).base64)).toBe('not-as-ordered');
    expect(world.iot.certificates.size).toBe(1);
    expect(world.metric(METRICS.issuedNotAsOrdered)).toBe(1);
    expect(world.lastAnswer).toMatchObject(refused('not-as-ordered'));
  });
});

test.each(['observe', 'off'] as const)('mode %s: the plan is logged, nothing is changed, nobody is answered', async (mode) => {
  world.mode = mode;
  expect(await sent((await createRequest()).base64)).toBe('observed');
  expect([world.ca.issued.size, world.iot.certificates.size, world.iot.answers.length, world.decisions.rows.length]).toEqual([0, 1, 0, 0]);
  expect(world.signals.lines.at(-1)).toMatchObject({ ids: { decision: 'grant', thingName: 'dev-1' } });
});

test('no key, request or certificate is ever logged', async () => {
  const { base64 } = await createRequest();
  await sent(base64);
  const logged = JSON.stringify([world.signals.lines, world.decisions.rows]);
  expect(logged).not.toContain(base64.slice(0, 40));
  expect(logged).not.toContain('BEGIN');
});

test('a CA that does not take the request: the device is told that it is bad, a person is told too, and nothing goes to the dead letters', async () => {
  world.ca.issue = () => Promise.reject(new RequestRefusedByCa('MalformedCSRException'));
  expect(await sent((await createRequest()).base64)).toBe('bad-request');
  expect(world.lastAnswer).toMatchObject(refused('bad-request'));
  expect(world.metric(METRICS.requestRefusedByCa)).toBe(1);
  expect(world.signals.lines.at(-1)).toMatchObject({ level: 'warn', ids: { differs: 'the CA said MalformedCSRException' } });
  expect(world.activeOf(device.thing)).toEqual([device.old]);
});

test('a CA that cannot be reached is asked again: nobody is refused for that', async () => {
  world.ca.issue = () => Promise.reject(new Error('ThrottlingException'));
  await expect(sent((await createRequest()).base64)).rejects.toThrow('ThrottlingException');
  expect(world.iot.answers).toEqual([]);
});
