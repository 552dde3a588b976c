/**
 * The security profiles as they are deployed, taken by a Detect that checks them as AWS does; and its violations, read again at their source with the SDK's client.
 */
import { ViolationNotification } from '../../domain/protocol/violation.js';
import { iotClient } from '../../lambda/aws/clients.js';
import { detectViolations } from '../../lambda/aws/violations-detect.js';
import type { SourcedViolation, WholeViolationSource } from '../../lambda/ports/violations.js';
import { assemblyOf } from '../scenarios/support/assembly.js';
import { queueUrlOf } from '../scenarios/support/quiet.js';
import { Scene } from '../scenarios/support/scene.js';

const LISTENER = 'detect-listener';
jest.setTimeout(180_000);

let scene: Scene;
let source: WholeViolationSource;

beforeAll(async () => {
  const behaviours = [
    { name: 'messages-sent', ml: 'HIGH' },
    { name: 'message-size', statistic: 'p99' },
    { name: 'source-address', operator: 'in-cidr-set', value: ['10.0.0.0/8'] },
    { name: 'procs', metric: 'procs', operator: 'in-set', value: ['agent'] },
  ];
  const customMetrics = { battery: 'number', cpu_temp: 'number', procs: 'string-list' };
  scene = await Scene.open(
    await assemblyOf({ more: { behaviour: { detect: 'device-defender', targets: ['all-things'], behaviours, customMetrics } } }),
    { factory: 1 },
  );
  const { cloud, world, env } = scene.desk;
  Object.assign(process.env, env);
  const TopicArn = `arn:aws:sns:${world.region}:${world.accountId}:fleetwarden-violations`;
  const QueueArn = `arn:aws:sqs:${world.region}:${world.accountId}:${LISTENER}`;
  const Statement = [{ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: QueueArn }];
  await cloud.call('sqs', 'CreateQueue', {
    QueueName: LISTENER,
    Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) },
  });
  await cloud.call('sns', 'Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: QueueArn, Attributes: { RawMessageDelivery: 'true' } });
  source = detectViolations(iotClient(), new Set(['fleetwarden-rules', 'fleetwarden-ml']), {
    ...world.clock,
    nowMs: () => world.clock.nowMs(),
    sleepUntil: async () => undefined,
  });
});
afterAll(() => scene?.close());

async function heard(): Promise<ViolationNotification> {
  await scene.rest();
  const { Messages = [] } = await scene.desk.cloud.call<{ Messages?: { Body: string; ReceiptHandle: string }[] }>('sqs', 'ReceiveMessage', {
    QueueUrl: queueUrlOf(scene.desk, LISTENER),
    MaxNumberOfMessages: 10,
  });
  for (const { ReceiptHandle } of Messages)
    await scene.desk.cloud.call('sqs', 'DeleteMessage', { QueueUrl: queueUrlOf(scene.desk, LISTENER), ReceiptHandle });
  expect(Messages).toHaveLength(1);
  return ViolationNotification.parse(JSON.parse(Messages[0]!.Body));
}
const listed = async (violations: AsyncIterable<SourcedViolation>): Promise<SourcedViolation[]> => {
  const found: SourcedViolation[] = [];
  for await (const violation of violations) found.push(violation);
  return found;
};
const openOf = (thing: string) => listed(source.openOf(thing));
const allOpenOf = (thing: string) => listed(source.allOpenOf(thing));

test('the profiles of all defaults are accepted, and attached', async () => {
  const { securityProfileIdentifiers } = await scene.desk.cloud.call<{ securityProfileIdentifiers: { name: string }[] }>(
    'iot',
    'ListSecurityProfiles',
    {},
  );
  expect(securityProfileIdentifiers.map(({ name }) => name).toSorted()).toEqual(['fleetwarden-ml', 'fleetwarden-rules']);
  const { behaviors } = await scene.desk.cloud.call<{ behaviors: { name: string; criteria: object }[] }>('iot', 'DescribeSecurityProfile', {
    securityProfileName: 'fleetwarden-rules',
  });
  expect(behaviors.find(({ name }) => name === 'authorization-failures')?.criteria).toMatchObject({
    value: { count: 5 },
    durationSeconds: 300,
  });
});

test('a violation is announced on our topic, open at its source until it is cleared, and then still known', async () => {
  const { thingName } = scene.factoryDevices[0]!;
  const detect = scene.desk.cloud.parts.detect!;
  await detect.raise({
    securityProfileName: 'fleetwarden-rules',
    behaviorName: 'authorization-failures',
    thingName,
    metricValue: { count: 9 },
  });
  const raised = await heard();
  expect(raised).toMatchObject({ thingName, violationEventType: 'in-alarm', behavior: { name: 'authorization-failures' } });
  expect(await source.read(raised)).toMatchObject({
    isOpen: true,
    lastEventType: 'in-alarm',
    metricValue: { count: 9 },
    behavior: 'authorization-failures',
  });
  expect((await openOf(thingName)).map(({ violationId }) => violationId)).toEqual([raised.violationId]);

  await scene.pass(60_000);
  await detect.clear(raised.violationId, { count: 1 });
  const cleared = await heard();
  expect(await source.read(cleared)).toMatchObject({
    isOpen: false,
    lastEventType: 'alarm-cleared',
    violationId: raised.violationId,
    metricValue: { count: 1 },
  });
  expect(await openOf(thingName)).toEqual([]);
});

test('what people have judged is read with it, and keeps nobody contained where it was nothing', async () => {
  const detect = scene.desk.cloud.parts.detect!;
  await detect.raise({
    securityProfileName: 'fleetwarden-ml',
    behaviorName: 'messages-sent',
    thingName: 'nobody-registered',
    metricValue: { count: 9021 },
  });
  const raised = await heard();
  await scene.desk.cloud.call('iot', 'PutVerificationStateOnViolation', {
    violationId: raised.violationId,
    verificationState: 'FALSE_POSITIVE',
  });
  expect(await source.read(raised)).toMatchObject({ verificationState: 'FALSE_POSITIVE', thingName: 'nobody-registered', isOpen: true });
  expect([await openOf('nobody-registered'), (await allOpenOf('nobody-registered')).length]).toEqual([[], 1]);
});

test('what was made up is not known: another id, another thing, a profile that is not ours', async () => {
  const { thingName } = scene.factoryDevices[0]!;
  const forged = { violationId: 'f'.repeat(32), thingName, securityProfileName: 'fleetwarden-rules' };
  expect(await source.read(forged)).toBeUndefined();
  const [open] = await allOpenOf('nobody-registered');
  expect(await source.read({ ...forged, violationId: open!.violationId })).toBeUndefined();
  expect(await source.read({ ...open!, securityProfileName: 'of-somebody-else' })).toBeUndefined();
});
