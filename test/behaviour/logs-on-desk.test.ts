/**
 * Refusals out of the log of AWS IoT, end to end as it is deployed: IoT policies refuse, AWS IoT logs at ERROR under the role of the template, the subscription
 * filter puts the lines on the stream, the monitor takes them apart, raises, and quarantine contains.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AttachPolicyCommand, CreatePolicyCommand, SetV2LoggingOptionsCommand } from '@aws-sdk/client-iot';
import type { MqttClient } from 'mqtt';
import { METRICS } from '../../domain/fleet/metrics.js';
import { assemblyOf } from '../scenarios/support/assembly.js';
import { MqttClients } from '../scenarios/support/mqtt-clients.js';
import { MINUTE, Scene, type Device } from '../scenarios/support/scene.js';

const LIMIT = 2;
/** CloudWatch Logs delivers, the mapping collects, `watch` puts back, the mapping collects again. */
const BATCHING_MS = 6000;
const GROUP = 'AWSIotLogsV2';

jest.setTimeout(240_000);

let scene: Scene;
const clients = new MqttClients();

beforeAll(async () => {
  const assembly = await assemblyOf({
    more: {
      behaviour: {
        detect: 'built-in',
        sources: { logs: true },
        manage: { logging: true },
        behaviours: [
          { name: 'authorization-failures', value: LIMIT },
          { name: 'source-address', enabled: false },
        ],
      },
      quarantine: { mode: 'enforce', ratePerSecond: 100, brake: { floor: 20, perHour: 20, fleetShare: 1, groupShare: 1 } },
    },
  });
  scene = await Scene.open(assembly, { factory: 8 });
});
afterEach(() => clients.end());
afterAll(() => scene?.close());

const device = (n: number): Device => scene.factoryDevices[n - 1]!;
const call = <T>(service: string, operation: string, input: object): Promise<T> =>
  scene.desk.cloud.call<T>(service, operation, input as Record<string, unknown>);

const connect = (from: Device, clientId?: string): Promise<MqttClient> => clients.connect(scene, from, clientId);

/** Publishes where it may not; the connection ends. */
async function publishRefused(from: Device, topic: string): Promise<void> {
  const client = await connect(from);
  const ended = new Promise<void>((resolve) => client.once('close', () => resolve()));
  client.publish(topic, 'x', { qos: 1 });
  await ended;
}

interface Violation {
  readonly thingName: string;
  readonly behavior: string;
  readonly count?: number;
}
/** What the monitor has said by now, out of the ledger. */
async function violations(): Promise<Violation[]> {
  const { Items } = await call<{ Items: Record<string, { S?: string; M?: Record<string, { S?: string; N?: string; M?: object }> }>[] }>(
    'dynamodb',
    'Scan',
    { TableName: scene.ledger.tables.ledger },
  );
  return Items.filter(({ sk, pk }) => sk?.S === 'VIOLATION' && pk?.S?.startsWith('VIOLATION#')).map((item) => {
    const value = (item['metricValue'] ?? item['value'])?.M?.['count']?.N;
    return {
      thingName: item['thingName']!.S!,
      behavior: item['behavior']?.M?.['name']?.S ?? '',
      ...(value === undefined ? {} : { count: Number(value) }),
    };
  });
}
const ofThing = async (thingName: string): Promise<Violation[]> => (await violations()).filter((each) => each.thingName === thingName);
const statusOf = async (of: Device): Promise<string | undefined> => (await scene.statuses([of]))[0];

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within a minute: ${what}; violations: ${JSON.stringify(await violations())}`);
    await scene.pass(BATCHING_MS);
    await sleep(100);
  }
}
/** All that has happened has been read, taken apart and judged. */
async function judged(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await scene.pass(BATCHING_MS);
}
const lines = async (thingName: string) => {
  const { events } = await call<{ events: { message: string }[] }>('logs', 'FilterLogEvents', {
    logGroupName: GROUP,
    filterPattern: `{ $.clientId = "${thingName}" }`,
  });
  return events.map(({ message }) => JSON.parse(message) as { eventType: string; logLevel: string });
};

test('deployed to an account that has never logged, AWS IoT logs at ERROR, and the log group is subscribed to', async () => {
  expect(await call('iot', 'GetV2LoggingOptions', {})).toMatchObject({ defaultLogLevel: 'ERROR', disableAllLogs: false });
  const { subscriptionFilters } = await call<{ subscriptionFilters: { filterPattern: string }[] }>('logs', 'DescribeSubscriptionFilters', {
    logGroupName: GROUP,
  });
  expect(subscriptionFilters.map(({ filterPattern }) => filterPattern)).toEqual(['{ $.reason = "AUTHORIZATION_FAILURE" }']);
});

test('a device that subscribes to what is others’, which no presence event tells of, is contained', async () => {
  const client = await connect(device(1));
  for (const filter of ['fleet/#', 'admin/+', 'fleet/pump-2/commands'])
    await client.subscribeAsync(filter, { qos: 1 }).catch(() => undefined);
  expect((await lines('pump-1')).map(({ eventType, logLevel }) => [eventType, logLevel])).toEqual([
    ['Subscribe', 'ERROR'],
    ['Subscribe', 'ERROR'],
    ['Subscribe', 'ERROR'],
  ]);
  await until('pump-1 is cut off', async () => (await statusOf(device(1))) === 'INACTIVE');
  expect(await ofThing('pump-1')).toEqual([expect.objectContaining({ behavior: 'authorization-failures' })]);
});

test('two refused messages, told of by presence and by the log, are two: the limit is not passed', async () => {
  for (const topic of ['fleet/pump-1/telemetry', 'secrets']) await publishRefused(device(2), topic);
  await judged();
  expect((await lines('pump-2')).filter(({ eventType }) => eventType === 'Publish-In')).toHaveLength(2);
  expect(await ofThing('pump-2')).toEqual([]);
});

test('three are, and the device is contained', async () => {
  for (const topic of ['fleet/pump-1/telemetry', 'secrets', 'admin/commands']) await publishRefused(device(3), topic);
  await until('pump-3 is cut off', async () => (await statusOf(device(3))) === 'INACTIVE');
  expect(await ofThing('pump-3')).toEqual([{ thingName: 'pump-3', behavior: 'authorization-failures', count: 3 }]);
});

test('one that claims to be another, again and again, does the other no harm: it is counted, once each time, for itself', async () => {
  for (let n = 0; n < 4; n += 1) await connect(device(4), 'pump-5').catch(() => undefined);
  await until('it is said', async () => (await violations()).some(({ count }) => count === 4));
  // Presence names the thing of a certificate that is attached exclusively; else it would be the certificate id.
  expect(await ofThing('pump-4')).toEqual([{ thingName: 'pump-4', behavior: 'authorization-failures', count: 4 }]);
  expect(await ofThing('pump-5')).toEqual([]);
  expect(await statusOf(device(5))).toBe('ACTIVE');
});

describe('a device whose policy lets it subscribe to everything and receive little', () => {
  const listening = async (of: Device): Promise<void> => {
    const { region, accountId } = scene.desk.world;
    const Statement = [{ Effect: 'Allow', Action: 'iot:Subscribe', Resource: `arn:aws:iot:${region}:${accountId}:topicfilter/fleet/#` }];
    await scene.clients.iot
      .send(new CreatePolicyCommand({ policyName: 'wide', policyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) }))
      .catch(() => undefined);
    await scene.clients.iot.send(new AttachPolicyCommand({ policyName: 'wide', target: of.certificateArn }));
    // A change of rights takes minutes.
    await scene.pass(10 * MINUTE);
    const client = await connect(of);
    await client.subscribeAsync('fleet/#', { qos: 1 });
  };
  const say = (topic: string): void => scene.desk.cloud.parts.gateway!.publish(topic, 'x', { qos: 1 });

  test('is not contained by whoever writes to one topic, however often', async () => {
    await listening(device(6));
    for (let n = 0; n < 20; n += 1) say('fleet/pump-9/commands');
    await judged();
    expect((await lines('pump-6')).filter(({ eventType }) => eventType === 'Publish-Out')).toHaveLength(20);
    expect(await ofThing('pump-6')).toEqual([]);
  });

  test('nor by whoever writes to many', async () => {
    await listening(device(7));
    for (let n = 20; n < 44; n += 1) say(`fleet/pump-${n}/commands`);
    await judged();
    expect((await lines('pump-7')).filter(({ eventType }) => eventType === 'Publish-Out')).toHaveLength(24);
    expect(await ofThing('pump-7')).toEqual([]);
    expect(await statusOf(device(7))).toBe('ACTIVE');
  });
});

test('where the logging is switched off, people are told within minutes, and refused messages contain as before', async () => {
  const options = await call<{ roleArn: string }>('iot', 'GetV2LoggingOptions', {});
  await scene.clients.iot.send(new SetV2LoggingOptionsCommand({ ...options, disableAllLogs: true } as never));
  for (const topic of ['fleet/pump-1/telemetry', 'secrets', 'admin/commands']) await publishRefused(device(8), topic);
  expect(await lines('pump-8')).toEqual([]);
  await until('pump-8 is cut off', async () => (await statusOf(device(8))) === 'INACTIVE');
  await scene.pass(6 * MINUTE);
  const said = (await scene.log('behaviour-offline')).filter(({ message }) => message === 'refusals are not logged');
  expect(said.length).toBeGreaterThan(0);
  expect(said[0]).toMatchObject({ level: 'WARN', why: 'all-disabled' });
  const { MetricAlarms } = await call<{ MetricAlarms: { AlarmName: string; MetricName: string; StateValue: string }[] }>(
    'cloudwatch',
    'DescribeAlarms',
    { AlarmNames: ['fleetwarden-refusals-not-logged'] },
  );
  expect(MetricAlarms[0]).toMatchObject({ MetricName: METRICS.refusalsNotLogged, StateValue: 'ALARM' });
});

test('nothing of what was read was unreadable, and no function has failed', async () => {
  const warned = (await scene.log('behaviour-watch')).filter(({ level }) => level === 'WARN' || level === 'ERROR');
  expect(warned.map(({ message }) => message)).toEqual([]);
});
