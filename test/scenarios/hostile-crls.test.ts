/**
 * Whoever can write into the CRL bucket, or has got hold of a CA that signs too much. Each of these is refused or held with its reason and
 * its alarm, and not one call that changes the registry is made.
 */
import { generateKeyPairSync } from 'node:crypto';
import { assemblyOf } from './support/assembly.js';
import { createCa } from '../builders/ca.js';
import { buildCrl } from '../builders/crl.js';
import { newSerial } from './support/factory.js';
import { pager } from './support/pager.js';
import { HOUR, MINUTE, Scene, type Device } from './support/scene.js';

const FACTORY_CRL = 'external/factory/factory.crl';
const DAY = 24 * HOUR;

let scene: Scene;
let paged: () => Promise<string[]>;
let revoked: Device;
let others: Device[];
let current: Buffer;
let quietBefore: number;

beforeAll(async () => {
  scene = await Scene.open(await assemblyOf(), { factory: 5 });
  paged = await pager(scene);
  [revoked, ...others] = scene.factoryDevices as [Device, ...Device[]];
  for (let filler = 1; filler <= 10; filler++) scene.nextNumber();
  current = scene.nextCrl([revoked]);
  await scene.put(current);
  expect(await scene.statuses([revoked, ...others])).toEqual(['REVOKED', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE']);
});
afterAll(() => scene?.close());

beforeEach(async () => {
  await scene.pass(26 * MINUTE); // alarms of the test before have gone back to OK
  await scene.ledger.news();
  await paged();
  quietBefore = scene.mutations().length;
});
afterEach(async () => {
  expect(scene.mutations().slice(quietBefore)).toEqual([]);
  expect(await scene.statuses(others)).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE']);
  expect(await scene.statuses([revoked])).toEqual(['REVOKED']);
  expect(await scene.ledger.mark(FACTORY_CRL)).toMatch(/^1[1-9]$/);
  // The good CRL lies there again, and nothing beside it, so that the next test starts from it.
  for (const Key of strays.splice(0)) await scene.desk.cloud.call('s3', 'DeleteObject', { Bucket: scene.crlBucket, Key });
  await scene.put(current);
});

const now = () => scene.desk.world.clock.date();
const everybody = () => scene.factoryDevices.map(({ serialNumber }) => ({ serialNumber }));
/** Puts an object that the next test is not to find. */
const strays: string[] = [];
async function putStray(body: Uint8Array, key: string): Promise<void> {
  strays.push(key);
  await scene.put(body, key);
}

/** What the audit trail says of the object that was put, whether this alarm is in ALARM, and whether a person was paged. */
async function told(alarm: string): Promise<{ outcomes: string[]; alarmed: boolean; paged: boolean }> {
  const outcomes = await scene.ledger.outcomes();
  const alarmed = (await scene.alarms()).includes(alarm);
  return { outcomes, alarmed, paged: (await paged()).includes(`fleetwarden-${alarm}`) };
}
const everybodyKnows = (outcome: string) => ({ outcomes: [outcome], alarmed: true, paged: true });

test('a CRL that another key has signed is refused', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await scene.put(scene.factory.crl(1000, everybody(), now(), { signWith: privateKey }));
  expect(await told('crl-refused')).toEqual(everybodyKnows('sync/refused: reader-refused bad-signature'));
});

test('an authentic CRL with a bit turned over in its list is refused', async () => {
  const crl = scene.factory.crl(1000, everybody(), now());
  const at = crl.indexOf(Buffer.from(others[0]!.serialNumber, 'hex'));
  crl[at + 15]! ^= 1;
  await scene.put(crl);
  expect(await told('crl-refused')).toEqual(everybodyKnows('sync/refused: reader-refused bad-signature'));
});

test('an older CRL in place of the current one is a rollback', async () => {
  await scene.put(scene.factory.crl(7, everybody(), now()));
  expect(await told('crl-rollback')).toEqual(everybodyKnows('sync/rollback: number-below-mark'));
});

test('a CRL with the number of the current one and another content is an equivocation', async () => {
  await scene.put(scene.factory.crl(11, everybody(), now()));
  expect(await told('crl-equivocation')).toEqual(everybodyKnows('sync/equivocation: same-number-other-content'));
});

test('a CRL that was cut off on its way is refused', async () => {
  const crl = scene.factory.crl(1000, everybody(), now());
  await scene.put(crl.subarray(0, crl.length - 40));
  expect(await told('crl-refused')).toEqual(everybodyKnows('sync/refused: reader-refused truncated'));
});

test('a CRL with something behind it is refused', async () => {
  await scene.put(Buffer.concat([scene.factory.crl(1000, everybody(), now()), Buffer.from([0])]));
  expect(await told('crl-refused')).toEqual(everybodyKnows('sync/refused: reader-refused trailing-bytes'));
});

test('a CRL from a CA that nobody has pinned is refused', async () => {
  const stranger = await createCa({ name: 'CN=Stranger CA' });
  await scene.put(buildCrl({ ca: stranger, crlNumber: 1n, thisUpdate: new Date(now().getTime() - MINUTE) }));
  expect(await told('crl-refused')).toEqual(everybodyKnows('sync/no-anchor: no-trust-anchor foreign-issuer'));
});

test('a CRL of one anchor in the folder of another is refused, and in a folder of nobody too', async () => {
  await putStray(scene.factory.crl(1000, everybody(), now()), 'external/depot/depot.crl');
  expect(await scene.ledger.outcomes()).toEqual(['sync/no-anchor: no-trust-anchor foreign-issuer']);
  await putStray(scene.factory.crl(1000, everybody(), now()), 'external/nobody/x.crl');
  expect(await told('crl-refused')).toEqual(everybodyKnows('sync/no-anchor: no-trust-anchor'));
});

test('an empty CRL after a full one un-revokes nobody', async () => {
  current = scene.nextCrl([]);
  await scene.put(current);
  expect(await scene.ledger.outcomes()).toEqual(['sync/unchanged: nothing-new']);
  expect(await scene.ledger.holds()).toEqual([]);
});

test('an older CRL put under another name alarms once, and is an old file to the sweeps that find it lying there', async () => {
  await putStray(scene.factory.crl(3, everybody(), now()), 'external/factory/old.crl');
  expect(await scene.ledger.outcomes()).toEqual(['sync/rollback: number-below-mark']);
  await scene.sweep();
  expect(await scene.ledger.outcomes()).toEqual([]);
});

test('the objects by which a Private CA tests its permission start nothing', async () => {
  const before = scene.callsOfFunctions().length;
  for (const key of ['acm-pca-permission-test-key', 'acm-pca-permission-test-key-private', 'crl/acm-pca-permission-test-key'])
    await scene.put(Buffer.alloc(0), key);
  expect(scene.callsOfFunctions().slice(before)).toEqual([]);
});

test('an object that is no CRL at all is refused, and the sweep goes on to the others', async () => {
  await putStray(Buffer.from('<html>404</html>'), 'external/factory/garbage.crl');
  expect(await scene.ledger.outcomes()).toEqual(['sync/refused: reader-refused not-one-pem-crl']);
  current = scene.nextCrl([revoked, { serialNumber: newSerial() }]);
  await scene.desk.cloud.call('events', 'DisableRule', { Name: 'fleetwarden-crl-put' });
  await scene.put(current);
  await scene.desk.cloud.call('events', 'EnableRule', { Name: 'fleetwarden-crl-put' });
  await scene.sweep();
  expect(await scene.ledger.outcomes()).toEqual(expect.arrayContaining(['sync/applied: new-revocations']));
});

test('the sweep does not repeat an alarm for a CRL that has been replaced meanwhile', async () => {
  await scene.sweep();
  expect(await scene.ledger.outcomes()).toEqual([]);
  expect(await scene.alarms()).not.toContain('crl-refused');
});

test('an expired CRL alarms, and its revocations count all the same', async () => {
  const expiredSerial = newSerial();
  const thisUpdate = new Date(now().getTime() - 2 * DAY);
  current = scene.factory.crl(scene.nextNumber(), [revoked, { serialNumber: expiredSerial }], now(), {
    thisUpdate,
    nextUpdate: new Date(now().getTime() - DAY),
  });
  await scene.put(current);
  expect(await scene.ledger.outcomes()).toContain('sync/applied: new-revocations');
  expect(await scene.ledger.revocations()).toMatchObject({ [expiredSerial]: 'done/not-registered' });
  expect(await scene.alarms()).toContain('crl-expired');
  expect(await paged()).toContain('fleetwarden-crl-expired');
});

test('a CRL that disappears alarms, and un-revokes nobody', async () => {
  await scene.desk.cloud.call('s3', 'DeleteObject', { Bucket: scene.crlBucket, Key: FACTORY_CRL });
  await scene.sweep();
  expect(await scene.alarms()).toContain('crl-absent');
});
