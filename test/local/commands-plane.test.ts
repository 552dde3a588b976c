import {
  CreateJobCommand,
  CreateThingCommand,
  DescribeEndpointCommand,
  GetCommandCommand,
  GetCommandExecutionCommand,
  IoTClient,
  ListCommandExecutionsCommand,
} from '@aws-sdk/client-iot';
import {
  DescribeJobExecutionCommand,
  GetPendingJobExecutionsCommand,
  IoTJobsDataPlaneClient,
  StartCommandExecutionCommand,
  StartNextPendingJobExecutionCommand,
  UpdateJobExecutionCommand,
} from '@aws-sdk/client-iot-jobs-data-plane';
import type { PolicyDocument } from '../../local/iam/principal.js';
import { type Desk, startDesk } from '../../local/desk.js';
import { ARN } from './gateway-desk.js';
import { assemblyOf } from './tiny-app.js';

const TEMPLATE = {
  Resources: {
    Dynamic: {
      Type: 'AWS::IoT::Command',
      Properties: {
        CommandId: 'dim',
        Namespace: 'AWS-IoT',
        PayloadTemplate: '{"to":"${aws:iot:commandexecution::parameter:level}"}',
        Preprocessor: { AwsJsonSubstitution: { OutputFormat: 'JSON' } },
        MandatoryParameters: [
          {
            Name: 'level',
            Type: 'INTEGER',
            DefaultValue: { I: '50' },
            ValueConditions: [{ ComparisonOperator: 'IN_RANGE', Operand: { NumberRange: { Min: '0', Max: '100' } } }],
          },
        ],
        Tags: [{ Key: 'team', Value: 'pumps' }],
      },
    },
    Static: {
      Type: 'AWS::IoT::Command',
      Properties: {
        CommandId: 'blink',
        DisplayName: 'Blink',
        Payload: { Content: Buffer.from('{"operation":"blink"}').toString('base64'), ContentType: 'application/json' },
        Deprecated: 'true',
      },
    },
  },
  Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Dynamic', 'CommandArn'] } }, Name: { Value: { Ref: 'Static' } } },
};
const THING = 'pump-a';
const COMMAND_ARN = ARN('command/dim');
const TARGET_ARN = ARN(`thing/${THING}`);

let desk: Desk;
let iot: IoTClient;
let jobsData: IoTJobsDataPlaneClient;

beforeAll(async () => {
  desk = await startDesk({ assembly: assemblyOf(TEMPLATE), startAt: new Date('2026-11-22T10:00:00Z') });
  const configuration = { endpoint: desk.endpoint, region: desk.world.region, credentials: desk.adminCredentials, maxAttempts: 1 };
  [iot, jobsData] = [new IoTClient(configuration), new IoTJobsDataPlaneClient(configuration)];
  await iot.send(new CreateThingCommand({ thingName: THING }));
});
afterAll(async () => {
  iot.destroy();
  jobsData.destroy();
  await desk.stop();
});

describe('a command of a template', () => {
  test('is made as the template says, dynamic or static', async () => {
    expect(Object.values(desk.outputs)).toEqual([{ Arn: COMMAND_ARN, Name: 'blink' }]);
    expect(await iot.send(new GetCommandCommand({ commandId: 'dim' }))).toMatchObject({
      payloadTemplate: '{"to":"${aws:iot:commandexecution::parameter:level}"}',
      mandatoryParameters: [
        {
          name: 'level',
          type: 'INTEGER',
          defaultValue: { I: 50 },
          valueConditions: [{ comparisonOperator: 'IN_RANGE', operand: { numberRange: { min: '0', max: '100' } } }],
        },
      ],
    });
    expect(await iot.send(new GetCommandCommand({ commandId: 'blink' }))).toMatchObject({
      displayName: 'Blink',
      payload: { content: new Uint8Array(Buffer.from('{"operation":"blink"}')), contentType: 'application/json' },
      deprecated: true,
    });
  });

  test('whose payload is plain text is refused, because nobody says what CloudFormation makes of it', async () => {
    const plain = {
      Resources: {
        Plain: { Type: 'AWS::IoT::Command', Properties: { CommandId: 'plain', Payload: { Content: '{"operation":"blink"}' } } },
      },
    };
    await expect(startDesk({ assembly: assemblyOf(plain) })).rejects.toThrow(/Payload\.Content: expected base64/);
  });
});

describe('the rights of a caller', () => {
  let roles = 0;
  /** Clients of a role that may do what the statements say. */
  async function as<T>(
    statements: PolicyDocument['Statement'],
    use: (clients: { readonly iot: IoTClient; readonly jobsData: IoTJobsDataPlaneClient }) => Promise<T>,
  ): Promise<T> {
    const { iam } = desk.cloud;
    const trust = { Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' } } as const;
    const { arn } = iam.createRole(`caller-${++roles}`, trust, [{ Version: '2012-10-17', Statement: statements }], []);
    const credentials = iam.assume(arn, 'lambda.amazonaws.com', 'caller');
    const configuration = { endpoint: desk.endpoint, region: desk.world.region, credentials, maxAttempts: 1 };
    const clients = { iot: new IoTClient(configuration), jobsData: new IoTJobsDataPlaneClient(configuration) };
    try {
      return await use(clients);
    } finally {
      clients.iot.destroy();
      clients.jobsData.destroy();
    }
  }
  const allow = (Action: string | string[], ...Resource: string[]) => [{ Effect: 'Allow' as const, Action, Resource }];
  const start = (level = 1) =>
    new StartCommandExecutionCommand({ commandArn: COMMAND_ARN, targetArn: TARGET_ARN, parameters: { level: { I: level } } });

  test('starting wants the command and the device, by an action of AWS IoT', async () => {
    const action = 'iot:StartCommandExecution';
    const denied = { name: 'AccessDeniedException', $metadata: { httpStatusCode: 403 } };
    await expect(as(allow(action, COMMAND_ARN), (clients) => clients.jobsData.send(start()))).rejects.toMatchObject(denied);
    await expect(as(allow(action, TARGET_ARN), (clients) => clients.jobsData.send(start()))).rejects.toMatchObject(denied);
    const { executionId } = await as(allow(action, COMMAND_ARN, TARGET_ARN), (clients) => clients.jobsData.send(start()));
    expect(executionId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('starting can be bound to values of the parameters', async () => {
    const [statement] = allow('iot:StartCommandExecution', '*');
    const low = [{ ...statement!, Condition: { NumericLessThan: { 'iot:CommandExecutionParameterNumber/level': '10' } } }];
    await as(low, (clients) => clients.jobsData.send(start(9)));
    await expect(as(low, (clients) => clients.jobsData.send(start(10)))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  test('reading an execution wants its command and its device', async () => {
    const { executionId } = await jobsData.send(start());
    const get = new GetCommandExecutionCommand({ executionId, targetArn: TARGET_ARN });
    await expect(as(allow('iot:GetCommandExecution', TARGET_ARN), (clients) => clients.iot.send(get))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    expect(await as(allow('iot:GetCommandExecution', TARGET_ARN, COMMAND_ARN), (clients) => clients.iot.send(get))).toMatchObject({
      status: 'CREATED',
      parameters: { level: { I: 1 } },
    });
    const list = new ListCommandExecutionsCommand({ commandArn: COMMAND_ARN });
    await expect(as(allow('iot:GetCommandExecution', '*'), (clients) => clients.iot.send(list))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });

  test('a job execution wants the thing, and may be bound to the job', async () => {
    const pending = new GetPendingJobExecutionsCommand({ thingName: THING });
    await expect(as(allow('iot:*', '*'), (clients) => clients.jobsData.send(pending))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    await as(allow('iotjobsdata:GetPendingJobExecutions', TARGET_ARN), (clients) => clients.jobsData.send(pending));
    const [statement] = allow('iotjobsdata:DescribeJobExecution', TARGET_ARN);
    const one = [{ ...statement!, Condition: { StringEquals: { 'iot:JobId': 'mine' } } }];
    const describe1 = (jobId: string) =>
      as(one, (clients) => clients.jobsData.send(new DescribeJobExecutionCommand({ jobId, thingName: THING })));
    await expect(describe1('mine')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(describe1('other')).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

describe('job executions over HTTPS', () => {
  const createJob = async (jobId: string, thingName: string): Promise<void> => {
    await iot.send(new CreateThingCommand({ thingName }));
    await iot.send(
      new CreateJobCommand({ jobId, targets: [ARN(`thing/${thingName}`)], document: JSON.stringify({ operation: 'test', jobId }) }),
    );
    // The rollout begins when the call has been answered.
    await desk.world.clock.advance(1);
  };

  test('are found, started, reported and over, as over MQTT', async () => {
    const thingName = 'worker';
    await createJob('first', thingName);
    const waiting = await jobsData.send(new GetPendingJobExecutionsCommand({ thingName }));
    expect(waiting).toMatchObject({ inProgressJobs: [], queuedJobs: [{ jobId: 'first', executionNumber: 1, versionNumber: 1 }] });
    const next = await jobsData.send(new DescribeJobExecutionCommand({ jobId: '$next', thingName }));
    expect(next.execution).toMatchObject({ jobId: 'first', status: 'QUEUED', jobDocument: '{"operation":"test","jobId":"first"}' });
    const started = await jobsData.send(new StartNextPendingJobExecutionCommand({ thingName, statusDetails: { step: 'one' } }));
    expect(started.execution).toMatchObject({ jobId: 'first', status: 'IN_PROGRESS', statusDetails: { step: 'one' }, versionNumber: 2 });
    const seconds = Math.floor(desk.world.clock.nowMs() / 1000);
    expect(Math.abs(started.execution!.startedAt! - seconds)).toBeLessThanOrEqual(1);
    const update = { jobId: 'first', thingName, status: 'SUCCEEDED', includeJobExecutionState: true, includeJobDocument: true } as const;
    await expect(jobsData.send(new UpdateJobExecutionCommand({ ...update, expectedVersion: 1 }))).rejects.toMatchObject({
      name: 'VersionMismatch',
      $metadata: { httpStatusCode: 409 },
    });
    expect(await jobsData.send(new UpdateJobExecutionCommand({ ...update, expectedVersion: 2 }))).toMatchObject({
      executionState: { status: 'SUCCEEDED', versionNumber: 3 },
      jobDocument: '{"operation":"test","jobId":"first"}',
    });
    await expect(jobsData.send(new UpdateJobExecutionCommand(update))).rejects.toMatchObject({ name: 'InvalidStateTransitionException' });
    await expect(jobsData.send(new DescribeJobExecutionCommand({ jobId: 'first', thingName }))).rejects.toMatchObject({
      name: 'TerminalStateException',
    });
    expect((await jobsData.send(new DescribeJobExecutionCommand({ jobId: '$next', thingName }))).execution).toBeUndefined();
  });

  test('say how long a timer leaves them, and nothing where none runs', async () => {
    const thingName = 'slow-worker';
    await createJob('timed', thingName);
    const started = await jobsData.send(new StartNextPendingJobExecutionCommand({ thingName, stepTimeoutInMinutes: 5 }));
    expect(started.execution!.approximateSecondsBeforeTimedOut).toBe(300);
    await desk.world.clock.advance(60_000);
    const left = async () => {
      const { execution } = await jobsData.send(new DescribeJobExecutionCommand({ jobId: 'timed', thingName }));
      return execution!.approximateSecondsBeforeTimedOut;
    };
    const seconds = (await left())!;
    expect(seconds).toBeGreaterThan(200);
    expect(seconds).toBeLessThanOrEqual(240);
    await jobsData.send(new UpdateJobExecutionCommand({ jobId: 'timed', thingName, status: 'IN_PROGRESS', stepTimeoutInMinutes: -1 }));
    expect(await left()).toBeUndefined();
  });

  test('an execution without its document, of a thing or a job that is not there, or with a bad report', async () => {
    const thingName = 'tester';
    await createJob('second', thingName);
    const bare = await jobsData.send(new DescribeJobExecutionCommand({ jobId: 'second', thingName, includeJobDocument: false }));
    expect(bare.execution).toMatchObject({ jobId: 'second' });
    expect(bare.execution!.jobDocument).toBeUndefined();
    await expect(jobsData.send(new GetPendingJobExecutionsCommand({ thingName: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(jobsData.send(new DescribeJobExecutionCommand({ jobId: 'none', thingName }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(jobsData.send(new UpdateJobExecutionCommand({ jobId: 'second', thingName, status: 'CANCELED' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
    await expect(jobsData.send(new UpdateJobExecutionCommand({ jobId: '$next', thingName, status: 'SUCCEEDED' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });
});

test('DescribeEndpoint names where the plane is, and the client that is told nothing but AWS_ENDPOINT_URL finds it', async () => {
  const { endpointAddress } = await iot.send(new DescribeEndpointCommand({ endpointType: 'iot:Jobs' }));
  expect(`http://${endpointAddress}`).toBe(desk.endpoint);
  process.env['AWS_ENDPOINT_URL_IOT_JOBS_DATA_PLANE'] = desk.endpoint;
  const client = new IoTJobsDataPlaneClient({ region: desk.world.region, credentials: desk.adminCredentials });
  try {
    await client.send(new GetPendingJobExecutionsCommand({ thingName: THING }));
  } finally {
    delete process.env['AWS_ENDPOINT_URL_IOT_JOBS_DATA_PLANE'];
    client.destroy();
  }
});
