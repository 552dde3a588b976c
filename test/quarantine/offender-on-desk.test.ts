/**
 * Whose device it is, as it is deployed: real certificates over mutual TLS, IoT policies that refuse, presence events into the inventory and the monitor, the
 * bundled functions under their roles, and the audit's own findings.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AttachPolicyCommand, AttachThingPrincipalCommand, CreatePolicyCommand, DetachThingPrincipalCommand } from '@aws-sdk/client-iot';
import type { MqttClient } from 'mqtt';
import { assemblyOf } from '../scenarios/support/assembly.js';
import { MqttClients } from '../scenarios/support/mqtt-clients.js';
import { MINUTE, Scene, type Device } from '../scenarios/support/scene.js';
import { queueUrlOf } from '../scenarios/support/quiet.js';

const BATCHING_MS = 6000;
const CHECK = 'CONFLICTING_CLIENT_IDS_CHECK';
const NOT_AT_THE_DESK = [
  'REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK',
  'REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK',
  'INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK',
];

jest.setTimeout(240_000);

let scene: Scene;
const clients = new MqttClients();
const denied: string[] = [];

beforeAll(async () => {
  const assembly = await assemblyOf({
    more: {
      inventory: { ratePerSecond: 100 },
      behaviour: {
        detect: 'built-in',
        behaviours: [
          { name: 'authorization-failures', value: 2 },
          { name: 'source-address', enabled: false },
        ],
      },
      audit: {
        mode: 'on',
        manage: { accountConfiguration: true },
        checks: {
          [CHECK]: { response: 'contain' },
          // The desk does not evaluate these.
          ...Object.fromEntries(NOT_AT_THE_DESK.map((name) => [name, { enabled: false }])),
        },
      },
      quarantine: { mode: 'enforce', ratePerSecond: 100, brake: { floor: 20, perHour: 20, fleetShare: 1, groupShare: 1 } },
    },
  });
  scene = await Scene.open(assembly, { factory: 9 });
  scene.desk.world.journal.on(({ kind, who, what, detail }) => void (kind === 'denied' && denied.push(`${who} ${what} ${detail}`)));
});
afterEach(() => clients.end());
afterAll(() => scene?.close());

const device = (n: number): Device => scene.factoryDevices[n - 1]!;
const call = <T>(service: string, operation: string, input: object): Promise<T> =>
  scene.desk.cloud.call<T>(service, operation, input as Record<string, unknown>);
const statusOf = async (of: Device): Promise<string | undefined> => (await scene.statuses([of]))[0];

const connect = (from: Device, clientId?: string): Promise<MqttClient> => clients.connect(scene, from, clientId);

/** Out of its own thing, if it is in one, and into these, not exclusively: AWS IoT names no thing of its connections then. */
async function attach({ certificateArn: principal, thingName: own }: Device, ...things: readonly string[]): Promise<void> {
  await scene.clients.iot.send(new DetachThingPrincipalCommand({ thingName: own, principal }));
  for (const thingName of things) await scene.clients.iot.send(new AttachThingPrincipalCommand({ thingName, principal }));
}

async function mayBeAnybody({ certificateArn: target }: Device): Promise<void> {
  const Statement = [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }];
  const policy = { policyName: 'anybody', policyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) };
  await scene.clients.iot.send(new CreatePolicyCommand(policy)).catch(() => undefined);
  await scene.clients.iot.send(new AttachPolicyCommand({ policyName: policy.policyName, target }));
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within a minute: ${what}`);
    await scene.pass(BATCHING_MS);
    await sleep(100);
  }
}

interface Told {
  readonly act: string;
  readonly step: string;
  readonly reason: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}
async function storyOf(name: string): Promise<readonly Told[]> {
  const answer = await scene.fleetwarden('why', name, '--json');
  if (answer.status !== 0) return [];
  const { found } = JSON.parse(answer.output.slice(answer.output.indexOf('{'))) as {
    found: { timeline: (Told & { subject: string })[] }[];
  };
  return found.flatMap(({ timeline }) => timeline).filter(({ subject }) => subject === `THING#${name}`);
}
const told = async (name: string): Promise<readonly string[]> =>
  (await storyOf(name)).filter(({ act }) => act === 'consider' || act === 'hold').map(({ reason }) => reason);

test('a certificate that is refused under another’s name has its own thing contained, and does the other no harm', async () => {
  await attach(device(1), 'pump-1');
  for (let n = 0; n < 4; n += 1) await connect(device(1), 'pump-2').catch(() => undefined);
  await until('pump-1 is cut off', async () => (await statusOf(device(1))) === 'INACTIVE');
  expect(await statusOf(device(2))).toBe('ACTIVE');
  const intent = (await storyOf('pump-1')).find(({ act, step }) => act === 'contain' && step === 'intent');
  expect(intent?.detail).toMatchObject({ violator: device(1).certificateId, why: 'authorization-failures' });
  await until('it is locked', async () => (await storyOf('pump-1')).some(({ act, step }) => act === 'lock' && step === 'outcome'));
});

test('another certificate that turns up on it is shut at once, without the regular look', async () => {
  await call('events', 'DisableRule', { Name: 'fleetwarden-quarantine-watch' });
  await attach(device(3), 'pump-1');
  await connect(device(3), 'pump-1');
  expect(await statusOf(device(3))).toBe('ACTIVE');
  const beforeMs = scene.desk.world.clock.nowMs();
  await until('the newcomer is shut', async () => (await statusOf(device(3))) === 'INACTIVE');
  expect(scene.desk.world.clock.nowMs() - beforeMs).toBeLessThan(MINUTE);
  await until('it is on record', async () =>
    (await storyOf('pump-1')).some(({ reason, step }) => reason === 'adopted-certificate' && step === 'outcome'),
  );
  await call('events', 'EnableRule', { Name: 'fleetwarden-quarantine-watch' });
});

test('one that several things have is held for a person, for each of them', async () => {
  await attach(device(4), 'pump-4', 'pump-5');
  for (let n = 0; n < 4; n += 1) await connect(device(4), 'pump-2').catch(() => undefined);
  await until('both are held', async () =>
    (await Promise.all(['pump-4', 'pump-5'].map(told))).every((reasons) => reasons.includes('shared-certificate')),
  );
  expect(await statusOf(device(4))).toBe('ACTIVE');
});

test('one of no thing is told under its own id, which the command line finds', async () => {
  await mayBeAnybody(device(6)).then(() => attach(device(6)));
  await scene.clients.iot.send(
    new CreatePolicyCommand({
      policyName: 'nobody',
      policyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'iot:Connect', Resource: '*' }] }),
    }),
  );
  await scene.clients.iot.send(new AttachPolicyCommand({ policyName: 'nobody', target: device(6).certificateArn }));
  await scene.pass(10 * MINUTE);
  for (let n = 0; n < 4; n += 1) await connect(device(6), 'pump-2').catch(() => undefined);
  await until('people are told', async () => (await told(device(6).certificateId)).includes('certificate-without-thing'));
  expect(await statusOf(device(6))).toBe('ACTIVE');
});

test('of conflicting client ids the one who took the name is contained, not the thing whose name it is', async () => {
  await mayBeAnybody(device(8));
  await scene.pass(10 * MINUTE);
  const victim = await connect(device(7));
  const thrownOut = new Promise<void>((resolve) => victim.once('close', () => resolve()));
  await connect(device(8), 'pump-7');
  await thrownOut;
  const asked = await scene.fleetwarden('audit', '--check', CHECK, '--json');
  expect(asked.status).toBe(0);
  await until('pump-8 is cut off', async () => (await statusOf(device(8))) === 'INACTIVE');
  expect(await statusOf(device(7))).toBe('ACTIVE');
  const intent = (await storyOf('pump-8')).find(({ act, step }) => act === 'contain' && step === 'intent');
  expect(intent?.detail).toMatchObject({ resource: 'pump-7', whose: 'client-id-taken' });
});

test('a violation of a client id that was an exclusive attachment’s means the thing that has the certificate now', async () => {
  await mayBeAnybody(device(9));
  await scene.pass(10 * MINUTE);
  await connect(device(9), 'line-4');
  await until('the inventory has seen it', async () => (await scene.fleetwarden('why', 'pump-9', '--json')).output.includes('"line-4"'));
  const principal = device(9).certificateArn;
  await scene.clients.iot.send(new DetachThingPrincipalCommand({ thingName: 'pump-9', principal }));
  await call('iot', 'CreateThing', { thingName: 'pump-90' });
  await scene.clients.iot.send(new AttachThingPrincipalCommand({ thingName: 'pump-90', principal, thingPrincipalType: 'EXCLUSIVE_THING' }));
  // As the monitor has it that was told of the thing when it connected.
  const atMs = scene.desk.world.clock.nowMs();
  const S = (text: string) => ({ S: text });
  const said = { violationId: 'dddd1111', thingName: 'pump-9', securityProfileName: 'fleetwarden-built-in' };
  const Item = {
    ...Object.fromEntries(
      Object.entries({ pk: 'VIOLATION#dddd1111', sk: 'VIOLATION', clientId: 'line-4', lastEventType: 'in-alarm', ...said }).map(
        ([name, text]) => [name, S(text)],
      ),
    ),
    behavior: { M: { name: S('authorization-failures') } },
    isOpen: { BOOL: true },
    startedAtMs: { N: String(atMs) },
    updatedAtMs: { N: String(atMs) },
  };
  await call('dynamodb', 'PutItem', { TableName: scene.ledger.tables.ledger, Item });
  const notification = { ...said, violationEventTime: atMs, behavior: { name: 'authorization-failures' }, violationEventType: 'in-alarm' };
  const QueueUrl = queueUrlOf(scene.desk, 'fleetwarden-quarantine-intake');
  await call('sqs', 'SendMessage', { QueueUrl, MessageBody: JSON.stringify(notification) });
  await until('it is cut off', async () => (await statusOf(device(9))) === 'INACTIVE');
  expect((await storyOf('pump-90')).some(({ act, reason }) => act === 'contain' && reason === 'recorded')).toBe(true);
  expect((await storyOf('pump-9')).filter(({ act }) => act === 'contain')).toEqual([]);
});

test('nothing was denied to any function', () => {
  expect(denied.filter((line) => line.includes('fleetwarden-quarantine') || line.includes('fleetwarden-inventory'))).toEqual([]);
});
