import {
  CreateCommandCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  DeleteCommandCommand,
  DeleteCommandExecutionCommand,
  GetCommandCommand,
  GetCommandExecutionCommand,
  ListCommandExecutionsCommand,
  ListCommandsCommand,
  ListTagsForResourceCommand,
  UpdateCommandCommand,
  type CreateCommandCommandInput,
} from '@aws-sdk/client-iot';
import {
  IoTJobsDataPlaneClient,
  StartCommandExecutionCommand,
  type StartCommandExecutionCommandInput,
} from '@aws-sdk/client-iot-jobs-data-plane';
import type { MqttClient } from 'mqtt';
import { ARN, closed, nextMessage, startGatewayDesk, type Device, type GatewayDesk } from './gateway-desk.js';

const HOUR_MS = 3600_000;
const THING = 'pump-a';
const REQUESTS = `$aws/commands/things/${THING}/executions/+/request/json`;
const ANSWERS = ['accepted', 'rejected'].map((outcome) => `$aws/commands/things/${THING}/executions/+/response/${outcome}/json`);
/** A device of the tests may use the command topics of its own thing, as in the sample policies of AWS. */
const COMMAND_POLICY = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: 'iot:Connect', Resource: '*' },
    {
      Effect: 'Allow',
      Action: ['iot:Publish', 'iot:Receive'],
      Resource: ARN('topic/$aws/commands/things/${iot:Connection.Thing.ThingName}/executions/*'),
    },
    {
      Effect: 'Allow',
      Action: 'iot:Subscribe',
      Resource: ARN('topicfilter/$aws/commands/things/${iot:Connection.Thing.ThingName}/executions/*'),
    },
  ],
};

type Message = Record<string, unknown>;
let desk: GatewayDesk;
let jobsData: IoTJobsDataPlaneClient;
let pump: Device;
let device: MqttClient;
let monitor: MqttClient;

beforeAll(async () => {
  desk = await startGatewayDesk({ startAt: new Date('2026-11-22T10:00:00Z') });
  jobsData = new IoTJobsDataPlaneClient({
    endpoint: desk.cloud.endpoint,
    region: 'eu-west-1',
    credentials: desk.cloud.administratorCredentials,
    maxAttempts: 1,
  });
  await desk.iot.send(new CreatePolicyCommand({ policyName: 'commands', policyDocument: JSON.stringify(COMMAND_POLICY) }));
  pump = await desk.enrol(THING, { policy: 'commands' });
  device = await desk.connect(pump, THING);
  await device.subscribeAsync([REQUESTS, ...ANSWERS], { qos: 1 });
  monitor = await desk.connect(await desk.enrol('monitor', { policy: 'open' }), 'monitor');
  await monitor.subscribeAsync('$aws/events/commandExecution/+/#', { qos: 1 });
  await create({ commandId: 'blink', payload: { content: Buffer.from('{"operation":"blink"}'), contentType: 'application/json' } });
});
afterAll(async () => {
  jobsData.destroy();
  await desk.stop();
});

const create = (input: CreateCommandCommandInput) => desk.iot.send(new CreateCommandCommand(input));
const start = async (input: Partial<StartCommandExecutionCommandInput> = {}): Promise<string> => {
  const { executionId } = await jobsData.send(
    new StartCommandExecutionCommand({ commandArn: ARN('command/blink'), targetArn: ARN(`thing/${THING}`), ...input }),
  );
  return executionId!;
};
const get = (executionId: string, includeResult = true) =>
  desk.iot.send(new GetCommandExecutionCommand({ executionId, targetArn: ARN(`thing/${THING}`), includeResult }));
const advance = (ms: number): Promise<void> => desk.cloud.world.clock.advance(ms);

/** Publishes a report and waits for the answer to it. */
async function report(executionId: string, body: Message | string, thing = THING, client = device): Promise<Message> {
  const base = `$aws/commands/things/${thing}/executions/${executionId}/response`;
  const answered = nextMessage(client, (topic) => topic === `${base}/accepted/json` || topic === `${base}/rejected/json`);
  await client.publishAsync(`${base}/json`, typeof body === 'string' ? body : JSON.stringify(body), { qos: 1 });
  const { topic, text } = await answered;
  return { outcome: topic.split('/').at(-2), ...(JSON.parse(text) as Message) };
}

describe('an execution', () => {
  test('is sent to the device once, reported by it and kept with the result', async () => {
    const requested = nextMessage(device, (topic) => topic.includes('/request/'));
    const executionId = await start({ executionTimeoutSeconds: 60 });
    const { topic, text } = await requested;
    expect([topic, JSON.parse(text)]).toEqual([
      `$aws/commands/things/${THING}/executions/${executionId}/request/json`,
      { operation: 'blink' },
    ]);
    expect(await get(executionId)).toMatchObject({
      status: 'CREATED',
      commandArn: ARN('command/blink'),
      targetArn: ARN(`thing/${THING}`),
      executionTimeoutSeconds: 60,
      createdAt: expect.any(Date),
      timeToLive: expect.any(Date),
    });
    expect(await report(executionId, { status: 'IN_PROGRESS', statusReason: { reasonCode: '200' } })).toEqual({
      outcome: 'accepted',
      executionId,
    });
    expect(await get(executionId)).toMatchObject({ status: 'IN_PROGRESS', statusReason: { reasonCode: '200' } });
    const done = { status: 'SUCCEEDED', result: { serial: { s: 'ABC-001' }, lit: { b: true }, raw: { bin: 'AQI=' } } };
    expect(await report(executionId, done)).toMatchObject({ outcome: 'accepted' });
    const { status, statusReason, result, completedAt } = await get(executionId);
    expect({ status, statusReason, completed: completedAt instanceof Date }).toEqual({ status: 'SUCCEEDED', completed: true });
    expect(result).toEqual({ serial: { S: 'ABC-001' }, lit: { B: true }, raw: { BIN: new Uint8Array([1, 2]) } });
    expect((await get(executionId, false)).result).toBeUndefined();
  });

  test('takes no report after its end', async () => {
    const executionId = await start();
    await report(executionId, { status: 'REJECTED', statusReason: { reasonCode: 'BUSY', reasonDescription: 'later' } });
    expect(await report(executionId, { status: 'SUCCEEDED' })).toMatchObject({
      outcome: 'rejected',
      error: 'InvalidStateTransition',
      executionId,
    });
    expect(await get(executionId)).toMatchObject({ status: 'REJECTED', statusReason: { reasonCode: 'BUSY', reasonDescription: 'later' } });
  });

  test('times out by the cloud after ten seconds, which the device may still replace by an end, and by nothing else', async () => {
    const executionId = await start();
    await advance(9_000);
    expect((await get(executionId)).status).toBe('CREATED');
    await advance(1_000);
    expect(await get(executionId)).toMatchObject({ status: 'TIMED_OUT', statusReason: { reasonCode: '$NO_RESPONSE_FROM_DEVICE' } });
    expect((await get(executionId)).completedAt).toBeUndefined();
    expect(await report(executionId, { status: 'IN_PROGRESS' })).toMatchObject({ error: 'InvalidStateTransition' });
    expect(await report(executionId, { status: 'SUCCEEDED' })).toMatchObject({ outcome: 'accepted' });
    expect(await get(executionId)).toMatchObject({ status: 'SUCCEEDED' });
    expect((await get(executionId)).statusReason).toBeUndefined();
  });

  test('that its device calls timed out has ended', async () => {
    const executionId = await start();
    await report(executionId, { status: 'TIMED_OUT', statusReason: { reasonCode: 'VALVE_STUCK' } });
    expect(await report(executionId, { status: 'SUCCEEDED' })).toMatchObject({ error: 'InvalidStateTransition' });
    expect(await get(executionId)).toMatchObject({ status: 'TIMED_OUT', statusReason: { reasonCode: 'VALVE_STUCK' } });
  });

  test('does not time out once the device has ended it, and does while it is in progress', async () => {
    const [ended, running] = [await start(), await start()];
    await report(ended, { status: 'FAILED', statusReason: { reasonCode: 'NO_POWER' } });
    await report(running, { status: 'IN_PROGRESS' });
    await advance(20_000);
    expect([(await get(ended)).status, (await get(running)).status]).toEqual(['FAILED', 'TIMED_OUT']);
  });

  test('each change of its status is announced', async () => {
    const created = nextMessage(monitor, (topic) => topic === '$aws/events/commandExecution/blink/CREATED');
    const failed = nextMessage(monitor, (topic) => topic === '$aws/events/commandExecution/blink/FAILED');
    const executionId = await start();
    await report(executionId, { status: 'FAILED', statusReason: { reasonCode: 'NO_POWER' } });
    expect(JSON.parse((await created).text)).toMatchObject({ executionId, status: 'CREATED' });
    expect(JSON.parse((await failed).text)).toEqual({
      executionId,
      status: 'FAILED',
      statusReason: { reasonCode: 'NO_POWER' },
      eventType: 'COMMAND_EXECUTION',
      commandArn: ARN('command/blink'),
      targetArn: ARN(`thing/${THING}`),
      timestamp: expect.any(Number),
    });
  });
});

describe('a report', () => {
  const refused = async (body: Message | string): Promise<unknown> => {
    const executionId = await start();
    const answer = await report(executionId, body);
    expect((await get(executionId)).status).toBe('CREATED');
    return answer['error'];
  };

  test.each<[string, Message | string, string]>([
    ['is no JSON', '{status', 'InvalidJson'],
    ['is no object', '[]', 'InvalidRequest'],
    ['has no status', {}, 'InvalidRequest'],
    ['says a status that is the cloud’s alone', { status: 'CREATED' }, 'InvalidRequest'],
    ['has a reason without a code', { status: 'FAILED', statusReason: { reasonDescription: 'x' } }, 'InvalidRequest'],
    ['has a reason code in lower case', { status: 'FAILED', statusReason: { reasonCode: 'no-power' } }, 'InvalidRequest'],
    ['has a reason code that is too long', { status: 'FAILED', statusReason: { reasonCode: 'A'.repeat(65) } }, 'InvalidRequest'],
    [
      'has a description of two lines',
      { status: 'FAILED', statusReason: { reasonCode: 'A', reasonDescription: 'a\nb' } },
      'InvalidRequest',
    ],
    ['has an empty result', { status: 'SUCCEEDED', result: {} }, 'InvalidRequest'],
    ['has a result without a type', { status: 'SUCCEEDED', result: { serial: 'ABC' } }, 'InvalidRequest'],
    ['has a result with an upper case type', { status: 'SUCCEEDED', result: { serial: { S: 'ABC' } } }, 'InvalidRequest'],
  ])('that %s changes nothing', async (_, body, code) => {
    expect(await refused(body)).toBe(code);
  });

  test('of an execution that is not the device’s own is of none', async () => {
    expect(await report('11111111-1111-1111-1111-111111111111', { status: 'SUCCEEDED' })).toMatchObject({ error: 'ResourceNotFound' });
    await monitor.subscribeAsync(['accepted', 'rejected'].map((outcome) => `$aws/commands/things/+/executions/+/response/${outcome}/json`));
    const executionId = await start();
    const answer = await report(executionId, { status: 'SUCCEEDED' }, 'monitor', monitor);
    expect([answer['error'], (await get(executionId)).status]).toEqual(['ResourceNotFound', 'CREATED']);
  });

  test('is throttled, fails and loses its answer by the faults of the desk', async () => {
    const { faults } = desk.cloud.world;
    const only = ['iotjobsdata:UpdateCommandExecution'];
    const executionId = await start();
    faults.set({ throttle: 1, only });
    expect(await report(executionId, { status: 'SUCCEEDED' })).toMatchObject({ error: 'RequestThrottled' });
    faults.set({ throttle: 0, serverError: 1, only });
    expect(await report(executionId, { status: 'SUCCEEDED' })).toMatchObject({ error: 'InternalError' });
    faults.set({ serverError: 0, lostAnswer: 1, only });
    await device.publishAsync(`$aws/commands/things/${THING}/executions/${executionId}/response/json`, '{"status":"SUCCEEDED"}', {
      qos: 1,
    });
    faults.set({ lostAnswer: 0, only: [] });
    expect((await get(executionId)).status).toBe('SUCCEEDED');
  });
});

describe('starting', () => {
  test('twice with the same token starts once; with other parameters it is a conflict', async () => {
    const heard: string[] = [];
    device.on('message', (topic) => heard.push(topic));
    const clientToken = 'containment-1';
    const first = await start({ clientToken, executionTimeoutSeconds: 30 });
    expect(await start({ clientToken, executionTimeoutSeconds: 30 })).toBe(first);
    await expect(start({ clientToken, executionTimeoutSeconds: 31 })).rejects.toMatchObject({
      name: 'ConflictException',
      $metadata: { httpStatusCode: 409 },
    });
    await report(first, { status: 'SUCCEEDED' });
    expect(await start({ clientToken, executionTimeoutSeconds: 30 })).toBe(first);
    expect(heard.filter((topic) => topic.endsWith(`${first}/request/json`))).toHaveLength(1);
    expect(heard.filter((topic) => topic.includes('/request/'))).toHaveLength(1);
  });

  test.each<[string, Partial<StartCommandExecutionCommandInput>, string]>([
    ['a command that is not there', { commandArn: ARN('command/none') }, 'ResourceNotFoundException'],
    ['a thing that is not there', { targetArn: ARN('thing/none') }, 'ResourceNotFoundException'],
    ['another kind of target', { targetArn: ARN('thinggroup/all') }, 'ValidationException'],
    ['a target of another account', { targetArn: 'arn:aws:iot:eu-west-1:111111111111:thing/pump-a' }, 'ValidationException'],
    ['no command', { commandArn: undefined }, 'ValidationException'],
    ['no time', { executionTimeoutSeconds: 0 }, 'ValidationException'],
    ['more than twelve hours', { executionTimeoutSeconds: 43_201 }, 'ValidationException'],
    ['parameters of a static command', { parameters: { level: { I: 1 } } }, 'ValidationException'],
    ['a token with a space', { clientToken: 'a b' }, 'ValidationException'],
  ])('with %s is refused', async (_, input, name) => {
    await expect(start(input)).rejects.toMatchObject({ name });
  });

  test('more than a hundred executions of one device at the same time is over the quota; those that are over do not count', async () => {
    await desk.iot.send(new CreateThingCommand({ thingName: 'busy' }));
    const targetArn = ARN('thing/busy');
    for (let i = 0; i < 100; i++) await start({ targetArn });
    await expect(start({ targetArn })).rejects.toMatchObject({ name: 'ServiceQuotaExceededException' });
    await advance(10_000);
    await start({ targetArn });
  });

  test('towards a client id needs no thing', async () => {
    const requested = nextMessage(monitor, (topic) => topic.startsWith('$aws/commands/clients/'));
    await monitor.subscribeAsync('$aws/commands/clients/loose-1/executions/+/request/json', { qos: 1 });
    const executionId = await start({ targetArn: ARN('client/loose-1') });
    expect((await requested).topic).toBe(`$aws/commands/clients/loose-1/executions/${executionId}/request/json`);
  });

  test('a device that is away gets the command when it comes back in time, and not after the time-out', async () => {
    const away = await desk.enrol('away', { policy: 'commands' });
    const session = { clean: false } as const;
    const before = await desk.connect(away, 'away', session);
    await before.subscribeAsync('$aws/commands/things/away/executions/+/request/json', { qos: 1 });
    await before.endAsync();
    const targetArn = ARN('thing/away');
    const [late, inTime] = [
      await start({ targetArn, executionTimeoutSeconds: 30 }),
      await start({ targetArn, executionTimeoutSeconds: 600 }),
    ];
    await advance(60_000);
    const heard: string[] = [];
    const after = desk.begin(away, 'away', session);
    after.on('message', (topic) => heard.push(topic.split('/')[5]!));
    await nextMessage(after);
    expect([heard.includes(late), heard.includes(inTime)]).toEqual([false, true]);
  });

  test('a client of MQTT 5 is told the content type and the seconds that it has', async () => {
    const five = await desk.connect(await desk.enrol('five', { policy: 'commands' }), 'five', { protocolVersion: 5 });
    await five.subscribeAsync('$aws/commands/things/five/executions/+/request/json', { qos: 1 });
    const requested = nextMessage(five);
    await start({ targetArn: ARN('thing/five'), executionTimeoutSeconds: 300 });
    const { packet } = await requested;
    expect(packet.properties?.contentType).toBe('application/json');
    expect(packet.properties?.messageExpiryInterval).toBeGreaterThan(290);
  });

  test('a payload that is neither JSON nor CBOR goes to a topic without a format', async () => {
    await create({ commandId: 'raw', payload: { content: new Uint8Array([1, 2, 3]) } });
    await monitor.subscribeAsync(`$aws/commands/things/+/executions/+/request`, { qos: 1 });
    const requested = nextMessage(monitor, (topic) => topic.endsWith('/request'));
    await start({ commandArn: ARN('command/raw') });
    expect((await requested).packet.payload).toEqual(Buffer.from([1, 2, 3]));
    expect((await desk.iot.send(new GetCommandCommand({ commandId: 'raw' }))).payload?.contentType).toBe('application/octet-stream');
  });
});

describe('a dynamic command', () => {
  const PLACE = (name: string): string => '${aws:iot:commandexecution::parameter:' + name + '}';
  const JSON_OUT = { awsJsonSubstitution: { outputFormat: 'JSON' } } as const;
  const dim: CreateCommandCommandInput = {
    commandId: 'dim',
    payloadTemplate: JSON.stringify({
      to: PLACE('level'),
      why: `by ${PLACE('who')} at ${PLACE('level')}`,
      within: ['${aws:iot:commandexecution::executionTimeoutSec}'],
    }),
    preprocessor: JSON_OUT,
    mandatoryParameters: [
      {
        name: 'level',
        type: 'INTEGER',
        defaultValue: { I: 50 },
        valueConditions: [{ comparisonOperator: 'IN_RANGE', operand: { numberRange: { min: '0', max: '100' } } }],
      },
      { name: 'who', type: 'STRING', valueConditions: [{ comparisonOperator: 'NOT_IN_SET', operand: { strings: ['nobody'] } }] },
    ],
  };
  const commandArn = ARN('command/dim');
  beforeAll(() => create(dim));

  test('sends its template with the parameters of the execution, and with its default where none is given', async () => {
    const requested = nextMessage(device, (topic) => topic.includes('/request/'));
    const executionId = await start({ commandArn, parameters: { who: { S: 'a "person"' } }, executionTimeoutSeconds: 20 });
    expect(JSON.parse((await requested).text)).toEqual({ to: 50, why: 'by a "person" at 50', within: [20] });
    expect((await get(executionId)).parameters).toEqual({ level: { I: 50 }, who: { S: 'a "person"' } });
  });

  test.each<[string, StartCommandExecutionCommandInput['parameters']]>([
    ['a parameter is missing', { level: { I: 1 } }],
    ['a parameter is unknown', { who: { S: 'me' }, colour: { S: 'red' } }],
    ['a value has another type', { who: { I: 1 } }],
    ['a value has two types', { who: { S: 'me', I: 1 } }],
    ['a number is out of its range', { who: { S: 'me' }, level: { I: 101 } }],
    ['a text is in a set that is excluded', { who: { S: 'nobody' } }],
  ])('does not start where %s', async (_, parameters) => {
    await expect(start({ commandArn, parameters })).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test.each<[string, Partial<CreateCommandCommandInput>]>([
    ['has no placeholder', { payloadTemplate: '{}' }],
    ['is no JSON', { payloadTemplate: PLACE('level') }],
    ['names a parameter that is not declared', { payloadTemplate: JSON.stringify({ a: PLACE('other') }) }],
    ['has a placeholder that AWS does not know', { payloadTemplate: JSON.stringify({ a: PLACE('level'), b: '${aws:iot:thing}' }) }],
    ['has no preprocessor', { preprocessor: undefined }],
    ['stands beside a static payload', { payload: { content: Buffer.from('{}') } }],
    [
      'has a default that its own condition refuses',
      { mandatoryParameters: [{ ...dim.mandatoryParameters![0]!, defaultValue: { I: 101 } }, dim.mandatoryParameters![1]!] },
    ],
  ])('is not made where its template %s', async (_, input) => {
    await expect(create({ ...dim, commandId: 'bad', ...input })).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('a command', () => {
  test('is shown with its payload, its texts and its tags, and its id is taken', async () => {
    const { commandArn } = await create({
      commandId: 'horn',
      displayName: 'Horn',
      description: 'Sounds the horn',
      payload: { content: Buffer.from('{}'), contentType: 'application/json' },
      tags: [{ Key: 'team', Value: 'pumps' }],
    });
    expect(commandArn).toBe(ARN('command/horn'));
    expect(await desk.iot.send(new GetCommandCommand({ commandId: 'horn' }))).toMatchObject({
      commandArn,
      namespace: 'AWS-IoT',
      displayName: 'Horn',
      payload: { content: new Uint8Array(Buffer.from('{}')), contentType: 'application/json' },
      deprecated: false,
      pendingDeletion: false,
    });
    const { tags } = await desk.iot.send(new ListTagsForResourceCommand({ resourceArn: commandArn }));
    expect(tags).toEqual([{ Key: 'team', Value: 'pumps' }]);
    await expect(create({ commandId: 'horn', payload: { content: Buffer.from('x') } })).rejects.toMatchObject({
      name: 'ConflictException',
      resourceId: 'horn',
    });
  });

  test('that is deprecated starts nothing, until it is restored', async () => {
    const update = (deprecated: boolean) => desk.iot.send(new UpdateCommandCommand({ commandId: 'horn', deprecated }));
    const running = await start({ commandArn: ARN('command/horn') });
    await update(true);
    await expect(start({ commandArn: ARN('command/horn') })).rejects.toMatchObject({ name: 'ValidationException' });
    expect(await report(running, { status: 'SUCCEEDED' })).toMatchObject({ outcome: 'accepted' });
    await update(false);
    await start({ commandArn: ARN('command/horn') });
  });

  test('is deleted twelve hours later, or at once where it has been deprecated for so long', async () => {
    await create({ commandId: 'old', payload: { content: Buffer.from('x') } });
    const remove = async (commandId: string) => (await desk.iot.send(new DeleteCommandCommand({ commandId }))).statusCode;
    await desk.iot.send(new UpdateCommandCommand({ commandId: 'horn', deprecated: true }));
    expect(await remove('old')).toBe(202);
    expect((await desk.iot.send(new GetCommandCommand({ commandId: 'old' }))).pendingDeletion).toBe(true);
    await expect(start({ commandArn: ARN('command/old') })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(create({ commandId: 'old', payload: { content: Buffer.from('x') } })).rejects.toMatchObject({ name: 'ConflictException' });
    await advance(12 * HOUR_MS);
    await expect(desk.iot.send(new GetCommandCommand({ commandId: 'old' }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect(await remove('horn')).toBe(204);
  });

  test('is listed newest first, page by page, and not while it waits for its end', async () => {
    await create({ commandId: 'gone', payload: { content: Buffer.from('x') } });
    await desk.iot.send(new DeleteCommandCommand({ commandId: 'gone' }));
    const { commands: first, nextToken } = await desk.iot.send(new ListCommandsCommand({ maxResults: 2 }));
    const { commands: rest } = await desk.iot.send(new ListCommandsCommand({ nextToken }));
    expect([...first!, ...rest!].map(({ commandId }) => commandId)).toEqual(['dim', 'raw', 'blink']);
    const named = await desk.iot.send(new ListCommandsCommand({ commandParameterName: 'level' }));
    expect(named.commands!.map(({ commandId }) => commandId)).toEqual(['dim']);
  });
});

describe('executions that are kept', () => {
  test('are listed by command or by target, by status and by time', async () => {
    const targetArn = ARN('thing/listed');
    await desk.iot.send(new CreateThingCommand({ thingName: 'listed' }));
    const first = await start({ targetArn });
    await advance(2 * 60_000);
    const second = await start({ targetArn, executionTimeoutSeconds: 600 });
    const list = async (more: Record<string, unknown> = {}) =>
      (await desk.iot.send(new ListCommandExecutionsCommand({ targetArn, ...more }))).commandExecutions!.map(
        ({ executionId }) => executionId,
      );
    expect(await list()).toEqual([second, first]);
    expect(await list({ sortOrder: 'ASCENDING' })).toEqual([first, second]);
    expect(await list({ status: 'TIMED_OUT' })).toEqual([first]);
    const minute = desk.cloud.world.clock.date().toISOString().slice(0, 16);
    expect(await list({ startedTimeFilter: { before: minute } })).toEqual([first]);
    await expect(list({ commandArn: ARN('command/blink') })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(list({ targetArn: undefined })).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('can be deleted once they are over, and are gone after half a year', async () => {
    const executionId = await start();
    const remove = () => desk.iot.send(new DeleteCommandExecutionCommand({ executionId, targetArn: ARN(`thing/${THING}`) }));
    await expect(remove()).rejects.toMatchObject({ name: 'ConflictException' });
    await report(executionId, { status: 'SUCCEEDED' });
    await remove();
    await expect(get(executionId)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    const kept = await start();
    await advance(180 * 24 * HOUR_MS);
    await expect(get(kept)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('command topics', () => {
  const stranger = async (name: string): Promise<MqttClient> => desk.connect(await desk.enrol(name, { policy: 'open' }), name);
  /** Why the gateway has ended the connection of a client. */
  const endOf = async (client: MqttClient): Promise<string | undefined> => {
    await closed(client);
    const { journal } = desk.cloud.world;
    return journal.entries().findLast(({ what, who }) => what === 'disconnected' && who === client.options.clientId)?.detail;
  };

  test.each([
    ['a wildcard for the format', `$aws/commands/things/${THING}/executions/+/request/+`],
    ['everything below', `$aws/commands/things/${THING}/executions/#`],
    ['the format before the outcome', `$aws/commands/things/${THING}/executions/+/response/json/accepted`],
  ])('a subscription with %s ends the connection, whatever the policy allows', async (_, filter) => {
    const client = await stranger(`subscriber-${filter.length}`);
    const end = endOf(client);
    client.subscribe(filter, () => undefined);
    expect(await end).toBe('CLIENT_ERROR');
  });

  test.each(['request/json', 'response/accepted/json'])('nobody but AWS IoT publishes to %s', async (suffix) => {
    const client = await stranger(`publisher-${suffix.length}`);
    const end = endOf(client);
    client.publish(`$aws/commands/things/${THING}/executions/1/${suffix}`, '{}');
    expect(await end).toBe('CLIENT_ERROR');
  });

  test('of another thing are not for a device whose policy names its own', async () => {
    const client = await desk.connect(await desk.enrol('curious', { policy: 'commands' }), 'curious');
    const end = endOf(client);
    client.publish(`$aws/commands/things/${THING}/executions/1/response/json`, '{"status":"SUCCEEDED"}');
    expect(await end).toBe('AUTH_ERROR');
  });
});
