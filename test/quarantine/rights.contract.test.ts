/**
 * One spec for what quarantine sees and changes of AWS IoT: AWS IoT in memory, on which its other tests run, and the adapters, here against the desk. Which errors
 * mean "does not exist" is what the whole of it rests on.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateDynamicThingGroupCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  CreateThingTypeCommand,
  DeleteCertificateCommand,
  DeleteThingCommand,
  DescribeCertificateCommand,
  DescribeThingGroupCommand,
  DetachThingPrincipalCommand,
  RegisterCertificateWithoutCACommand,
  UpdateIndexingConfigurationCommand,
} from '@aws-sdk/client-iot';
import { CreateStateMachineCommand, DescribeExecutionCommand, SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { thingName, type ThingName } from '../../domain/fleet/thing-name.js';
import type { IntakeMessage } from '../../domain/protocol/containment.js';
import { containmentIdOf, type WorkflowInput } from '../../domain/protocol/containment-workflow.js';
import { iotDeviceJobs, iotRights } from '../../lambda/aws/containment-rights.js';
import { sqsIntakeQueue, stepFunctions } from '../../lambda/aws/containment-work.js';
import { iotRegistry } from '../../lambda/aws/registry.js';
import type { DeviceJobs, Rights } from '../../lambda/ports/containment-rights.js';
import type { Registry } from '../../lambda/ports/registry.js';
import type { TestCa } from '../builders/ca.js';
import { startTestDesk, type TestDesk } from '../inventory/desk.js';
import { deviceCertificate, fleetCa } from '../inventory/fleet.js';
import { MemoryDeviceJobs, MemoryIot } from './memory/iot.js';

/** How a spec makes its fleet; each name is given once. */
interface Fleet {
  readonly rights: Rights;
  readonly registry: Pick<Registry, 'describe' | 'setStatus' | 'thingsOf' | 'deleteConnection'>;
  readonly jobs: DeviceJobs;
  addThing(name: ThingName, more?: { readonly typeName: string; readonly attributes: Readonly<Record<string, string>> }): Promise<void>;
  addCertificate(things?: readonly ThingName[]): Promise<CertificateId>;
  addPolicy(name: string): Promise<void>;
  /** `inherited`: policies of its parent. */
  addGroup(name: string, policies?: readonly string[], inherited?: readonly string[]): Promise<void>;
  /** Of all things with the attribute `ward` of this value. */
  addDynamicGroup(name: string, ward: string): Promise<void>;
  deleteThing(name: ThingName): Promise<void>;
  deleteCertificate(id: CertificateId): Promise<void>;
}

function memoryFleet(): Fleet {
  const iot = new MemoryIot();
  return {
    rights: iot,
    registry: iot,
    jobs: new MemoryDeviceJobs(iot, () => 'QUEUED'),
    async addThing(name, { typeName, attributes = {} } = { typeName: '', attributes: {} }) {
      const thing = iot.addThing(name);
      Object.assign(thing.attributes, attributes);
      if (typeName !== '') thing.typeName = typeName;
      for (const [group, { isDynamic }] of iot.groups) if (isDynamic && group === `ward-${attributes['ward']}`) thing.groups.add(group);
    },
    async addCertificate(things = []) {
      const id = certificateId(randomBytes(32).toString('hex'));
      iot.addCertificate(id, 'ACTIVE', []);
      for (const name of things) iot.things.get(name)!.certificates.add(id);
      return id;
    },
    addPolicy: async (name) => void iot.policies.add(name),
    addGroup: async (name, policies = [], inherited = []) => iot.addGroup(name, [...policies, ...inherited]),
    addDynamicGroup: async (name) => iot.addGroup(name, [], true),
    deleteThing: async (name) => void iot.things.delete(name),
    async deleteCertificate(id) {
      iot.certificates.delete(id);
      for (const { certificates } of iot.things.values()) certificates.delete(id);
    },
  };
}

let desk: TestDesk;
let ca: TestCa;
beforeAll(async () => {
  desk = await startTestDesk();
  ca = await fleetCa();
});
afterAll(() => desk.stop());

async function deskFleet(): Promise<Fleet> {
  const { iot, iotData } = desk;
  const arnOf = async (id: CertificateId): Promise<string> =>
    (await iot.send(new DescribeCertificateCommand({ certificateId: id }))).certificateDescription!.certificateArn!;
  await iot.send(new UpdateIndexingConfigurationCommand({ thingIndexingConfiguration: { thingIndexingMode: 'REGISTRY' } }));
  const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' }] });
  return {
    // Without what other adapters have learned: each spec begins as a function does.
    get rights() {
      return iotRights(iot);
    },
    get registry() {
      return iotRegistry(iot, iotData);
    },
    jobs: iotDeviceJobs(iot),
    async addThing(name, more) {
      if (more !== undefined) await iot.send(new CreateThingTypeCommand({ thingTypeName: more.typeName })).catch(() => undefined);
      const typed = more && { thingTypeName: more.typeName, attributePayload: { attributes: { ...more.attributes } } };
      await iot.send(new CreateThingCommand({ thingName: name, ...typed }));
    },
    async addCertificate(things = []) {
      const { pem } = await deviceCertificate(ca, `d-${randomUUID()}`);
      const made = await iot.send(new RegisterCertificateWithoutCACommand({ certificatePem: pem, status: 'ACTIVE' }));
      for (const name of things) await iot.send(new AttachThingPrincipalCommand({ thingName: name, principal: made.certificateArn! }));
      return certificateId(made.certificateId!);
    },
    addPolicy: async (policyName) => void (await iot.send(new CreatePolicyCommand({ policyName, policyDocument }))),
    async addGroup(name, policies = [], inherited = []) {
      const parentGroupName = inherited.length > 0 ? `${name}-parent` : undefined;
      for (const [thingGroupName, carried] of [
        [parentGroupName, inherited],
        [name, policies],
      ] as const) {
        if (thingGroupName === undefined) continue;
        const parent = thingGroupName === name ? { parentGroupName } : {};
        await iot.send(new CreateThingGroupCommand({ thingGroupName, ...parent }));
        const { thingGroupArn } = await iot.send(new DescribeThingGroupCommand({ thingGroupName }));
        for (const policyName of carried) await iot.send(new AttachPolicyCommand({ policyName, target: thingGroupArn! }));
      }
    },
    addDynamicGroup: async (name, ward) =>
      void (await iot.send(new CreateDynamicThingGroupCommand({ thingGroupName: name, queryString: `attributes.ward:${ward}` }))),
    deleteThing: async (name) => void (await iot.send(new DeleteThingCommand({ thingName: name }))),
    async deleteCertificate(id) {
      const principal = await arnOf(id);
      for (const name of await iotRegistry(iot, iotData).thingsOf(id))
        await iot.send(new DetachThingPrincipalCommand({ thingName: name, principal }));
      await iotRegistry(iot, iotData).setStatus(id, 'INACTIVE');
      await iot.send(new DeleteCertificateCommand({ certificateId: id, forceDelete: true }));
    },
  };
}

const name = (what: string): string => `${what}-${randomUUID()}`;
const nobody = certificateId('f'.repeat(64));

describe.each<[string, () => Promise<Fleet>]>([
  ['in memory', async () => memoryFleet()],
  ['at AWS IoT, of the desk', deskFleet],
])('%s', (_where, start) => {
  let fleet: Fleet;
  let thing: ThingName;
  beforeAll(async () => {
    fleet = await start();
    for (let index = 0; index < 11; index += 1) await fleet.addPolicy(`policy-${index}`);
  });
  beforeEach(() => {
    thing = thingName(name('pump'));
  });

  it('a thing is described with its type and its attributes, or is not there', async () => {
    const ward = name('w');
    await fleet.addThing(thing, { typeName: 'pump', attributes: { ward } });
    expect(await fleet.rights.describeThing(thing)).toEqual({ thingName: thing, typeName: 'pump', attributes: { ward } });
    expect(await fleet.rights.describeThing(thingName(`${thing}0`))).toBeUndefined();
    const plain = thingName(name('pump'));
    await fleet.addThing(plain);
    expect(await fleet.rights.describeThing(plain)).toEqual({ thingName: plain, attributes: {} });
  });

  it('certificates and things find each other, and nobody finds what is gone', async () => {
    const other = thingName(name('pump'));
    for (const each of [thing, other]) await fleet.addThing(each);
    const [own, shared] = [await fleet.addCertificate([thing]), await fleet.addCertificate([thing, other])];
    expect((await fleet.rights.certificatesOf(thing)).toSorted()).toEqual([own, shared].toSorted());
    expect((await fleet.registry.thingsOf(shared)).toSorted()).toEqual([thing, other].toSorted());
    expect(await fleet.registry.thingsOf(nobody)).toEqual([]);
    expect(await fleet.rights.certificatesOf(thingName(`${thing}0`))).toEqual([]);
    await fleet.deleteCertificate(shared);
    expect(await fleet.rights.certificatesOf(thing)).toEqual([own]);
    expect(await fleet.registry.thingsOf(shared)).toEqual([]);
  });

  it('a status is set, REVOKED is for ever, and of what is gone it is said that it is', async () => {
    const id = await fleet.addCertificate();
    expect(await fleet.registry.setStatus(id, 'INACTIVE')).toBe(true);
    expect(await fleet.registry.setStatus(id, 'INACTIVE')).toBe(true);
    expect(await fleet.registry.describe(id)).toMatchObject({ certificateId: id, status: 'INACTIVE' });
    expect(await fleet.registry.setStatus(id, 'REVOKED')).toBe(true);
    await expect(fleet.registry.setStatus(id, 'ACTIVE')).rejects.toThrow(/REVOKED/);
    expect((await fleet.registry.describe(id))?.status).toBe('REVOKED');
    expect([await fleet.registry.describe(nobody), await fleet.registry.setStatus(nobody, 'INACTIVE')]).toEqual([undefined, false]);
  });

  it('to drop a client that is not connected is no error', async () => {
    await expect(fleet.registry.deleteConnection(thing)).resolves.toEqual(expect.any(Boolean));
  });

  describe('policies of a certificate', () => {
    it('are attached and taken away once, however often it is asked', async () => {
      const id = await fleet.addCertificate();
      expect(await fleet.rights.policiesOf(id)).toEqual([]);
      for (let times = 0; times < 2; times += 1) expect(await fleet.rights.attachPolicy(id, 'policy-0')).toBe('attached');
      expect(await fleet.rights.attachPolicy(id, 'policy-1')).toBe('attached');
      expect((await fleet.rights.policiesOf(id))?.toSorted()).toEqual(['policy-0', 'policy-1']);
      for (let times = 0; times < 2; times += 1) await fleet.rights.detachPolicy(id, 'policy-0');
      expect(await fleet.rights.policiesOf(id)).toEqual(['policy-1']);
    });

    it('are ten at most: one that is there may be attached again, an eleventh not', async () => {
      const id = await fleet.addCertificate();
      for (let index = 0; index < 10; index += 1) expect(await fleet.rights.attachPolicy(id, `policy-${index}`)).toBe('attached');
      expect(await fleet.rights.attachPolicy(id, 'policy-3')).toBe('attached');
      expect(await fleet.rights.attachPolicy(id, 'policy-10')).toBe('full');
      expect(await fleet.rights.policiesOf(id)).toHaveLength(10);
    });

    it('that do not exist are gone, and those of a certificate that is gone are not known', async () => {
      const [id, gone] = [await fleet.addCertificate(), await fleet.addCertificate()];
      await fleet.deleteCertificate(gone);
      // By an adapter that has met a certificate, and by one that has not.
      const { rights } = fleet;
      await rights.policiesOf(id);
      for (const each of [rights, fleet.rights]) {
        expect(await each.attachPolicy(id, 'no-such-policy')).toBe('gone');
        expect(await each.policiesOf(gone)).toBeUndefined();
        expect(await each.attachPolicy(gone, 'policy-0')).toBe('gone');
        await each.detachPolicy(gone, 'policy-0');
        await each.detachPolicy(id, 'no-such-policy');
      }
    });
  });

  describe('groups', () => {
    it('say what they carry, with what they have from their parents; dynamic ones carry nothing', async () => {
      const [plain, carrying, dynamic, ward] = [name('plain'), name('carrying'), name('ward'), name('w')];
      await fleet.addGroup(plain);
      await fleet.addGroup(carrying, ['policy-0'], ['policy-1']);
      await fleet.addDynamicGroup(dynamic, ward);
      expect(await fleet.rights.describeGroup(plain)).toEqual({ isDynamic: false, policies: [] });
      const found = await fleet.rights.describeGroup(carrying);
      expect([found?.isDynamic, found?.policies.toSorted()]).toEqual([false, ['policy-0', 'policy-1']]);
      expect(await fleet.rights.describeGroup(dynamic)).toEqual({ isDynamic: true, policies: [] });
      expect(await fleet.rights.describeGroup(name('none'))).toBeUndefined();
    });

    it('are those of a thing, static and dynamic', async () => {
      const [hall, ward] = [name('hall'), name('w')];
      await fleet.addGroup(hall);
      await fleet.addDynamicGroup(`ward-${ward}`, ward);
      await fleet.addThing(thing, { typeName: 'pump', attributes: { ward } });
      expect(await fleet.rights.joinGroup(hall, thing)).toBe('joined');
      expect((await fleet.rights.groupsOf(thing)).toSorted()).toEqual([hall, `ward-${ward}`].toSorted());
      expect(await fleet.rights.groupsOf(thingName(`${thing}0`))).toEqual([]);
    });

    it('are joined and left once, however often it is asked; what is gone says so', async () => {
      const hall = name('hall');
      await fleet.addGroup(hall);
      await fleet.addThing(thing);
      for (let times = 0; times < 2; times += 1) expect(await fleet.rights.joinGroup(hall, thing)).toBe('joined');
      expect(await fleet.rights.groupsOf(thing)).toEqual([hall]);
      for (let times = 0; times < 2; times += 1) await fleet.rights.leaveGroup(hall, thing);
      expect(await fleet.rights.groupsOf(thing)).toEqual([]);
      expect(await fleet.rights.joinGroup(name('none'), thing)).toBe('gone');
      expect(await fleet.rights.joinGroup(hall, thingName(`${thing}0`))).toBe('gone');
      await fleet.rights.leaveGroup(name('none'), thing);
      await fleet.rights.leaveGroup(hall, thingName(`${thing}0`));
    });

    it('are ten at most: an eleventh is refused, and one that it is in is not', async () => {
      await fleet.addThing(thing);
      const halls = Array.from({ length: 11 }, () => name('hall'));
      for (const hall of halls) await fleet.addGroup(hall);
      for (const hall of halls.slice(0, 10)) expect(await fleet.rights.joinGroup(hall, thing)).toBe('joined');
      expect(await fleet.rights.joinGroup(halls[10]!, thing)).toBe('refused');
      expect(await fleet.rights.joinGroup(halls[0]!, thing)).toBe('joined');
      expect(await fleet.rights.groupsOf(thing)).toHaveLength(10);
    });

    it('count their things, and no further than they must', async () => {
      const hall = name('hall');
      await fleet.addGroup(hall);
      expect(await fleet.rights.countThings(hall, 10)).toBe(0);
      for (let index = 0; index < 3; index += 1) {
        const member = thingName(name('pump'));
        await fleet.addThing(member);
        await fleet.rights.joinGroup(hall, member);
      }
      expect(await fleet.rights.countThings(hall, 10)).toBe(3);
      expect(await fleet.rights.countThings(hall, 2)).toBeGreaterThanOrEqual(2);
      expect(await fleet.rights.countThings(name('none'), 10)).toBe(0);
    });
  });

  describe('a job for one device', () => {
    const document = { operation: 'shut-off', version: 1, containmentId: 'operator-1', reason: 'operator' } as const;
    it('is made once, waits for the device, and can be taken back more than once', async () => {
      await fleet.addThing(thing);
      const jobId = name('shut-off');
      expect(await fleet.jobs.execution(jobId, thing)).toBeUndefined();
      for (let times = 0; times < 2; times += 1) expect(await fleet.jobs.create(jobId, thing, document, 15)).toBe('created');
      expect(await fleet.jobs.execution(jobId, thing)).toEqual({ status: 'QUEUED', said: {} });
      for (let times = 0; times < 2; times += 1) await fleet.jobs.cancel(jobId);
      expect((await fleet.jobs.execution(jobId, thing))?.status).toBe('CANCELED');
      await fleet.jobs.cancel(name('none'));
    });

    it('is not made for a thing that is gone', async () => {
      await fleet.addThing(thing);
      await fleet.deleteThing(thing);
      expect(await fleet.jobs.create(name('shut-off'), thing, document, 15)).toBe('gone');
    });
  });
});

describe('the workflow engine, at the desk', () => {
  const clientOf = () => {
    const { env, endpoint, adminCredentials: credentials } = desk.desk;
    return { region: env.AWS_REGION, endpoint, credentials };
  };
  const input = (): WorkflowInput => {
    const trigger = { kind: 'operator', id: randomUUID(), by: 'ops', reason: 'r', atMs: 1, evidence: {} } as const;
    return { containmentId: containmentIdOf(trigger, 'pump-1'), thingName: 'pump-1', response: 'contain', trigger };
  };

  it('begins one execution of a name, says whether it runs, and wakes it by its token once', async () => {
    const [sfn, sqs] = [new SFNClient(clientOf()), new SQSClient(clientOf())];
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'tokens' }));
    const states = {
      Wait: {
        Type: 'Task',
        Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
        Parameters: { QueueUrl, MessageBody: { 'token.$': '$$.Task.Token' } },
        End: true,
      },
    };
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'states.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    } as const;
    const all = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } as const;
    const { arn: roleArn } = desk.desk.cloud.iam.createRole('workflow', trust, [all], []);
    const definition = JSON.stringify({ StartAt: 'Wait', States: states });
    const { stateMachineArn = '' } = await sfn.send(new CreateStateMachineCommand({ name: 'contract', definition, roleArn }));
    const workflows = stepFunctions(stateMachineArn, sfn);
    const [first, second] = [input(), input()];
    expect(await workflows.isRunning(first.containmentId)).toBe(false);
    for (let times = 0; times < 2; times += 1) await workflows.start(first);
    await workflows.start(second, `${second.containmentId}-again-1`);
    expect(await workflows.isRunning(first.containmentId)).toBe(true);
    expect(await workflows.isRunning(second.containmentId)).toBe(false);
    expect(await workflows.isRunning(`${second.containmentId}-again-1`)).toBe(true);

    const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${second.containmentId}-again-1`;
    expect(JSON.parse((await sfn.send(new DescribeExecutionCommand({ executionArn }))).input ?? '')).toEqual(second);
    await sfn.send(new StopExecutionCommand({ executionArn }));
    expect(await workflows.isRunning(`${second.containmentId}-again-1`)).toBe(false);
    // A name that has been used begins nothing any more, and that is no error.
    await workflows.start(second, `${second.containmentId}-again-1`);
    expect(await workflows.isRunning(`${second.containmentId}-again-1`)).toBe(false);

    const tokens: string[] = [];
    while (tokens.length < 2) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5, MaxNumberOfMessages: 10 }));
      tokens.push(...Messages.map(({ Body = '' }) => (JSON.parse(Body) as { token: string }).token));
    }
    const woken = [];
    for (const token of [...tokens, ...tokens, 'no token']) woken.push(await workflows.wake(token));
    expect(woken.filter(Boolean)).toHaveLength(1);
    expect(await workflows.isRunning(first.containmentId)).toBe(false);
    for (const client of [sfn, sqs]) client.destroy();
  });

  it('and the queue of the intake brings a message as it was sent, in its own time', async () => {
    const sqs = new SQSClient(clientOf());
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'contract-intake' }));
    const queue = sqsIntakeQueue(sqs, QueueUrl);
    const message: IntakeMessage = { kind: 'extend', thingName: 'pump-1', by: 'ops', hours: 3 };
    await queue.send(message, 900);
    const receive = async () => (await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))).Messages ?? [];
    expect(await receive()).toEqual([]);
    await queue.send({ ...message, hours: 4 });
    expect((await receive()).map(({ Body = '' }) => JSON.parse(Body) as unknown)).toEqual([{ ...message, hours: 4 }]);
    await desk.desk.world.clock.advance(900_000);
    expect((await receive()).map(({ Body = '' }) => JSON.parse(Body) as unknown)).toEqual(expect.arrayContaining([message]));
    sqs.destroy();
  });
});
