/** Shut-off by an AWS IoT command: what the device does with it, together with the job, and what is left of it when the power goes. */
import {
  AttachPolicyCommand,
  CreateCommandCommand,
  CreateJobCommand,
  CreatePolicyCommand,
  GetCommandExecutionCommand,
} from '@aws-sdk/client-iot';
import { IoTJobsDataPlaneClient, StartCommandExecutionCommand } from '@aws-sdk/client-iot-jobs-data-plane';
import type { AgentEvent } from '../../agent/device.js';
import type { Actuation } from '../../agent/shut-off/actuation.js';
import type { Files } from '../../agent/storage/files.js';
import { StorageError } from '../../agent/storage/files.js';
import { COMMAND_PARAMETERS, shutOffPayloadTemplate } from '../../domain/protocol/command.js';
import { ARN, startGatewayDesk, type Device, type GatewayDesk } from '../local/gateway-desk.js';
import { runDevice, storageOf, type RunningDevice } from './in-process.js';
import { ScriptedCloud } from './scripted-cloud.js';

let desk: GatewayDesk;
let cloud: ScriptedCloud;
let jobsData: IoTJobsDataPlaneClient;
let count = 0;
const running: RunningDevice[] = [];

/** Payloads of other programs on the same device. */
const OTHERS = ['{"operation":"reboot"}', '{"mode":"economy"}', '["reboot"]', 'null'];
const OWN_COMMANDS = '$aws/commands/things/${iot:Connection.Thing.ThingName}/executions/*';

beforeAll(async () => {
  desk = await startGatewayDesk();
  cloud = new ScriptedCloud(desk);
  const { endpoint, administratorCredentials: credentials } = desk.cloud;
  jobsData = new IoTJobsDataPlaneClient({ endpoint, region: 'eu-west-1', credentials, maxAttempts: 1 });
  const policyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['iot:Publish', 'iot:Receive'], Resource: ARN(`topic/${OWN_COMMANDS}`) },
      { Effect: 'Allow', Action: 'iot:Subscribe', Resource: ARN(`topicfilter/${OWN_COMMANDS}`) },
    ],
  });
  await desk.iot.send(new CreatePolicyCommand({ policyName: 'commands', policyDocument }));
  await desk.iot.send(
    new CreateCommandCommand({
      commandId: 'shut-off',
      namespace: 'AWS-IoT',
      payloadTemplate: shutOffPayloadTemplate(),
      preprocessor: { awsJsonSubstitution: { outputFormat: 'JSON' } },
      mandatoryParameters: COMMAND_PARAMETERS.map((name) => ({ name, type: 'STRING' })),
    }),
  );
  const payloads: Record<string, string> = {
    resume: '{"operation":"resume","version":1,"containmentId":"c-1","reason":"x"}',
    later: '{"operation":"shut-off","version":2,"containmentId":"c-1","reason":"x"}',
    ...Object.fromEntries(OTHERS.map((text, index) => [`other-${index}`, text])),
  };
  for (const [commandId, text] of Object.entries(payloads)) {
    const payload = { content: Buffer.from(text), contentType: 'application/json' };
    await desk.iot.send(new CreateCommandCommand({ commandId, namespace: 'AWS-IoT', payload }));
  }
});
afterEach(async () => {
  for (const device of running.splice(0)) await device.stop();
  expect(cloud.errors.splice(0)).toEqual([]);
});
afterAll(async () => {
  jobsData.destroy();
  await desk.stop();
});

async function enrol({ mayHear = true } = {}): Promise<Device> {
  const device = await desk.enrol(`motor-${++count}`);
  if (mayHear) await desk.iot.send(new AttachPolicyCommand({ policyName: 'commands', target: device.certificateArn }));
  return device;
}
function run(...parameters: Parameters<typeof runDevice> extends [unknown, ...infer R] ? R : never): RunningDevice {
  const [device, options] = parameters;
  const started = runDevice(desk, device, { commands: true, ...options });
  running.push(started);
  return started;
}

async function command(device: Device, containmentId = 'c-1', commandId = 'shut-off'): Promise<string> {
  const parameters = commandId === 'shut-off' ? { containmentId: { S: containmentId }, reason: { S: 'flood' } } : undefined;
  const { executionId } = await jobsData.send(
    new StartCommandExecutionCommand({
      commandArn: ARN(`command/${commandId}`),
      targetArn: ARN(`thing/${device.thingName}`),
      executionTimeoutSeconds: 30,
      ...(parameters ? { parameters } : {}),
    }),
  );
  return executionId!;
}
async function order(device: Device, operation: 'shut-off' | 'resume', containmentId = 'c-1'): Promise<string> {
  const jobId = `${operation}-${++count}`;
  const document = JSON.stringify({ operation, version: 1, containmentId, reason: 'flood' });
  await desk.iot.send(new CreateJobCommand({ jobId, targets: [ARN(`thing/${device.thingName}`)], document }));
  return jobId;
}

const moment = (ms = 25): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
async function until<T>(read: () => Promise<T>, isIt: (value: T) => boolean): Promise<T> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const value = await read();
    if (isIt(value)) return value;
    await moment();
  }
  return read();
}
const execution = async (device: Device, executionId: string) => {
  const targetArn = ARN(`thing/${device.thingName}`);
  const found = await desk.iot.send(new GetCommandExecutionCommand({ executionId, targetArn, includeResult: true }));
  return { status: found.status, reason: found.statusReason?.reasonCode, said: found.result?.['stopped']?.S };
};
/** How the execution ended. */
const ended = (device: Device, executionId: string) =>
  until(
    () => execution(device, executionId),
    ({ status }) => status !== 'CREATED',
  );
const jobEnded = (device: Device, jobId: string) =>
  until(
    () => cloud.execution(jobId, device.thingName),
    ({ status }) => status !== 'QUEUED' && status !== 'IN_PROGRESS',
  );

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
/** What is published comes after the subscription to commands: then the device hears them. */
const settings = { telemetryEveryMs: 40 };
const orders = (device: RunningDevice): AgentEvent[] => device.events.filter(({ kind }) => kind === 'order');

test('a connected device stops at once, stores it, and says what it has stopped', async () => {
  const device = await enrol();
  const pump = new Pump();
  const agent = run(device, { actuation: pump, telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  expect(await ended(device, await command(device))).toEqual({ status: 'SUCCEEDED', said: 'actuation,telemetry' });
  expect(pump.told).toEqual(['resume', 'stop']);
  expect(JSON.parse(String(await agent.files.read('shut-off.json')))).toEqual({ containmentId: 'c-1' });
});

test.each([['command first'], ['job first']])('job and command for the same containment, %s: obeyed once, both answered', async (which) => {
  const device = await enrol();
  const pump = new Pump();
  const agent = run(device, { actuation: pump, telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  const first = which === 'job first' ? await order(device, 'shut-off') : await command(device);
  const second = which === 'job first' ? await command(device) : await order(device, 'shut-off');
  const [jobId, executionId] = which === 'job first' ? [first, second] : [second, first];
  expect(await ended(device, executionId)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await jobEnded(device, jobId)).toMatchObject({ status: 'SUCCEEDED', details: { stopped: 'actuation,telemetry' } });
  expect(pump.told).toEqual(['resume', 'stop']);
  expect(orders(agent)).toHaveLength(2);
  // One resume ends it, for the containment that both have named.
  expect(await jobEnded(device, await order(device, 'resume'))).toMatchObject({ status: 'SUCCEEDED' });
  expect(pump.runs).toBe(true);
});

test('a command does not wait for Jobs: it is obeyed while the job before it is not answered', async () => {
  const device = await enrol();
  const pump = new Pump();
  const agent = run(device, { actuation: pump, telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  const { faults } = desk.cloud.world;
  faults.set({ throttle: 1, only: ['iotjobsdata:UpdateJobExecution'] });
  const jobId = await order(device, 'shut-off');
  await agent.until(({ kind }) => kind === 'warning');
  expect(await ended(device, await command(device))).toMatchObject({ status: 'SUCCEEDED' });
  faults.set({ throttle: 0, only: [] });
  expect(await jobEnded(device, jobId)).toMatchObject({ status: 'SUCCEEDED' });
  expect(pump.told).toEqual(['resume', 'stop']);
});

test('a resume for another containment than the one that the command named is refused', async () => {
  const device = await enrol();
  const agent = run(device, { telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  await ended(device, await command(device, 'c-new'));
  expect(await jobEnded(device, await order(device, 'resume', 'c-old'))).toMatchObject({ details: { reason: 'other-containment' } });
});

test('a command that arrives after the resume of its containment is refused: nobody would tell the device to go on', async () => {
  const device = await enrol();
  const pump = new Pump();
  const agent = run(device, { actuation: pump, telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  await jobEnded(device, await order(device, 'resume', 'c-1'));
  expect(await ended(device, await command(device, 'c-1'))).toMatchObject({ status: 'REJECTED', reason: 'CONTAINMENT-OVER' });
  expect(pump.runs).toBe(true);
  expect(await ended(device, await command(device, 'c-2'))).toMatchObject({ status: 'SUCCEEDED' });
});

test('a command does not take the place of another containment: it may be a late one, and only a job can say that it is not over', async () => {
  const device = await enrol();
  const pump = new Pump();
  const agent = run(device, { actuation: pump, telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  expect(await jobEnded(device, await order(device, 'shut-off', 'c-2'))).toMatchObject({ status: 'SUCCEEDED' });
  expect(await ended(device, await command(device, 'c-1'))).toMatchObject({ status: 'REJECTED', reason: 'OTHER-CONTAINMENT' });
  expect(JSON.parse(String(await agent.files.read('shut-off.json')))).toEqual({ containmentId: 'c-2' });
  // A containment that began after one of which the device has not heard the end: by its job.
  expect(await jobEnded(device, await order(device, 'shut-off', 'c-3'))).toMatchObject({ status: 'SUCCEEDED' });
  expect(await ended(device, await command(device, 'c-3'))).toMatchObject({ status: 'SUCCEEDED' });
  expect(await jobEnded(device, await order(device, 'resume', 'c-3'))).toMatchObject({ status: 'SUCCEEDED' });
  expect(pump.runs).toBe(true);
});

test('by command a device never resumes', async () => {
  const device = await enrol();
  const pump = new Pump();
  const agent = run(device, { actuation: pump, telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  await ended(device, await command(device));
  expect(await ended(device, await command(device, 'c-1', 'resume'))).toMatchObject({ status: 'REJECTED', reason: 'UNSUPPORTED-DOCUMENT' });
  expect(pump.runs).toBe(false);
});

test('a command of another program is left to that program: it is not answered, and not ended', async () => {
  const device = await enrol();
  const agent = run(device, { telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  const executions = await Promise.all(OTHERS.map((_, index) => command(device, 'c-1', `other-${index}`)));
  // What AWS IoT says to that program is not for us either.
  const rejected = `$aws/commands/things/${device.thingName}/executions/${executions[0]}/response/rejected/json`;
  desk.cloud.parts.gateway!.publish(rejected, '{"error":"InvalidRequest"}', { qos: 1 });
  // After them, and obeyed: they have been heard.
  await ended(device, await command(device));
  for (const executionId of executions) expect(await execution(device, executionId)).toMatchObject({ status: 'CREATED' });
  expect(orders(agent)).toHaveLength(1);
  expect(agent.events.filter(({ kind }) => kind === 'warning')).toEqual([]);
});

test('a shut-off that this device does not know is refused', async () => {
  const device = await enrol();
  const agent = run(device, { telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  expect(await ended(device, await command(device, 'c-1', 'later'))).toMatchObject({ status: 'REJECTED', reason: 'UNSUPPORTED-DOCUMENT' });
  expect(orders(agent)).toEqual([]);
});

test('what the device cannot do is said to the command as to the job', async () => {
  const device = await enrol();
  const stuck: Actuation = { stop: () => Promise.reject(new Error('stuck')), resume: () => Promise.resolve() };
  const agent = run(device, { actuation: stuck, telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  expect(await ended(device, await command(device))).toMatchObject({ status: 'FAILED', reason: 'ACTUATION' });
  // Not done: told again, it tries again.
  expect(await jobEnded(device, await order(device, 'shut-off'))).toMatchObject({ status: 'FAILED', details: { reason: 'actuation' } });
});

test('a report that was being measured when the command came is not sent any more', async () => {
  const device = await enrol();
  let measured: (metrics: object) => void = () => undefined;
  const metrics = () => new Promise<object>((resolve) => (measured = resolve));
  const agent = run(device, { telemetry, metrics, random: () => 1, settings: { ...settings, reportEveryMs: 10_000 } });
  await agent.until(({ kind }) => kind === 'published');
  await ended(device, await command(device));
  measured({});
  await moment(100);
  expect(agent.events.filter(({ kind }) => kind === 'reported')).toEqual([]);
});

test('hardware that throws where it should reject: said as well, and the device still hears what comes next', async () => {
  const device = await enrol();
  const broken: Actuation = {
    stop: () => {
      throw new Error('no such bus');
    },
    resume: () => Promise.resolve(),
  };
  const agent = run(device, { actuation: broken, telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  expect(await ended(device, await command(device))).toMatchObject({ status: 'FAILED', reason: 'ACTUATION' });
  expect(await jobEnded(device, await order(device, 'resume'))).toMatchObject({ status: 'SUCCEEDED' });
});

test('the connection ends while the device still stops: the job on the next one waits for that, and nothing is stopped twice', async () => {
  const device = await enrol();
  const pump = new Pump();
  let standsStill: () => void = () => undefined;
  const windingDown = new Promise<void>((resolve) => (standsStill = resolve));
  const slow: Actuation = {
    stop: async () => {
      await pump.stop();
      await windingDown;
    },
    resume: () => pump.resume(),
  };
  const agent = run(device, { actuation: slow, telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  await command(device);
  await until(
    () => Promise.resolve(pump.told),
    (told) => told.includes('stop'),
  );
  expect(desk.gateway.deleteConnection(device.thingName, {})).toBe(true);
  await agent.until(({ kind }) => kind === 'disconnected');
  const jobId = await order(device, 'shut-off');
  await until(
    () => cloud.execution(jobId, device.thingName),
    ({ status }) => status === 'IN_PROGRESS',
  );
  standsStill();
  expect(await jobEnded(device, jobId)).toMatchObject({ status: 'SUCCEEDED' });
  expect(pump.told).toEqual(['resume', 'stop']);
});

test('the power goes when the command is stored and before it is answered: the device stays off, and the job is answered', async () => {
  const device = await enrol();
  const memory = storageOf(device);
  let die: () => void = () => undefined;
  const death = new Promise<void>((resolve) => (die = resolve));
  const mortal: Files = {
    ...memory,
    replace: async (name, content) => {
      await memory.replace(name, content);
      if (name !== 'shut-off.json') return;
      die();
      await new Promise(() => undefined);
    },
  };
  const doomed = run(device, { memory, files: mortal, actuation: new Pump(), telemetry, settings });
  await doomed.until(({ kind }) => kind === 'published');
  const executionId = await command(device);
  await death;
  await doomed.stop();
  const jobId = await order(device, 'shut-off');
  const pump = new Pump();
  const agent = run(device, { memory, actuation: pump, telemetry, settings });
  expect(await jobEnded(device, jobId)).toMatchObject({ status: 'SUCCEEDED' });
  expect(pump.told).toEqual(['stop']);
  expect(agent.events.filter(({ kind }) => kind === 'published')).toEqual([]);
  expect(await execution(device, executionId)).toMatchObject({ status: 'CREATED' });
});

test('a storage that takes nothing: stopped all the same, and no success', async () => {
  const device = await enrol();
  const memory = storageOf(device);
  const files: Files = {
    ...memory,
    replace: (name, content) =>
      name === 'shut-off.json' ? Promise.reject(new StorageError('write', name, new Error('full'))) : memory.replace(name, content),
  };
  const pump = new Pump();
  const agent = run(device, { files, actuation: pump, telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  expect(await ended(device, await command(device))).toMatchObject({ status: 'FAILED', reason: 'STORAGE' });
  expect(pump.runs).toBe(false);
  expect(await jobEnded(device, await order(device, 'shut-off'))).toMatchObject({ status: 'FAILED', details: { reason: 'storage' } });
});

test('where the policy does not let it hear commands it says so once, and obeys jobs as ever, also over new connections', async () => {
  const device = await enrol({ mayHear: false });
  const agent = run(device, { telemetry, settings: { ...settings, refused: { firstMs: 50, longestMs: 60_000 } } });
  await agent.until(({ kind }) => kind === 'published');
  const warnings = () => agent.events.filter((event) => event.kind === 'warning' && event.message.includes('commands are not heard'));
  await until(
    () => Promise.resolve(warnings().length),
    (told) => told > 0,
  );
  expect(desk.gateway.deleteConnection(device.thingName, {})).toBe(true);
  await agent.until(({ kind }) => kind === 'disconnected');
  expect(await jobEnded(device, await order(device, 'shut-off'))).toMatchObject({ status: 'SUCCEEDED' });
  expect(warnings()).toHaveLength(1);
});

test('a device that was refused asks again later, and hears commands from then on', async () => {
  const device = await enrol({ mayHear: false });
  const agent = run(device, { telemetry, settings });
  await agent.until((event) => event.kind === 'warning' && event.message.includes('commands are not heard'));
  await desk.iot.send(new AttachPolicyCommand({ policyName: 'commands', target: device.certificateArn }));
  await moment(150);
  expect(desk.gateway.deleteConnection(device.thingName, {})).toBe(true);
  await agent.until(({ kind }) => kind === 'disconnected');
  await until(
    () => Promise.resolve(agent.events.filter(({ kind }) => kind === 'connected').length),
    (connections) => connections > 1,
  );
  await moment(200);
  expect(await ended(device, await command(device))).toMatchObject({ status: 'SUCCEEDED' });
});

test('a device that is not told to listen asks for nothing', async () => {
  const device = await enrol();
  const agent = run(device, { commands: false, telemetry, settings });
  await agent.until(({ kind }) => kind === 'published');
  await moment(200);
  const executionId = await command(device);
  await moment(200);
  expect(await execution(device, executionId)).toMatchObject({ status: 'CREATED' });
  expect(orders(agent)).toEqual([]);
});
