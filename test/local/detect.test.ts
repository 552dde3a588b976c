import {
  AddThingToThingGroupCommand,
  AttachSecurityProfileCommand,
  type Behavior,
  CreateCustomMetricCommand,
  CreateDimensionCommand,
  CreateSecurityProfileCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DeleteCustomMetricCommand,
  DescribeSecurityProfileCommand,
  IoTClient,
  ListActiveViolationsCommand,
  ListSecurityProfilesForTargetCommand,
  ListTargetsForSecurityProfileCommand,
  ListViolationEventsCommand,
  PutVerificationStateOnViolationCommand,
  UpdateSecurityProfileCommand,
  ValidateSecurityProfileBehaviorsCommand,
} from '@aws-sdk/client-iot';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { providers } from '../../local/deploy/providers/iot-defender.js';
import type { ProviderContext } from '../../local/deploy/provider.js';
import { startSns } from '../../local/services/sns/service.js';
import { startSqs } from '../../local/services/sqs/service.js';
import { ARN, type GatewayDesk, nextMessage, startGatewayDesk } from './gateway-desk.js';

let desk: GatewayDesk;
let sqs: SQSClient;
let sns: SNSClient;
let stopSqs: () => void;
let number = 0;
beforeEach(async () => {
  desk = await startGatewayDesk({ startAt: new Date('2026-11-22T10:00:00Z') });
  stopSqs = startSqs(desk.cloud);
  startSns(desk.cloud);
  const client = { endpoint: desk.cloud.endpoint, region: 'eu-west-1', credentials: desk.cloud.administratorCredentials };
  [sqs, sns] = [new SQSClient(client), new SNSClient(client)];
});
afterEach(async () => {
  sqs.destroy();
  sns.destroy();
  stopSqs();
  await desk.stop();
});

const FAILURES: Behavior = {
  name: 'AuthFailures',
  metric: 'aws:num-authorization-failures',
  criteria: {
    comparisonOperator: 'less-than',
    value: { count: 10 },
    durationSeconds: 300,
    consecutiveDatapointsToAlarm: 1,
    consecutiveDatapointsToClear: 1,
  },
};
const create = (behaviors: Behavior[], more: object = {}) =>
  desk.iot.send(new CreateSecurityProfileCommand({ securityProfileName: 'baseline', behaviors, ...more }));
const attach = (target = 'all/things', securityProfileName = 'baseline') =>
  desk.iot.send(new AttachSecurityProfileCommand({ securityProfileName, securityProfileTargetArn: ARN(target) }));
const detect = () => desk.cloud.parts.detect!;

function role(action: string): string {
  const trust = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'iot.amazonaws.com' },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'aws:SourceAccount': '000000000000' } },
      },
    ],
  } as const;
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] } as const;
  return desk.cloud.iam.createRole(`alerts-${++number}`, trust, [policy], []).arn;
}

/** A topic, and what has come to it. */
async function topic(): Promise<{ arn: string; messages(): Promise<Record<string, unknown>[]> }> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `alerts-${++number}` }));
  const queueArn = `arn:aws:sqs:eu-west-1:000000000000:alerts-${number}`;
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: queueArn }],
  });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: `alerts-${number}` }));
  const Attributes = { RawMessageDelivery: 'true' };
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queueArn, Attributes }));
  return {
    arn: TopicArn!,
    messages: async () => {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      return Messages.map(({ Body }) => JSON.parse(Body!) as Record<string, unknown>);
    },
  };
}

describe('a security profile', () => {
  test('is created, described, updated by version and attached to targets', async () => {
    const { securityProfileArn } = await create([FAILURES], { securityProfileDescription: 'what is normal' });
    expect(securityProfileArn).toBe(ARN('securityprofile/baseline'));
    const profile = { securityProfileName: 'baseline' };
    const described = await desk.iot.send(new DescribeSecurityProfileCommand(profile));
    expect(described).toMatchObject({ behaviors: [FAILURES], version: 1, securityProfileDescription: 'what is normal' });
    const update = { ...profile, behaviors: [{ ...FAILURES, suppressAlerts: true }], expectedVersion: 1 };
    expect((await desk.iot.send(new UpdateSecurityProfileCommand(update))).version).toBe(2);
    await expect(desk.iot.send(new UpdateSecurityProfileCommand(update))).rejects.toMatchObject({ name: 'VersionConflictException' });
    await desk.iot.send(new CreateThingGroupCommand({ thingGroupName: 'pumps' }));
    await desk.iot.send(new CreateThingGroupCommand({ thingGroupName: 'small', parentGroupName: 'pumps' }));
    await attach();
    await attach('thinggroup/small');
    const { securityProfileTargets } = await desk.iot.send(new ListTargetsForSecurityProfileCommand(profile));
    expect(securityProfileTargets).toEqual([{ arn: ARN('all/things') }, { arn: ARN('thinggroup/small') }]);
    const ofParent = { securityProfileTargetArn: ARN('thinggroup/pumps') };
    expect((await desk.iot.send(new ListSecurityProfilesForTargetCommand(ofParent))).securityProfileTargetMappings).toEqual([]);
    const recursive = await desk.iot.send(new ListSecurityProfilesForTargetCommand({ ...ofParent, recursive: true }));
    expect(recursive.securityProfileTargetMappings).toEqual([
      { securityProfileIdentifier: { name: 'baseline', arn: securityProfileArn }, target: { arn: ARN('thinggroup/small') } },
    ]);
    await expect(attach('thinggroup/nowhere')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(attach('thing/pump-1')).rejects.toMatchObject({ name: 'InvalidRequestException' });
  });

  test.each<[string, Partial<Behavior>, RegExp]>([
    ['of an unknown metric', { metric: 'aws:num-mistakes' }, /unknown metric/],
    ['of a custom metric that is not declared', { metric: 'temperature' }, /unknown metric/],
    ['whose count has no duration', { criteria: { comparisonOperator: 'less-than', value: { count: 1 } } }, /durationSeconds is required/],
    ['with a duration that is none of five', { criteria: { ...FAILURES.criteria, durationSeconds: 60 } }, /durationSeconds must be one of/],
    ['with an operator of another kind', { criteria: { ...FAILURES.criteria, comparisonOperator: 'in-port-set' } }, /does not fit/],
    ['with a value of another kind', { criteria: { ...FAILURES.criteria, value: { ports: [22] } } }, /value must have count/],
    [
      'with a value and machine learning',
      { criteria: { ...FAILURES.criteria, mlDetectionConfig: { confidenceLevel: 'HIGH' } } },
      /exactly one/,
    ],
    ['with eleven datapoints', { criteria: { ...FAILURES.criteria, consecutiveDatapointsToAlarm: 11 } }, /1 to 10/],
    ['with a dimension that does not exist', { metricDimension: { dimensionName: 'nowhere' } }, /unknown dimension/],
    ['with a name of other characters', { name: 'not a name' }, /must match/],
  ])('takes no behaviour %s, and the validation says why', async (_what, change, why) => {
    const behavior = { ...FAILURES, ...change };
    const { valid, validationErrors } = await desk.iot.send(new ValidateSecurityProfileBehaviorsCommand({ behaviors: [behavior] }));
    expect([valid, validationErrors!.length]).toEqual([false, 1]);
    expect(validationErrors![0]!.errorMessage).toMatch(why);
    await expect(create([behavior])).rejects.toMatchObject({ name: 'InvalidRequestException' });
  });

  test('takes declared custom metrics and dimensions, which then are in use', async () => {
    const metric = { metricName: 'temperature', metricType: 'number', clientRequestToken: 'a' } as const;
    await desk.iot.send(new CreateCustomMetricCommand(metric));
    await desk.iot.send(new CreateCustomMetricCommand(metric));
    await expect(desk.iot.send(new CreateCustomMetricCommand({ ...metric, clientRequestToken: 'b' }))).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
    });
    await desk.iot.send(
      new CreateDimensionCommand({ name: 'commands', type: 'TOPIC_FILTER', stringValues: ['fleet/+/commands'], clientRequestToken: 'a' }),
    );
    await create([
      { name: 'Hot', metric: 'temperature', criteria: { comparisonOperator: 'less-than', value: { number: 80.5 } } },
      { ...FAILURES, name: 'OnCommands', metricDimension: { dimensionName: 'commands', operator: 'IN' } },
    ]);
    await expect(desk.iot.send(new DeleteCustomMetricCommand({ metricName: 'temperature' }))).rejects.toMatchObject({
      name: 'ConflictException',
    });
  });

  test('comes from a template, where a count is a text', async () => {
    const context = { cloud: desk.cloud, physicalName: () => 'unnamed' } as unknown as ProviderContext;
    const target = { AlertTargetArn: 'arn:aws:sns:eu-west-1:000000000000:t', RoleArn: 'arn:aws:iam::000000000000:role/r' };
    await providers['AWS::IoT::CustomMetric']!({ MetricName: 'load', MetricType: 'number' }, context);
    const created = await providers['AWS::IoT::SecurityProfile']!(
      {
        SecurityProfileName: 'baseline',
        Behaviors: [
          {
            Name: 'Sent',
            Metric: 'aws:num-messages-sent',
            Criteria: { ComparisonOperator: 'less-than-equals', Value: { Count: '100' }, DurationSeconds: 300 },
          },
          { Name: 'Load', Metric: 'load', Criteria: { ComparisonOperator: 'less-than', Value: { Number: 4 } } },
        ],
        AlertTargets: { SNS: target },
        TargetArns: [ARN('all/registered-things')],
      },
      context,
    );
    expect(created).toEqual({ ref: 'baseline', attributes: { SecurityProfileArn: ARN('securityprofile/baseline') } });
    const { behaviors, alertTargets } = await desk.iot.send(new DescribeSecurityProfileCommand({ securityProfileName: 'baseline' }));
    expect(behaviors![0]!.criteria!.value).toEqual({ count: 100 });
    expect(alertTargets).toEqual({ SNS: { alertTargetArn: target.AlertTargetArn, roleArn: target.RoleArn } });
  });
});

describe('a violation that is raised at the desk', () => {
  test('is listed while it lasts, announced in the words of Detect, and leaves its events', async () => {
    const to = await topic();
    await create([FAILURES], { alertTargets: { SNS: { alertTargetArn: to.arn, roleArn: role('sns:Publish') } } });
    await attach();
    const raised = { securityProfileName: 'baseline', behaviorName: 'AuthFailures', thingName: 'pump-1', metricValue: { count: 54 } };
    const violationId = await detect().raise(raised);
    expect(await detect().raise({ ...raised, metricValue: { count: 60 } })).toBe(violationId);
    const { activeViolations } = await desk.iot.send(new ListActiveViolationsCommand({ thingName: 'pump-1' }));
    expect(activeViolations).toEqual([
      {
        violationId,
        thingName: 'pump-1',
        securityProfileName: 'baseline',
        behavior: FAILURES,
        lastViolationValue: { count: 60 },
        verificationState: 'UNKNOWN',
        lastViolationTime: expect.any(Date),
        violationStartTime: expect.any(Date),
      },
    ]);
    await desk.iot.send(new PutVerificationStateOnViolationCommand({ violationId, verificationState: 'TRUE_POSITIVE' }));
    await desk.cloud.world.clock.advance(60_000);
    await detect().clear(violationId, { count: 2 });
    expect((await desk.iot.send(new ListActiveViolationsCommand({}))).activeViolations).toEqual([]);
    const messages = [...(await to.messages()), ...(await to.messages())];
    const common = {
      thingName: 'pump-1',
      behavior: FAILURES,
      violationId,
      securityProfileName: 'baseline',
      violationEventTime: expect.any(Number),
    };
    expect(messages).toHaveLength(2);
    expect(messages).toContainEqual({ ...common, violationEventType: 'in-alarm', metricValue: { count: 54 } });
    expect(messages).toContainEqual({ ...common, violationEventType: 'alarm-cleared', metricValue: { count: 2 } });
    const range = { startTime: new Date('2026-11-22T09:00:00Z'), endTime: new Date('2026-11-22T11:00:00Z') };
    const { violationEvents } = await desk.iot.send(new ListViolationEventsCommand(range));
    expect(violationEvents!.map(({ violationEventType, verificationState }) => [violationEventType, verificationState])).toEqual([
      ['alarm-cleared', 'TRUE_POSITIVE'],
      ['in-alarm', 'TRUE_POSITIVE'],
    ]);
    await desk.cloud.world.clock.advance(31 * 86_400_000);
    await detect().raise(raised);
    expect((await desk.iot.send(new ListViolationEventsCommand(range))).violationEvents).toEqual([]);
  });

  test('of a behaviour with suppressed alerts is listed and not announced; a role that may not publish announces nothing', async () => {
    const to = await topic();
    const alertTargets = { SNS: { alertTargetArn: to.arn, roleArn: role('sns:GetTopicAttributes') } };
    await create(
      [
        { ...FAILURES, suppressAlerts: true },
        { ...FAILURES, name: 'Loud' },
      ],
      { alertTargets },
    );
    await attach();
    for (const behaviorName of ['AuthFailures', 'Loud'])
      await detect().raise({ securityProfileName: 'baseline', behaviorName, thingName: 'pump-1' });
    expect(await to.messages()).toEqual([]);
    const listed = await desk.iot.send(new ListActiveViolationsCommand({ listSuppressedAlerts: true }));
    expect(listed.activeViolations!.map(({ behavior }) => behavior!.name)).toEqual(['AuthFailures']);
  });

  test('are not looked for by a word that does not exist', async () => {
    const range = { startTime: new Date('2026-11-22T09:00:00Z'), endTime: new Date('2026-11-22T11:00:00Z') };
    for (const filter of [{ behaviorCriteriaType: 'RULES' }, { verificationState: 'WRONG' }] as object[]) {
      await expect(desk.iot.send(new ListActiveViolationsCommand(filter))).rejects.toMatchObject({ name: 'InvalidRequestException' });
      await expect(desk.iot.send(new ListViolationEventsCommand({ ...range, ...filter }))).rejects.toMatchObject({
        name: 'InvalidRequestException',
      });
    }
  });

  test('must be of a thing in a target of the profile', async () => {
    await create([FAILURES]);
    await desk.iot.send(new CreateThingGroupCommand({ thingGroupName: 'pumps' }));
    await desk.iot.send(new CreateThingCommand({ thingName: 'pump-1' }));
    await attach('thinggroup/pumps');
    const raised = { securityProfileName: 'baseline', behaviorName: 'AuthFailures', thingName: 'pump-1' };
    await expect(detect().raise(raised)).rejects.toThrow(/no target/);
    await desk.iot.send(new AddThingToThingGroupCommand({ thingGroupName: 'pumps', thingName: 'pump-1' }));
    expect(await detect().raise(raised)).toMatch(/^[0-9a-f]{32}$/);
  });

  test('is read only by whom IAM lets', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = desk.cloud.iam.assume(role('iot:DescribeThing'), 'iot.amazonaws.com', 's');
    const credentials = { accessKeyId, secretAccessKey, sessionToken };
    const other = new IoTClient({ endpoint: desk.cloud.endpoint, region: 'eu-west-1', credentials, maxAttempts: 1 });
    await expect(other.send(new ListActiveViolationsCommand({}))).rejects.toMatchObject({ name: 'AccessDeniedException' });
    other.destroy();
  });
});

describe('a report of a device', () => {
  const REPORT = { header: { report_id: 1795342500, version: '1.0' }, metrics: { network_stats: { bytes_in: 1, bytes_out: 2 } } };

  async function answer(report: unknown): Promise<{ topic: string; body: Record<string, unknown> }> {
    const thingName = `pump-${++number}`;
    const client = await desk.connect(await desk.enrol(thingName), thingName);
    const topicName = `$aws/things/${thingName}/defender/metrics/json`;
    await client.subscribeAsync(`${topicName}/+`, { qos: 1 });
    const next = nextMessage(client);
    await client.publishAsync(topicName, typeof report === 'string' ? report : JSON.stringify(report), { qos: 1 });
    const { topic: on, text } = await next;
    client.end(true);
    return { topic: on.slice(topicName.length + 1), body: JSON.parse(text) as Record<string, unknown> };
  }

  test.each([
    ['in long names', REPORT],
    [
      'in short names',
      {
        hed: { rid: 1795342500, v: '1.0' },
        met: { tp: { pts: [{ pt: 22 }], t: 1 }, tc: { ec: { cs: [{ rad: '192.0.2.1:8883' }], t: 1 } } },
      },
    ],
    ['of custom metrics alone', { header: REPORT.header, custom_metrics: { load: [{ number: 1.5 }], names: [{ string_list: ['a'] }] } }],
  ])('%s is accepted', async (_how, report) => {
    expect(await answer(report)).toEqual({
      topic: 'accepted',
      body: {
        thingName: expect.stringMatching(/^pump-/),
        '1795342500': expect.any(Number),
        status: 'ACCEPTED',
        timestamp: expect.any(Number),
      },
    });
  });

  test.each([
    ['that is no JSON', '{'],
    ['without a header', { metrics: REPORT.metrics }],
    ['without metrics', { header: REPORT.header }],
    ['with a count below zero', { ...REPORT, metrics: { network_stats: { bytes_in: -1 } } }],
    ['with a port that is none', { ...REPORT, metrics: { listening_tcp_ports: { ports: [{ port: 70_000 }] } } }],
    ['with a custom metric that is no list of one', { ...REPORT, custom_metrics: { load: { number: 1 } } }],
  ])('%s is rejected', async (_how, report) => {
    expect(await answer(report)).toMatchObject({
      topic: 'rejected',
      body: { status: 'REJECTED', statusDetails: { ErrorCode: 'InvalidPayload', ErrorMessage: expect.any(String) } },
    });
  });
});
