/** `retire` against its neighbours in memory: nothing is taken from a device that it still needs, and nobody else has anything left to do. */
import { METRICS } from '../../domain/fleet/metrics.js';
import { candidateCertificateId } from '../../domain/fleet/certificate-id.js';
import { Certificate } from '../../domain/pki/certificate.js';
import type { Rotation } from '../../lambda/ports/rotations.js';
import { run as fastPath } from '../../lambda/revocation/fast/run.js';
import { createCa, type IssuedCertificate, type TestCa } from '../builders/ca.js';
import { MemoryBrake } from '../revocation/memory/ledger.js';
import { CA_ARN } from './memory/issuing-ca.js';
import type { Device } from './memory/world.js';
import { CampaignWorld, DAY_MS } from './start-world.js';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const TODAY = 'due-2026-11-22';
const JOB = `fleetwarden-rotation-${TODAY}`;
let ca: TestCa;
let olds: IssuedCertificate[];
let news: IssuedCertificate[];
beforeAll(async () => {
  ca = await createCa({ name: 'CN=Fleet CA' });
  const make = (days: number) => (index: number) =>
    ca.issue({ subject: `CN=dev-${index + 1}`, notBefore: new Date(NOW - 300 * DAY_MS), notAfter: new Date(NOW + days * DAY_MS) });
  olds = await Promise.all([0, 1, 2].map(make(20)));
  news = await Promise.all([0, 1, 2].map(make(365)));
});

let world: CampaignWorld;
let devices: Device[];
/** Three devices, a campaign that was launched this morning. */
beforeEach(async () => {
  world = await launched();
  devices = [...world.rotations.rows.values()]
    .map(({ thingName, oldCertificateId }) => ({ thing: thingName, old: oldCertificateId }))
    .toSorted((one, other) => (one.thing < other.thing ? -1 : 1));
});
async function launched(): Promise<CampaignWorld> {
  const made = new CampaignWorld(ca);
  for (const [index, certificate] of olds.entries()) await made.enrol(certificate, `dev-${index + 1}`, false);
  await made.start({ kind: 'due' });
  return made;
}

/** As `issue` leaves it: the new certificate is registered, ACTIVE, and the device has it. */
async function register(at: CampaignWorld, index: number, more: Partial<Rotation> = {}) {
  const { thing, old } = [...at.rotations.rows.values()]
    .map(({ thingName, oldCertificateId }) => ({ thing: thingName, old: oldCertificateId }))
    .find((device) => device.thing === `dev-${index + 1}`)!;
  const { certificatePem } = news[index]!;
  const fresh = (await at.enrol({ ...news[index]!, certificatePem }, thing, false)).old;
  await at.rotations.move(old, ['offered'], {
    state: 'registered',
    newCertificateId: fresh,
    newCertificateArn: `${CA_ARN}/certificate/${news[index]!.serialNumber}`,
    activatedAtMs: at.clock.nowMs(),
    updatedAtMs: at.clock.nowMs(),
    ...more,
  });
  at.ca.issued.set(`${CA_ARN}/certificate/${news[index]!.serialNumber}`, certificatePem);
  at.jobs.set(JOB, thing, 'IN_PROGRESS');
  return { old, fresh, thing };
}
/** As `prove` leaves it. */
async function prove(at: CampaignWorld, index: number, graceDays = 7) {
  const one = await register(at, index);
  const nowMs = at.clock.nowMs();
  await at.rotations.move(one.old, ['registered'], {
    state: 'proved',
    provedAtMs: nowMs,
    retireAtMs: nowMs + graceDays * DAY_MS,
    updatedAtMs: nowMs,
  });
  await at.iot.setStatus(one.old, 'INACTIVE');
  await at.inventory.setStatus(one.old, 'INACTIVE', 'rotated');
  at.jobs.set(JOB, one.thing, 'SUCCEEDED');
  return one;
}
const statusOf = (at: CampaignWorld, id: Device['old']) => at.iot.certificates.get(id)?.status;
const serialOf = ({ certificatePem }: IssuedCertificate) => Certificate.read(certificatePem).serialNumber;

describe('after the grace', () => {
  it('the old certificate is REVOKED, superseded at its CA, and its thing leaves the group; before it, it is not', async () => {
    const { old, fresh, thing } = await prove(world, 0);
    world.clock.advance(7 * DAY_MS - 1);
    await world.retire();
    expect([statusOf(world, old), world.rotation(old)?.state]).toEqual(['INACTIVE', 'proved']);
    world.clock.advance(1);
    await world.retire();
    expect([statusOf(world, old), statusOf(world, fresh), world.rotation(old)?.state]).toEqual(['REVOKED', 'ACTIVE', 'retired']);
    expect(world.ca.superseded).toEqual([serialOf(olds[0]!)]);
    expect(world.inventory.records.get(old)).toMatchObject({ status: 'REVOKED', statusReason: 'superseded' });
    expect(world.groups.groups.get(JOB)?.has(thing)).toBe(false);
    expect(world.decisions.rows.filter(({ act }) => act === 'retire')).toMatchObject([
      { subject: `CERT#${old}`, step: 'intent', reason: 'grace-over', by: 'retire', runId: TODAY },
      { subject: `CERT#${old}`, step: 'outcome', detail: { outcome: 'revoked', newCertificateId: fresh } },
    ]);
  });

  it('an old certificate whose successor has itself been replaced, and proved, is retired too: the last one keeps the device in the fleet', async () => {
    const { old, fresh, thing } = await prove(world, 0, 7);
    const last = (await world.enrol(await ca.issue({ subject: `CN=${thing}` }), thing, false)).old;
    const { campaignId, jobId } = world.rotation(old)!;
    const again = { ...world.rotation(old)!, oldCertificateId: fresh, newCertificateId: last, campaignId, jobId };
    await world.rotations.open({ ...again, retireAtMs: world.clock.nowMs() + DAY_MS });
    await world.iot.setStatus(fresh, 'INACTIVE');
    world.clock.advance(8 * DAY_MS);
    for (let round = 0; round < 2; round += 1) await world.retire();
    expect([old, fresh, last].map((id) => statusOf(world, id))).toEqual(['REVOKED', 'REVOKED', 'ACTIVE']);
    expect(world.metric(METRICS.retirementBlocked)).toBe(0);
  });

  it('… but not where the last of them is not proved', async () => {
    const { old, fresh, thing } = await prove(world, 0, 0);
    const last = (await world.enrol(await ca.issue({ subject: `CN=${thing}` }), thing, false)).old;
    const { provedAtMs: _, ...unproved } = world.rotation(old)!;
    await world.rotations.open({ ...unproved, state: 'registered', oldCertificateId: fresh, newCertificateId: last });
    await world.iot.setStatus(fresh, 'INACTIVE');
    await world.retire({ kind: 'retire' });
    expect([statusOf(world, old), world.metric(METRICS.retirementBlocked)]).toEqual(['INACTIVE', 1]);
  });

  it('the revocation is on record as done before the CA is told of it', async () => {
    await prove(world, 0, 0);
    await world.retire();
    expect(world.order).toEqual(['supersede, done before']);
  });

  it('the fast path and the CRL find nothing left to do, and the brake is not used', async () => {
    await prove(world, 0, 0);
    await world.retire();
    const certificateArn = `${CA_ARN}/certificate/old`;
    const brake = new MemoryBrake(60);
    const sent: unknown[] = [];
    const { anchors, clock, decisions, inventory, signals, stop } = world;
    const reason = await fastPath(
      {
        anchors,
        clock,
        decisions,
        signals,
        stop,
        brake,
        inventory: { alreadyDone: (...asked) => inventory.alreadyDone(...asked), activeCount: async () => 3 },
        privateCa: { getCertificate: async () => olds[0]!.certificatePem },
        revokeQueue: {
          sendAll: async (messages) => {
            for await (const one of messages) sent.push(one);
            return sent.length;
          },
        },
      },
      { mode: 'enforce', brake: { floor: 1, share: 0 } },
      {
        source: 'aws.acm-pca',
        'detail-type': 'ACM Private CA Certificate Revocation',
        time: '2026-11-22T10:00:00Z',
        resources: [CA_ARN, certificateArn],
        detail: { result: 'success' },
      },
    );
    expect([reason, sent, brake.runs.size]).toEqual(['handled-before', [], 0]);
    // What the sync asks about each fresh entry of a CRL, before it counts for the brake.
    const { issuerId, serialNumber } = Certificate.read(olds[0]!.certificatePem);
    expect(await inventory.alreadyDone(issuerId, [serialNumber])).toEqual(new Set([serialNumber]));
  });

  it.each<[string, (device: { old: Device['old']; fresh: Device['old']; thing: string }) => unknown, string, number]>([
    ['the new one is not ACTIVE', ({ fresh }) => world.iot.setStatus(fresh, 'REVOKED'), 'new-not-active', 1],
    ['somebody brought it back', ({ old }) => world.iot.setStatus(old, 'ACTIVE'), 'old-active-again', 1],
    ['the thing is contained', ({ thing }) => world.containments.things.add(thing), 'thing-contained', 0],
  ])('the old one is kept when %s, and looked at again later', async (_, spoil, reason, alarms) => {
    const device = await prove(world, 0);
    await spoil(device);
    const before = statusOf(world, device.old);
    world.clock.advance(7 * DAY_MS);
    await world.retire();
    await world.retire();
    expect([statusOf(world, device.old), world.ca.superseded]).toEqual([before, []]);
    expect(world.rotation(device.old)).toMatchObject({ state: 'proved', stateReason: reason });
    expect(world.rotation(device.old)?.retireAtMs).toBeGreaterThan(world.clock.nowMs());
    expect(world.metric(METRICS.retirementBlocked)).toBe(alarms);
  });

  it('one that cannot be settled does not keep the others', async () => {
    const [one, other] = [await prove(world, 0, 0), await prove(world, 1, 0)];
    const look = world.iot.describe.bind(world.iot);
    world.iot.describe = async (id) => {
      if (id === one.old) throw new Error('ThrottlingException');
      return look(id);
    };
    await world.retire();
    expect([statusOf(world, one.old), statusOf(world, other.old)]).toEqual(['INACTIVE', 'REVOKED']);
    expect(world.metric(METRICS.retireFailed)).toBe(1);
  });

  it.each([
    ['in mode observe', () => void (world.mode = 'observe')],
    ['while the emergency stop is set', () => world.stop.set(true, 'alice', 'looking', NOW)],
  ])('nothing is changed %s', async (_, hold) => {
    const { old } = await prove(world, 0, 0);
    const { old: silent, fresh } = await register(world, 1);
    world.jobs.set(JOB, 'dev-2', 'FAILED');
    await hold();
    const before = JSON.stringify([[...world.rotations.rows], [...world.inventory.records], [...world.campaigns.rows], world.iot.history]);
    world.clock.advance(25 * DAY_MS);
    await world.retire();
    expect(JSON.stringify([[...world.rotations.rows], [...world.inventory.records], [...world.campaigns.rows], world.iot.history])).toBe(
      before,
    );
    expect([statusOf(world, old), statusOf(world, silent), statusOf(world, fresh)]).toEqual(['INACTIVE', 'ACTIVE', 'ACTIVE']);
  });
});

describe('a rotation that failed', () => {
  it.each(['FAILED', 'TIMED_OUT', 'REJECTED', 'CANCELED', 'REMOVED'] as const)(
    'with its job execution %s: the new certificate is taken back, the old one stays',
    async (status) => {
      const { old, fresh, thing } = await register(world, 0);
      world.jobs.set(JOB, thing, status);
      await world.retire();
      expect([statusOf(world, old), statusOf(world, fresh)]).toEqual(['ACTIVE', 'REVOKED']);
      expect(world.rotation(old)).toMatchObject({ state: 'withdrawn', settledAtMs: NOW + (world.rotation(old)!.settledAtMs! - NOW) });
      expect(world.ca.superseded).toEqual([serialOf(news[0]!)]);
      expect(world.order).toEqual(['supersede, done before']);
      expect(world.groups.groups.get(JOB)?.has(thing)).toBe(false);
    },
  );

  it('before anything was issued is withdrawn without a call to the CA, and found again by the next run', async () => {
    world.jobs.set(JOB, 'dev-1', 'REJECTED');
    await world.retire();
    expect([world.ca.superseded, world.rotation(devices[0]!.old)?.state]).toEqual([[], 'withdrawn']);
    world.clock.advance(DAY_MS);
    await world.start({ kind: 'due' });
    expect(world.rotation(devices[0]!.old)).toMatchObject({ state: 'offered', campaignId: 'due-2026-11-23' });
  });

  it('after it was issued and before it was registered is remembered, for the day on which it turns up after all', async () => {
    const { old, fresh, thing } = await register(world, 0, { state: 'issued', newCertificateId: undefined });
    world.iot.certificates.delete(fresh);
    world.jobs.set(JOB, thing, 'TIMED_OUT');
    await world.retire();
    expect([world.rotation(old)?.state, world.ca.superseded]).toEqual(['withdrawn', [serialOf(news[0]!)]]);
    const { issuerId, serialNumber } = Certificate.read(news[0]!.certificatePem);
    expect((await world.inventory.bySerial(issuerId, serialNumber)).revocation).toMatchObject({ state: 'done', outcome: 'not-registered' });
  });

  it('while its CA is still at it is not settled before the CA has issued: nothing is left there that nobody revokes', async () => {
    const { old, fresh, thing } = await register(world, 0, { state: 'issued', newCertificateId: undefined });
    world.iot.certificates.delete(fresh);
    world.jobs.set(JOB, thing, 'TIMED_OUT');
    world.ca.slowness = 1;
    await world.retire();
    expect([world.rotation(old), world.ca.superseded]).toEqual([expect.not.objectContaining({ settledAtMs: expect.any(Number) }), []]);
    await world.retire();
    expect(world.rotation(old)?.settledAtMs).toBeDefined();
    expect(world.ca.superseded).toEqual([serialOf(news[0]!)]);
  });

  it('never proved: swept after the time-out, not before', async () => {
    const { old, fresh, thing } = await register(world, 0);
    world.jobs.set(JOB, thing, 'SUCCEEDED');
    world.clock.advance(2 * 3_600_000 - 60_000);
    await world.retire();
    expect(statusOf(world, fresh)).toBe('ACTIVE');
    world.clock.advance(60_000);
    await world.retire();
    expect([statusOf(world, old), statusOf(world, fresh), world.rotation(old)?.stateReason]).toEqual(['ACTIVE', 'REVOKED', 'never-proved']);
  });

  it('is not taken back when the old certificate is not ACTIVE any more: the new one may be all that the device has', async () => {
    const { old, fresh, thing } = await register(world, 0);
    world.jobs.set(JOB, thing, 'FAILED');
    await world.iot.setStatus(old, 'REVOKED');
    await world.retire();
    expect([statusOf(world, fresh), world.rotation(old)?.state, world.metric(METRICS.retirementBlocked)]).toEqual([
      'ACTIVE',
      'registered',
      1,
    ]);
  });

  it('and is proved at this very moment: the proof wins, and the old one is not touched by us', async () => {
    const { old, fresh, thing } = await register(world, 0);
    world.jobs.set(JOB, thing, 'TIMED_OUT');
    const append = world.decisions.append.bind(world.decisions);
    world.decisions.append = async (row) => {
      // Between our look and our conditional write, the proof comes in.
      if (row.act === 'withdraw' && row.step === 'intent')
        await world.rotations.move(old, ['registered'], { state: 'proved', provedAtMs: NOW, retireAtMs: NOW + DAY_MS });
      return append(row);
    };
    await world.retire();
    expect([statusOf(world, fresh), world.rotation(old)?.state]).toEqual(['ACTIVE', 'proved']);
  });
});

describe('a campaign', () => {
  it('is complete when every device has proved itself or is settled otherwise', async () => {
    await prove(world, 0);
    await prove(world, 1);
    await world.retire();
    expect(world.campaigns.rows.get(TODAY)?.state).toBe('running');
    world.jobs.set(JOB, 'dev-3', 'FAILED');
    await world.retire();
    expect(world.campaigns.rows.get(TODAY)?.state).toBe('completed');
    expect(world.decisions.rows.find(({ act }) => act === 'complete')?.detail).toEqual({ proved: 2, offered: 1 });
  });

  it('that AWS IoT aborts is told once, the rest of the fleet is untouched', async () => {
    world.jobs.set(JOB, 'dev-1', 'FAILED');
    await world.jobs.cancel(JOB, 'abort criteria', false);
    await world.retire();
    await world.retire();
    expect([world.campaigns.rows.get(TODAY)?.state, world.metric(METRICS.campaignAborted)]).toEqual(['aborted', 1]);
    expect(devices.map(({ old }) => [statusOf(world, old), world.rotation(old)?.state])).toEqual(Array(3).fill(['ACTIVE', 'withdrawn']));
  });

  it('whose devices are offline is not asked about device by device, round after round', async () => {
    await world.retire();
    await world.retire();
    expect(world.jobs.asked).toBe(0);
    world.jobs.set(JOB, 'dev-2', 'FAILED');
    await world.retire();
    expect(world.jobs.asked).toBe(3);
    await world.retire();
    expect(world.jobs.asked).toBe(3);
  });

  it('that is paused keeps those who have not begun for the day on which it is resumed', async () => {
    await world.start({ kind: 'control', campaignId: TODAY, control: 'pause', by: 'alice' });
    await world.retire();
    expect(devices.map(({ old }) => world.rotation(old)?.state)).toEqual(['planned', 'planned', 'planned']);
    await world.start({ kind: 'control', campaignId: TODAY, control: 'resume', by: 'alice' });
    await world.retire();
    expect(devices.map(({ old }) => world.rotation(old)?.state)).toEqual(['offered', 'offered', 'offered']);
  });
});

describe('before the deadline', () => {
  it('a device that stays offline is told of at 14, 7 and 1 days and at the end, each once, and is not forgotten', async () => {
    const told: number[] = [];
    for (let day = 0; day <= 20; day += 1) {
      const before = world.metric(METRICS.rotationEscalated) + world.metric(METRICS.rotationDeadlineMissed);
      for (let round = 0; round < 3; round += 1) await world.retire({ kind: 'deadlines' });
      if (world.metric(METRICS.rotationEscalated) + world.metric(METRICS.rotationDeadlineMissed) > before) told.push(20 - day);
      world.clock.advance(DAY_MS);
    }
    expect(told).toEqual([14, 7, 1, 0]);
    expect([world.metric(METRICS.rotationEscalated), world.metric(METRICS.rotationDeadlineMissed)]).toEqual([9, 3]);
    expect(devices.map(({ old }) => [world.rotation(old)?.state, world.rotation(old)?.stateReason])).toEqual(
      Array(3).fill(['withdrawn', 'expired']),
    );
  });

  it('a registered certificate outlives the deadline: it is the only way in that the device has left', async () => {
    const { old, fresh } = await register(world, 0);
    world.clock.advance(21 * DAY_MS);
    for (let round = 0; round < 3; round += 1) await world.retire();
    expect([statusOf(world, fresh), world.rotation(old)?.state]).toEqual(['ACTIVE', 'registered']);
  });
});

describe('a CA that no machine can ask', () => {
  it('has its certificates on a list for people, once, with the reason on record; out of the fleet they are all the same', async () => {
    world.caCanBeAsked = false;
    const { old } = await prove(world, 0, 0);
    await world.retire();
    await world.rotations.move(old, ['retired'], { state: 'proved' });
    await world.retire();
    const serialNumber = serialOf(olds[0]!);
    expect([...world.byHand.rows.values()]).toMatchObject([{ anchorId: 'fleet-ca', serialNumber, certificateId: old, runId: TODAY }]);
    expect(world.metric(METRICS.supersedeByHand)).toBe(1);
    expect(world.decisions.rows.filter(({ reason }) => reason === 'by-hand')).toMatchObject([{ act: 'supersede', subject: `CERT#${old}` }]);
    expect(statusOf(world, old)).toBe('REVOKED');
  });
});

describe('a campaign that ended long ago', () => {
  const ended = async (state: 'completed' | 'cancelled' | 'aborted' | 'paused' | 'running') => {
    await world.campaigns.move(TODAY, ['running'], state, world.clock.nowMs());
    for (const { old } of devices) await world.rotations.move(old, ['offered'], { state: 'withdrawn', settledAtMs: 1 });
  };
  const left = () => [world.jobs.jobs.has(JOB), world.groups.groups.has(JOB)];

  it.each(['completed', 'cancelled', 'aborted'] as const)(
    '%s: after thirty days its job and its group go, it stays on record',
    async (state) => {
      await ended(state);
      world.clock.advance(30 * DAY_MS);
      await world.retire();
      expect(left()).toEqual([true, true]);
      world.clock.advance(1);
      for (let round = 0; round < 2; round += 1) await world.retire();
      expect(left()).toEqual([false, false]);
      expect(world.campaigns.rows.get(TODAY)).toMatchObject({ state, tidiedAtMs: world.clock.nowMs() });
      expect(world.metric(METRICS.campaignTidied)).toBe(1);
    },
  );

  it.each(['paused', 'running'] as const)('but not one that is %s', async (state) => {
    await ended(state);
    world.clock.advance(400 * DAY_MS);
    await world.retire({ kind: 'tidy', campaignId: TODAY });
    expect(left()).toEqual([true, true]);
  });

  it('a proved rotation whose grace is longer is retired without its group', async () => {
    const { old } = await prove(world, 0, 60);
    await ended('completed');
    world.clock.advance(61 * DAY_MS);
    for (let round = 0; round < 2; round += 1) await world.retire();
    expect([left(), world.rotation(old)?.state]).toEqual([[false, false], 'retired']);
  });

  it('five a round: AWS IoT deletes few jobs at a time', async () => {
    for (let index = 0; index < 7; index += 1)
      await world.campaigns.put({ ...world.campaigns.rows.get(TODAY)!, campaignId: `old-${index}`, state: 'completed', updatedAtMs: 0 });
    await world.retire();
    expect([...world.campaigns.rows.values()].filter(({ tidiedAtMs }) => tidiedAtMs !== undefined)).toHaveLength(5);
    await world.retire();
    expect([...world.campaigns.rows.values()].filter(({ tidiedAtMs }) => tidiedAtMs !== undefined)).toHaveLength(7);
  });

  it('in observe nothing is deleted', async () => {
    await ended('completed');
    world.clock.advance(31 * DAY_MS);
    world.mode = 'observe';
    await world.retire();
    expect(left()).toEqual([true, true]);
  });
});

describe('a certificate that a CA issued for a rotation and that never arrived there', () => {
  const issuedFor = async (index: number, certificate: IssuedCertificate) => {
    const { old } = devices[index]!;
    const certificateArn = `${CA_ARN}/certificate/${certificate.serialNumber}`;
    world.ca.issued.set(certificateArn, certificate.certificatePem);
    const newCertificateId = candidateCertificateId(Certificate.read(certificate.certificatePem).der);
    await world.issued.remember({ oldCertificateId: old, newCertificateId, certificateArn, toldAtMs: world.clock.nowMs() });
    return { old, newCertificateId, certificateArn };
  };

  it('is superseded at its CA a day later, on record as done before, with an alarm, once', async () => {
    const { newCertificateId } = await issuedFor(0, news[0]!);
    world.clock.advance(DAY_MS);
    await world.retire({ kind: 'orphans' });
    expect(world.ca.superseded).toEqual([]);
    world.clock.advance(1);
    for (let round = 0; round < 2; round += 1) await world.retire({ kind: 'orphans' });
    expect(world.ca.superseded).toEqual([serialOf(news[0]!)]);
    expect(world.order).toEqual(['supersede, done before']);
    expect(world.metric(METRICS.orphanSuperseded)).toBe(1);
    expect(world.decisions.rows.filter(({ subject }) => subject === `CERT#${newCertificateId}`).map(({ step }) => step)).toEqual([
      'intent',
      'outcome',
    ]);
    expect(world.issued.rows.size).toBe(0);
  });

  it.each(['newCertificateId', 'newCertificateArn'] as const)('is left alone where the rotation names it by its %s', async (field) => {
    const told = await issuedFor(0, news[0]!);
    await world.rotations.move(told.old, ['offered'], {
      state: 'issued',
      [field]: told[field === 'newCertificateId' ? field : 'certificateArn'],
    });
    world.clock.advance(DAY_MS + 1);
    await world.retire({ kind: 'orphans' });
    expect([world.ca.superseded, world.issued.rows.size]).toEqual([[], 0]);
  });

  it('is left alone where somebody has registered it', async () => {
    await issuedFor(0, news[0]!);
    await world.enrol(news[0]!, 'somebody-elses', false);
    world.clock.advance(DAY_MS + 1);
    await world.retire({ kind: 'orphans' });
    expect(world.ca.superseded).toEqual([]);
  });

  it('is not touched in observe, nor while the emergency stop is set, and not forgotten', async () => {
    await issuedFor(0, news[0]!);
    world.clock.advance(DAY_MS + 1);
    world.mode = 'observe';
    await world.retire();
    world.mode = 'enforce';
    await world.stop.set(true, 'alice', 'exercise', world.clock.nowMs());
    await world.retire();
    expect([world.ca.superseded, world.issued.rows.size]).toEqual([[], 1]);
  });

  it.each(['before', 'after'] as const)('is superseded once, killed %s any call', async (moment) => {
    for (let n = 1; n < 25; n += 1) {
      world = await launched();
      await issuedFor(0, news[0]!);
      world.clock.advance(DAY_MS + 1);
      await world.retire({ kind: 'orphans' }, { n, moment });
      await world.retire({ kind: 'orphans' });
      expect([n, world.ca.superseded, world.issued.rows.size]).toEqual([n, [serialOf(news[0]!)], 0]);
      expect(world.order).not.toContain('supersede, NOT done before');
    }
  });
});

describe('killed at any call, and delivered again', () => {
  /** Everything but times and the audit trail. */
  const end = (at: CampaignWorld) => ({
    registry: [...at.iot.certificates].map(([id, { status }]) => [id, status]),
    inventory: [...at.inventory.records.values()].map(({ certificateId, status }) => [certificateId, status]),
    revocations: [...at.inventory.revocations.values()].map(({ serialNumber, state, outcome }) => [serialNumber, state, outcome]),
    rotations: [...at.rotations.rows.values()].map(({ oldCertificateId, state, settledAtMs }) => [
      oldCertificateId,
      state,
      settledAtMs !== undefined,
    ]),
    campaigns: [...at.campaigns.rows.values()].map(({ campaignId, state }) => [campaignId, state]),
    groups: [...at.groups.groups].map(([name, things]) => [name, [...things]]),
    superseded: at.ca.superseded.toSorted(),
  });
  const stories: Record<string, (at: CampaignWorld) => Promise<unknown>> = {
    retire: async (at) => prove(at, 0, 0),
    campaign: async (at) => {
      await register(at, 0);
      at.jobs.set(JOB, 'dev-1', 'FAILED');
      at.jobs.set(JOB, 'dev-2', 'REJECTED');
      await prove(at, 2);
    },
    deadlines: async (at) => at.clock.advance(20 * DAY_MS),
  };

  it.each(Object.keys(stories).flatMap((story) => (['before', 'after'] as const).map((moment) => [story, moment] as const)))(
    '%s, %s the call took effect: the same end, and never done before it is done',
    async (story, moment) => {
      const message =
        story === 'campaign' ? ({ kind: 'campaign', campaignId: TODAY } as const) : ({ kind: story as 'retire' | 'deadlines' } as const);
      const undisturbed = await launched();
      await stories[story]!(undisturbed);
      // To the end: a campaign is complete in the round after the last one was settled, a deadline is told of before it is drawn.
      for (let round = 0; round < 3; round += 1) await undisturbed.retire(message);
      for (let n = 1; n < 60; n += 1) {
        const at = await launched();
        await stories[story]!(at);
        await at.retire(message, { n, moment });
        for (let round = 0; round < 2; round += 1) await at.retire(message);
        expect([n, end(at)]).toEqual([n, end(undisturbed)]);
        expect(at.order).not.toContain('supersede, NOT done before');
      }
    },
  );
});
