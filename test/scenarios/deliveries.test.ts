/** Who may put work before the functions: each queue lets in its own rules, and nobody else. */
import { assemblyOf, editedAssembly, type Assembly } from './support/assembly.js';
import { QUEUES } from './support/quiet.js';
import { MINUTE, Scene } from './support/scene.js';

let assembly: Assembly;
let scene: Scene;
beforeAll(async () => {
  assembly = await assemblyOf();
  scene = await Scene.open(assembly, { factory: 2 });
});
afterAll(() => scene?.close());

const arnOf = (queue: string) => `arn:aws:sqs:${scene.desk.world.region}:${scene.desk.world.accountId}:${queue}`;

test('a rule that is not ours, with one of our queues as its target, delivers nothing', async () => {
  await scene.desk.cloud.call('events', 'PutRule', {
    Name: 'foreign',
    EventPattern: JSON.stringify({ source: ['foreign'] }),
  });
  for (const queue of Object.values(QUEUES)) {
    await scene.desk.cloud.call('events', 'PutTargets', { Rule: 'foreign', Targets: [{ Id: queue, Arn: arnOf(queue) }] });
  }
  const before = scene.callsOfFunctions().length;
  scene.desk.cloud.parts.putEvent!({ source: 'foreign', 'detail-type': 'x', resources: [], detail: { kind: 'sweep' } });
  await scene.rest();
  expect(scene.callsOfFunctions().slice(before)).toEqual([]);
  const denied = scene.desk.world.journal.entries().filter(({ kind, who }) => kind === 'denied' && who.endsWith('rule/foreign'));
  expect(denied).toHaveLength(Object.keys(QUEUES).length);
});

test('a rule of the same name in another account delivers nothing', async () => {
  const decision = await scene.desk.cloud.deliver({
    service: 'events.amazonaws.com',
    sourceArn: `arn:aws:events:${scene.desk.world.region}:111111111111:rule/fleetwarden-crl-put`,
    targetArn: arnOf(QUEUES.sync),
    payload: JSON.stringify({ kind: 'sweep' }),
  });
  expect(decision.allowed).toBe(false);
});

test('a CRL in another bucket starts nothing, and a message that names that bucket reads nothing', async () => {
  await scene.desk.cloud.call('s3', 'CreateBucket', { Bucket: 'foreign', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } });
  await scene.desk.cloud.call('s3', 'PutBucketNotificationConfiguration', {
    Bucket: 'foreign',
    NotificationConfiguration: { EventBridgeConfiguration: {} },
  });
  const before = scene.callsOfFunctions().length;
  const crl = scene.factory.crl(1, scene.factoryDevices, scene.desk.world.clock.date());
  await scene.desk.cloud.call('s3', 'PutObject', { Bucket: 'foreign', Key: 'external/factory/factory.crl', Body: crl });
  await scene.rest();
  expect(scene.callsOfFunctions().slice(before)).toEqual([]);

  await scene.send('sync', { kind: 'object', bucket: 'foreign', key: 'external/factory/factory.crl' });
  await scene.settle();
  expect(await scene.statuses(scene.factoryDevices)).toEqual(['ACTIVE', 'ACTIVE']);
  expect(scene.mutations()).toEqual([]);
  expect(await scene.deadLetters('sync')).toBe(1);
  expect(await scene.alarms()).toContain('dead-letters-revocation-sync');
});

test('a message that is none of ours ends in the dead-letter queue, and others beside it are carried out', async () => {
  await scene.send('revoke', {
    version: 1,
    action: 'revoke',
    anchorId: 'factory',
    serialNumber: 'not hex',
    reason: 'x',
    source: 'crl',
    runId: 'x',
  });
  await scene.publish([scene.factoryDevices[0]!]);
  await scene.settle();
  expect(await scene.statuses(scene.factoryDevices)).toEqual(['REVOKED', 'ACTIVE']);
  expect(await scene.deadLetters('revoke')).toBe(1);
  expect(await scene.alarms()).toContain('dead-letters-revocation-revoke');
});

test('without the statement for its rule in the queue’s policy, a CRL is found by the sweep alone, and an alarm says so', async () => {
  const edited = editedAssembly(assembly, ({ Resources }) => {
    for (const { Type, Properties } of Object.values(Resources)) {
      if (Type !== 'AWS::SQS::QueuePolicy') continue;
      const { PolicyDocument } = Properties as { PolicyDocument: { Statement: { Sid?: string }[] } };
      PolicyDocument.Statement = PolicyDocument.Statement.filter(({ Sid }) => Sid !== 'Rulecrlput');
    }
  });
  const without = await Scene.open(edited, { factory: 1 });
  try {
    await without.publish(without.factoryDevices);
    expect(await without.statuses(without.factoryDevices)).toEqual(['ACTIVE']);
    expect(await without.alarms()).toContain('event-not-delivered-crl-put');
    await without.pass(16 * MINUTE);
    expect(await without.statuses(without.factoryDevices)).toEqual(['REVOKED']);
  } finally {
    await without.close();
    edited.remove();
  }
});
