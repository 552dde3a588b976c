import {
  CreateThingCommand,
  DeleteCommandExecutionCommand,
  GetCommandExecutionCommand,
  ListCommandExecutionsCommand,
} from '@aws-sdk/client-iot';
import { type MqttClient } from 'mqtt';
import { startCommandDesk, THING, type CommandDesk, type Message } from './command-desk.js';
import { ARN, closed, nextMessage } from './gateway-desk.js';

const HOUR_MS = 3600_000;

let commands: CommandDesk;
let desk: CommandDesk['desk'];
let device: CommandDesk['device'];
let monitor: CommandDesk['monitor'];
let start: CommandDesk['start'];
let get: CommandDesk['get'];
let report: CommandDesk['report'];
let advance: CommandDesk['advance'];

beforeAll(async () => {
  commands = await startCommandDesk();
  ({ desk, device, monitor, start, get, report, advance } = commands);
});
afterAll(() => commands.stop());

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
    const answer = await report(executionId, { status: 'SUCCEEDED' }, { thing: 'monitor', client: monitor });
    expect([answer['error'], (await get(executionId)).status]).toEqual(['ResourceNotFound', 'CREATED']);
    // The same name, as a client and not as a thing.
    await monitor.subscribeAsync('$aws/commands/clients/+/executions/+/response/rejected/json');
    const heard = nextMessage(monitor, (topic) => topic.startsWith(`$aws/commands/clients/${THING}/`));
    await monitor.publishAsync(`$aws/commands/clients/${THING}/executions/${executionId}/response/json`, '{"status":"SUCCEEDED"}');
    expect(JSON.parse((await heard).text)).toMatchObject({ error: 'ResourceNotFound' });
  });

  test('is throttled, fails and loses its answer by the faults of the desk', async () => {
    const { faults } = desk.cloud.world;
    const only = ['iotjobsdata:UpdateCommandExecution'];
    const executionId = await start();
    faults.set({ throttle: 1, only });
    expect(await report(executionId, { status: 'SUCCEEDED' })).toMatchObject({ error: 'RequestThrottled' });
    faults.set({ throttle: 0, serverError: 1, only });
    expect(await report(executionId, { status: 'SUCCEEDED' })).toMatchObject({ error: 'InternalError' });
    const heard: string[] = [];
    device.on('message', (topic) => heard.push(topic.split('/')[5]!));
    faults.set({ serverError: 0, lostAnswer: 1, only });
    await device.publishAsync(`$aws/commands/things/${THING}/executions/${executionId}/response/json`, '{"status":"SUCCEEDED"}', {
      qos: 1,
    });
    faults.set({ lostAnswer: 0, only: [] });
    expect((await get(executionId)).status).toBe('SUCCEEDED');
    await report(await start(), { status: 'SUCCEEDED' });
    expect(heard).not.toContain(executionId);
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
    const monitored = new GetCommandExecutionCommand({ executionId: first, targetArn: ARN('thing/monitor') });
    await expect(desk.iot.send(monitored)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    // Neither has been ended by its device.
    expect(await list({ completedTimeFilter: { after: '2026-11-01T00:00' } })).toEqual([]);
    await expect(list({ startedTimeFilter: { before: minute }, completedTimeFilter: { before: minute } })).rejects.toMatchObject({
      name: 'ValidationException',
    });
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
