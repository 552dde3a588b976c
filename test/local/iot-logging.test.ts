import {
  AddThingToThingGroupCommand,
  CreatePolicyCommand,
  CreateThingGroupCommand,
  DeleteV2LoggingLevelCommand,
  ListV2LoggingLevelsCommand,
  type LogTargetType,
  SetV2LoggingLevelCommand,
  SetV2LoggingOptionsCommand,
} from '@aws-sdk/client-iot';
import { until } from './cloud-with-messaging.js';
import { type Device, type GatewayDesk, closed, startGatewayDesk } from './gateway-desk.js';

type Line = Readonly<Record<string, unknown>>;

let desk: GatewayDesk;
let lines: (Line & { group: string })[] = [];
let number = 0;
beforeEach(async () => {
  desk = await startGatewayDesk({ startAt: new Date('2026-11-22T10:00:00Z') });
  lines = [];
  desk.cloud.parts.logs = (group, _stream, messages) =>
    lines.push(...messages.map(({ message }) => ({ group, ...(JSON.parse(message) as Line) })));
});
afterEach(() => desk.stop());

/** A role that AWS IoT may write logs with; `action` and `service` make it one that it may not. */
function role(action = 'logs:PutLogEvents', service = 'iot.amazonaws.com'): string {
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
  } as const;
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] } as const;
  return desk.cloud.iam.createRole(`logging-${++number}`, trust, [policy], []).arn;
}
const options = (more: Partial<ConstructorParameters<typeof SetV2LoggingOptionsCommand>[0]> = {}) =>
  desk.iot.send(new SetV2LoggingOptionsCommand({ roleArn: role(), defaultLogLevel: 'DISABLED', ...more }));
const level = (targetType: LogTargetType, targetName: string, logLevel: 'DEBUG' | 'INFO' | 'ERROR' | 'DISABLED') =>
  desk.iot.send(new SetV2LoggingLevelCommand({ logTarget: { targetType, targetName }, logLevel }));
const of = (device: Device, eventType?: string) =>
  lines.filter((line) => line.clientId === device.thingName && (eventType === undefined || line.eventType === eventType));

async function talk(device: Device): Promise<void> {
  const client = await desk.connect(device, device.thingName);
  await client.subscribeAsync(`fleet/${device.thingName}/in`, { qos: 1 });
  await client.publishAsync(`fleet/${device.thingName}/out`, 'x', { qos: 1 });
  await client.endAsync();
  await until('the disconnection', () => desk.gateway.connections().every(({ clientId }) => clientId !== device.thingName));
}

describe('log lines of the broker', () => {
  test('name the client, its certificate, its address and what it did', async () => {
    await options({ defaultLogLevel: 'INFO' });
    const device = await desk.enrol('pump-1');
    await talk(device);
    const common = {
      group: 'AWSIotLogsV2',
      timestamp: expect.stringMatching(/^2026-11-22 10:00:\d\d\.\d{3}$/),
      logLevel: 'INFO',
      traceId: expect.any(String),
      accountId: '000000000000',
      status: 'Success',
      protocol: 'MQTT',
      clientId: 'pump-1',
      principalId: device.certificateId,
      sourceIp: '127.0.0.1',
      sourcePort: expect.any(Number),
    };
    expect(of(device)).toEqual([
      { ...common, eventType: 'Connect' },
      { ...common, eventType: 'Subscribe', topicName: 'fleet/pump-1/in' },
      { ...common, eventType: 'Publish-In', topicName: 'fleet/pump-1/out' },
      { ...common, eventType: 'Disconnect', disconnectReason: 'CLIENT_INITIATED_DISCONNECT' },
    ]);
  });

  test('say what was not allowed, at the level ERROR', async () => {
    await options({ defaultLogLevel: 'ERROR' });
    const device = await desk.enrol('pump-1');
    const client = await desk.connect(device, 'pump-1');
    client.on('error', () => undefined);
    await client.subscribeAsync('not/mine', { qos: 1 }).catch(() => undefined);
    const ended = closed(client);
    client.publish('not/mine/either', 'x');
    await ended;
    await desk.refused(device, 'another-name');
    const failure = { logLevel: 'ERROR', status: 'Failure', reason: 'AUTHORIZATION_FAILURE', details: 'Authorization Failure' };
    expect(lines).toEqual([
      expect.objectContaining({ ...failure, eventType: 'Subscribe', topicName: 'not/mine' }),
      expect.objectContaining({ ...failure, eventType: 'Publish-In', topicName: 'not/mine/either' }),
      expect.objectContaining({ ...failure, eventType: 'Connect', clientId: 'another-name' }),
    ]);
  });

  test('say of a message that the policy does not let through to a subscriber which topic it was on', async () => {
    await options({ defaultLogLevel: 'ERROR' });
    const Statement = [
      { Effect: 'Allow', Action: ['iot:Connect', 'iot:Subscribe'], Resource: '*' },
      { Effect: 'Allow', Action: 'iot:Receive', Resource: 'arn:aws:iot:eu-west-1:000000000000:topic/fleet/pump-1/in' },
    ];
    const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await desk.iot.send(new CreatePolicyCommand({ policyName: 'listening', policyDocument }));
    const device = await desk.enrol('pump-1', { policy: 'listening' });
    const client = await desk.connect(device, 'pump-1');
    await client.subscribeAsync('fleet/#', { qos: 1 });
    desk.gateway.publish('fleet/pump-1/in', 'x', { qos: 1 });
    desk.gateway.publish('fleet/pump-2/in', 'x', { qos: 1 });
    await until('the line', () => of(device).length > 0);
    await client.endAsync();
    expect(of(device)).toEqual([
      expect.objectContaining({
        eventType: 'Publish-Out',
        status: 'Failure',
        reason: 'AUTHORIZATION_FAILURE',
        topicName: 'fleet/pump-2/in',
        principalId: device.certificateId,
      }),
    ]);
  });

  test('are written only under a role that AWS IoT may assume and that may write them', async () => {
    const device = await desk.enrol('pump-1');
    for (const roleArn of [role('logs:GetLogEvents'), role('logs:PutLogEvents', 'lambda.amazonaws.com')]) {
      await options({ defaultLogLevel: 'INFO', roleArn });
      await talk(device);
    }
    expect(lines).toEqual([]);
    await options({ defaultLogLevel: 'INFO', disableAllLogs: true });
    await talk(device);
    expect(lines).toEqual([]);
  });

  test('of refused certificates come only where the event is configured, into its own group if it has one', async () => {
    const stranger = await desk.ca.issue({ subject: 'CN=stranger' });
    await options({ defaultLogLevel: 'DEBUG' });
    await desk.refused(stranger, 'stranger');
    expect(lines).toEqual([]);
    const eventConfigurations = [{ eventType: 'Connection.AuthNError', logLevel: 'ERROR', logDestination: 'refused' } as const];
    await options({ eventConfigurations });
    await desk.refused(stranger, 'stranger');
    expect(lines).toEqual([expect.objectContaining({ group: 'refused', eventType: 'Connection.AuthNError', status: 'Failure' })]);
  });
});

describe('the level of a resource', () => {
  test.each<[LogTargetType, (device: Device) => string]>([
    ['CLIENT_ID', () => 'pump-1'],
    ['PRINCIPAL_ID', (device) => device.certificateId],
    ['THING_GROUP', () => 'contained'],
  ])('by %s makes that device talk, and only that one', async (targetType, nameOf) => {
    await options({ defaultLogLevel: 'ERROR' });
    const [device, other] = [await desk.enrol('pump-1'), await desk.enrol('pump-2')];
    await desk.iot.send(new CreateThingGroupCommand({ thingGroupName: 'contained' }));
    await desk.iot.send(new AddThingToThingGroupCommand({ thingGroupName: 'contained', thingName: 'pump-1' }));
    await level(targetType, nameOf(device), 'DEBUG');
    await talk(device);
    await talk(other);
    expect(of(device, 'Publish-In')).toHaveLength(1);
    expect(of(other)).toEqual([]);
    await desk.iot.send(new DeleteV2LoggingLevelCommand({ targetType, targetName: nameOf(device) }));
    await talk(device);
    expect(of(device, 'Publish-In')).toHaveLength(1);
  });

  test('by SOURCE_IP is that of the address that a client is bound to', async () => {
    await options();
    await level('SOURCE_IP', '127.0.0.9', 'INFO');
    const device = await desk.enrol('pump-1');
    await talk(device);
    expect(lines).toEqual([]);
    const client = await desk.connect(device, 'pump-1', { localAddress: '127.0.0.9' } as never);
    client.end(true);
    expect(lines[0]).toMatchObject({ eventType: 'Connect', sourceIp: '127.0.0.9' });
  });

  test('can silence what the account would write', async () => {
    await options({ defaultLogLevel: 'INFO' });
    await level('CLIENT_ID', 'pump-1', 'DISABLED');
    const device = await desk.enrol('pump-1');
    await talk(device);
    expect(lines).toEqual([]);
  });

  test('needs logging to be configured, and a group that exists', async () => {
    await expect(level('CLIENT_ID', 'pump-1', 'INFO')).rejects.toMatchObject({ name: 'NotConfiguredException' });
    await options();
    await expect(level('THING_GROUP', 'nowhere', 'INFO')).rejects.toMatchObject({ name: 'InvalidRequestException' });
  });

  test('is listed with that of the account, by its type', async () => {
    await options({ defaultLogLevel: 'WARN' });
    await level('CLIENT_ID', 'pump-1', 'DEBUG');
    await level('CLIENT_ID', 'pump-1', 'INFO');
    expect((await desk.iot.send(new ListV2LoggingLevelsCommand({}))).logTargetConfigurations).toEqual([
      { logTarget: { targetType: 'DEFAULT' }, logLevel: 'WARN' },
      { logTarget: { targetType: 'CLIENT_ID', targetName: 'pump-1' }, logLevel: 'INFO' },
    ]);
    const byType = await desk.iot.send(new ListV2LoggingLevelsCommand({ targetType: 'SOURCE_IP' }));
    expect(byType.logTargetConfigurations).toEqual([]);
    const byNoType = desk.iot.send(new ListV2LoggingLevelsCommand({ targetType: 'NOTHING' as LogTargetType }));
    await expect(byNoType).rejects.toMatchObject({ name: 'InvalidRequestException' });
  });
});
