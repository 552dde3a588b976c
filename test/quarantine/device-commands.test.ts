/** Executions of the AWS IoT command by the real clients at the desk: what they start, what they read, and at which endpoint. */
import { CreateCommandCommand, CreateThingCommand, IoTClient, UpdateCommandCommand } from '@aws-sdk/client-iot';
import { commandTopic, shutOffPayloadTemplate, COMMAND_PARAMETERS } from '../../domain/protocol/command.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { iotJobsDataClient, namesJobsEndpoint } from '../../lambda/aws/clients.js';
import { iotDeviceCommands, jobsEndpoint, once } from '../../lambda/aws/device-commands.js';
import type { DeviceCommands } from '../../lambda/ports/device-commands.js';
import { ARN, startGatewayDesk, type GatewayDesk } from '../local/gateway-desk.js';
import { IoTJobsDataPlaneClient } from '@aws-sdk/client-iot-jobs-data-plane';

let desk: GatewayDesk;
let commands: DeviceCommands;
const COMMAND = ARN('command/fleetwarden-shut-off');
const PARAMETERS = { containmentId: 'operator-1', reason: 'operator' };
const pump = thingName('pump-1');

beforeAll(async () => {
  desk = await startGatewayDesk();
  const { endpoint, administratorCredentials: credentials } = desk.cloud;
  const jobsData = new IoTJobsDataPlaneClient({ endpoint, region: 'eu-west-1', credentials, maxAttempts: 1 });
  commands = iotDeviceCommands(desk.iot, () => Promise.resolve(jobsData), COMMAND);
  await desk.iot.send(new CreateThingCommand({ thingName: 'pump-1' }));
  await desk.iot.send(
    new CreateCommandCommand({
      commandId: 'fleetwarden-shut-off',
      namespace: 'AWS-IoT',
      payloadTemplate: shutOffPayloadTemplate(),
      preprocessor: { awsJsonSubstitution: { outputFormat: 'JSON' } },
      mandatoryParameters: COMMAND_PARAMETERS.map((name) => ({ name, type: 'STRING' })),
    }),
  );
});
afterAll(() => desk.stop());

it('carries the document of the job to the thing, and reads what it answers', async () => {
  const device = await desk.enrol('valve-1', { policy: 'open' });
  const client = await desk.connect(device, 'valve-1');
  const heard = new Promise<{ topic: string; document: unknown }>((resolve) =>
    client.once('message', (topic, payload) => resolve({ topic, document: JSON.parse(payload.toString()) })),
  );
  await client.subscribeAsync(commandTopic('valve-1', '+/request/json'), { qos: 1 });
  const executionId = await commands.start(thingName('valve-1'), PARAMETERS, 'token-1');
  expect(await heard).toEqual({
    topic: commandTopic('valve-1', `${executionId}/request/json`),
    document: { operation: 'shut-off', version: 1, ...PARAMETERS },
  });
  expect(await commands.execution(executionId, thingName('valve-1'))).toEqual({ status: 'CREATED', said: {} });
  const answer = { status: 'SUCCEEDED', result: { stopped: { s: 'a valve' } } };
  await client.subscribeAsync(commandTopic('valve-1', '+/response/accepted/json'), { qos: 1 });
  const accepted = new Promise((resolve) => client.once('message', resolve));
  await client.publishAsync(commandTopic('valve-1', `${executionId}/response/json`), JSON.stringify(answer), { qos: 1 });
  await accepted;
  expect(await commands.execution(executionId, thingName('valve-1'))).toEqual({ status: 'SUCCEEDED', said: { stopped: 'a valve' } });
  client.end(true);
});

it('the same token again is the same execution; the same token for something else throws', async () => {
  const first = await commands.start(pump, PARAMETERS, 'token-2');
  expect(await commands.start(pump, PARAMETERS, 'token-2')).toBe(first);
  await expect(commands.start(pump, { ...PARAMETERS, containmentId: 'operator-2' }, 'token-2')).rejects.toMatchObject({
    name: 'ConflictException',
  });
});

it('a containment’s id is a token that AWS takes, however long it is', async () => {
  await expect(commands.start(pump, PARAMETERS, `audit-finding-${'a'.repeat(50)}`)).resolves.toMatch(/./);
});

it('an execution that is not there is undefined; a thing that is not there, and a command that was taken out of use, throw', async () => {
  expect(await commands.execution('00000000-0000-4000-8000-000000000000', pump)).toBeUndefined();
  await expect(commands.start(thingName('nobody'), PARAMETERS, 'token-3')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await desk.iot.send(new UpdateCommandCommand({ commandId: 'fleetwarden-shut-off', deprecated: true }));
  await expect(commands.start(pump, PARAMETERS, 'token-4')).rejects.toMatchObject({ name: 'ValidationException' });
});

describe('the endpoint of AWS IoT Jobs', () => {
  it('is the account’s own, as AWS IoT names it, unless the environment names one', async () => {
    expect(await jobsEndpoint(desk.iot)).toMatch(/^\S+$/);
    const client = iotJobsDataClient('a1b2c3.jobs.iot.eu-west-1.amazonaws.com');
    expect(await client.config.endpoint?.()).toMatchObject({ protocol: 'https:', hostname: 'a1b2c3.jobs.iot.eu-west-1.amazonaws.com' });
    expect([namesJobsEndpoint({}), namesJobsEndpoint({ AWS_ENDPOINT_URL: 'http://x' })]).toEqual([false, true]);
    expect(namesJobsEndpoint({ AWS_ENDPOINT_URL_IOT_JOBS_DATA_PLANE: 'http://x' })).toBe(true);
  });
  it('that cannot be asked for throws, is asked for again at the next command, and then no more', async () => {
    let asked = 0;
    const down = new IoTClient({
      endpoint: 'http://127.0.0.1:1',
      region: 'eu-west-1',
      credentials: desk.cloud.administratorCredentials,
      maxAttempts: 1,
    });
    const endpoint = once(() => jobsEndpoint((asked += 1) === 1 ? down : desk.iot));
    await expect(endpoint()).rejects.toThrow('ECONNREFUSED');
    expect(await endpoint()).toBe(await endpoint());
    expect(asked).toBe(2);
    down.destroy();
  });
});
