/**
 * The whole of it on the desk: the synthesised templates with rotation on, the bundled functions under their roles, AWS IoT Jobs, a Private CA with its
 * CRL, and devices that run the reference agent over mutual TLS. What is due is rotated, proved, retired; and revocation finds nothing left to do.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDesk, type Desk } from '../../local/desk.js';
import { enrol, type EnrolledDevice } from '../../local/fleet/enrol.js';
import { startFleet, type Fleet } from '../../local/fleet/fleet.js';
import { clientsFor } from '../../local/scenes/stage.js';
import { synthesise } from '../../local/synth.js';
import { fleetwarden as commandLine } from '../operations/installation.js';

const DAY = 86_400_000;
const MINUTE = 60_000;
const directory = mkdtempSync(path.join(tmpdir(), 'rotation-on-desk-'));
let desk: Desk;
let fleet: Fleet;
let devices: EnrolledDevice[];

const fleetwarden = (...given: string[]) => commandLine({ ...desk.env }, ...given);
const queueUrl = (name: string) => `${desk.endpoint}/${desk.world.accountId}/fleetwarden-${name}`;
const send = (queue: string, message: object) =>
  desk.cloud.call('sqs', 'SendMessage', { QueueUrl: queueUrl(queue), MessageBody: JSON.stringify(message) });
const certificate = async (id: string) =>
  (await desk.cloud.call<{ certificateDescription: { status: string } }>('iot', 'DescribeCertificate', { certificateId: id }))
    .certificateDescription;
async function until(what: string, holds: () => Promise<boolean>, patienceMs = 60_000): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await sleep(200);
  }
}
const campaigns = async () =>
  (await fleetwarden('campaigns', '--json')).json<{ campaigns: { campaignId: string; state: string; size: number }[] }>();

beforeAll(async () => {
  const assembly = await synthesise(
    {
      trustAnchors: [{ id: 'fleet', type: 'acm-pca', create: { commonName: 'Fleet Root CA' } }],
      // One certificate within the window: a second revocation would be over the brake, and held.
      revocation: { mode: 'enforce', ratePerSecond: 100, quotaPerSecond: 100, brake: { floor: 1, share: 0 } },
      inventory: { ratePerSecond: 100 },
      rotation: { mode: 'enforce', windowDays: 30, validityDays: 90, graceDays: 1, ratePerSecond: 100 },
    },
    directory,
  );
  desk = await startDesk({ assembly, seed: 7 });
  const { iot, pca } = clientsFor(desk);
  const { Parameter } = await desk.cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', {
    Name: '/fleetwarden/trust/fleet/settings',
  });
  const { certificateAuthorityArn } = JSON.parse(Parameter.Value) as { certificateAuthorityArn: string };
  const people = (thingNames: string[], validityDays: number) =>
    enrol({
      thingNames,
      iot,
      issuer: { kind: 'acm-pca', client: pca, certificateAuthorityArn, validityDays },
      policyName: 'fleetwarden-device',
    });
  devices = [...(await people(['pump-1', 'pump-2', 'pump-3'], 20)), ...(await people(['pump-10'], 60))];
  fleet = await startFleet({
    host: desk.env.DESK_MQTT_HOST,
    port: Number(desk.env.DESK_MQTT_PORT),
    serverCaPem: desk.serverCaPem,
    devices,
    agent: true,
    backoff: { firstMs: 100, longestMs: 500 },
  });
  await fleet.waitFor((states) => [...states.values()].filter(({ state }) => state === 'connected').length === devices.length);
  await send('inventory-reconcile', { kind: 'start' });
  await until('the inventory knows every device', async () => {
    const { json } = await fleetwarden('status', '--json');
    return json<{ inventory: { active?: number } }>().inventory.active === devices.length;
  });
}, 180_000);

afterAll(async () => {
  await fleet?.stop();
  await desk?.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('rotation on the desk', () => {
  const denied: string[] = [];
  beforeAll(
    () => void desk.world.journal.on(({ kind, who, what, detail }) => void (kind === 'denied' && denied.push(`${who} ${what} ${detail}`))),
  );

  test('what is due is offered, rotated and proved; the rest of the fleet is left alone', async () => {
    await send('rotation-start', { kind: 'due' });
    await until('three devices have proved themselves', async () => {
      await desk.world.clock.advance(MINUTE);
      const old = await Promise.all(devices.slice(0, 3).map(({ certificateId }) => certificate(certificateId)));
      return old.every(({ status }) => status === 'INACTIVE');
    });
    expect((await certificate(devices[3]!.certificateId)).status).toBe('ACTIVE');
    expect((await campaigns()).campaigns).toMatchObject([{ state: 'running', size: 3 }]);
    const why = (await fleetwarden('why', 'pump-1', '--json')).json<{ found: { rotations: { state: string; reason: string }[] }[] }>();
    expect(why.found.map(({ rotations }) => rotations.map(({ state, reason }) => [state, reason]))).toEqual([
      [['proved', 'expires-soon']],
      [['proved', 'expires-soon']],
    ]);
  }, 120_000);

  test('the campaign is complete, and after the grace the old certificates are REVOKED and on the CRL as superseded', async () => {
    await send('rotation-retire', { kind: 'sweep' });
    await until('the campaign is complete', async () => (await campaigns()).campaigns[0]?.state === 'completed');
    await desk.world.clock.advance(DAY + MINUTE);
    await send('rotation-retire', { kind: 'sweep' });
    await until('the old ones are REVOKED', async () => {
      const old = await Promise.all(devices.slice(0, 3).map(({ certificateId }) => certificate(certificateId)));
      return old.every(({ status }) => status === 'REVOKED');
    });
    await fleet.waitFor((states) => [...states.values()].every(({ state }) => state === 'connected'));
    expect((await fleetwarden('why', devices[0]!.certificateId, '--json')).json()).toMatchObject({
      found: [
        { registry: 'REVOKED', revocation: { message: { reason: 'superseded', source: 'rotation' } }, rotations: [{ state: 'retired' }] },
      ],
    });
  }, 120_000);

  test('the revocation capability finds nothing left to do: nothing held, nothing counted by the brake', async () => {
    await desk.world.clock.advance(40 * MINUTE); // the CRL
    await send('revocation-sync', { kind: 'sweep' });
    await until('the CRL with three entries is applied', async () => {
      const { json } = await fleetwarden('status', '--json');
      return json<{ crls: { entries: number }[] }>().crls.some(({ entries }) => entries === 3);
    });
    const status = (await fleetwarden('status', '--json')).json<{
      holds: { HELD: number };
      queues: { name: string; deadLetters: number }[];
    }>();
    expect(status.holds.HELD).toBe(0);
    expect(status.queues.map(({ name, deadLetters }) => [name, deadLetters])).toEqual(
      ['sync', 'fast', 'revoke', 'inventory', 'reconcile', 'start', 'issue', 'prove', 'retire'].map((name) => [name, 0]),
    );
    const ledger = await desk.cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', {
      Name: '/fleetwarden/application/ledgerTable',
    });
    const { Items } = await desk.cloud.call<{ Items?: unknown[] }>('dynamodb', 'Query', {
      TableName: ledger.Parameter.Value,
      KeyConditionExpression: 'pk = :brake',
      ExpressionAttributeValues: { ':brake': { S: 'BRAKE' } },
    });
    expect(Items ?? []).toEqual([]);
  }, 120_000);

  test('nothing was denied to any function', () => {
    expect(denied).toEqual([]);
  });

  test('an operator has a thing rotated long before its end, pauses its campaign no more than once, and is told why', async () => {
    const asked = (await fleetwarden('rotate', 'pump-10', '--json')).json<{ campaignId: string }>();
    await until('pump-10 has proved itself', async () => {
      await desk.world.clock.advance(5000);
      return (await certificate(devices[3]!.certificateId)).status === 'INACTIVE';
    });
    const shown = (await fleetwarden('campaign', 'show', asked.campaignId, '--json')).json<{ progress: object; members: object[] }>();
    expect(shown).toMatchObject({ progress: { proved: 1 }, members: [{ thingName: 'pump-10', state: 'proved' }] });
    expect((await fleetwarden('campaign', 'pause', asked.campaignId, '--json')).json()).toMatchObject({ asked: 'pause' });
    await until('it is paused', async () =>
      (await campaigns()).campaigns.some(({ campaignId, state }) => campaignId === asked.campaignId && state === 'paused'),
    );
    await expect(fleetwarden('campaign', 'pause', asked.campaignId)).resolves.toMatchObject({ code: 1 });
  }, 120_000);
});
