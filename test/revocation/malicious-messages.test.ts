/** The worst that one message can do at each door, as docs/architecture.md says it: what an intruder puts there, and the bound. */
import { METRICS } from '../../domain/fleet/metrics.js';
import type { RevokeMessage } from '../../domain/protocol/revocation.js';
import { createCa, type TestCa } from '../builders/ca.js';
import { World, type Device } from './memory/world.js';

let ca: TestCa;
let forger: TestCa;
let world: World;
let devices: readonly Device[];
beforeAll(async () => {
  ca = await createCa({ name: 'CN=Fleet CA' });
  forger = await createCa({ name: 'CN=Fleet CA' });
});
beforeEach(async () => {
  world = new World(ca);
  devices = await world.enrol(4);
});
const listed = (of: readonly Device[]) => of.map(({ serial }) => ({ serial, reason: 1 }));
const statuses = () => devices.map((device) => world.statusOf(device));
const everybodyIn = () => expect(statuses()).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE']);

const injected = (change: Partial<RevokeMessage>): RevokeMessage => ({
  version: 1,
  action: 'revoke',
  anchorId: 'fleet-ca',
  serialNumber: devices[0]!.serialNumber,
  reason: 'keyCompromise',
  source: 'crl',
  runId: 'injected',
  ...change,
});
const inject = async (change: Partial<RevokeMessage>): Promise<void> => {
  world.revokeQueue.messages.push(injected(change));
  await world.drain();
};

describe('the pinned certificate is replaced in its parameter by a forger’s of the same name', () => {
  beforeEach(() => {
    world.anchors.list = world.anchors.list.map((anchor) => ({ ...anchor, certificatePem: forger.certificatePem }));
    world.anchors.all = async () => world.anchors.list;
  });

  test('its CRL is believed, and yet no device goes: the pinned key must have signed the device’s certificate too', async () => {
    await world.publish(world.crl(1n, listed(devices), { signWith: forger.privateKey, ca: forger }));
    await world.drain();
    everybodyIn();
    expect(world.metric(METRICS.mismatch)).toBe(devices.length);
  });

  test('the true CRL is refused, and alarms', async () => {
    await world.publish(world.crl(1n, listed(devices)));
    await world.drain();
    everybodyIn();
    expect(world.metric(METRICS.crlRefused)).toBe(1);
  });
});

describe('a message on the revoke queue', () => {
  test('of a certificate of the fleet revokes that one and no other', async () => {
    await inject({});
    expect(statuses()).toEqual(['REVOKED', 'ACTIVE', 'ACTIVE', 'ACTIVE']);
  });

  test.each<[string, Partial<RevokeMessage>]>([
    ['asks for a reactivation that no hold came before', { action: 'reactivate', source: 'operator' }],
    ['names the CA itself', { serialNumber: '1' }],
    [
      'names an ARN of another CA',
      { serialNumber: 'dead', certificateArn: 'arn:aws:acm-pca:eu-west-1:1:certificate-authority/x/certificate/1' },
    ],
    ['names a serial number that was never issued', { serialNumber: 'deadbeef' }],
  ])('that %s changes nobody', async (_sentence, change) => {
    await inject(change);
    expect(statuses()).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE']);
  });

  test('that asks to reactivate what was REVOKED, or put on hold by a person, changes nothing', async () => {
    const [revoked, byHand] = devices as [Device, Device];
    await inject({ serialNumber: revoked.serialNumber });
    world.registry.certificates.get(byHand.id)!.status = 'INACTIVE';
    for (const { serialNumber } of [revoked, byHand]) await inject({ action: 'reactivate', source: 'operator', serialNumber });
    expect(statuses()).toEqual(['REVOKED', 'INACTIVE', 'ACTIVE', 'ACTIVE']);
  });
});

describe('a message on the sync queue', () => {
  test('that approves a list which nobody approved does nothing', async () => {
    await world.publish(
      world.crl(
        1n,
        Array.from({ length: 9 }, (_, i) => ({ serial: BigInt(i + 100) })),
      ),
    );
    const [hash] = [...world.holds.holds.keys()];
    await world.sync({ kind: 'approved', hash: hash! });
    expect(world.revokeQueue.messages).toEqual([]);
  });

  test('that names an object outside the folders of the anchors applies nothing, though its signature is right', async () => {
    await world.publish(world.crl(1n, listed(devices)), 'elsewhere/fleet.crl');
    await world.drain();
    everybodyIn();
    expect(world.metric(METRICS.crlRefused)).toBe(1);
  });

  test('that names the same CRL under another name in the folder counts nothing twice', async () => {
    const crl = world.crl(1n, listed(devices.slice(0, 1)));
    await world.publish(crl);
    await world.drain();
    await world.publish(crl, 'crl/copy.crl');
    expect(world.revokeQueue.messages).toEqual([]);
  });
});

test('as many lists as somebody with the CA’s key can sign revoke no more than the brake allows in its window', async () => {
  const many = await world.enrol(20);
  for (const [index, device] of many.entries())
    await world.publish(world.crl(BigInt(index + 1), listed(many.slice(0, many.indexOf(device) + 1))));
  await world.drain();
  expect(many.filter((device) => world.statusOf(device) === 'REVOKED')).toHaveLength(world.floor);
});
