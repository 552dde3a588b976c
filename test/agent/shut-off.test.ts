/** Shut off and resume: what the device does, what it says, and what is left of it when the power goes. */
import {
  CancelJobExecutionCommand,
  CreateJobCommand,
  CreatePolicyCommand,
  AttachPolicyCommand,
  DetachPolicyCommand,
} from '@aws-sdk/client-iot';
import fc from 'fast-check';
import type { AgentEvent } from '../../agent/device.js';
import { StorageError, type Files } from '../../agent/storage/files.js';
import type { Actuation } from '../../agent/shut-off/actuation.js';
import { ARN, startGatewayDesk, type Device, type GatewayDesk } from '../local/gateway-desk.js';
import { finished, isStep, runDevice, storageOf, type RunningDevice } from './in-process.js';
import { ScriptedCloud } from './scripted-cloud.js';

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

const enrol = (): Promise<Device> => desk.enrol(`valve-${++count}`);
function run(...parameters: Parameters<typeof runDevice> extends [unknown, ...infer R] ? R : never): RunningDevice {
  const device = runDevice(desk, ...parameters);
  running.push(device);
  return device;
}

async function order(device: Device, operation: string, containmentId = 'c-1', document: object = {}): Promise<string> {
  const jobId = `${operation}-${++count}`;
  const text = JSON.stringify({ operation, version: 1, containmentId, reason: 'flood', ...document });
  await desk.iot.send(new CreateJobCommand({ jobId, targets: [ARN(`thing/${device.thingName}`)], document: text }));
  return jobId;
}

/** Resolves when the execution is over. */
async function outcome(device: Device, jobId: string): Promise<{ readonly status: string; readonly details: Record<string, string> }> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const execution = await cloud.execution(jobId, device.thingName);
    if (execution.status !== 'QUEUED' && execution.status !== 'IN_PROGRESS') return execution;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return cloud.execution(jobId, device.thingName);
}

/** A pump, at rest until it is told. */
class Pump implements Actuation {
  runs = false;
  readonly told: string[] = [];
  stop(): Promise<void> {
    this.runs = false;
    this.told.push('stop');
    return Promise.resolve();
  }
  resume(): Promise<void> {
    this.runs = true;
    this.told.push('resume');
    return Promise.resolve();
  }
}

const telemetry = () => ({ level: 1 });
const settings = { telemetryEveryMs: 40 };
const published = (device: RunningDevice): number => device.events.filter(({ kind }) => kind === 'published').length;
const isOrder = (event: AgentEvent): boolean => event.kind === 'order';
const moment = (ms = 200): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function isSilent(device: RunningDevice): Promise<boolean> {
  const before = published(device);
  await moment();
  return published(device) === before;
}

test('shut off: actuation and telemetry stop, the cloud hears which; a restart changes nothing; resume: both go on', async () => {
  const device = await enrol();
  const pump = new Pump();
  const memory = storageOf(device);
  const first = run(device, { memory, actuation: pump, telemetry, settings });
  await first.until(({ kind }) => kind === 'published');
  expect(pump.runs).toBe(true);

  const off = await outcome(device, await order(device, 'shut-off'));
  expect(off).toEqual({ status: 'SUCCEEDED', details: { stopped: 'actuation,telemetry' } });
  expect(pump.runs).toBe(false);
  expect(await isSilent(first)).toBe(true);
  await first.stop();

  const afterwards = new Pump();
  const second = run(device, { memory, actuation: afterwards, telemetry, settings });
  await second.until(({ kind }) => kind === 'connected');
  expect(await isSilent(second)).toBe(true);
  expect(afterwards.told).toEqual(['stop']);

  const on = await outcome(device, await order(device, 'resume'));
  expect(on).toEqual({ status: 'SUCCEEDED', details: { resumed: 'actuation,telemetry' } });
  await second.until(({ kind }) => kind === 'published');
  expect(afterwards.runs).toBe(true);
  expect(memory.names()).not.toContain('shut-off.json');
});

test('a device without actuation says that it has stopped its telemetry', async () => {
  const device = await enrol();
  run(device, { telemetry, settings });
  expect(await outcome(device, await order(device, 'shut-off'))).toMatchObject({ status: 'SUCCEEDED', details: { stopped: 'telemetry' } });
});

test('resume for another containment than the one that shut it off: FAILED, and it stays off', async () => {
  const device = await enrol();
  const pump = new Pump();
  run(device, { actuation: pump, telemetry, settings });
  await outcome(device, await order(device, 'shut-off', 'c-new'));
  const refused = await outcome(device, await order(device, 'resume', 'c-old'));
  expect(refused).toMatchObject({ status: 'FAILED', details: { reason: 'other-containment' } });
  expect(pump.runs).toBe(false);
  expect(await outcome(device, await order(device, 'resume', 'c-new'))).toMatchObject({ status: 'SUCCEEDED' });
});

test('resume of a device that is on: done already', async () => {
  const device = await enrol();
  run(device, { telemetry, settings });
  expect(await outcome(device, await order(device, 'resume'))).toMatchObject({ status: 'SUCCEEDED' });
});

test.each(['{"containmentId":', '{}', ''])('a record that cannot be read (%j) means off, until it is resumed', async (content) => {
  const device = await enrol();
  const pump = new Pump();
  const memory = storageOf(device);
  await memory.replace('shut-off.json', content);
  const agent = run(device, { memory, actuation: pump, telemetry, settings });
  await agent.until(({ kind }) => kind === 'connected');
  expect(await isSilent(agent)).toBe(true);
  expect(pump.told).toEqual(['stop']);
  await outcome(device, await order(device, 'resume', 'c-any'));
  expect(pump.runs).toBe(true);
});

test('a document of another version is REJECTED; a job of another operation is left alone, and keeps nothing behind it from being obeyed', async () => {
  const device = await enrol();
  run(device, { telemetry, settings });
  const newer = await order(device, 'shut-off', 'c-1', { version: 2 });
  expect(await outcome(device, newer)).toMatchObject({ status: 'REJECTED', details: { reason: 'unsupported-document' } });
  const foreign = await order(device, 'update-firmware');
  expect(await outcome(device, await order(device, 'shut-off'))).toMatchObject({ status: 'SUCCEEDED' });
  expect(await cloud.execution(foreign, device.thingName)).toMatchObject({ status: 'QUEUED' });
});

test('a shut-off that was cancelled before the device came is not obeyed', async () => {
  const device = await enrol();
  const jobId = await order(device, 'shut-off');
  await desk.iot.send(new CancelJobExecutionCommand({ jobId, thingName: device.thingName }));
  const agent = run(device, { telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  expect(agent.events.filter(isOrder)).toEqual([]);
});

describe('what the device cannot do', () => {
  const failing = (files: ReturnType<typeof storageOf>): Files => ({
    ...files,
    replace: (name, content) =>
      name === 'shut-off.json' ? Promise.reject(new StorageError('write', name, new Error('full'))) : files.replace(name, content),
  });

  test('storage: it stops all the same, and says that it does not last', async () => {
    const device = await enrol();
    const pump = new Pump();
    const agent = run(device, { files: failing(storageOf(device)), actuation: pump, telemetry, settings });
    const jobId = await order(device, 'shut-off');
    expect(await outcome(device, jobId)).toMatchObject({ status: 'FAILED', details: { reason: 'storage' } });
    expect(pump.runs).toBe(false);
    expect(await isSilent(agent)).toBe(true);
  });

  test('actuation: telemetry stops, and the cloud hears that the rest did not', async () => {
    const device = await enrol();
    const stuck: Actuation = { stop: () => Promise.reject(new Error('stuck')), resume: () => Promise.resolve() };
    const agent = run(device, { actuation: stuck, telemetry, settings });
    const jobId = await order(device, 'shut-off');
    expect(await outcome(device, jobId)).toMatchObject({ status: 'FAILED', details: { reason: 'actuation' } });
    expect(await isSilent(agent)).toBe(true);
  });
});

describe('together with a rotation', () => {
  test('a rotation that waits for its answer does not keep the device from shutting off, and goes on afterwards', async () => {
    const device = await enrol();
    let silent = true;
    cloud.script(device.thingName, { onRequest: () => (silent ? { kind: 'silent' } : undefined) });
    const pump = new Pump();
    const agent = run(device, { actuation: pump, telemetry, settings });
    await agent.until(({ kind }) => kind === 'connected');
    await cloud.offer(device);
    await agent.until(isStep('request-sent'));
    expect(await outcome(device, await order(device, 'shut-off'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(pump.runs).toBe(false);
    silent = false;
    await agent.until(finished);
    expect(pump.runs).toBe(false);
    expect(await isSilent(agent)).toBe(true);
  });

  test('what came while the device was away is found behind the rotation that is under way', async () => {
    const device = await enrol();
    let silent = true;
    cloud.script(device.thingName, { onRequest: () => (silent ? { kind: 'silent' } : undefined) });
    const memory = storageOf(device);
    const before = run(device, { memory, telemetry, settings });
    await cloud.offer(device);
    await before.until(isStep('request-sent'));
    await before.stop();
    const jobId = await order(device, 'shut-off');
    const agent = run(device, { memory, telemetry, settings });
    expect(await outcome(device, jobId)).toMatchObject({ status: 'SUCCEEDED' });
    expect(published(agent)).toBe(0);
    silent = false;
    await agent.until(finished);
  });
});

test('in repair mode: speaking ends its connections, so it goes quiet, and can be shut off', async () => {
  const device = await enrol();
  const policyDocument = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'iot:Connect', Resource: ARN(`client/${device.thingName}`) },
      { Effect: 'Allow', Action: ['iot:Publish', 'iot:Receive'], Resource: ARN(`topic/$aws/things/${device.thingName}/jobs/*`) },
      {
        Effect: 'Allow',
        Action: 'iot:Subscribe',
        Resource: [
          ARN(`topicfilter/$aws/things/${device.thingName}/jobs/*`),
          ARN(`topicfilter/fleet/${device.thingName}/rotation/response`),
        ],
      },
    ],
  };
  const policyName = `repair-${device.thingName}`;
  await desk.iot.send(new CreatePolicyCommand({ policyName, policyDocument: JSON.stringify(policyDocument) }));
  await desk.iot.send(new AttachPolicyCommand({ policyName, target: device.certificateArn }));
  await desk.iot.send(new DetachPolicyCommand({ policyName: 'device', target: device.certificateArn }));
  const agent = run(device, { telemetry, settings: { ...settings, quiet: { firstMs: 2000, longestMs: 2000 } } });
  await agent.until(({ kind }) => kind === 'quiet');
  expect(agent.events.filter(({ kind }) => kind === 'disconnected')).toHaveLength(2);
  expect(await outcome(device, await order(device, 'shut-off'))).toMatchObject({ status: 'SUCCEEDED' });
  const connections = agent.events.filter(({ kind }) => kind === 'connected').length;
  await moment(2500);
  expect(agent.events.filter(({ kind }) => kind === 'connected')).toHaveLength(connections);
});

/** Takes so many changes; then the power is gone, and nothing the device does any more reaches its storage. */
function mortal(files: Files, changes: number, died: () => void): Files {
  let left = changes;
  const change = async (act: () => Promise<void>): Promise<void> => {
    if (left-- <= 0) {
      died();
      return new Promise(() => undefined);
    }
    await act();
  };
  return {
    read: (name) => files.read(name),
    replace: (name, content) => change(() => files.replace(name, content)),
    remove: (name) => change(() => files.remove(name)),
  };
}

test('whatever is ordered, and whenever the power goes: the device ends as the last order that it obeyed says, and every order is answered', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ operation: fc.constantFrom('shut-off', 'resume'), cut: fc.option(fc.integer({ min: 0, max: 1 })) }), {
        minLength: 1,
        maxLength: 4,
      }),
      async (orders) => {
        const device = await desk.enrol(`valve-${++count}`);
        const memory = storageOf(device);
        for (const { operation, cut } of orders) {
          const jobId = await order(device, operation);
          if (cut !== null) {
            let die: () => void = () => undefined;
            const death = new Promise<void>((resolve) => (die = resolve));
            const doomed = runDevice(desk, device, { memory, files: mortal(memory, cut, die), telemetry, settings });
            // The order may change nothing in the storage: then it is answered.
            await Promise.race([death, outcome(device, jobId)]);
            await doomed.stop();
          }
          const pump = new Pump();
          const agent = runDevice(desk, device, { memory, actuation: pump, telemetry, settings });
          expect(await outcome(device, jobId)).toMatchObject({ status: 'SUCCEEDED' });
          expect(pump.runs).toBe(operation === 'resume');
          expect(memory.names().includes('shut-off.json')).toBe(operation === 'shut-off');
          await agent.stop();
        }
      },
    ),
    { numRuns: 12, endOnFailure: true },
  );
}, 120_000);
