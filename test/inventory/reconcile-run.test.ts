import { certificateId } from '../../domain/fleet/certificate-id.js';
import { METRICS } from '../../domain/fleet/metrics.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { run } from '../../lambda/inventory/reconcile/run.js';
import type { ReconcileSettings } from '../../lambda/inventory/reconcile/steps.js';
import type { CertificateStatus } from '../../domain/fleet/certificate-status.js';
import type { TestCa } from '../builders/ca.js';
import { deviceCertificate, deviceCertificates, fleetCa, recordOf, revocation, type DeviceCertificate } from './fleet.js';
import { MemoryCloud } from './memory/memory-cloud.js';

const SETTINGS: ReconcileSettings = {
  mode: 'enforce',
  brake: { floor: 5, share: 0.01 },
  brakeWindowMs: 3_600_000,
  perSecond: 1000,
  deadlineMs: Infinity,
};

let ca: TestCa;
let devices: DeviceCertificate[];
let stranger: DeviceCertificate;
let cloud: MemoryCloud;

beforeAll(async () => {
  ca = await fleetCa();
  devices = await deviceCertificates(ca, 8);
  stranger = await deviceCertificate(await fleetCa('CN=Nobody knows it'), 'stranger');
});
beforeEach(() => {
  cloud = new MemoryCloud();
  cloud.anchors = [
    {
      anchorId: 'fleet-ca',
      type: 'external',
      certificatePem: ca.certificatePem,
      crl: { type: 'COMPLETE', prefix: 'external/', distributionPoints: [] },
    },
  ];
});

const register = (device: DeviceCertificate, status: CertificateStatus = 'ACTIVE', things = [device.thing]) =>
  cloud.registry.set(device.certificateId, { status, certificatePem: device.pem, things });

/** Sends `start`, then delivers whatever it sends itself, until it sends nothing more. */
async function reconcile(settings: () => ReconcileSettings = () => SETTINGS): Promise<number> {
  let deliveries = 0;
  cloud.queue.push({ kind: 'start' });
  for (let message = cloud.queue.shift(); message !== undefined; message = cloud.queue.shift()) {
    deliveries += 1;
    if (deliveries > 500) throw new Error('a run that never ends');
    await run(cloud.ports, settings(), message);
  }
  return deliveries;
}

describe('a first import', () => {
  test('records every certificate once, with its thing, and counts the ACTIVE ones exactly', async () => {
    for (const [index, device] of devices.entries()) register(device, index === 0 ? 'INACTIVE' : 'ACTIVE');
    await reconcile();
    expect([...cloud.records.values()].map(({ certificateId: id, thingName: thing, status }) => [id, thing, status])).toEqual(
      devices.map(({ certificateId: id, thing }, index) => [id, thing, index === 0 ? 'INACTIVE' : 'ACTIVE']),
    );
    expect(cloud.counted).toBe(7);
    expect(cloud.checkpoint?.phase).toEqual({ name: 'done' });
    expect(cloud.checkpoint?.tally).toMatchObject({ listed: 8, active: 7, recorded: 8, deleted: 0, unreadable: 0 });
  });

  test('a second run over the same registry looks nothing up', async () => {
    for (const device of devices) register(device);
    await reconcile();
    const { describe: before } = cloud.calls;
    await reconcile();
    expect(cloud.calls['describe']).toBe(before);
    expect(cloud.reports.size).toBe(2);
    expect(cloud.checkpoint?.tally).toMatchObject({ listed: 8, recorded: 0 });
  });

  test('goes on by message, page by page, when there is no time at all', async () => {
    for (const device of devices) register(device);
    const deliveries = await reconcile(() => ({ ...SETTINGS, deadlineMs: cloud.nowMs }));
    expect(deliveries).toBeGreaterThan(80); // each page of registry and inventory by its own message
    expect(cloud.records.size).toBe(8);
    expect(cloud.counted).toBe(8);
  });
});

test('a run with little time each time still ends, with the same result', async () => {
  for (const device of devices) register(device);
  // Each delivery has time for two slots: less than a page.
  const slots = {
    ...cloud.ports,
    pace: {
      reserve: async (_name: string, count: number, perSecond: number, nowMs: number) => {
        cloud.nowMs = nowMs + (count * 1000) / perSecond;
        return nowMs;
      },
    },
  };
  cloud.queue.push({ kind: 'start' });
  let deliveries = 0;
  for (let message = cloud.queue.shift(); message !== undefined; message = cloud.queue.shift()) {
    deliveries += 1;
    expect(deliveries).toBeLessThan(200);
    await run(slots, { ...SETTINGS, perSecond: 1, deadlineMs: cloud.nowMs + 2500 }, message);
  }
  expect(deliveries).toBeGreaterThan(5);
  expect(cloud.records.size).toBe(8);
  expect(cloud.counted).toBe(8);
  expect(cloud.checkpoint?.tally.recorded).toBe(8);
});

describe('what it finds', () => {
  test('a certificate that the registry no longer has is DELETED, and asked for by name before', async () => {
    for (const device of devices) register(device);
    await reconcile();
    cloud.nowMs += 86_400_000;
    cloud.registry.delete(devices[3]!.certificateId);
    await reconcile();
    expect(cloud.records.get(devices[3]!.certificateId)?.status).toBe('DELETED');
    expect(cloud.checkpoint?.tally).toMatchObject({ listed: 7, active: 7, deleted: 1 });
    expect([...cloud.records.values()].filter(({ status }) => status === 'DELETED')).toHaveLength(1);
  });

  test('a certificate that the list missed but the registry has is not DELETED', async () => {
    for (const device of devices) register(device);
    await reconcile();
    cloud.nowMs += 86_400_000;
    const missing = devices[3]!.certificateId;
    const { page } = cloud.ports.registry;
    const ports = {
      ...cloud.ports,
      registry: {
        ...cloud.ports.registry,
        page: async (marker?: string) => {
          const { certificates, ...rest } = await page(marker);
          return { ...rest, certificates: certificates.filter((listed) => listed.certificateId !== missing) };
        },
      },
    };
    cloud.queue.push({ kind: 'start' });
    for (let message = cloud.queue.shift(); message !== undefined; message = cloud.queue.shift()) await run(ports, SETTINGS, message);
    expect(cloud.records.get(missing)?.status).toBe('ACTIVE');
  });

  test('REVOKED stays REVOKED when the certificate is deleted from the registry', async () => {
    cloud.records.set(devices[0]!.certificateId, recordOf(devices[0]!, { status: 'REVOKED' }));
    await reconcile();
    expect(cloud.records.get(devices[0]!.certificateId)?.status).toBe('REVOKED');
  });

  test('issued certificates that were never registered are not orphans and not deleted', async () => {
    cloud.records.set(devices[0]!.certificateId, recordOf(devices[0]!, { status: 'NOT_REGISTERED' }));
    await reconcile();
    expect(cloud.records.get(devices[0]!.certificateId)?.status).toBe('NOT_REGISTERED');
  });

  test('orphans: ACTIVE without a thing, two ACTIVE for one thing, of an unknown issuer; each with examples and a metric', async () => {
    register(devices[0]!, 'ACTIVE', []);
    register(devices[1]!, 'ACTIVE', [thingName('pump-1')]);
    register(devices[2]!, 'ACTIVE', [thingName('pump-1')]);
    register(devices[3]!, 'INACTIVE', [thingName('pump-1')]);
    register(devices[4]!, 'INACTIVE', []);
    register(stranger);
    await reconcile();
    const { tally, examples } = [...cloud.reports.values()][0]!;
    expect(tally).toMatchObject({ withoutThing: 1, sharedThing: 2, unknownIssuer: 1 });
    expect(examples.withoutThing).toEqual([devices[0]!.certificateId]);
    expect([...examples.sharedThing].sort()).toEqual([devices[1]!.certificateId, devices[2]!.certificateId].sort());
    expect(examples.unknownIssuer).toEqual([stranger.certificateId]);
    expect(cloud.metrics).toMatchObject({
      [METRICS.orphanWithoutThing]: 1,
      [METRICS.orphanSharedThing]: 2,
      [METRICS.orphanUnknownIssuer]: 1,
    });
  });

  test('a certificate that nobody can read is counted, and the others go on', async () => {
    const id = certificateId('f'.repeat(64));
    cloud.registry.set(id, { status: 'ACTIVE', certificatePem: 'no PEM', things: [] });
    for (const device of devices) register(device);
    await reconcile();
    expect(cloud.records.size).toBe(8);
    expect(cloud.checkpoint).toMatchObject({ tally: { unreadable: 1 }, examples: { unreadable: [id] } });
  });

  test('a remembered revocation of a certificate that has turned up goes to the revoke queue', async () => {
    register(devices[0]!);
    cloud.revocations.set(`${devices[0]!.issuerId}#${devices[0]!.serialNumber}`, revocation(devices[0]!));
    await reconcile();
    expect(cloud.sent).toMatchObject([{ serialNumber: devices[0]!.serialNumber, source: 'remembered' }]);
    expect(cloud.checkpoint?.tally).toMatchObject({ handedOver: 1, heldBack: 0 });
  });

  test('what the brake kept back is tried again by the next run, also when the certificate has been known for long', async () => {
    register(devices[0]!);
    cloud.revocations.set(`${devices[0]!.issuerId}#${devices[0]!.serialNumber}`, revocation(devices[0]!));
    await reconcile(() => ({ ...SETTINGS, brake: { floor: 0, share: 0 } }));
    expect(cloud.sent).toEqual([]);
    expect(cloud.checkpoint?.tally).toMatchObject({ handedOver: 0, heldBack: 1 });
    await reconcile();
    expect(cloud.sent).toHaveLength(1);
  });

  test('throttled calls get another slot; a registry that is down for good is thrown', async () => {
    for (const device of devices) register(device);
    let calls = 0;
    const { describe: ask } = cloud.ports.registry;
    const flaky = (fails: (call: number) => boolean) => ({
      ...cloud.ports,
      registry: {
        ...cloud.ports.registry,
        describe: async (id: DeviceCertificate['certificateId']) => {
          calls += 1;
          if (fails(calls)) throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
          return ask(id);
        },
      },
    });
    cloud.queue.push({ kind: 'start' });
    for (let message = cloud.queue.shift(); message !== undefined; message = cloud.queue.shift()) {
      await run(
        flaky((call) => call % 3 === 0),
        SETTINGS,
        message,
      );
    }
    expect(cloud.records.size).toBe(8);

    cloud.records.clear();
    await run(cloud.ports, SETTINGS, { kind: 'start' });
    await expect(
      run(
        flaky(() => true),
        SETTINGS,
        cloud.queue.shift()!,
      ),
    ).rejects.toThrow('slow down');
  });
});

describe('two at once', () => {
  test('a second start while a run is under way does nothing', async () => {
    for (const device of devices) register(device);
    await run(cloud.ports, SETTINGS, { kind: 'start' });
    const message = cloud.queue.shift()!;
    await run(cloud.ports, { ...SETTINGS, deadlineMs: cloud.nowMs }, message); // one page at most
    const before = cloud.checkpoint;
    await run(cloud.ports, SETTINGS, { kind: 'start' });
    expect(cloud.checkpoint).toBe(before);
    expect(cloud.queue).toHaveLength(1);
  });

  test('two deliveries of one message side by side end as one would have', async () => {
    for (const device of devices) register(device);
    await run(cloud.ports, SETTINGS, { kind: 'start' });
    const message = cloud.queue.shift()!;
    await Promise.all([run(cloud.ports, SETTINGS, message), run(cloud.ports, SETTINGS, message)]);
    expect(cloud.checkpoint?.phase).toEqual({ name: 'done' });
    expect(cloud.checkpoint?.tally).toMatchObject({ listed: 8, active: 8, withoutThing: 0 });
    expect(cloud.counted).toBe(8);
  });
});
