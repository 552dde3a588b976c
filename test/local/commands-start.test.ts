import {
  CreateThingCommand,
  DeleteCommandCommand,
  GetCommandCommand,
  ListCommandsCommand,
  ListTagsForResourceCommand,
  UpdateCommandCommand,
  type CreateCommandCommandInput,
} from '@aws-sdk/client-iot';
import { type StartCommandExecutionCommandInput } from '@aws-sdk/client-iot-jobs-data-plane';
import { startCommandDesk, type CommandDesk } from './command-desk.js';
import { ARN, nextMessage } from './gateway-desk.js';

const HOUR_MS = 3600_000;

let commands: CommandDesk;
let desk: CommandDesk['desk'];
let device: CommandDesk['device'];
let monitor: CommandDesk['monitor'];
let create: CommandDesk['create'];
let start: CommandDesk['start'];
let get: CommandDesk['get'];
let report: CommandDesk['report'];
let advance: CommandDesk['advance'];

beforeAll(async () => {
  commands = await startCommandDesk();
  ({ desk, device, monitor, create, start, get, report, advance } = commands);
});
afterAll(() => commands.stop());

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

  test('takes the limits of a range, and a value that the command itself sets before its default', async () => {
    for (const I of [0, 100]) await start({ commandArn, parameters: { who: { S: 'me' }, level: { I } } });
    await create({
      ...dim,
      commandId: 'dim-set',
      mandatoryParameters: [
        { name: 'level', value: { I: 7 }, defaultValue: { I: 8 } },
        { name: 'who', value: { S: 'me' } },
      ],
    });
    const executionId = await start({ commandArn: ARN('command/dim-set') });
    expect((await get(executionId)).parameters).toEqual({ level: { I: 7 }, who: { S: 'me' } });
    await desk.iot.send(new DeleteCommandCommand({ commandId: 'dim-set' }));
  });

  test.each<[string, Partial<CreateCommandCommandInput>]>([
    ['has no placeholder', { payloadTemplate: '{}' }],
    ['is no JSON', { payloadTemplate: PLACE('level') }],
    ['names a parameter that is not declared', { payloadTemplate: JSON.stringify({ a: PLACE('other') }) }],
    ['has a placeholder that AWS does not know', { payloadTemplate: JSON.stringify({ a: PLACE('level'), b: '${aws:iot:thing}' }) }],
    ['has no preprocessor', { preprocessor: undefined }],
    ['has a parameter twice', { mandatoryParameters: [...dim.mandatoryParameters!, { name: 'level' }] }],
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
  const JSON_PAYLOAD = { content: Buffer.from('{}'), contentType: 'application/json' };

  test.each<[string, Partial<CreateCommandCommandInput>]>([
    ['an empty payload', { payload: { content: new Uint8Array() } }],
    ['more than 32 KB', { payload: { content: new Uint8Array(32 * 1024 + 1) } }],
    ['a content type that is none', { payload: { ...JSON_PAYLOAD, contentType: 'json' } }],
    ['parameters beside a static payload', { payload: JSON_PAYLOAD, mandatoryParameters: [{ name: 'level' }] }],
    ['neither payload nor template', {}],
    ['a role, which is for AWS IoT FleetWise', { payload: JSON_PAYLOAD, roleArn: 'arn:aws:iam::000000000000:role/x' }],
    ['an id with a dot', { payload: JSON_PAYLOAD, commandId: 'a.b' }],
    ['a name of two lines', { payload: JSON_PAYLOAD, displayName: 'a\nb' }],
  ])('with %s is not made', async (_, input) => {
    await expect(create({ commandId: 'bad', ...input })).rejects.toMatchObject({ name: 'ValidationException' });
  });

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
    const deprecate = () => desk.iot.send(new UpdateCommandCommand({ commandId: 'horn', deprecated: true }));
    await deprecate();
    expect(await remove('old')).toBe(202);
    expect((await desk.iot.send(new GetCommandCommand({ commandId: 'old' }))).pendingDeletion).toBe(true);
    await expect(desk.iot.send(new UpdateCommandCommand({ commandId: 'old', deprecated: false }))).rejects.toMatchObject({
      name: 'ConflictException',
    });
    await expect(start({ commandArn: ARN('command/old') })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(create({ commandId: 'old', payload: { content: Buffer.from('x') } })).rejects.toMatchObject({ name: 'ConflictException' });
    await advance(6 * HOUR_MS);
    await deprecate();
    await advance(6 * HOUR_MS);
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
