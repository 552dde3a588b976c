/** The calls of a containment, as AWS IoT answers them: out at once, rights swapped after minutes, back for repair alone. */
import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  CancelJobExecutionCommand,
  CreateJobCommand,
  CreatePolicyCommand,
  CreateThingGroupCommand,
  DeletePolicyCommand,
  DescribeJobExecutionCommand,
  DescribeThingCommand,
  DetachPolicyCommand,
  ListAttachedPoliciesCommand,
  ListThingGroupsForThingCommand,
  RemoveThingFromThingGroupCommand,
  UpdateCertificateCommand,
  UpdateThingCommand,
} from '@aws-sdk/client-iot';
import { DeleteConnectionCommand } from '@aws-sdk/client-iot-data-plane';
import { ARN, type GatewayDesk, closed, startGatewayDesk } from './gateway-desk.js';

const POLICY_DELAY_MS = 7 * 60_000;
const policy = (statement: object): string => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });

let desk: GatewayDesk;
beforeAll(async () => {
  desk = await startGatewayDesk({ policyDelayMs: POLICY_DELAY_MS, startAt: new Date('2026-11-22T10:00:00Z') });
  const OPEN = { Effect: 'Allow', Action: 'iot:*', Resource: '*' };
  await desk.iot.send(new CreatePolicyCommand({ policyName: 'deny', policyDocument: policy({ ...OPEN, Effect: 'Deny' }) }));
  const repair = { ...OPEN, Action: 'iot:Connect', Resource: ARN('client/${iot:Connection.Thing.ThingName}') };
  await desk.iot.send(new CreatePolicyCommand({ policyName: 'repair', policyDocument: policy(repair) }));
});
afterAll(() => desk.stop());

const policiesOf = async (target: string, recursive = false) =>
  (await desk.iot.send(new ListAttachedPoliciesCommand({ target, recursive }))).policies!.map(({ policyName }) => policyName);
const groupsOf = async (thingName: string) =>
  (await desk.iot.send(new ListThingGroupsForThingCommand({ thingName }))).thingGroups!.map(({ groupName }) => groupName);

test('INACTIVE and DeleteConnection put a device out; ACTIVE lets it back with what its certificate may do then', async () => {
  const device = await desk.enrol('violator');
  const client = await desk.connect(device, 'violator');
  const gone = closed(client);
  await desk.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'INACTIVE' }));
  expect(client.connected).toBe(true);
  await desk.data.send(new DeleteConnectionCommand({ clientId: 'violator' }));
  await gone;
  await desk.refused(device, 'violator');
  await expect(desk.data.send(new DeleteConnectionCommand({ clientId: 'violator' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });

  await desk.iot.send(new DetachPolicyCommand({ policyName: 'device', target: device.certificateArn }));
  await desk.iot.send(new DetachPolicyCommand({ policyName: 'device', target: device.certificateArn }));
  await desk.iot.send(new AttachPolicyCommand({ policyName: 'repair', target: device.certificateArn }));
  await desk.iot.send(new AttachPolicyCommand({ policyName: 'repair', target: device.certificateArn }));
  expect(await policiesOf(device.certificateArn, true)).toEqual(['repair']);
  await desk.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'ACTIVE' }));

  // The API shows the new rights at once; the old ones still stand for connections: why containment waits before ACTIVE.
  const early = await desk.connect(device, 'violator');
  await early.publishAsync('fleet/violator/data', 'still', { qos: 1 });
  early.end(true);
  await desk.cloud.world.clock.advance(POLICY_DELAY_MS);
  const late = await desk.connect(device, 'violator');
  const cut = closed(late);
  late.publish('fleet/violator/data', 'no more');
  await cut;
});

test('policies of groups count where the client id is the name of the thing, or the attachment is exclusive; parents too', async () => {
  await desk.iot.send(new CreateThingGroupCommand({ thingGroupName: 'parent' }));
  await desk.iot.send(new CreateThingGroupCommand({ thingGroupName: 'child', parentGroupName: 'parent' }));
  await desk.iot.send(new AttachPolicyCommand({ policyName: 'deny', target: ARN('thinggroup/parent') }));
  expect(await policiesOf(ARN('thinggroup/child'))).toEqual([]);
  expect(await policiesOf(ARN('thinggroup/child'), true)).toEqual(['deny']);
  await desk.cloud.world.clock.advance(POLICY_DELAY_MS);
  for (const [thingName, exclusive, clientId, letIn] of [
    ['own-name', false, 'own-name', false],
    ['other-name', false, 'somebody', true],
    ['exclusive', true, 'somebody', false],
  ] as const) {
    const device = await desk.enrol(thingName, { policy: 'open', exclusive });
    await desk.iot.send(new AddThingToThingGroupCommand({ thingGroupName: 'child', thingName }));
    if (letIn) (await desk.connect(device, clientId)).end(true);
    else await desk.refused(device, clientId);
    await desk.iot.send(new RemoveThingFromThingGroupCommand({ thingGroupName: 'child', thingName }));
    await desk.iot.send(new RemoveThingFromThingGroupCommand({ thingGroupName: 'child', thingName }));
    expect(await groupsOf(thingName)).toEqual([]);
    (await desk.connect(device, thingName)).end(true);
  }
});

test('a policy that was detached can be deleted when its detachment is in force, and not before', async () => {
  const device = await desk.enrol('released');
  (await desk.connect(device, 'released')).end(true);
  const policyName = 'of-one-containment';
  const Allow = { Effect: 'Allow', Action: 'iot:Connect', Resource: ARN('client/other') };
  await desk.iot.send(new CreatePolicyCommand({ policyName, policyDocument: policy(Allow) }));
  await desk.iot.send(new AttachPolicyCommand({ policyName, target: device.certificateArn }));
  await desk.iot.send(new DetachPolicyCommand({ policyName, target: device.certificateArn }));
  const remove = () => desk.iot.send(new DeletePolicyCommand({ policyName }));
  await expect(remove()).rejects.toMatchObject({ name: 'DeleteConflictException' });
  await desk.cloud.world.clock.advance(POLICY_DELAY_MS);
  await remove();
});

test('a thing has a version that each change moves on', async () => {
  const { thingName } = await desk.enrol('versioned');
  const version = async () => (await desk.iot.send(new DescribeThingCommand({ thingName }))).version;
  expect(await version()).toBe(1);
  await desk.iot.send(new UpdateThingCommand({ thingName, attributePayload: { attributes: { a: '1' } }, expectedVersion: 1 }));
  expect(await version()).toBe(2);
  const stale = new UpdateThingCommand({ thingName, attributePayload: { attributes: { a: '2' } }, expectedVersion: 1 });
  await expect(desk.iot.send(stale)).rejects.toMatchObject({ name: 'VersionConflictException' });
});

test('a job for one thing can be looked at and cancelled for it, once', async () => {
  const { thingName } = await desk.enrol('told');
  const of = { jobId: 'shut-off-1', thingName };
  const create = new CreateJobCommand({ jobId: of.jobId, targets: [ARN(`thing/${thingName}`)], document: '{"operation":"shut-off"}' });
  await desk.iot.send(create);
  await expect(desk.iot.send(create)).rejects.toMatchObject({ name: 'ResourceAlreadyExistsException' });
  const execution = async () => (await desk.iot.send(new DescribeJobExecutionCommand(of))).execution!;
  expect(await execution()).toMatchObject({ status: 'QUEUED', executionNumber: 1, versionNumber: 1 });
  await expect(desk.iot.send(new CancelJobExecutionCommand({ ...of, expectedVersion: 9 }))).rejects.toMatchObject({
    name: 'VersionConflictException',
  });
  await desk.iot.send(new CancelJobExecutionCommand(of));
  expect((await execution()).status).toBe('CANCELED');
  await expect(desk.iot.send(new CancelJobExecutionCommand(of))).rejects.toMatchObject({ name: 'InvalidStateTransitionException' });
});
