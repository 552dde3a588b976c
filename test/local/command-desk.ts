/** AWS IoT of the desk with one command, a device that hears and answers it, and a monitor that may hear everything. */
import {
  CreateCommandCommand,
  CreatePolicyCommand,
  GetCommandExecutionCommand,
  type CreateCommandCommandInput,
  type CreateCommandCommandOutput,
  type GetCommandExecutionCommandOutput,
} from '@aws-sdk/client-iot';
import {
  IoTJobsDataPlaneClient,
  StartCommandExecutionCommand,
  type StartCommandExecutionCommandInput,
} from '@aws-sdk/client-iot-jobs-data-plane';
import type { MqttClient } from 'mqtt';
import { ARN, nextMessage, startGatewayDesk, type GatewayDesk } from './gateway-desk.js';

export const THING = 'pump-a';
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

export type Message = Record<string, unknown>;

export interface CommandDesk {
  readonly desk: GatewayDesk;
  readonly device: MqttClient;
  readonly monitor: MqttClient;
  readonly create: (input: CreateCommandCommandInput) => Promise<CreateCommandCommandOutput>;
  /** Starts `blink` on the device, or what `input` says instead. Answers the executionId. */
  readonly start: (input?: Partial<StartCommandExecutionCommandInput>) => Promise<string>;
  /** An execution on the device. */
  readonly get: (executionId: string, includeResult?: boolean) => Promise<GetCommandExecutionCommandOutput>;
  /** Publishes a report and waits for the answer to it. Text goes as it is. */
  readonly report: (
    executionId: string,
    body: Message | string,
    as?: { readonly thing: string; readonly client: MqttClient },
  ) => Promise<Message>;
  readonly advance: (ms: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** The policy `commands` lets a device use the command topics of its thing. */
export async function startCommandDesk(): Promise<CommandDesk> {
  const desk = await startGatewayDesk({ startAt: new Date('2026-11-22T10:00:00Z') });
  const { endpoint, administratorCredentials: credentials } = desk.cloud;
  const jobsData = new IoTJobsDataPlaneClient({ endpoint, region: 'eu-west-1', credentials, maxAttempts: 1 });
  await desk.iot.send(new CreatePolicyCommand({ policyName: 'commands', policyDocument: JSON.stringify(COMMAND_POLICY) }));
  const device = await desk.connect(await desk.enrol(THING, { policy: 'commands' }), THING);
  await device.subscribeAsync([REQUESTS, ...ANSWERS], { qos: 1 });
  const monitor = await desk.connect(await desk.enrol('monitor', { policy: 'open' }), 'monitor');
  await monitor.subscribeAsync('$aws/events/commandExecution/+/#', { qos: 1 });
  const create: CommandDesk['create'] = (input) => desk.iot.send(new CreateCommandCommand(input));
  await create({ commandId: 'blink', payload: { content: Buffer.from('{"operation":"blink"}'), contentType: 'application/json' } });
  return {
    desk,
    device,
    monitor,
    create,
    start: async (input = {}) => {
      const { executionId } = await jobsData.send(
        new StartCommandExecutionCommand({ commandArn: ARN('command/blink'), targetArn: ARN(`thing/${THING}`), ...input }),
      );
      return executionId!;
    },
    get: (executionId, includeResult = true) =>
      desk.iot.send(new GetCommandExecutionCommand({ executionId, targetArn: ARN(`thing/${THING}`), includeResult })),
    report: async (executionId, body, { thing, client } = { thing: THING, client: device }) => {
      const base = `$aws/commands/things/${thing}/executions/${executionId}/response`;
      const answered = nextMessage(client, (topic) => topic === `${base}/accepted/json` || topic === `${base}/rejected/json`);
      await client.publishAsync(`${base}/json`, typeof body === 'string' ? body : JSON.stringify(body), { qos: 1 });
      const { topic, text } = await answered;
      return { outcome: topic.split('/').at(-2), ...(JSON.parse(text) as Message) };
    },
    advance: (ms) => desk.cloud.world.clock.advance(ms),
    stop: async () => {
      jobsData.destroy();
      await desk.stop();
    },
  };
}
