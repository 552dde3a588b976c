/** The synthesised repair policy on the gateway, which evaluates AWS IoT policies as AWS does: what repair needs goes through, and nothing else, topic by topic. */
import { AttachPolicyCommand, CreatePolicyCommand, DetachPolicyCommand } from '@aws-sdk/client-iot';
import type { MqttClient } from 'mqtt';
import { namedRepair } from '../../domain/protocol/repair-policy.js';
import { ofType, synthesise, text } from '../constructs/support.js';
import { type Device, type GatewayDesk, startGatewayDesk } from '../local/gateway-desk.js';

let desk: GatewayDesk;
let device: Device;
/** Its client id is `client-7`, and its certificate is not its alone: no thing variable says anything for it. */
let renamed: Device;
const clients: MqttClient[] = [];

beforeAll(async () => {
  desk = await startGatewayDesk();
  const [policy] = Object.values(
    ofType(synthesise({ quarantine: { mode: 'enforce', shutOffCommand: true } }).appTemplate, 'AWS::IoT::Policy'),
  ).filter(({ Properties }) => Properties['PolicyName'] === 'fleetwarden-repair');
  const somewhere: Readonly<Record<string, string>> = { Partition: 'aws', Region: 'eu-west-1', AccountId: desk.cloud.world.accountId };
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    if ('Fn::Join' in value) return text(value).replaceAll(/<AWS::(\w+)>/g, (_, name: string) => somewhere[name]!);
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, resolve(member)]));
  };
  await desk.iot.send(
    new CreatePolicyCommand({ policyName: 'repair', policyDocument: JSON.stringify(resolve(policy!.Properties['PolicyDocument'])) }),
  );
  device = await desk.enrol('pump-1');
  await desk.iot.send(new AttachPolicyCommand({ policyName: 'repair', target: device.certificateArn }));
  await desk.iot.send(new DetachPolicyCommand({ policyName: 'device', target: device.certificateArn }));

  renamed = await desk.enrol('pump-7', { exclusive: false });
  const arn = (resource: string, name: string): string => `arn:aws:iot:eu-west-1:${desk.cloud.world.accountId}:${resource}/${name}`;
  const { document } = namedRepair({ topicPrefix: 'fleet', commands: true, arn }, 'pump-7', ['client-7', 'pump.7@hall'])!;
  await desk.iot.send(new CreatePolicyCommand({ policyName: 'repair-7', policyDocument: document }));
  for (const policyName of ['repair', 'repair-7'])
    await desk.iot.send(new AttachPolicyCommand({ policyName, target: renamed.certificateArn }));
  await desk.iot.send(new DetachPolicyCommand({ policyName: 'device', target: renamed.certificateArn }));
}, 60_000);
afterAll(async () => {
  for (const client of clients) client.end(true);
  await desk?.stop();
});

/** Does the connection stay when this is published? AWS IoT ends it otherwise. */
async function maySpeak(topic: string, [one, clientId]: readonly [Device, string] = [device, 'pump-1']): Promise<boolean> {
  const client = await desk.connect(one, clientId);
  clients.push(client);
  const ended = new Promise<boolean>((resolve) => client.once('close', () => resolve(false)));
  const taken = client.publishAsync(topic, '{}', { qos: 1 }).then(
    () => true,
    () => false,
  );
  const result = await Promise.race([ended, taken]);
  client.end(true);
  return result;
}
async function mayHear(filter: string, [one, clientId]: readonly [Device, string] = [device, 'pump-1']): Promise<boolean> {
  const client = await desk.connect(one, clientId);
  clients.push(client);
  try {
    const [granted] = await client.subscribeAsync(filter, { qos: 1 });
    return granted !== undefined && granted.qos < 128;
  } catch {
    return false;
  } finally {
    client.end(true);
  }
}

describe('a device with the repair policy alone', () => {
  it.each([
    'fleet/pump-1/rotation/request',
    'fleet/pump-1/rotation/proof',
    '$aws/things/pump-1/jobs/get',
    '$aws/things/pump-1/jobs/start-next',
    '$aws/things/pump-1/jobs/job-1/update',
    '$aws/commands/things/pump-1/executions/e-1/response/json',
  ])('may publish to %s', async (topic) => {
    expect(await maySpeak(topic)).toBe(true);
  });
  it.each([
    'fleet/pump-1/telemetry',
    'fleet/pump-1/report',
    'fleet/pump-1/rotation',
    'fleet/pump-1/rotation/response',
    'fleet/pump-10/rotation/request',
    'fleet/pump-2/rotation/request',
    '$aws/things/pump-2/jobs/get',
    '$aws/things/pump-1/shadow/update',
    '$aws/things/pump-1/defender/metrics/json',
    '$aws/rules/any/thing',
    '$aws/commands/things/pump-2/executions/e-1/response/json',
    '$aws/commands/clients/pump-1/executions/e-1/response/json',
    'anything',
  ])('may not publish to %s', async (topic) => {
    expect(await maySpeak(topic)).toBe(false);
  });
  it.each([
    'fleet/pump-1/rotation/response',
    '$aws/things/pump-1/jobs/notify',
    '$aws/things/pump-1/jobs/notify-next',
    '$aws/things/pump-1/jobs/+/get/accepted',
    '$aws/commands/things/pump-1/executions/+/request/json',
    '$aws/commands/things/pump-1/executions/+/response/rejected/json',
  ])('may subscribe to %s', async (filter) => {
    expect(await mayHear(filter)).toBe(true);
  });
  it.each([
    'fleet/pump-1/commands',
    'fleet/pump-1/#',
    'fleet/+/rotation/response',
    'fleet/pump-2/rotation/response',
    '$aws/things/pump-2/jobs/notify',
    '$aws/things/pump-1/#',
    '$aws/commands/things/pump-2/executions/+/request/json',
    '$aws/commands/clients/pump-1/executions/+/request/json',
    '$aws/commands/things/+/executions/+/request/json',
    '#',
  ])('may not subscribe to %s', async (filter) => {
    expect(await mayHear(filter)).toBe(false);
  });
  it('may hear no command, where shut-off by command is off', () => {
    const policies = ofType(synthesise({ quarantine: { mode: 'enforce' } }).appTemplate, 'AWS::IoT::Policy');
    expect(
      Object.values(policies)
        .map(({ Properties }) => JSON.stringify(Properties))
        .join(),
    ).not.toContain('$aws/commands');
  });
  it('may not connect under another name', async () => {
    expect(await desk.refused(device, 'pump-2')).not.toBe('');
  });
});

describe('a device that connects under another name, with a policy of its own beside the repair policy', () => {
  const as = (): readonly [Device, string] => [renamed, 'client-7'];
  it.each(['client-7', 'pump.7@hall'])('may connect as %s', async (clientId) => {
    expect(await maySpeak('$aws/things/pump-7/jobs/get', [renamed, clientId])).toBe(true);
  });
  it.each(['client-8', 'client-70', 'pump-1', 'CLIENT-7', 'client-*', 'client-?', '${iot:ClientId}', '*'])(
    'may not connect as %s',
    async (clientId) => {
      expect(await desk.refused(renamed, clientId)).not.toBe('');
    },
  );
  it('is let in under its thing’s name as well, by the policy of the fleet', async () => {
    expect(await maySpeak('$aws/things/pump-7/jobs/get', [renamed, 'pump-7'])).toBe(true);
  });
  it.each([
    'fleet/pump-7/rotation/request',
    'fleet/pump-7/rotation/proof',
    '$aws/things/pump-7/jobs/get',
    '$aws/things/pump-7/jobs/start-next',
    '$aws/things/pump-7/jobs/job-1/update',
    '$aws/commands/things/pump-7/executions/e-1/response/json',
  ])('may publish to %s', async (topic) => {
    expect(await maySpeak(topic, as())).toBe(true);
  });
  it.each([
    'fleet/pump-7/telemetry',
    'fleet/pump-7/report',
    'fleet/pump-7/rotation/response',
    'fleet/client-7/rotation/request',
    'fleet/pump-1/rotation/request',
    'fleet/pump-70/rotation/request',
    '$aws/things/client-7/jobs/get',
    '$aws/things/pump-1/jobs/get',
    '$aws/things/pump-7/shadow/update',
    '$aws/things/pump-7/defender/metrics/json',
    '$aws/commands/things/pump-1/executions/e-1/response/json',
    '$aws/commands/clients/client-7/executions/e-1/response/json',
    '$aws/rules/any/thing',
    'anything',
  ])('may not publish to %s', async (topic) => {
    expect(await maySpeak(topic, as())).toBe(false);
  });
  it.each([
    'fleet/pump-7/rotation/response',
    '$aws/things/pump-7/jobs/notify-next',
    '$aws/things/pump-7/jobs/+/get/accepted',
    '$aws/commands/things/pump-7/executions/+/request/json',
  ])('may subscribe to %s', async (filter) => {
    expect(await mayHear(filter, as())).toBe(true);
  });
  it.each([
    'fleet/pump-7/commands',
    'fleet/pump-7/#',
    'fleet/+/rotation/response',
    'fleet/client-7/rotation/response',
    '$aws/things/pump-1/jobs/notify',
    '$aws/things/+/jobs/notify',
    '$aws/commands/things/pump-1/executions/+/request/json',
    '#',
  ])('may not subscribe to %s', async (filter) => {
    expect(await mayHear(filter, as())).toBe(false);
  });
});
