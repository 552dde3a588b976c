/**
 * `detect: both`: the same devices, the same traffic, over mutual TLS. Device Defender Detect, as the desk evaluates it from AWS's pages, and the built-in
 * monitor, which shares no code with it, must say the same violations about the same things; where they rightly differ, a table says how and why. Quarantine
 * is on and listens to both: what both accuse is contained once.
 */
import mqtt, { type MqttClient } from 'mqtt';
import { deviceTopic, defenderTopic, jobsTopic, REPORT_TOPIC } from '../../domain/protocol/topics.js';
import { ViolationNotification } from '../../domain/protocol/violation.js';
import { assemblyOf } from '../scenarios/support/assembly.js';
import { MINUTE, Scene, type Device } from '../scenarios/support/scene.js';
import { queueUrlOf } from '../scenarios/support/quiet.js';

const LISTENER = 'both-listener';
const BATCHING_MS = 6000;
const WINDOW_MS = 5 * MINUTE;
const PROFILES = { detect: 'fleetwarden-rules', monitor: 'fleetwarden-built-in' } as const;
type Who = keyof typeof PROFILES;

jest.setTimeout(300_000);

let scene: Scene;
const clients = new Set<MqttClient>();
const said: ViolationNotification[] = [];
/** What was said within seconds. */
let early: Readonly<Record<Who, readonly string[]>>;

beforeAll(async () => {
  const notify = { response: 'notify', datapointsToAlarm: 1 };
  const assembly = await assemblyOf({
    more: {
      behaviour: {
        detect: 'both',
        targets: ['all-things'],
        sources: { sent: true, received: true, subscriptions: true },
        behaviours: [
          { name: 'messages-sent', value: 40 },
          { name: 'subscriptions', value: 3, ...notify },
          { name: 'messages-received', value: 5, ...notify },
          { name: 'message-size', value: 1000, ...notify },
          { name: 'authorization-failures', value: 2 },
          { name: 'source-address', operator: 'in-cidr-set', value: ['127.0.0.1/32'] },
          { name: 'connection-attempts', value: 8, ...notify },
          { name: 'disconnects', value: 7, ...notify },
          { name: 'disconnect-duration', value: 120 },
          { name: 'bytes-out', value: 1000, ...notify },
          { name: 'tcp-port-count', value: 3 },
          { name: 'battery', value: 10, response: 'notify' },
          { name: 'procs', metric: 'procs', operator: 'not-in-set', value: ['miner'], ...notify },
        ],
        customMetrics: { battery: 'number', cpu_temp: 'number', procs: 'string-list' },
      },
      quarantine: { mode: 'enforce', ratePerSecond: 100, brake: { floor: 20, perHour: 100, fleetShare: 1, groupShare: 1 } },
    },
  });
  scene = await Scene.open(assembly, { factory: 16 });
  await listen();
});
afterAll(async () => {
  for (const client of clients) client.end(true);
  await scene?.close();
});

async function listen(): Promise<void> {
  const { cloud, world } = scene.desk;
  const TopicArn = `arn:aws:sns:${world.region}:${world.accountId}:fleetwarden-violations`;
  const QueueArn = `arn:aws:sqs:${world.region}:${world.accountId}:${LISTENER}`;
  const Statement = [{ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: QueueArn }];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await cloud.call('sqs', 'CreateQueue', { QueueName: LISTENER, Attributes: { Policy } });
  await cloud.call('sns', 'Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: QueueArn, Attributes: { RawMessageDelivery: 'true' } });
}

/** Adds what has come to what was said before. */
async function hear(): Promise<void> {
  const { cloud } = scene.desk;
  const QueueUrl = queueUrlOf(scene.desk, LISTENER);
  for (;;) {
    const input = { QueueUrl, MaxNumberOfMessages: 10 };
    const { Messages = [] } = await cloud.call<{ Messages?: { Body: string; ReceiptHandle: string }[] }>('sqs', 'ReceiveMessage', input);
    if (Messages.length === 0) return;
    for (const { Body, ReceiptHandle } of Messages) {
      said.push(ViolationNotification.parse(JSON.parse(Body)));
      await cloud.call('sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle });
    }
  }
}
/** `thing behaviour`, each once however often it was said. */
const by = (who: Who, type = 'in-alarm'): string[] => [
  ...new Set(
    said
      .filter(({ securityProfileName, violationEventType }) => securityProfileName === PROFILES[who] && violationEventType === type)
      .map(({ thingName, behavior }) => `${thingName} ${behavior.name}`),
  ),
];
const of = (lines: readonly string[], ...devices: readonly Device[]): string[] =>
  lines.filter((line) => devices.some(({ thingName }) => line.startsWith(`${thingName} `))).toSorted();

async function connect(device: Device, { localAddress = '127.0.0.1', clientId = device.thingName } = {}): Promise<MqttClient> {
  const { desk } = scene;
  // `localAddress` is an option of the socket, which the client hands through.
  const options = {
    ca: desk.serverCaPem,
    cert: device.certificatePem,
    key: device.privateKeyPem,
    clientId,
    protocolVersion: 4,
    reconnectPeriod: 0,
    rejectUnauthorized: false,
    localAddress,
  } as const;
  const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${desk.env.DESK_MQTT_PORT}`, options, false);
  client.on('error', () => undefined);
  clients.add(client);
  return client;
}
const telemetry = (client: MqttClient, { thingName }: Device, payload = '{}') =>
  client.publishAsync(deviceTopic('fleet', thingName, 'telemetry'), payload, { qos: 1 });
/** One firmware, two listeners. */
async function report(client: MqttClient, { thingName }: Device, met: object, cmet: object = {}): Promise<void> {
  const text = JSON.stringify({ hed: { rid: 1, v: '1.0' }, met, cmet });
  for (const topic of [deviceTopic('fleet', thingName, REPORT_TOPIC), defenderTopic(thingName)])
    await client.publishAsync(topic, text, { qos: 1 });
}
const device = (index: number): Device => scene.factoryDevices[index]!;
const pass = (ms: number) => scene.pass(ms);
/** Both cut windows at multiples of their length: what is done now falls into one. */
const windowBegins = () => pass(WINDOW_MS - (scene.desk.world.clock.nowMs() % WINDOW_MS) + 1000);

interface Execution {
  readonly input: { readonly thingName: string };
}
/** Of which things a containment was begun: one line each time. */
async function containments(): Promise<string[]> {
  const { cloud, world } = scene.desk;
  const stateMachineArn = `arn:aws:states:${world.region}:${world.accountId}:stateMachine:fleetwarden-quarantine`;
  const { executions } = await cloud.call<{ executions: { executionArn: string }[] }>('states', 'ListExecutions', { stateMachineArn });
  const things: string[] = [];
  for (const { executionArn } of executions) {
    const { input } = await cloud.call<{ input: string }>('states', 'DescribeExecution', { executionArn });
    things.push((JSON.parse(input) as Execution['input']).thingName);
  }
  return things.toSorted();
}

/** What each device does, what both must say of it, and whether it is contained. */
const DOINGS: readonly {
  readonly what: string;
  readonly does: (device: Device) => Promise<unknown>;
  readonly violates: readonly string[];
  readonly contained?: true;
}[] = [
  {
    what: 'floods',
    does: async (flooder) => {
      const client = await connect(flooder);
      for (let i = 0; i < 60; i++) await telemetry(client, flooder);
    },
    violates: ['messages-sent'],
    contained: true,
  },
  {
    what: 'comes from a strange address',
    does: (stray) => connect(stray, { localAddress: '127.0.0.2' }),
    violates: ['source-address'],
    contained: true,
  },
  {
    what: 'tries topics that are not its own',
    does: async (scanner) => {
      for (const topic of ['fleet/other/telemetry', 'admin/commands', 'secrets']) {
        const client = await connect(scanner);
        client.publish(topic, 'x', { qos: 1 });
        await new Promise<void>((resolve) => client.once('close', () => resolve()));
      }
    },
    violates: ['authorization-failures'],
    contained: true,
  },
  {
    what: 'reports an open telnet port, a new peer, too many ports and too much traffic',
    does: async (captured) =>
      report(await connect(captured), captured, {
        tp: { pts: [22, 23, 80, 443].map((pt) => ({ pt })), t: 4 },
        ns: { bi: 10, bo: 2000, pi: 1, po: 20 },
        tc: { ec: { cs: [{ rad: '203.0.113.9:443' }, { rad: '10.0.0.1:8883' }], t: 2 } },
      }),
    violates: ['bytes-out', 'destination-addresses', 'tcp-port-count', 'tcp-ports'],
    contained: true,
  },
  {
    what: 'reports an empty battery and a miner',
    does: async (weak) => report(await connect(weak), weak, {}, { battery: [{ number: 3 }], procs: [{ string_list: ['agent', 'miner'] }] }),
    violates: ['battery', 'procs'],
  },
  {
    what: 'sends a message that is too large',
    does: async (large) => telemetry(await connect(large), large, JSON.stringify({ x: 'x'.repeat(1000) })),
    violates: ['message-size'],
  },
  {
    what: 'is in a loop',
    does: async (looping) => {
      for (let i = 0; i < 9; i++) await (await connect(looping)).endAsync();
    },
    violates: ['connection-attempts', 'disconnects'],
  },
  {
    what: 'is talked to too much',
    does: async (listener) => {
      const topic = deviceTopic('fleet', listener.thingName, 'commands');
      const client = await connect(listener);
      await client.subscribeAsync(topic, { qos: 1 });
      for (let i = 0; i < 6; i++) await scene.desk.cloud.call('iotdata', 'Publish', { topic, payload: Buffer.from('{}'), qos: 1 });
    },
    violates: ['messages-received'],
  },
  { what: 'goes away', does: async (leaver) => (await connect(leaver)).endAsync(), violates: ['disconnect-duration'] },
  {
    what: 'behaves',
    does: async (good) => {
      const client = await connect(good);
      for (let i = 0; i < 30; i++) await telemetry(client, good);
      await report(client, good, { tp: { pts: [{ pt: 22 }], t: 1 }, ns: { bi: 1, bo: 1000, pi: 1, po: 1 } }, { battery: [{ number: 10 }] });
    },
    violates: [],
  },
];

describe('both say the same', () => {
  beforeAll(async () => {
    await windowBegins();
    for (const [index, { does }] of DOINGS.entries()) await does(device(index));
    await pass(BATCHING_MS);
    await hear();
    early = { detect: by('detect'), monitor: by('monitor') };
    await pass(8 * MINUTE);
    // Those that went away are missed after two hours.
    for (let minutes = 0; minutes < 150; minutes += 30) await pass(30 * MINUTE);
    await hear();
  });

  test.each(DOINGS.map(({ what, violates }, index) => [what, violates, index] as const))(
    'of a device that %s: %j',
    (_what, violates, index) => {
      const expected = violates.map((behaviour) => `${device(index).thingName} ${behaviour}`);
      // Who was contained went away as well: both have noticed.
      const noted = (who: Who): string[] =>
        of(by(who), device(index)).filter((line) => expected.includes(line) || !line.endsWith('disconnect-duration'));
      expect({ detect: noted('detect'), monitor: noted('monitor') }).toEqual({ detect: expected, monitor: expected });
    },
  );

  test('and the same of all of them together, contained ones that went away among them', () => {
    const all = DOINGS.map((_, index) => device(index));
    expect(of(by('detect'), ...all)).toEqual(of(by('monitor'), ...all));
  });

  test('each violation is announced once by each', () => {
    const ids = said.filter(({ violationEventType }) => violationEventType === 'in-alarm').map(({ violationId }) => violationId);
    expect(ids.length).toBe(new Set(ids).size);
    expect(ids.length).toBe(by('detect').length + by('monitor').length);
  });

  test('what both accuse is contained once', async () => {
    const expected = DOINGS.flatMap(({ contained }, index) => (contained ? [device(index).thingName] : []));
    expect(await containments()).toEqual(expected.toSorted());
  });
});

/** Each line: what is done, who says what of it, and why it is right that they differ (docs/behaviours.md has the same). */
const DIFFERENCES: readonly {
  readonly what: string;
  readonly does: (device: Device, other: Device) => Promise<unknown>;
  readonly detect: (device: Device, other: Device) => readonly string[];
  readonly monitor: (device: Device, other: Device) => readonly string[];
}[] = [
  {
    what: 'a subscription that is refused is in no event of AWS IoT, only in its log: the monitor sees it with `logs`',
    does: async (scanner) => {
      const client = await connect(scanner);
      for (const topic of ['a/#', 'b/#', 'c/#']) await client.subscribeAsync(topic, { qos: 1 }).catch(() => undefined);
    },
    detect: ({ thingName }) => [`${thingName} authorization-failures`],
    monitor: () => [],
  },
  {
    what: 'Detect knows no metric of subscriptions',
    does: async ({ thingName, ...rest }) => {
      const client = await connect({ thingName, ...rest });
      for (const topic of ['commands', 'rotation/response'] as const) await client.subscribeAsync(deviceTopic('fleet', thingName, topic));
      for (const suffix of ['notify', 'notify-next']) await client.subscribeAsync(jobsTopic(thingName, suffix));
    },
    detect: () => [],
    monitor: ({ thingName }) => [`${thingName} subscriptions`],
  },
  {
    what: 'no topic rule sees reserved topics: the monitor counts what is below the topic prefix',
    does: async (asking) => {
      const client = await connect(asking);
      for (let i = 0; i < 45; i++) await client.publishAsync(jobsTopic(asking.thingName, 'get'), '{}', { qos: 1 });
    },
    detect: ({ thingName }) => [`${thingName} messages-sent`],
    monitor: () => [],
  },
];

describe('they rightly differ', () => {
  const first = DOINGS.length;
  const [thief, victim] = [first + DIFFERENCES.length, first + DIFFERENCES.length + 1];
  beforeAll(async () => {
    await windowBegins();
    for (const [index, { does }] of DIFFERENCES.entries()) await does(device(first + index), device(first + index + 1));
    for (let i = 0; i < 3; i++) await connect(device(thief), { clientId: device(victim).thingName }).catch(() => undefined);
    await pass(BATCHING_MS);
    await pass(8 * MINUTE);
    await hear();
  });

  test.each(DIFFERENCES.map(({ what }, index) => [what, index] as const))('%s', (_what, index) => {
    const [subject, other] = [device(first + index), device(first + index + 1)];
    const { detect, monitor } = DIFFERENCES[index]!;
    expect({ detect: of(by('detect'), subject), monitor: of(by('monitor'), subject) }).toEqual({
      detect: detect(subject, other),
      monitor: monitor(subject, other),
    });
  });

  test('a connection that is refused under the name of another is held against its certificate by the monitor, against nobody by Detect; the other stays', async () => {
    const [owner, claimed] = [device(thief), device(victim)];
    // The certificate is attached to one thing exclusively: AWS IoT names that thing.
    expect(of(by('monitor'), owner)).toEqual([`${owner.thingName} authorization-failures`]);
    expect([of(by('detect'), owner, claimed), of(by('monitor'), claimed)]).toEqual([[], []]);
    const contained = await containments();
    expect([contained.includes(owner.thingName), contained.includes(claimed.thingName)]).toEqual([true, false]);
  });

  test('the monitor says within seconds what no later event can make normal; Detect judges reports as they come, and all else at the end of a window', () => {
    const [flooder, captured] = [device(0), device(3)];
    expect(of(early.monitor, flooder)).toEqual([`${flooder.thingName} messages-sent`]);
    expect(of(early.detect, flooder)).toEqual([]);
    expect(of(early.detect, captured)).toEqual(of(early.monitor, captured).filter((line) => !line.endsWith('bytes-out')));
  });

  test('Detect gives the whole measurement, the monitor what was too much when it was', () => {
    const count = (who: Who) =>
      said.find(({ thingName, securityProfileName }) => thingName === device(0).thingName && securityProfileName === PROFILES[who])
        ?.metricValue?.count;
    expect(count('detect')).toBe(60);
    expect(count('monitor')).toBeGreaterThan(40);
    expect(count('monitor')).toBeLessThanOrEqual(60);
  });

  test('a flooder that was cut off is quiet for the monitor, which clears; Detect evaluates what it receives, and gives up after two days', () => {
    const { thingName } = device(0);
    expect(by('monitor', 'alarm-cleared')).toContain(`${thingName} messages-sent`);
    expect(by('detect', 'alarm-cleared')).not.toContain(`${thingName} messages-sent`);
  });
});

describe('what people judge to be nothing', () => {
  /** Whether the function that answers violations reads its queue. */
  async function intakeReads(Enabled: boolean): Promise<void> {
    const { cloud } = scene.desk;
    const FunctionName = 'fleetwarden-quarantine-intake';
    const { EventSourceMappings = [] } = await cloud.call<{ EventSourceMappings?: { UUID: string }[] }>(
      'lambda',
      'ListEventSourceMappings',
      {
        FunctionName,
      },
    );
    for (const { UUID } of EventSourceMappings) await cloud.call('lambda', 'UpdateEventSourceMapping', { UUID, Enabled });
  }
  const fleetwarden = async (...given: string[]): Promise<string> => {
    const { status, output } = await scene.fleetwarden(...given);
    expect([given, status, output]).toEqual([given, 0, expect.any(String)]);
    return output;
  };

  test('contains nobody, whoever detected it', async () => {
    const flooder = device(15);
    const { thingName } = flooder;
    await intakeReads(false);
    await windowBegins();
    const client = await connect(flooder);
    for (let i = 0; i < 60; i++) await telemetry(client, flooder);
    await pass(BATCHING_MS);
    await pass(6 * MINUTE);
    const { violations } = JSON.parse(await fleetwarden('violations', '--thing', thingName, '--json')) as {
      violations: { violationId: string; origin: string; behavior: string }[];
    };
    expect(violations.map(({ origin, behavior }) => `${origin} ${behavior}`).toSorted()).toEqual([
      'built-in messages-sent',
      'device-defender messages-sent',
    ]);
    for (const { violationId } of violations) await fleetwarden('mark', violationId, 'FALSE_POSITIVE', '--description', 'a load test');
    await intakeReads(true);
    await pass(MINUTE);
    expect(await containments()).not.toContain(thingName);
    const { found } = JSON.parse(await fleetwarden('why', thingName, '--json')) as {
      found: { timeline: { act: string; reason: string }[] }[];
    };
    const told = found.flatMap(({ timeline }) => timeline).filter(({ reason }) => reason === 'marked-benign');
    expect(told).toHaveLength(2);
  });
});
