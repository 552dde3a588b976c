/**
 * Devices whose client id is not their thing's name, on the desk: the synthesised templates, the bundled functions under their roles, AWS IoT's delay of policies, and the
 * reference agent with a client id of its own. IAM and IoT policies are enforced throughout.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAgent, type Agent } from '../../agent/agent.js';
import type { AgentEvent } from '../../agent/device.js';
import { memoryFiles } from '../../agent/storage/memory-files.js';
import { POINTER } from '../../agent/storage/identities.js';
import { mqttTransport } from '../../agent/transport/mqtt-transport.js';
import { startDesk, type Desk } from '../../local/desk.js';
import { enrol, type EnrolledDevice } from '../../local/fleet/enrol.js';
import { clientsFor } from '../../local/scenes/stage.js';
import { synthesise } from '../../local/synth.js';
import { QUICK } from '../agent/quick.js';
import { fleetwarden as commandLine } from '../operations/installation.js';

const MINUTE = 60_000;
/** By thing: what its device calls itself. The last one has taken the name of another thing. */
const CLIENT_IDS = { 'valve-1': 'line-3.valve-a', 'valve-2': 'line-3.valve-b', 'valve-3': 'valve-4' } as const;
type Thing = keyof typeof CLIENT_IDS;
const THINGS = Object.keys(CLIENT_IDS) as Thing[];
const DEVICE_POLICY = 'valves';
const directory = mkdtempSync(path.join(tmpdir(), 'named-on-desk-'));
let desk: Desk;
let devices: EnrolledDevice[];
let inventoryTable: string;
const agents: Agent[] = [];
const events = new Map<Thing, AgentEvent[]>();
const denied: string[] = [];

const fleetwarden = (...given: string[]) => commandLine({ ...desk.env }, ...given);
const call = <T = Record<string, never>>(service: string, operation: string, input: Record<string, unknown> = {}): Promise<T> =>
  desk.cloud.call<T>(service, operation, input);
const deviceOf = (thing: Thing): EnrolledDevice => devices.find(({ thingName }) => thingName === thing)!;
const policiesAt = async (target: string): Promise<string[]> =>
  (await call<{ policies: { policyName: string }[] }>('iot', 'ListAttachedPolicies', { target })).policies
    .map(({ policyName }) => policyName)
    .sort();
const certificateArn = (certificateId: string) => `arn:aws:iot:${desk.env.AWS_REGION}:${desk.world.accountId}:cert/${certificateId}`;
const statusOf = async (certificateId: string): Promise<string> =>
  (await call<{ certificateDescription: { status: string } }>('iot', 'DescribeCertificate', { certificateId })).certificateDescription
    .status;
const namedPolicies = async (): Promise<string[]> =>
  (await call<{ policies: { policyName: string }[] }>('iot', 'ListPolicies', { pageSize: 250 })).policies
    .map(({ policyName }) => policyName)
    .filter((name) => name.startsWith('fleetwarden-repair-'));
interface Row {
  readonly thingName: string;
  readonly containmentId: string;
  readonly state: string;
  readonly shutOff?: { readonly outcome?: string };
}
const rowOf = async (thing: Thing): Promise<Row | undefined> =>
  (await fleetwarden('contained', '--json')).json<{ contained: Row[] }>().contained.find(({ thingName }) => thingName === thing);
interface Told {
  readonly act: string;
  readonly step: string;
  readonly reason: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}
const outcomeOf = async (thing: Thing, act: string): Promise<Told | undefined> =>
  (await fleetwarden('why', thing, '--json'))
    .json<{ found: { timeline: Told[] }[] }>()
    .found.flatMap(({ timeline }) => timeline)
    .findLast((told) => told.act === act && told.step === 'outcome');
const lastOf = (thing: Thing, kind: AgentEvent['kind']): AgentEvent | undefined =>
  events.get(thing)!.findLast((event) => event.kind === kind);
const isConnected = (thing: Thing): boolean =>
  events.get(thing)!.findLast(({ kind }) => kind === 'connected' || kind === 'refused' || kind === 'disconnected')?.kind === 'connected';

async function until(what: string, holds: () => Promise<boolean> | boolean, advanceMs = 0): Promise<void> {
  const end = performance.now() + 90_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within a minute and a half: ${what}`);
    if (advanceMs > 0) await desk.world.clock.advance(advanceMs);
    await sleep(150);
  }
}

/** As such fleets have it: one policy of their own, certificates that are not attached exclusively. */
async function rename({ thingName, certificateArn: principal }: EnrolledDevice): Promise<void> {
  await call('iot', 'DetachThingPrincipal', { thingName, principal });
  await call('iot', 'AttachThingPrincipal', { thingName, principal });
}

function start(thing: Thing): void {
  const { certificatePem, privateKeyPem } = deviceOf(thing);
  const heard: AgentEvent[] = [];
  events.set(thing, heard);
  const agent = createAgent({
    thingName: thing,
    clientId: CLIENT_IDS[thing],
    commands: true,
    files: memoryFiles({
      'certificate.pem': certificatePem,
      'key.pem': privateKeyPem,
      [POINTER]: JSON.stringify({ certificate: 'certificate.pem', key: 'key.pem' }),
    }),
    transport: mqttTransport({ host: desk.env.DESK_MQTT_HOST, port: Number(desk.env.DESK_MQTT_PORT), serverCaPem: desk.serverCaPem }),
    settings: { ...QUICK, reconnect: { firstMs: 200, longestMs: 500 }, jobAnswerMs: 5000, answerMs: 5000 },
    telemetry: () => ({ pressure: 4 }),
    onEvent: (event) => heard.push(event),
  });
  agents.push(agent);
  void agent.run();
}

beforeAll(async () => {
  const assembly = await synthesise(
    {
      trustAnchors: [{ id: 'fleet', type: 'acm-pca', create: { commonName: 'Fleet Root CA' } }],
      rotation: { mode: 'enforce', windowDays: 30, validityDays: 90, graceDays: 1, ratePerSecond: 100 },
      quarantine: {
        mode: 'enforce',
        shutOffCommand: true,
        policySettleMinutes: 10,
        shutOffTimeoutMinutes: 15,
        ratePerSecond: 100,
        brake: { floor: 10 },
      },
    },
    directory,
  );
  desk = await startDesk({ assembly, seed: 7, iot: { policyDelayMs: 7 * MINUTE } });
  desk.world.journal.on(({ kind, who, what, detail }) => void (kind === 'denied' && denied.push(`${who} ${what} ${detail}`)));
  const { iot, pca } = clientsFor(desk);
  const parameter = async (name: string): Promise<string> =>
    (await call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name: `/fleetwarden/${name}` })).Parameter.Value;
  inventoryTable = await parameter('application/inventoryTable');
  const { certificateAuthorityArn } = JSON.parse(await parameter('trust/fleet/settings')) as { certificateAuthorityArn: string };
  const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] };
  await call('iot', 'CreatePolicy', { policyName: DEVICE_POLICY, policyDocument: JSON.stringify(everything) });
  devices = await enrol({
    thingNames: [...THINGS, 'valve-4'],
    iot,
    issuer: { kind: 'acm-pca', client: pca, certificateAuthorityArn, validityDays: 60 },
    policyName: DEVICE_POLICY,
  });
  for (const device of devices) await rename(device);
  for (const thing of THINGS) start(thing);
  await until('all are connected', () => THINGS.every(isConnected));
  await until('the inventory has heard of all', async () => {
    const { Items } = await call<{ Items: Record<string, { S?: string }>[] }>('dynamodb', 'Scan', { TableName: inventoryTable });
    const heard = new Set(Items.map(({ clientId }) => clientId?.S));
    return THINGS.every((thing) => heard.has(CLIENT_IDS[thing]));
  });
}, 240_000);

afterAll(async () => {
  for (const agent of agents) agent.stop();
  await desk?.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('is cut off, comes back under its client id for repair alone, shuts off, and is released as it was; its policy is deleted when AWS IoT lets it be', async () => {
  const { certificateId } = deviceOf('valve-1');
  expect((await fleetwarden('contain', 'valve-1', '--reason', 'leaks')).code).toBe(0);
  await until('valve-1 is out', async () => (await statusOf(certificateId)) === 'INACTIVE' && !isConnected('valve-1'));
  await until('it is locked', async () => (await rowOf('valve-1'))?.state === 'locked');
  const { containmentId } = (await rowOf('valve-1'))!;
  const named = `fleetwarden-repair-${containmentId}`;
  expect(await policiesAt(certificateArn(certificateId))).toEqual(['fleetwarden-repair', named]);
  expect((await outcomeOf('valve-1', 'lock'))?.detail).toMatchObject({ letInAs: CLIENT_IDS['valve-1'] });
  await until('it is back for repair', async () => (await rowOf('valve-1'))?.state === 'reopened', MINUTE);
  await until('it has shut off', async () => (await rowOf('valve-1'))?.shutOff?.outcome === 'done', 1000);
  expect(lastOf('valve-1', 'order')).toMatchObject({ operation: 'shut-off' });
  expect(isConnected('valve-1')).toBe(true);

  expect((await fleetwarden('release', 'valve-1', '--reason', 'a new seal')).code).toBe(0);
  await until('it is released', async () => (await rowOf('valve-1')) === undefined);
  expect(await policiesAt(certificateArn(certificateId))).toEqual([DEVICE_POLICY]);
  expect(await statusOf(certificateId)).toBe('ACTIVE');
  // Detached a moment ago: AWS IoT does not delete it yet, and nobody has waited for that.
  expect(await namedPolicies()).toEqual([named]);
  await until('it goes on', () => (lastOf('valve-1', 'order') as { operation?: string } | undefined)?.operation === 'resume', 1000);
  await until('its policy is gone', async () => (await namedPolicies()).length === 0, MINUTE);
}, 240_000);

test('gets a new key while it is contained, connects with it under its client id, and is released without a trace of the policy', async () => {
  const { certificateId } = deviceOf('valve-2');
  await fleetwarden('contain', 'valve-2', '--reason', 'its key was seen elsewhere');
  await until('it is shut off', async () => (await rowOf('valve-2'))?.shutOff?.outcome === 'done', MINUTE);
  expect((await fleetwarden('release', 'valve-2', '--reason', 'repaired', '--rekey')).code).toBe(0);
  await until('it is released', async () => (await rowOf('valve-2')) === undefined, 5000);
  const fresh = (await outcomeOf('valve-2', 're-key'))?.detail?.['certificateId'] as string;
  expect([await statusOf(certificateId), await statusOf(fresh)]).toEqual(['INACTIVE', 'ACTIVE']);
  expect(await policiesAt(certificateArn(fresh))).toEqual([DEVICE_POLICY]);
  expect((await policiesAt(certificateArn(certificateId))).filter((name) => name.startsWith('fleetwarden-repair-'))).toEqual([]);
  await until('its policy is gone', async () => (await namedPolicies()).length === 0, MINUTE);
}, 240_000);

test('that has taken the name of another thing is not let in by it: it does not answer, and is deactivated', async () => {
  const { certificateId } = deviceOf('valve-3');
  await fleetwarden('contain', 'valve-3', '--reason', 'calls itself valve-4');
  await until('it is back for repair', async () => (await rowOf('valve-3'))?.state === 'reopened', MINUTE);
  expect(await policiesAt(certificateArn(certificateId))).toEqual(['fleetwarden-repair']);
  expect((await outcomeOf('valve-3', 'lock'))?.detail).toMatchObject({ notLetInAs: 'valve-4: other-thing' });
  await until('it is deactivated', async () => (await rowOf('valve-3'))?.state === 'deactivated', MINUTE);
  expect(isConnected('valve-3')).toBe(false);
  expect(await namedPolicies()).toEqual([]);
}, 240_000);

test('nothing was denied to any function', () => {
  expect(denied.filter((line) => line.includes('fleetwarden-'))).toEqual([]);
});
