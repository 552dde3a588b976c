/** A fleet of eight, connected by mutual TLS: what is revoked is cut off and refused, and nobody else is. */
import { assemblyOf } from './support/assembly.js';
import { HOUR, MINUTE, Scene, type Device } from './support/scene.js';

let scene: Scene;
let untouched: Device[];
beforeAll(async () => {
  scene = await Scene.open(await assemblyOf(), { factory: 6, privateCa: 4, connected: true });
  untouched = [...scene.factoryDevices, ...scene.privateDevices];
});
afterAll(() => scene?.close());

/** The next device of this CA, and from now on it is one of those that may be out. */
const gone: Device[] = [];
function take(from: readonly Device[]): Device {
  const device = from.find((one) => untouched.includes(one))!;
  untouched.splice(untouched.indexOf(device), 1);
  gone.push(device);
  return device;
}
const names = (devices: readonly Device[]) => devices.map(({ thingName }) => thingName).toSorted();

test('a revocation at the Private CA reaches its device by the event alone, before there is any CRL', async () => {
  const lost = take(scene.privateDevices);
  await scene.ledger.news();
  await scene.revokeAtCa(lost);
  await scene.until([lost], 'refused');
  await scene.rest();
  expect(await scene.statuses([lost])).toEqual(['REVOKED']);
  expect(await scene.ledger.statusOf(lost.certificateId)).toBe('REVOKED');
  expect(scene.out()).toEqual(names(gone));
  // Intent before act, outcome after: on either side of the queue.
  expect((await scene.ledger.news()).map(({ by, act, step, reason }) => `${by} ${act} ${step} ${reason}`)).toEqual([
    'fast hand-over intent revocation-event',
    'fast hand-over outcome revocation-event',
    'revoke revoke intent as-asked',
    'revoke revoke outcome as-asked',
  ]);
});

test('the CRL that follows the event asks the registry nothing', async () => {
  const before = scene.callsOfFunctions('iot:').length;
  await scene.pass(31 * MINUTE);
  expect(await scene.ledger.outcomes()).toEqual(['sync/unchanged: new-revocations']);
  expect(scene.callsOfFunctions('iot:').length).toBe(before);
});

test('without the event, the CRL of the Private CA cuts its devices off', async () => {
  const lost = [take(scene.privateDevices), take(scene.privateDevices)];
  scene.desk.world.faults.set({ lostEvent: 1 });
  for (const device of lost) await scene.revokeAtCa(device);
  scene.desk.world.faults.set({ lostEvent: 0 });
  await scene.rest();
  expect(await scene.statuses(lost)).toEqual(['ACTIVE', 'ACTIVE']);
  await scene.pass(31 * MINUTE);
  await scene.until(lost, 'refused');
  expect(await scene.statuses(lost)).toEqual(['REVOKED', 'REVOKED']);
  expect(scene.out()).toEqual(names(gone));
});

test('a CRL of a CA that is not AWS’s does the same', async () => {
  const lost = take(scene.factoryDevices);
  await scene.ledger.news();
  await scene.publish([lost]);
  await scene.until([lost], 'refused');
  expect(await scene.statuses([lost])).toEqual(['REVOKED']);
  expect(await scene.ledger.statusOf(lost.certificateId)).toBe('REVOKED');
  expect(scene.out()).toEqual(names(gone));
  expect((await scene.ledger.news()).map(({ by, act, step }) => `${by} ${act} ${step}`)).toEqual(
    expect.arrayContaining(['sync sync intent', 'sync sync outcome', 'revoke revoke intent', 'revoke revoke outcome']),
  );
});

describe('certificateHold', () => {
  const hold = { reason: 'certificateHold' } as const;
  let held: Device, suspect: Device, disabled: Device;
  let holdHash: string;

  test('makes a certificate INACTIVE and cuts its device off', async () => {
    await scene.pass(HOUR);
    [held, suspect, disabled] = [take(scene.factoryDevices), take(scene.factoryDevices), take(scene.factoryDevices)];
    // A person had this one INACTIVE already, for reasons of his own.
    await scene.desk.cloud.call('iot', 'UpdateCertificate', { certificateId: disabled.certificateId, newStatus: 'INACTIVE' });
    await scene.publish([gone[3]!, ...[held, suspect, disabled].map(({ serialNumber }) => ({ serialNumber, ...hold }))]);
    await scene.until([held, suspect], 'refused');
    expect(await scene.statuses([held, suspect, disabled])).toEqual(['INACTIVE', 'INACTIVE', 'INACTIVE']);
    expect(await scene.ledger.revocations()).toMatchObject({ [disabled.serialNumber]: 'done/already-inactive' });
  });

  test('that is lifted is reactivated only when a person approves', async () => {
    const before = scene.mutations().length;
    // One off hold, one now revoked, one off hold that was INACTIVE before.
    await scene.publish([gone[3]!, { serialNumber: suspect.serialNumber, reason: 'keyCompromise' }]);
    expect(await scene.statuses([held])).toEqual(['INACTIVE']);
    const [list] = (await scene.ledger.holds()).filter(({ kind }) => kind === 'reactivate');
    expect(list).toMatchObject({ state: 'HELD', count: 2 });
    expect(await scene.alarms()).toContain('hold-removed');
    expect(scene.mutations().slice(before)).not.toHaveLength(0); // those of the one that is revoked now
    holdHash = list!.hash;
  });

  test('that becomes keyCompromise is REVOKED', async () => {
    expect(await scene.statuses([suspect])).toEqual(['REVOKED']);
  });

  test('once approved, the device comes back, and the one that a person had made INACTIVE does not', async () => {
    const { status } = await scene.fleetwarden('approve', holdHash, '--yes');
    expect(status).toBe(0);
    await scene.rest();
    await scene.until([held], 'connected');
    expect(await scene.statuses([held, suspect, disabled])).toEqual(['ACTIVE', 'REVOKED', 'INACTIVE']);
    expect(await scene.ledger.revocations()).toMatchObject({ [held.serialNumber]: 'done/reactivated' });
  });
});
