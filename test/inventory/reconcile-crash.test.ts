import { run } from '../../lambda/inventory/reconcile/run.js';
import type { ReconcileSettings } from '../../lambda/inventory/reconcile/steps.js';
import type { TestCa } from '../builders/ca.js';
import { deviceCertificates, fleetCa, recordOf, revocation, type DeviceCertificate } from './fleet.js';
import { everyCall, Killed } from './memory/every-call.js';
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
beforeAll(async () => {
  ca = await fleetCa();
  devices = await deviceCertificates(ca, 6);
});

/** Five certificates in the registry, one of them revoked before it was registered, one without a thing; a sixth is gone from the registry. */
function cloudBefore(): MemoryCloud {
  const cloud = new MemoryCloud();
  cloud.anchors = [
    {
      anchorId: 'fleet-ca',
      type: 'external',
      certificatePem: ca.certificatePem,
      crl: { type: 'COMPLETE', prefix: 'external/', distributionPoints: [] },
    },
  ];
  const [gone, early, ...rest] = devices as [DeviceCertificate, DeviceCertificate, ...DeviceCertificate[]];
  cloud.records.set(gone.certificateId, recordOf(gone, { thingName: gone.thing }));
  cloud.revocations.set(`${early.issuerId}#${early.serialNumber}`, revocation(early));
  for (const device of [early, ...rest]) {
    cloud.registry.set(device.certificateId, {
      status: 'ACTIVE',
      certificatePem: device.pem,
      things: device === rest[0] ? [] : [device.thing],
    });
  }
  return cloud;
}

/** Delivers as SQS does: a message whose handling fails comes again. The process dies after the `fatal`th port call, once. */
async function reconcileDying(cloud: MemoryCloud, fatal: number): Promise<{ readonly calls: number; readonly deaths: number }> {
  let calls = 0;
  let deaths = 0;
  const ports = everyCall(
    cloud.ports,
    () => {
      calls += 1;
      if (calls !== fatal) return;
      deaths += 1;
      throw new Killed();
    },
    ['clock', 'signals'],
  );
  cloud.queue.push({ kind: 'start' });
  for (let message = cloud.queue.shift(); message !== undefined; message = cloud.queue.shift()) {
    try {
      await run(ports, SETTINGS, message);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      cloud.queue.push(message);
    }
  }
  return { calls, deaths };
}

/** What must be the same in the end. Sent messages and decision rows may be there twice (at least once), never less than once. */
const endOf = (cloud: MemoryCloud) => ({
  records: [...cloud.records].sort(([one], [other]) => one.localeCompare(other)),
  counted: cloud.counted,
  phase: cloud.checkpoint?.phase,
  // Died between telling itself to go on and being done with `start`, it runs twice: harmless, and not less than once.
  reported: cloud.reports.size > 0,
  orphans: cloud.checkpoint?.examples,
  listed: cloud.checkpoint?.tally.listed,
  active: cloud.checkpoint?.tally.active,
  withoutThing: cloud.checkpoint?.tally.withoutThing,
  sent: [...new Set(cloud.sent.map((message) => JSON.stringify(message)))],
  granted: [...cloud.granted],
  told: [...new Set(cloud.decisions.map(({ step, act, subject }) => `${step} ${act} ${subject}`))].sort(),
});

test('killed after the n-th port call, for every n, and delivered again, a run ends as if nothing had happened', async () => {
  const undisturbed = cloudBefore();
  const { calls } = await reconcileDying(undisturbed, 0);
  const expected = endOf(undisturbed);
  expect(expected).toMatchObject({ counted: 5, phase: { name: 'done' }, reported: true, listed: 5, withoutThing: 1 });
  expect(expected.records).toHaveLength(6);
  expect(expected.sent).toHaveLength(1);

  for (let fatal = 1; fatal <= calls; fatal += 1) {
    const cloud = cloudBefore();
    const { deaths } = await reconcileDying(cloud, fatal);
    expect({ fatal, deaths, end: endOf(cloud) }).toEqual({ fatal, deaths, end: expected });
  }
});
