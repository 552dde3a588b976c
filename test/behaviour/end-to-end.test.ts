/**
 * The monitor as it is deployed: topic rules, stream, tumbling windows, the bundled functions under their roles, and devices on MQTT over mutual TLS. A
 * device does what it should not; within seconds the violation is on the topic, and what the topic says can be read again at its source.
 */
import mqtt, { type MqttClient } from 'mqtt';
import { ViolationNotification } from '../../domain/protocol/violation.js';
import { documentClient } from '../../lambda/aws/clients.js';
import { monitorViolations } from '../../lambda/aws/violations-monitor.js';
import { assemblyOf } from '../scenarios/support/assembly.js';
import { HOUR, MINUTE, Scene, type Device } from '../scenarios/support/scene.js';
import { queueUrlOf } from '../scenarios/support/quiet.js';

const LISTENER = 'violations-listener';
const BATCHING_MS = 6000;
/** A window is over for Lambda when a later record is read, or two minutes after its end. */
const WINDOW_OVER_MS = 8 * MINUTE;

jest.setTimeout(240_000);

let scene: Scene;
let devices: Device[];
const clients: MqttClient[] = [];

beforeAll(async () => {
  const assembly = await assemblyOf({
    more: {
      behaviour: {
        detect: 'built-in',
        sources: { sent: true, subscriptions: true, received: true },
        behaviours: [
          { name: 'messages-sent', value: 40 },
          { name: 'source-address', operator: 'in-cidr-set', value: ['127.0.0.1/32'] },
          { name: 'authorization-failures', value: 2 },
          { name: 'disconnect-duration', value: 120 },
          { name: 'battery', value: 10, response: 'notify' },
        ],
      },
    },
  });
  scene = await Scene.open(assembly, { factory: 6 });
  devices = scene.factoryDevices;
  await listen();
  Object.assign(process.env, scene.desk.env);
});
afterEach(() => clients.splice(0).forEach((client) => client.end(true)));
afterAll(() => scene?.close());

async function listen(): Promise<void> {
  const { cloud, world } = scene.desk;
  const TopicArn = `arn:aws:sns:${world.region}:${world.accountId}:fleetwarden-violations`;
  const QueueArn = `arn:aws:sqs:${world.region}:${world.accountId}:${LISTENER}`;
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: QueueArn,
        Condition: { ArnEquals: { 'aws:SourceArn': TopicArn } },
      },
    ],
  });
  await cloud.call('sqs', 'CreateQueue', { QueueName: LISTENER, Attributes: { Policy } });
  await cloud.call('sns', 'Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: QueueArn, Attributes: { RawMessageDelivery: 'true' } });
}

async function heard(): Promise<ViolationNotification[]> {
  const QueueUrl = queueUrlOf(scene.desk, LISTENER);
  const found: ViolationNotification[] = [];
  for (;;) {
    const { Messages = [] } = await scene.desk.cloud.call<{ Messages?: { Body: string; ReceiptHandle: string }[] }>(
      'sqs',
      'ReceiveMessage',
      {
        QueueUrl,
        MaxNumberOfMessages: 10,
      },
    );
    if (Messages.length === 0) return found;
    for (const { Body, ReceiptHandle } of Messages) {
      found.push(ViolationNotification.parse(JSON.parse(Body)));
      await scene.desk.cloud.call('sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle });
    }
  }
}

async function connect(device: Device, localAddress = '127.0.0.1'): Promise<MqttClient> {
  const { desk } = scene;
  // `localAddress` is an option of the socket, which the client hands through.
  const options = {
    ca: desk.serverCaPem,
    cert: device.certificatePem,
    key: device.privateKeyPem,
    clientId: device.thingName,
    protocolVersion: 4,
    reconnectPeriod: 0,
    rejectUnauthorized: false,
    localAddress,
  } as const;
  const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${desk.env.DESK_MQTT_PORT}`, options, false);
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

const pass = (ms: number) => scene.pass(ms);
const source = () => monitorViolations({ client: documentClient(), table: scene.ledger.tables.ledger }, 'fleetwarden-built-in');

test('a device that floods is in alarm within seconds, once, with what it did; when it is quiet the alarm clears', async () => {
  const [flooder, quiet] = [devices[0]!, devices[1]!];
  const [loud, calm] = [await connect(flooder), await connect(quiet)];
  for (let i = 0; i < 60; i++) await loud.publishAsync(`fleet/${flooder.thingName}/telemetry`, JSON.stringify({ i }), { qos: 1 });
  await calm.publishAsync(`fleet/${quiet.thingName}/telemetry`, '{}', { qos: 1 });
  await pass(BATCHING_MS);
  const raised = await heard();
  expect(raised).toEqual([
    expect.objectContaining({
      thingName: flooder.thingName,
      violationEventType: 'in-alarm',
      securityProfileName: 'fleetwarden-built-in',
      behavior: {
        name: 'messages-sent',
        metric: 'aws:num-messages-sent',
        criteria: {
          comparisonOperator: 'less-than-equals',
          value: { count: 40 },
          durationSeconds: 300,
          consecutiveDatapointsToAlarm: 1,
          consecutiveDatapointsToClear: 3,
        },
      },
    }),
  ]);
  expect(raised[0]!.metricValue!.count).toBeGreaterThan(40);
  const read = await source().read(raised[0]!);
  expect(read).toMatchObject({ isOpen: true, behavior: 'messages-sent', lastEventType: 'in-alarm' });
  expect(await source().read({ ...raised[0]!, thingName: quiet.thingName })).toBeUndefined();

  loud.end(true);
  for (let minutes = 0; minutes < 30; minutes += 5) await pass(5 * MINUTE);
  const cleared = (await heard()).filter(({ behavior }) => behavior.name === 'messages-sent');
  expect(cleared).toEqual([
    expect.objectContaining({ violationId: raised[0]!.violationId, violationEventType: 'alarm-cleared', metricValue: { count: 0 } }),
  ]);
  expect(await source().read(raised[0]!)).toMatchObject({ isOpen: false, lastEventType: 'alarm-cleared' });
});

test('a device that connects from a strange address is in alarm, and the address is what was seen', async () => {
  const device = devices[2]!;
  await connect(device, '127.0.0.2');
  await pass(BATCHING_MS);
  expect(await heard()).toEqual([
    expect.objectContaining({
      thingName: device.thingName,
      violationEventType: 'in-alarm',
      behavior: expect.objectContaining({ name: 'source-address' }),
      metricValue: { cidrs: ['127.0.0.2'] },
    }),
  ]);
});

test('a device that tries topics it may not use is in alarm when it has been refused too often', async () => {
  const device = devices[3]!;
  for (const topic of ['fleet/other/telemetry', 'admin/commands', 'secrets']) {
    const client = await connect(device);
    client.publish(topic, 'x', { qos: 1 });
    await new Promise<void>((resolve) => client.once('close', () => resolve()));
  }
  await pass(BATCHING_MS);
  expect(await heard()).toEqual([
    expect.objectContaining({
      thingName: device.thingName,
      behavior: expect.objectContaining({ name: 'authorization-failures' }),
      metricValue: { count: 3 },
    }),
  ]);
});

test('a device that reports an open telnet port, a new peer, or an empty battery is in alarm for each; nonsense is counted and holds up nobody', async () => {
  const device = devices[4]!;
  const client = await connect(device);
  const report = (said: object | string) =>
    client.publishAsync(`fleet/${device.thingName}/report`, typeof said === 'string' ? said : JSON.stringify(said), { qos: 1 });
  await report('nonsense');
  await report({ header: { report_id: 1, version: '1.0' }, metrics: { listening_tcp_ports: 'all of them' } });
  await report({
    hed: { rid: 2, v: '1.0' },
    met: { tp: { pts: [{ pt: 22 }, { pt: 23 }], t: 2 }, tc: { ec: { cs: [{ rad: '203.0.113.9:443' }, { rad: '10.0.0.1:8883' }], t: 2 } } },
    cmet: { battery: [{ number: 3 }] },
  });
  await pass(BATCHING_MS);
  const values = Object.fromEntries((await heard()).map(({ behavior, metricValue }) => [behavior.name, metricValue]));
  expect(values).toEqual({
    'tcp-ports': { ports: [23] },
    'destination-addresses': { cidrs: ['203.0.113.9'] },
    battery: { number: 3 },
  });
});

test('a device that stays away too long is in alarm, and is not any more when it is back', async () => {
  const device = devices[5]!;
  const client = await connect(device);
  await pass(BATCHING_MS);
  client.end(true);
  await pass(WINDOW_OVER_MS);
  await heard();
  for (let hours = 0; hours < 3; hours += 1) await pass(HOUR);
  const away = (await heard()).filter(({ thingName }) => thingName === device.thingName);
  expect(away.map(({ violationEventType, behavior }) => [violationEventType, behavior.name])).toEqual([
    ['in-alarm', 'disconnect-duration'],
  ]);
  await connect(device);
  await pass(WINDOW_OVER_MS);
  await pass(WINDOW_OVER_MS);
  const back = (await heard()).filter(({ thingName }) => thingName === device.thingName);
  expect(back.map(({ violationEventType, violationId }) => [violationEventType, violationId])).toEqual([
    ['alarm-cleared', away[0]!.violationId],
  ]);
});

test('nothing of all that lies in a dead-letter queue, and no function has failed', async () => {
  for (const name of ['behaviour-watch', 'behaviour-offline'])
    expect((await scene.log(name)).filter(({ level }) => level === 'WARN').map(({ message }) => message)).toEqual([]);
});
