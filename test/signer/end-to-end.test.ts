/**
 * The cheap way, end to end: devices that run the reference agent get new certificates from a CA whose key is in KMS, by the bundled functions under
 * their own roles; the old ones come on its CRL as superseded, which `sync` reads, and finds nothing left to do.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Certificate } from '../../domain/pki/certificate.js';
import { readCrlBytes } from '../../domain/pki/crl-reader.js';
import { derToPem } from '../../domain/pki/pem.js';
import type { EnrolledDevice } from '../../local/fleet/enrol.js';
import { startFleet, type Fleet } from '../../local/fleet/fleet.js';
import { addTwins, type Grant } from '../scenarios/support/twins.js';
import { startApplication, type OwnApplication } from './application.js';
import { entriesOf, hasOpenssl, objectionsTo } from './openssl.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const NAMES = ['pump-1', 'pump-2', 'pump-3'];

let application: OwnApplication;
let old: EnrolledDevice[];
let fleet: Fleet;
let grants: readonly Grant[] = [];

beforeAll(async () => {
  application = await startApplication((template) => {
    grants = addTwins(template).filter(({ of }) => of === 'signer-publish');
  });
  const { desk } = application;
  old = await application.enrol(NAMES, 20);
  fleet = await startFleet({
    host: desk.env.DESK_MQTT_HOST,
    port: Number(desk.env.DESK_MQTT_PORT),
    serverCaPem: desk.serverCaPem,
    devices: old,
    agent: true,
  });
  await fleet.waitFor((states) => [...states.values()].every(({ state }) => state === 'connected'));
}, 180_000);
afterAll(async () => {
  await fleet?.stop();
  await application?.stop();
});

async function until(what: string, holds: () => Promise<boolean> | boolean, patienceMs = 90_000): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited for: ${what}`);
    await sleep(50);
  }
}
const describeCertificate = async (certificateId: string) =>
  (
    await application.desk.cloud.call<{ certificateDescription: { status: string; certificatePem: string } }>(
      'iot',
      'DescribeCertificate',
      {
        certificateId,
      },
    )
  ).certificateDescription;
async function newOf(thingName: string) {
  const { principals } = await application.desk.cloud.call<{ principals: string[] }>('iot', 'ListThingPrincipals', { thingName });
  const ids = principals.map((arn) => arn.split('/').at(-1)!).filter((id) => !old.some(({ certificateId }) => certificateId === id));
  expect(ids).toHaveLength(1);
  return { id: ids[0]!, ...(await describeCertificate(ids[0]!)) };
}
async function item(table: string, pk: string, sk: string): Promise<Record<string, unknown> | undefined> {
  const TableName = await application.parameter(table);
  const Key = { pk: { S: pk }, sk: { S: sk } };
  return (await application.desk.cloud.call<{ Item?: Record<string, unknown> }>('dynamodb', 'GetItem', { TableName, Key })).Item;
}
const calls = (pattern: RegExp, who = /^fleetwarden-/): string[] =>
  application.desk.world.journal
    .entries()
    .flatMap(({ kind, who: by, what }) => (kind === 'call' && who.test(by) && pattern.test(what) ? [`${by} ${what}`] : []));

test('the first look publishes a CRL, and sync takes it', async () => {
  await application.send('signer-publish', { kind: 'publish', anchorId: 'own' });
  await until('a CRL', async () =>
    application.crl().then(
      () => true,
      () => false,
    ),
  );
  const issuers = [{ certificate: Certificate.read(application.ca.certificatePem) }];
  const reading = readCrlBytes(await application.crl(), { atMs: application.desk.world.clock.nowMs(), issuers });
  expect(reading).toMatchObject({ accepted: true, facts: { entries: 0 } });
  const mark = ['ledgerTable', `CRL#${issuers[0]!.certificate.issuerKeyId}#COMPLETE`, 'HIGH_WATER'] as const;
  await until('its high-water mark', async () => (await item(...mark)) !== undefined);
}, 120_000);

test('devices whose certificates end get new ones from the CA in KMS, and prove them', async () => {
  await application.send('inventory-reconcile', { kind: 'start' });
  for (const { certificateId } of old)
    await until(
      'the inventory knows it',
      async () => (await item('inventoryTable', `CERT#${certificateId}`, 'CERT'))?.['thingName'] !== undefined,
    );
  await application.send('rotation-start', { kind: 'due' });
  await until('all have finished', () => NAMES.every((name) => fleet.rotations().get(name)?.step === 'finished'));
  const ca = Certificate.read(application.ca.certificatePem);
  for (const name of NAMES) {
    const { status, certificatePem } = await newOf(name);
    expect(status).toBe('ACTIVE');
    expect(Certificate.read(certificatePem).wasSignedBy(ca)).toBe(true);
    if (hasOpenssl) expect(objectionsTo(certificatePem, application.ca.certificatePem, application.desk.world.clock.nowMs())).toBe('');
  }
  expect(calls(/^kms:Sign$/, /rotation-issue/)).toHaveLength(NAMES.length);
  expect(calls(/^acm-pca:/)).toEqual([]);
}, 180_000);

test('after the grace the old ones are REVOKED and on the CRL as superseded; sync finds nothing left to do, and the brake is not used', async () => {
  const { world } = application.desk;
  await world.clock.advance(20 * MINUTE);
  const statuses = () => Promise.all(old.map(async ({ certificateId }) => (await describeCertificate(certificateId)).status));
  await until('REVOKED', async () => (await statuses()).every((status) => status === 'REVOKED'));
  const serials = old.map(({ certificatePem }) => String(Certificate.read(certificatePem).serialNumber)).sort();
  const listed = async () => entriesOf(await application.crl(), application.ca.certificatePem).entries;
  await world.clock.advance(5 * MINUTE);
  if (hasOpenssl) {
    await until('the CRL names them', async () => (await listed()).length === serials.length);
    expect((await listed()).map(({ serialNumber }) => serialNumber).sort()).toEqual(serials);
    expect(new Set((await listed()).map(({ reason }) => reason))).toEqual(new Set(['Superseded']));
    const crl = derToPem(await application.crl(), 'X509 CRL');
    const nowMs = world.clock.nowMs();
    for (const { certificatePem } of old)
      expect(objectionsTo(certificatePem, application.ca.certificatePem, nowMs, crl)).toContain('revoked');
    for (const name of NAMES) expect(objectionsTo((await newOf(name)).certificatePem, application.ca.certificatePem, nowMs, crl)).toBe('');
  }
  // Time for the sweep, and for whatever it might have set off.
  await world.clock.advance(20 * MINUTE);
  await sleep(2000);
  expect(calls(/^iot:UpdateCertificate$/, /revocation-/)).toEqual([]);
  const TableName = await application.parameter('ledgerTable');
  const held = await application.desk.cloud.call<{ Count: number }>('dynamodb', 'Query', {
    TableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: 'HOLD' } },
  });
  expect(held.Count).toBe(0);
  for (const name of NAMES) expect((await newOf(name)).status).toBe('ACTIVE');
  expect([...fleet.states().values()].map(({ state }) => state)).toEqual(NAMES.map(() => 'connected'));
}, 180_000);

test('of many revocations at once, one CRL was made and not one for each', () => {
  const published = calls(/^s3:PutObject$/, /signer-publish/);
  expect(published.length).toBeGreaterThanOrEqual(2);
  expect(published.length).toBeLessThanOrEqual(3);
});

describe('without a grant', () => {
  const recordOf = (message: unknown) => ({
    Records: [{ messageId: randomUUID(), body: JSON.stringify(message), attributes: { ApproximateReceiveCount: '1' } }],
  });
  async function deniedTo(functionName: string, message: unknown): Promise<{ denied: string[]; failed: boolean }> {
    const denied: string[] = [];
    const off = application.desk.world.journal.on(({ kind, who, detail = '' }) => {
      if (who === functionName && kind === 'denied') denied.push(/perform: (\S+)/.exec(detail)?.[1] ?? detail);
    });
    const { region, accountId } = application.desk.world;
    const arn = `arn:aws:lambda:${region}:${accountId}:function:${functionName}`;
    const { ok, payload } = await application.desk.cloud.parts.invoke!(arn, recordOf(message), 'lambda');
    off();
    return { denied: [...new Set(denied)], failed: !ok || (payload as { batchItemFailures: unknown[] }).batchItemFailures.length > 0 };
  }
  /** Something to publish, and an entry to drop. */
  async function revokeOne(): Promise<void> {
    const TableName = await application.parameter('ledgerTable');
    const nowMs = application.desk.world.clock.nowMs();
    const Item = {
      pk: { S: 'REVOKED#own' },
      sk: { S: randomUUID().replaceAll('-', '').replace(/^0+/, '') },
      reason: { S: 'superseded' },
      revokedAtMs: { N: String(nowMs) },
      notAfterMs: { N: String(nowMs - DAY) },
    };
    await application.desk.cloud.call('dynamodb', 'PutItem', { TableName, Item });
  }

  test('publish fails with AccessDenied at the very one that it lacks; with all of them it is denied nothing', async () => {
    const message = { kind: 'publish', anchorId: 'own' };
    await revokeOne();
    expect(await deniedTo('fleetwarden-signer-publish', message)).toEqual({ denied: [], failed: false });
    const own = grants.filter(({ of }) => of === 'signer-publish');
    expect(own.map(({ action }) => action).sort()).toEqual([
      'dynamodb:DeleteItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
      'kms:GetPublicKey',
      'kms:Sign',
      's3:GetObject',
      's3:ListBucket',
      's3:PutObject',
      'ssm:GetParametersByPath',
    ]);
    for (const { action, twin } of own) {
      // Needed where there is no object yet: then S3 answers "none", and not "forbidden".
      if (action === 's3:ListBucket') continue;
      await revokeOne();
      expect({ action, ...(await deniedTo(twin, message)) }).toEqual({ action, denied: [action], failed: true });
    }
  }, 120_000);

  test('the issuing function has the key for this one algorithm and for digests, and no other function has it at all', async () => {
    const { desk } = application;
    const { Functions } = await desk.cloud.call<{ Functions: { FunctionName: string; Role: string }[] }>('lambda', 'ListFunctions', {});
    const keyArn = `arn:aws:kms:eu-west-1:${desk.world.accountId}:key/5e1f51a0-0000-4000-8000-000000000001`;
    const may = (role: string, context: Record<string, string>) =>
      desk.cloud.iam.roleAllows(role, { action: 'kms:Sign', resource: keyArn, context }).allowed;
    const right = { 'kms:SigningAlgorithm': 'ECDSA_SHA_256', 'kms:MessageType': 'DIGEST' };
    const real = Functions.filter(({ FunctionName }) => !/-\d+$/.test(FunctionName));
    expect(
      real
        .filter(({ Role }) => may(Role, right))
        .map(({ FunctionName }) => FunctionName)
        .sort(),
    ).toEqual(['fleetwarden-rotation-issue', 'fleetwarden-signer-publish']);
    for (const { Role } of real) {
      expect(may(Role, { ...right, 'kms:MessageType': 'RAW' })).toBe(false);
      expect(may(Role, { ...right, 'kms:SigningAlgorithm': 'ECDSA_SHA_384' })).toBe(false);
    }
  });
});
