import { AttachPolicyCommand, CancelJobCommand, CancelJobExecutionCommand, DetachPolicyCommand } from '@aws-sdk/client-iot';
import { StorageError, type Files } from '../../agent/storage/files.js';
import { ConnectFailed, type Transport } from '../../agent/transport/transport.js';
import { mqttTransport } from '../../agent/transport/mqtt-transport.js';
import { ROTATION_REFUSALS } from '../../domain/protocol/rotation.js';
import { startGatewayDesk, type Device, type GatewayDesk } from '../local/gateway-desk.js';
import { finished, isStep, runDevice, storageOf, type RunningDevice } from './in-process.js';
import { ScriptedCloud } from './scripted-cloud.js';

const GOOD = [
  'accepted',
  'key-made',
  'request-sent',
  'certificate-stored',
  'trial-connected',
  'proof-sent',
  'proved',
  'switched',
  'old-deleted',
  'finished',
];
let desk: GatewayDesk;
let cloud: ScriptedCloud;
let count = 0;
const running: RunningDevice[] = [];

beforeAll(async () => {
  desk = await startGatewayDesk();
  cloud = new ScriptedCloud(desk);
});
afterEach(async () => {
  for (const device of running.splice(0)) await device.stop();
  expect(cloud.errors.splice(0)).toEqual([]);
});
afterAll(() => desk.stop());

const enrol = (): Promise<Device> => desk.enrol(`pump-${++count}`);
function run(...parameters: Parameters<typeof runDevice> extends [unknown, ...infer R] ? R : never): RunningDevice {
  const device = runDevice(desk, ...parameters);
  running.push(device);
  return device;
}
const newPair = (jobId: string): string[] => [`certificates/${jobId}-1.pem`, `keys/${jobId}-1.pem`];

interface Standing {
  readonly files: readonly string[];
  readonly pointer: string;
  readonly job: string;
  readonly reason: string | undefined;
  readonly connectedWith: 'old' | 'new' | undefined;
}

/** What there is when all is over: in the storage, at AWS IoT Jobs, at the gateway. */
async function standing(agent: RunningDevice, device: Device, jobId: string): Promise<Standing> {
  const { status, details } = await cloud.execution(jobId, device.thingName);
  const issued = cloud.issued.get(jobId + device.thingName)?.[0]?.certificateId;
  const used = desk.gateway.connections().find(({ clientId }) => clientId === device.thingName)?.certificateId;
  return {
    files: agent.files.names(),
    pointer: await agent.active(),
    job: status,
    reason: details['reason'],
    connectedWith: used === device.certificateId ? 'old' : used !== undefined && used === issued ? 'new' : undefined,
  };
}
const oldAlone = (job: string, reason?: string): Standing => ({
  files: ['active.json', 'certificate.pem', 'key.pem'],
  pointer: 'certificate.pem',
  job,
  reason,
  connectedWith: 'old',
});
const newAlone = (jobId: string): Standing => ({
  files: ['active.json', ...newPair(jobId)],
  pointer: newPair(jobId)[0]!,
  job: 'SUCCEEDED',
  reason: undefined,
  connectedWith: 'new',
});

describe('the good case', () => {
  test('a job that is announced while the device is connected: every step, and at the end one pair', async () => {
    const device = await enrol();
    const agent = run(device, { telemetry: () => ({ sequence: 1 }) });
    await agent.until(({ kind }) => kind === 'published');
    const jobId = await cloud.offer(device);
    await agent.until(finished);
    expect(agent.steps()).toEqual(GOOD);
    expect(await standing(agent, device, jobId)).toEqual(newAlone(jobId));
    // The request came over the old certificate, the proof over the new one, which alone is ACTIVE now.
    const { certificateId } = cloud.issued.get(jobId + device.thingName)![0]!;
    expect([cloud.requests.at(-1)!.principal, cloud.proofs.at(-1)!.principal]).toEqual([device.certificateId, certificateId]);
    expect(await cloud.certificatesOf(device.thingName)).toEqual({ [device.certificateId]: 'INACTIVE', [certificateId]: 'ACTIVE' });
  });

  test('a job that waited while the device was away, over MQTT 3.1.1; then a second rotation', async () => {
    const device = await enrol();
    await cloud.offer(device);
    const agent = run(device, { transport: mqttTransport({ ...desk.gateway, protocolVersion: 4 }) });
    await agent.until(finished);
    const jobId = await cloud.offer(device);
    await agent.until((event) => finished(event) && (event as { jobId: string }).jobId === jobId);
    expect(agent.files.names()).toEqual(['active.json', ...newPair(jobId)].toSorted());
    expect(Object.values(await cloud.certificatesOf(device.thingName)).toSorted()).toEqual(['ACTIVE', 'INACTIVE', 'INACTIVE']);
  });
});

describe('answers', () => {
  test('lost, to request and proof alike: asked again with the very same request, and one certificate', async () => {
    const device = await enrol();
    const lost = (_: unknown, times: number) => (times === 1 ? ({ kind: 'lose-answer' } as const) : undefined);
    cloud.script(device.thingName, { onRequest: lost, onProof: lost });
    const agent = run(device);
    const jobId = await cloud.offer(device);
    await agent.until(finished);
    const sent = cloud.requests.filter(({ thingName }) => thingName === device.thingName).map(({ message }) => message.csr);
    expect(sent.length).toBeGreaterThan(1);
    expect(new Set(sent).size).toBe(1);
    expect(await standing(agent, device, jobId)).toEqual(newAlone(jobId));
  });

  test('given twice: the second changes nothing', async () => {
    const device = await enrol();
    cloud.script(device.thingName, { onRequest: () => ({ kind: 'answer-twice' }), onProof: () => ({ kind: 'answer-twice' }) });
    const agent = run(device);
    const jobId = await cloud.offer(device);
    await agent.until(finished);
    expect(agent.steps()).toEqual(GOOD);
    expect(await standing(agent, device, jobId)).toEqual(newAlone(jobId));
  });

  test('never given: the device gives up after its tries and keeps what it has', async () => {
    const device = await enrol();
    cloud.script(device.thingName, { onRequest: () => ({ kind: 'silent' }) });
    const agent = run(device, { settings: { requestTries: 2 } });
    const jobId = await cloud.offer(device);
    await agent.until(finished);
    expect(agent.steps()).toEqual(['accepted', 'key-made', 'request-sent', 'failing: no-answer', 'finished']);
    expect(await standing(agent, device, jobId)).toEqual(oldAlone('FAILED', 'no-answer'));
  });

  test('that cannot be read, or belong to another job, are dropped', async () => {
    const device = await enrol();
    cloud.script(device.thingName, {
      onRequest: (_, times) =>
        times === 1
          ? { kind: 'send', response: '{"version":1,"status":"iss' }
          : times === 2
            ? { kind: 'send', response: { version: 1, status: 'refused', jobId: 'another', reason: 'not-due', final: true } }
            : undefined,
    });
    const agent = run(device);
    const jobId = await cloud.offer(device);
    await agent.until(finished);
    expect(agent.events).toContainEqual(expect.objectContaining({ kind: 'warning', message: expect.stringContaining('cannot be read') }));
    expect(await standing(agent, device, jobId)).toEqual(newAlone(jobId));
  });

  test.each([
    ['of another key', (other: Device) => other.certificatePem],
    ['that is a CA', () => desk.ca.certificatePem],
    ['that is none', () => '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'],
  ])('with a certificate %s: not stored', async (_, certificate) => {
    const device = await enrol();
    cloud.script(device.thingName, {
      onRequest: ({ message }) => ({
        kind: 'send',
        response: {
          version: 1,
          status: 'issued',
          jobId: message.jobId,
          certificatePem: certificate(device),
          certificateId: 'f'.repeat(64),
        },
      }),
    });
    const agent = run(device);
    const jobId = await cloud.offer(device);
    await agent.until(finished);
    expect(await standing(agent, device, jobId)).toEqual(oldAlone('FAILED', 'wrong-certificate'));
  });
});

describe('refusals', () => {
  test.each(Object.entries(ROTATION_REFUSALS).filter(([, { final }]) => final))(
    'final, %s: the rotation fails with the cloud’s own word, and the new key is deleted',
    async (reason) => {
      const device = await enrol();
      cloud.script(device.thingName, { onRequest: () => ({ kind: 'refuse', reason: reason as 'not-due', final: true }) });
      const agent = run(device);
      const jobId = await cloud.offer(device);
      await agent.until(finished);
      expect(cloud.requests.filter(({ thingName }) => thingName === device.thingName)).toHaveLength(1);
      expect(await standing(agent, device, jobId)).toEqual(oldAlone('FAILED', reason));
    },
  );

  test.each(['contained', 'stopped', 'unheard-of'] as const)('not final, %s: the device waits and asks again', async (reason) => {
    const device = await enrol();
    // More often than the device tries without an answer: "later" is an answer.
    cloud.script(device.thingName, { onRequest: (_, times) => (times <= 4 ? { kind: 'refuse', reason, final: false } : undefined) });
    const agent = run(device, { settings: { requestTries: 2 } });
    const jobId = await cloud.offer(device);
    await agent.until(finished);
    expect(await standing(agent, device, jobId)).toEqual(newAlone(jobId));
  });

  test('of the proof, not final: asked again over the new certificate', async () => {
    const device = await enrol();
    cloud.script(device.thingName, {
      onProof: (_, times) => (times <= 2 ? { kind: 'refuse', reason: 'not-permitted', final: false } : undefined),
    });
    const agent = run(device);
    const jobId = await cloud.offer(device);
    await agent.until(finished);
    expect(await standing(agent, device, jobId)).toEqual(newAlone(jobId));
  });

  test('of the proof, final: back to the old pair, which must hold before the new one is deleted', async () => {
    const device = await enrol();
    cloud.script(device.thingName, { onProof: () => ({ kind: 'refuse', reason: 'not-the-new-certificate', final: true }) });
    const agent = run(device);
    const jobId = await cloud.offer(device);
    await agent.until(finished);
    expect(agent.steps().slice(-3)).toEqual(['proof-sent', 'failing: not-the-new-certificate', 'finished']);
    expect(await standing(agent, device, jobId)).toEqual(oldAlone('FAILED', 'not-the-new-certificate'));
  });
});

describe('the trial connection', () => {
  test('a new certificate that is refused at every try: the old one stays, the new pair is deleted', async () => {
    const device = await enrol();
    cloud.script(device.thingName, { onRequest: () => ({ kind: 'issue-inactive' }) });
    const agent = run(device);
    const jobId = await cloud.offer(device);
    await agent.until(finished);
    expect(agent.events.filter(({ kind }) => kind === 'refused')).toHaveLength(3);
    expect(cloud.proofs.filter(({ thingName }) => thingName === device.thingName)).toEqual([]);
    expect(await standing(agent, device, jobId)).toEqual(oldAlone('FAILED', 'cannot-connect'));
  });

  test('a new certificate that is refused once only is tried again', async () => {
    const device = await enrol();
    cloud.script(device.thingName, { onRequest: () => ({ kind: 'issue-inactive' }) });
    const agent = run(device, { settings: { trialTries: 20 } });
    const jobId = await cloud.offer(device);
    await agent.until(({ kind }) => kind === 'refused');
    await cloud.setStatus(cloud.issued.get(jobId + device.thingName)![0]!.certificateId, 'ACTIVE');
    await agent.until(finished);
    expect(await standing(agent, device, jobId)).toEqual(newAlone(jobId));
  });

  test('refusals are counted over restarts: a device that is switched off and on does not try for ever', async () => {
    const device = await enrol();
    cloud.script(device.thingName, { onRequest: () => ({ kind: 'issue-inactive' }) });
    const memory = storageOf(device);
    const jobId = await cloud.offer(device);
    for (let life = 1; life <= 3; life++) {
      const agent = runDevice(desk, device, { memory });
      await agent.until(({ kind }) => kind === 'refused');
      if (life === 3) await agent.until(isStep('failing'));
      await agent.stop();
    }
    const agent = run(device, { memory });
    await agent.until(finished);
    expect(agent.events.filter(({ kind }) => kind === 'refused')).toEqual([]);
    expect(await standing(agent, device, jobId)).toEqual(oldAlone('FAILED', 'cannot-connect'));
  });

  test('a network that is away does not count against the new certificate', async () => {
    const device = await enrol();
    const real = mqttTransport(desk.gateway);
    let isAway = false;
    const transport: Transport = {
      connect: (options) => (isAway ? Promise.reject(new ConnectFailed('unreachable', 'ENETDOWN')) : real.connect(options)),
    };
    cloud.script(device.thingName, {
      onRequest: () => {
        isAway = true;
        return undefined;
      },
    });
    // The answer is on its way when the network goes: it arrives, and then nothing works any more.
    const agent = run(device, { transport });
    const jobId = await cloud.offer(device);
    let refused = 0;
    await agent.until(({ kind }) => kind === 'refused' && ++refused === 8);
    isAway = false;
    await agent.until(finished);
    expect(agent.steps()).toEqual(GOOD);
    expect(await standing(agent, device, jobId)).toEqual(newAlone(jobId));
  });

  test('a new certificate that may connect but not hear is refused as well', async () => {
    const device = await enrol();
    const agent = run(device, { settings: { trialTries: 2 } });
    cloud.script(device.thingName, { onRequest: () => ({ kind: 'lose-answer' }) });
    const jobId = await cloud.offer(device);
    await agent.until(isStep('request-sent'));
    while (!cloud.issued.has(jobId + device.thingName)) await new Promise((resolve) => setTimeout(resolve, 20));
    const target = `arn:aws:iot:eu-west-1:000000000000:cert/${cloud.issued.get(jobId + device.thingName)![0]!.certificateId}`;
    await desk.iot.send(new DetachPolicyCommand({ policyName: 'device', target }));
    cloud.script(device.thingName, {});
    await agent.until(finished);
    expect(await standing(agent, device, jobId)).toEqual(oldAlone('FAILED', 'cannot-connect'));
    await desk.iot.send(new AttachPolicyCommand({ policyName: 'device', target }));
  });
});

describe('after the proof', () => {
  test('an answer that never comes while the cloud switches the old certificate off: the device stays on the new one', async () => {
    const device = await enrol();
    cloud.script(device.thingName, { onProof: (_, times) => (times <= 3 ? { kind: 'lose-answer' } : undefined) });
    const agent = run(device);
    const jobId = await cloud.offer(device);
    await agent.until(finished);
    expect(await standing(agent, device, jobId)).toEqual(newAlone(jobId));
  });

  test('the proof is not taken and the new certificate withdrawn, the job timed out: the old one is found again', async () => {
    const device = await enrol();
    cloud.script(device.thingName, { onProof: () => ({ kind: 'silent' }) });
    const agent = run(device);
    const jobId = await cloud.offer(device);
    await agent.until(isStep('proof-sent'));
    while (!cloud.proofs.some(({ thingName }) => thingName === device.thingName)) await new Promise((resolve) => setTimeout(resolve, 20));
    await desk.iot.send(new CancelJobCommand({ jobId, force: true }));
    await cloud.setStatus(cloud.issued.get(jobId + device.thingName)![0]!.certificateId, 'INACTIVE');
    desk.gateway.disconnect(device.thingName, 'AUTH_ERROR');
    await agent.until(finished);
    expect(await standing(agent, device, jobId)).toEqual(oldAlone('CANCELED'));
  });

  test('given up although the cloud had taken the proof: the old one is refused, the new one let in, and the rotation ends well', async () => {
    const device = await enrol();
    cloud.script(device.thingName, {
      onProof: (_, times) => (times === 1 ? { kind: 'refuse', reason: 'not-the-new-certificate', final: true } : undefined),
    });
    const agent = run(device);
    const jobId = await cloud.offer(device);
    await agent.until(isStep('proof-sent'));
    await cloud.setStatus(device.certificateId, 'INACTIVE');
    await agent.until(finished);
    expect(agent.steps()).toEqual([...GOOD.slice(0, 6), 'failing: not-the-new-certificate', ...GOOD.slice(5)]);
    expect(await standing(agent, device, jobId)).toEqual(newAlone(jobId));
  });
});

describe('jobs', () => {
  test('of another operation are left alone, also when one of ours waits behind them', async () => {
    const device = await enrol();
    const other = await cloud.offer(device, { operation: 'install-firmware' });
    const agent = run(device);
    await agent.until(({ kind }) => kind === 'connected');
    const jobId = await cloud.offer(device);
    // AWS announces what is *next*, and that is still the other one; ours is only on the list that has changed.
    await agent.until(finished);
    expect(await standing(agent, device, jobId)).toEqual(newAlone(jobId));
    expect((await cloud.execution(other, device.thingName)).status).toBe('QUEUED');
  });

  test('of our operation in a version that the device does not know are rejected', async () => {
    const device = await enrol();
    const agent = run(device);
    const jobId = await cloud.offer(device, { version: 2 });
    await agent.until(({ kind }) => kind === 'warning');
    expect(await standing(agent, device, jobId)).toEqual(oldAlone('REJECTED', 'unsupported-document'));
    expect(agent.steps()).toEqual([]);
  });

  test.each(['the job', 'the execution'])(
    '%s is cancelled while the device waits for its certificate: nothing is left, nothing reported',
    async (what) => {
      const device = await enrol();
      cloud.script(device.thingName, { onRequest: () => ({ kind: 'silent' }) });
      const agent = run(device, { settings: { answerMs: 5000 } });
      const jobId = await cloud.offer(device);
      await agent.until(isStep('request-sent'));
      const cancel =
        what === 'the job'
          ? new CancelJobCommand({ jobId, force: true })
          : new CancelJobExecutionCommand({ jobId, thingName: device.thingName, force: true });
      await desk.iot.send(cancel as CancelJobCommand);
      await agent.until(finished);
      expect(agent.steps()).toContain('failing: job-over');
      expect(await standing(agent, device, jobId)).toEqual(oldAlone('CANCELED'));
    },
  );

  test('whose version has changed meanwhile are read again and ended all the same', async () => {
    const device = await enrol();
    // The device itself says so behind the agent's back: its own program, or a person at its console.
    cloud.script(device.thingName, { onProof: (_, times) => (times === 1 ? { kind: 'lose-answer' } : undefined) });
    const agent = run(device);
    const jobId = await cloud.offer(device);
    await agent.until(isStep('proof-sent'));
    const issued = cloud.issued.get(jobId + device.thingName)![0]!;
    const key = (await agent.files.read(`keys/${jobId}-1.pem`))!.toString();
    await agent.stop();
    const console = await desk.connect({ certificatePem: issued.certificatePem, privateKeyPem: key }, device.thingName);
    await console.publishAsync(`$aws/things/${device.thingName}/jobs/${jobId}/update`, '{"status":"IN_PROGRESS"}', { qos: 1 });
    console.end(true);
    const again = run(device, { memory: agent.files });
    await again.until(finished);
    expect(await standing(again, device, jobId)).toEqual(newAlone(jobId));
  });
});

describe('storage', () => {
  /** Takes so many changes and then none, as a full disk does; deleting goes on working. */
  const full = (files: Files, after: number): Files => {
    let changes = 0;
    return {
      ...files,
      replace: (name, content) =>
        ++changes > after ? Promise.reject(new StorageError('write', name, new Error('ENOSPC'))) : files.replace(name, content),
    };
  };

  test.each([0, 1, 2, 3, 4, 5, 6])('full after %i changes, before the proof: the job fails, the old pair stays', async (after) => {
    const device = await enrol();
    const memory = storageOf(device);
    const agent = run(device, { memory, files: full(memory, after) });
    const jobId = await cloud.offer(device);
    await agent.until(finished);
    expect(await standing(agent, device, jobId)).toEqual(oldAlone('FAILED', 'storage'));
  });

  test.each([7, 8, 9, 10])(
    'full after %i changes, past the proof: the new certificate stays in use, and a restart with room finishes',
    async (after) => {
      const device = await enrol();
      const memory = storageOf(device);
      const agent = run(device, { memory, files: full(memory, after + 1) });
      const jobId = await cloud.offer(device);
      let warnings = 0;
      await agent.until((event) => event.kind === 'warning' && event.message.includes('ENOSPC') && ++warnings === 5);
      expect(agent.steps()).not.toContain('failing: storage');
      expect(desk.gateway.connections().find(({ clientId }) => clientId === device.thingName)?.certificateId).toBe(
        cloud.issued.get(jobId + device.thingName)![0]!.certificateId,
      );
      await agent.stop();
      const again = run(device, { memory });
      await again.until(finished);
      expect(await standing(again, device, jobId)).toEqual(newAlone(jobId));
    },
  );

  test('full right after the trial connection: the new pair is kept until the old one has held, because that connection may count as the proof', async () => {
    const device = await enrol();
    const memory = storageOf(device);
    let isFull = true;
    const files: Files = {
      ...memory,
      replace: (name, content) =>
        isFull && name === 'rotation.json' && /"(proof-sent|failing)"/.test(content.toString())
          ? Promise.reject(new StorageError('write', name, new Error('ENOSPC')))
          : memory.replace(name, content),
    };
    const agent = run(device, { memory, files, settings: { settleMs: 2000 } });
    const jobId = await cloud.offer(device);
    await agent.until(isStep('failing'));
    const failedAt = agent.events.length;
    const since = (kind: string) => agent.events.slice(failedAt).some((event) => event.kind === kind);
    await agent.until(() => since('connected'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(agent.files.names()).toEqual(expect.arrayContaining(newPair(jobId)));
    // And the cloud did take it: the old certificate is refused, the new one is let in, the rotation ends well.
    isFull = false;
    await cloud.setStatus(device.certificateId, 'INACTIVE');
    desk.gateway.disconnect(device.thingName, 'AUTH_ERROR');
    await agent.until(finished);
    expect(agent.steps()).toEqual([...GOOD.slice(0, 5), 'failing: storage', ...GOOD.slice(5)]);
    expect(await standing(agent, device, jobId)).toEqual(newAlone(jobId));
  });

  test('read-only altogether: the cloud is told, the device stays connected', async () => {
    const device = await enrol();
    const memory = storageOf(device);
    const readOnly = (name: string): Promise<never> => Promise.reject(new StorageError('write', name, new Error('EROFS')));
    const agent = run(device, { memory, files: { read: (name) => memory.read(name), replace: readOnly, remove: readOnly } });
    const jobId = await cloud.offer(device);
    while ((await cloud.execution(jobId, device.thingName)).status !== 'FAILED') await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await standing(agent, device, jobId)).toEqual(oldAlone('FAILED', 'storage'));
  });

  test('with a record that cannot be read: it is set aside, and the device connects with what the pointer names', async () => {
    const device = await enrol();
    const memory = storageOf(device);
    await memory.replace('rotation.json', '{"state":"pro');
    const agent = run(device, { memory });
    await agent.until(({ kind }) => kind === 'connected');
    expect(memory.names()).toContain('rotation.unreadable');
    expect(memory.names()).not.toContain('rotation.json');
  });

  test('without an identity: the device says so', async () => {
    const device = await enrol();
    const memory = storageOf(device);
    await memory.remove('active.json');
    const agent = runDevice(desk, device, { memory });
    await expect(agent.until(({ kind }) => kind === 'connected')).rejects.toThrow('has not been given an identity');
  });
});
