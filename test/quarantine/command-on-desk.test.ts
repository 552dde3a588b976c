/**
 * Shut-off by command on the desk: the synthesised command and policies, the bundled functions under their roles, devices that listen to commands and one
 * whose firmware knows none. IAM and IoT policies are enforced throughout.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mqttTransport } from '../../agent/transport/mqtt-transport.js';
import type { Connection } from '../../agent/transport/transport.js';
import { commandTopic } from '../../domain/protocol/command.js';
import { startDesk, type Desk } from '../../local/desk.js';
import { enrol } from '../../local/fleet/enrol.js';
import { startFleet, type Fleet } from '../../local/fleet/fleet.js';
import { clientsFor } from '../../local/scenes/stage.js';
import { synthesise } from '../../local/synth.js';
import { fleetwarden as commandLine } from '../operations/installation.js';

const MINUTE = 60_000;
const LISTENERS = ['valve-1', 'valve-2'];
const OLDER = 'valve-3';
/** Its jobs do not arrive: only what comes by command is answered. */
const DEAF = 'valve-4';
const directory = mkdtempSync(path.join(tmpdir(), 'command-on-desk-'));
let desk: Desk;
let listeners: Fleet;
let older: Fleet;
let deaf: Connection;
const denied: string[] = [];

const fleetwarden = (...given: string[]) => commandLine({ ...desk.env }, ...given);
const call = <T = Record<string, never>>(service: string, operation: string, input: Record<string, unknown> = {}): Promise<T> =>
  desk.cloud.call<T>(service, operation, input);

async function until(what: string, holds: () => Promise<boolean> | boolean, advanceMs = 0): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within a minute: ${what}`);
    if (advanceMs > 0) await desk.world.clock.advance(advanceMs);
    await sleep(150);
  }
}

interface Row {
  readonly thingName: string;
  readonly containmentId: string;
  readonly state: string;
  readonly shutOff?: { readonly outcome?: string; readonly way?: string; readonly executionId?: string; readonly jobId: string };
}
const rowOf = async (thing: string): Promise<Row | undefined> =>
  (await fleetwarden('contained', '--json')).json<{ contained: Row[] }>().contained.find(({ thingName }) => thingName === thing);
interface Told {
  readonly subject: string;
  readonly act: string;
  readonly step: string;
  readonly reason: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}
async function shutOffOf(thing: string): Promise<Told | undefined> {
  const { found } = (await fleetwarden('why', thing, '--json')).json<{ found: { timeline: Told[] }[] }>();
  return found.flatMap(({ timeline }) => timeline).find((told) => told.act === 'shut-off' && told.step === 'outcome');
}
const contain = (thing: string, response: string) => fleetwarden('contain', thing, '--response', response, '--reason', 'test');
/** To where it can be asked: cut off, locked, the policies have had their time. */
const reopened = (thing: string) => until(`${thing} is back for repair`, async () => (await rowOf(thing))?.state === 'reopened', MINUTE);

beforeAll(async () => {
  const assembly = await synthesise(
    {
      trustAnchors: [{ id: 'fleet', type: 'acm-pca', create: { commonName: 'Fleet Root CA' } }],
      quarantine: { mode: 'enforce', shutOffCommand: true, policySettleMinutes: 10, ratePerSecond: 100, brake: { floor: 5 } },
    },
    directory,
  );
  desk = await startDesk({ assembly, seed: 7 });
  desk.world.journal.on(({ kind, who, what, detail }) => void (kind === 'denied' && denied.push(`${who} ${what} ${detail}`)));
  const { iot, pca } = clientsFor(desk);
  const { Parameter } = await call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name: '/fleetwarden/trust/fleet/settings' });
  const { certificateAuthorityArn } = JSON.parse(Parameter.Value) as { certificateAuthorityArn: string };
  const devices = await enrol({
    thingNames: [...LISTENERS, OLDER, DEAF],
    iot,
    issuer: { kind: 'acm-pca', client: pca, certificateAuthorityArn, validityDays: 60 },
    policyName: 'fleetwarden-device',
  });
  const start = (thingNames: readonly string[], commands: boolean): Promise<Fleet> =>
    startFleet({
      host: desk.env.DESK_MQTT_HOST,
      port: Number(desk.env.DESK_MQTT_PORT),
      serverCaPem: desk.serverCaPem,
      devices: devices.filter(({ thingName }) => thingNames.includes(thingName)),
      agent: true,
      commands,
      telemetryEveryMs: 500,
      backoff: { firstMs: 100, longestMs: 500 },
    });
  listeners = await start(LISTENERS, true);
  older = await start([OLDER], false);
  const { certificatePem, privateKeyPem } = devices.find(({ thingName }) => thingName === DEAF)!;
  const where = { host: desk.env.DESK_MQTT_HOST, port: Number(desk.env.DESK_MQTT_PORT), serverCaPem: desk.serverCaPem };
  const identity = { cert: certificatePem, key: privateKeyPem };
  deaf = await mqttTransport(where).connect({ clientId: DEAF, identity, timeoutMs: 10_000 });
  deaf.onMessage((topic) => {
    const answer = JSON.stringify({ status: 'SUCCEEDED', result: { stopped: { s: 'a motor' } } });
    void deaf.publish(topic.replace('/request/json', '/response/json'), answer, 1);
  });
  await deaf.subscribe([commandTopic(DEAF, '+/request/json')]);
  for (const fleet of [listeners, older]) await fleet.waitFor((states) => [...states.values()].every(({ state }) => state === 'connected'));
}, 240_000);

afterAll(async () => {
  await listeners?.stop();
  await older?.stop();
  await deaf?.close();
  await desk?.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('a device that is connected is told by command, and it is on record within seconds that it has stopped', async () => {
  expect((await contain('valve-1', 'shut-off')).code).toBe(0);
  await until('valve-1 has shut off', async () => (await rowOf('valve-1'))?.shutOff?.outcome === 'done');
  const told = await shutOffOf('valve-1');
  expect(told).toMatchObject({ reason: 'shut-off-done', detail: { stopped: 'actuation,telemetry' } });
  expect(told?.detail?.['seconds']).toBeLessThan(12);
  const { shutOff } = (await rowOf('valve-1'))!;
  const { status, targetArn } = await call<{ status: string; targetArn: string }>('iot', 'GetCommandExecution', {
    executionId: shutOff!.executionId,
    targetArn: `arn:aws:iot:${desk.env.AWS_REGION}:${desk.world.accountId}:thing/valve-1`,
  });
  expect([status, targetArn.endsWith('thing/valve-1')]).toEqual(['SUCCEEDED', true]);

  expect((await fleetwarden('release', 'valve-1', '--reason', 'it was a test')).code).toBe(0);
  await until('valve-1 goes on', () => listeners.orders().get('valve-1')?.operation === 'resume', 1000);
  expect(await rowOf('valve-1')).toBeUndefined();
}, 120_000);

test('what a device says to the command alone is its answer: the job is cancelled', async () => {
  await contain(DEAF, 'shut-off');
  await until(`${DEAF} has shut off`, async () => (await rowOf(DEAF))?.shutOff?.outcome === 'done');
  const { shutOff } = (await rowOf(DEAF))!;
  expect(shutOff).toMatchObject({ way: 'command' });
  expect((await shutOffOf(DEAF))?.detail).toMatchObject({ way: 'command', stopped: 'a motor', status: 'QUEUED' });
  const { job } = await call<{ job: { status: string } }>('iot', 'DescribeJob', { jobId: shutOff!.jobId });
  expect(job.status).toBe('CANCELED');
}, 60_000);

test('cut off and back for repair alone, a device still hears commands, and answers them', async () => {
  await contain('valve-2', 'contain');
  await reopened('valve-2');
  await until('valve-2 has shut off', async () => (await rowOf('valve-2'))?.shutOff?.outcome === 'done', 1000);
  expect((await rowOf('valve-2'))?.shutOff?.executionId).toBeDefined();
  await listeners.waitFor((states) => states.get('valve-2')?.state === 'connected');
  const arn = (resource: string): string => `arn:aws:iot:${desk.env.AWS_REGION}:${desk.world.accountId}:${resource}`;
  const targetArn = arn('thing/valve-2');
  const answerTo = async (containmentId: string): Promise<string | undefined> => {
    const { executionId } = await call<{ executionId: string }>('iotjobsdata', 'StartCommandExecution', {
      commandArn: arn('command/fleetwarden-shut-off'),
      targetArn,
      parameters: { containmentId: { S: containmentId }, reason: { S: 'operator' } },
    });
    interface Execution {
      readonly status: string;
      readonly statusReason?: { readonly reasonCode: string };
    }
    let answered: Execution | undefined;
    await until('it answers a command in repair mode', async () => {
      answered = await call<Execution>('iot', 'GetCommandExecution', { executionId, targetArn });
      return ['SUCCEEDED', 'FAILED', 'REJECTED'].includes(answered.status);
    });
    return answered?.statusReason?.reasonCode ?? answered?.status;
  };
  expect(await answerTo((await rowOf('valve-2'))!.containmentId)).toBe('SUCCEEDED');
  // A person's own, of no containment: the device would not know any more whose end it waits for.
  expect(await answerTo('by-hand')).toBe('OTHER-CONTAINMENT');
}, 120_000);

test('a device whose firmware knows no commands is told by the job, as ever', async () => {
  await contain(OLDER, 'shut-off');
  await until(`${OLDER} has shut off`, async () => (await rowOf(OLDER))?.shutOff?.outcome === 'done', 1000);
  expect((await rowOf(OLDER))?.shutOff).toMatchObject({ way: 'job' });
  expect(older.orders().get(OLDER)).toMatchObject({ operation: 'shut-off', by: 'job' });
}, 60_000);

test('nothing was denied to any function, and no subscription of a device was refused', () => {
  // In repair mode telemetry ends the connection: it is to be.
  expect(denied.filter((line) => !line.includes('/telemetry'))).toEqual([]);
});
