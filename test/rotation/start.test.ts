/** `start` against its neighbours in memory: what is due is found once, offered once, and the rest of the fleet is not touched. */
import fc from 'fast-check';
import { METRICS } from '../../domain/fleet/metrics.js';
import { RotationJob } from '../../domain/protocol/rotation.js';
import { createCa, type IssuedCertificate, type TestCa } from '../builders/ca.js';
import { CampaignWorld, DAY_MS } from './start-world.js';
import type { Device } from './memory/world.js';

const TODAY = 'due-2026-11-22';
const NOW = Date.parse('2026-11-22T10:00:00Z');
let ca: TestCa;
/** Certificate by the days that it has left. */
const issued = new Map<number, IssuedCertificate>();
const DAYS_LEFT = [-1, 1, 5, 29, 31, 300, 10, 11, 12, 13, 301, 302, 303];

beforeAll(async () => {
  ca = await createCa({ name: 'CN=Fleet CA' });
  for (const days of DAYS_LEFT)
    issued.set(
      days,
      await ca.issue({ subject: `CN=dev-${days}`, notBefore: new Date(NOW - 300 * DAY_MS), notAfter: new Date(NOW + days * DAY_MS) }),
    );
});

let world: CampaignWorld;
beforeEach(() => {
  world = new CampaignWorld(ca);
});
const enrol = (days: number, name = `dev-${days}`): Promise<Device> => world.enrol(issued.get(days)!, name, false);
const states = () => Object.fromEntries([...world.rotations.rows.values()].map(({ thingName, state }) => [thingName, state]));

describe('the expiry query', () => {
  it('offers a rotation to what ends within the window, and to nothing else', async () => {
    for (const days of DAYS_LEFT.slice(0, 6)) await enrol(days);
    await world.start({ kind: 'due' });
    expect(states()).toEqual({ 'dev-1': 'offered', 'dev-5': 'offered', 'dev-29': 'offered' });
    expect(world.campaigns.rows.get(TODAY)).toMatchObject({
      state: 'running',
      size: 3,
      reason: 'expires-soon',
      foundBy: 'expiry query, window 30 days',
    });
    const name = `fleetwarden-rotation-${TODAY}`;
    expect([...(world.groups.groups.get(name) ?? [])].toSorted()).toEqual(['dev-1', 'dev-29', 'dev-5']);
    expect(RotationJob.parse(world.jobs.jobs.get(name)?.document)).toEqual({
      operation: 'rotate-certificate',
      version: 1,
      campaignId: TODAY,
      reason: 'expires-soon',
      deadline: new Date(NOW + DAY_MS).toISOString(), // of the first to end
    });
    expect(world.metric(METRICS.expiredUnrotated)).toBe(0); // it ended yesterday: not looked at any more
  });

  it('says of a certificate that ended today without being replaced that it is too late', async () => {
    const today = await ca.issue({ subject: 'CN=late', notBefore: new Date(NOW - DAY_MS), notAfter: new Date(NOW - 3_600_000) });
    await world.enrol(today, 'late', false);
    await world.start({ kind: 'due' });
    expect([states(), world.metric(METRICS.expiredUnrotated)]).toEqual([{}, 1]);
  });

  it('puts on record what found it, when, on what grounds, for which campaign', async () => {
    const { old } = await enrol(5);
    await world.start({ kind: 'due' });
    expect(world.decisions.rows.filter(({ subject }) => subject === `CERT#${old}`)).toEqual([
      {
        subject: `CERT#${old}`,
        step: 'intent',
        act: 'rotate',
        reason: 'expires-soon',
        runId: TODAY,
        by: 'start',
        atMs: NOW,
        detail: {
          thingName: 'dev-5',
          foundBy: 'expiry query, window 30 days',
          notAfter: '2026-11-27T10:00:00.000Z',
          deadline: '2026-11-27T10:00:00.000Z',
        },
      },
    ]);
  });

  it('run again adds nothing: neither on the same day nor on the next', async () => {
    await enrol(5);
    await world.start({ kind: 'due' });
    const before = JSON.stringify([...world.rotations.rows]);
    await world.start({ kind: 'due' });
    world.clock.advance(DAY_MS);
    await world.start({ kind: 'due' });
    expect(JSON.stringify([...world.rotations.rows])).toBe(before);
    expect([...world.campaigns.rows.keys()]).toEqual([TODAY]);
  });

  it('in mode observe reports the same number, and changes nothing', async () => {
    for (const days of [5, 10, 31]) await enrol(days);
    world.mode = 'observe';
    await world.start({ kind: 'due' });
    expect([world.rotations.rows.size, world.campaigns.rows.size, world.groups.groups.size, world.jobs.jobs.size]).toEqual([0, 0, 0, 0]);
    expect(world.metric(METRICS.rotationsFound)).toBe(2);
    expect(world.decisions.rows).toMatchObject([{ act: 'plan', reason: 'mode-observe', detail: { found: 2 } }]);
  });

  it('while the emergency stop is set changes nothing, and what had begun waits', async () => {
    await enrol(5);
    await world.stop.set(true, 'alice', 'looking', NOW);
    await world.start({ kind: 'due' });
    await world.start({ kind: 'launch', campaignId: TODAY });
    expect(world.rotations.rows.size).toBe(0);
    expect(world.deferred).toEqual([{ kind: 'launch', campaignId: TODAY }]);
  });

  it('whose time runs out goes on by message where it stood, and finds each certificate once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...DAYS_LEFT), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        async (fleet, callMs) => {
          world = new CampaignWorld(ca);
          // The clock moves with each certificate that is looked at: calls end in the middle of days.
          const byOld = world.rotations.byOld.bind(world.rotations);
          world.rotations.byOld = async (id) => {
            world.clock.advance(1);
            return byOld(id);
          };
          world.callMs = callMs;
          for (const days of new Set(fleet)) await enrol(days);
          await world.start({ kind: 'due' });
          const due = [...new Set(fleet)].filter((days) => days > 0 && days < 30).length;
          expect(world.metric(METRICS.rotationsOpened)).toBe(due);
          expect(Object.values(states())).toEqual(Array(due).fill('offered'));
        },
      ),
      { numRuns: 40, seed: 7 },
    );
  });
});

describe('killed at any call, and delivered again', () => {
  it.each(['before', 'after'] as const)('%s it took effect, it leaves every due device offered exactly once', async (moment) => {
    let calls = 1;
    for (; calls < 200; calls += 1) {
      world = new CampaignWorld(ca);
      for (const days of [5, 10, 31]) await enrol(days);
      await world.start({ kind: 'due' }, { n: calls, moment });
      // The launch is a message of its own: it dies in its turn.
      expect(states()).toEqual({ 'dev-5': 'offered', 'dev-10': 'offered' });
      expect([...world.jobs.jobs.values()].map(({ things }) => things.toSorted())).toEqual([['dev-10', 'dev-5']]);
      if (calls > 40) break;
    }
  });

  it.each(['before', 'after'] as const)('%s it took effect, it puts no more into a campaign than there may be', async (moment) => {
    for (let n = 1; n < 40; n += 1) {
      world = new CampaignWorld(ca);
      world.campaignSize = 2;
      for (const days of [5, 10, 11, 12, 13]) await enrol(days);
      await world.start({ kind: 'due' }, { n, moment });
      const sizes = Object.fromEntries(
        [...world.campaigns.rows.values()].map(({ campaignId, size, state }) => [campaignId, [state, size]]),
      );
      expect([n, sizes]).toEqual([n, { [TODAY]: ['running', 2], [`${TODAY}-2`]: ['running', 2], [`${TODAY}-3`]: ['running', 1] }]);
    }
  });

  it.each(['before', 'after'] as const)('the launch as well, %s the call', async (moment) => {
    for (let n = 1; n < 25; n += 1) {
      world = new CampaignWorld(ca);
      for (const days of [5, 10]) await enrol(days);
      const { send } = { send: world.startMessages };
      await world.start({ kind: 'due' });
      expect(send).toEqual([]);
      // As it was before the launch.
      for (const [id, row] of world.rotations.rows) world.rotations.rows.set(id, { ...row, state: 'planned' });
      world.campaigns.rows.set(TODAY, { ...world.campaigns.rows.get(TODAY)!, state: 'planned', size: 0 });
      world.jobs.jobs.clear();
      world.groups.groups.clear();
      await world.start({ kind: 'launch', campaignId: TODAY }, { n, moment });
      expect(states()).toEqual({ 'dev-5': 'offered', 'dev-10': 'offered' });
      expect(world.campaigns.rows.get(TODAY)).toMatchObject({ state: 'running', size: 2 });
      expect([...world.jobs.jobs.values()].map(({ things }) => things.toSorted())).toEqual([['dev-10', 'dev-5']]);
    }
  });
});

describe('a launch', () => {
  it('leaves out a thing that cannot join the group, and goes on with the others', async () => {
    await enrol(5);
    await enrol(10);
    world.groups.trouble = (thing) => (thing === 'dev-5' ? new Error('InvalidRequestException: the thing is in ten groups') : undefined);
    await world.start({ kind: 'due' });
    expect(states()).toEqual({ 'dev-5': 'planned', 'dev-10': 'offered' });
    expect(world.campaigns.rows.get(TODAY)).toMatchObject({ state: 'running', size: 1 });
  });

  it('of which nothing succeeds is thrown, so that the message comes again', async () => {
    await enrol(5);
    world.groups.trouble = () => new Error('ThrottlingException');
    await expect(world.start({ kind: 'due' })).rejects.toThrow('ThrottlingException');
  });

  it('waits until the devices of earlier campaigns are served, so that all rollouts together tell no more than can be; a person’s does not wait', async () => {
    // One device a minute, and a quarter of four minutes ahead of its turn.
    world.rollout = { ...world.rollout, maximumPerMinute: 1, inProgressTimeoutMinutes: 4 };
    const found = [];
    for (const days of [300, 301, 302, 303]) found.push((await enrol(days)).old);
    const page = (...certificateIds: string[]) => world.start({ kind: 'finding', taskId: 'a'.repeat(32), certificateIds });
    await page(found[0]!, found[1]!);
    await page(found[2]!);
    expect(states()).toEqual({ 'dev-300': 'offered', 'dev-301': 'offered', 'dev-302': 'planned' });
    await world.start({ kind: 'rotate', thingName: 'dev-303', by: 'alice', requestId: '0123456789ab' });
    expect(states()['dev-303']).toBe('offered');
    const [launch] = world.deferred.splice(0);
    world.clock.advance(59_000);
    await world.start(launch!);
    expect([states()['dev-302'], world.deferred.splice(0)]).toEqual(['planned', [launch]]);
    world.clock.advance(1000);
    await world.start(launch!);
    expect([states()['dev-302'], world.deferred]).toEqual(['offered', []]);
  });

  it('does not wait where certificates end within the week', async () => {
    world.rollout = { ...world.rollout, maximumPerMinute: 1, inProgressTimeoutMinutes: 4 };
    const found = [];
    for (const days of [300, 301, 302]) found.push((await enrol(days)).old);
    await world.start({ kind: 'finding', taskId: 'a'.repeat(32), certificateIds: found });
    await enrol(5);
    await world.start({ kind: 'due' });
    expect(states()['dev-5']).toBe('offered');
  });

  it('that waits for its turn is not begun by the next expiry query, but is found again where its message was lost', async () => {
    world.rollout = { ...world.rollout, maximumPerMinute: 1, inProgressTimeoutMinutes: 4 };
    const found = [];
    for (const days of [300, 301, 302]) found.push((await enrol(days)).old);
    await world.start({ kind: 'finding', taskId: 'a'.repeat(32), certificateIds: [found[0]!, found[1]!] });
    await world.start({ kind: 'finding', taskId: 'a'.repeat(32), certificateIds: [found[2]!] });
    world.deferred = [];
    await world.start({ kind: 'due' });
    expect([states()['dev-302'], world.deferred]).toEqual(['planned', []]);
    world.clock.advance(2 * 3_600_000);
    await world.start({ kind: 'due' });
    expect(states()['dev-302']).toBe('offered');
  });

  it('stays below the pace of the quota', async () => {
    for (const days of [5, 10, 11, 12, 13]) await enrol(days);
    const at: number[] = [];
    world.groups.trouble = () => void at.push(world.clock.nowMs()) as undefined;
    await world.start({ kind: 'due' });
    expect(at).toEqual([0, 20, 40, 60, 80].map((ms) => NOW + ms));
  });
});

describe('on demand', () => {
  it('an operator has one thing rotated, long before its end, under his name', async () => {
    const { old } = await enrol(300);
    await world.start({ kind: 'rotate', thingName: 'dev-300', by: 'arn:aws:sts::1:alice', requestId: '0123456789ab' });
    expect(world.rotation(old)).toMatchObject({
      state: 'offered',
      reason: 'operator',
      foundBy: 'arn:aws:sts::1:alice',
      campaignId: 'operator-0123456789ab',
    });
    expect(world.decisions.rows.find(({ act }) => act === 'rotate')?.by).toBe('arn:aws:sts::1:alice');
  });

  it('equality, never a prefix: dev-1 is not dev-10', async () => {
    await enrol(10);
    await world.start({ kind: 'rotate', thingName: 'dev-1', by: 'alice', requestId: '0123456789ab' });
    expect(states()).toEqual({});
  });

  it('a page of findings is one campaign, delivered twice as well as once, and what is open already stays', async () => {
    const [one, other] = [await enrol(300), await enrol(31)];
    const finding = { kind: 'finding', taskId: 'a'.repeat(32), certificateIds: [one.old, other.old, 'f'.repeat(64)] } as const;
    await world.start({ ...finding, certificateIds: [...finding.certificateIds] });
    await world.start({ ...finding, certificateIds: finding.certificateIds.toReversed() });
    expect(states()).toEqual({ 'dev-300': 'offered', 'dev-31': 'offered' });
    expect([...world.campaigns.rows.values()]).toMatchObject([
      { state: 'running', size: 2, reason: 'audit-finding', foundBy: `audit task ${'a'.repeat(32)}` },
    ]);
  });
});

describe('a campaign that is controlled', () => {
  const control = (campaignId: string, act: 'pause' | 'resume' | 'cancel') =>
    world.start({ kind: 'control', campaignId, control: act, by: 'alice' });
  beforeEach(async () => {
    for (const days of [5, 10]) await enrol(days);
    await world.start({ kind: 'due' });
  });

  it('paused: who has begun may finish, who has not is told nothing any more', async () => {
    world.jobs.set(`fleetwarden-rotation-${TODAY}`, 'dev-5', 'IN_PROGRESS');
    await control(TODAY, 'pause');
    expect(world.campaigns.rows.get(TODAY)?.state).toBe('paused');
    expect(Object.fromEntries(world.jobs.statuses)).toEqual({
      [`fleetwarden-rotation-${TODAY}/dev-5`]: 'IN_PROGRESS',
      [`fleetwarden-rotation-${TODAY}/dev-10`]: 'CANCELED',
    });
    await world.start({ kind: 'due' });
    expect([...world.campaigns.rows.keys()]).toEqual([TODAY]); // the pause cannot be walked around by the next expiry query
  });

  it('resumed: who waited is offered again in a campaign of its own', async () => {
    world.jobs.set(`fleetwarden-rotation-${TODAY}`, 'dev-5', 'IN_PROGRESS');
    await control(TODAY, 'pause');
    await control(TODAY, 'resume');
    const successor = [...world.campaigns.rows.values()].find(({ campaignId }) => campaignId !== TODAY);
    expect(successor).toMatchObject({ state: 'running', size: 1, reason: 'expires-soon' });
    expect(successor?.campaignId).toMatch(/^due-2026-11-22-r[0-9a-f]{6}$/);
    const byThing = Object.fromEntries([...world.rotations.rows.values()].map(({ thingName, campaignId }) => [thingName, campaignId]));
    expect(byThing).toEqual({ 'dev-5': TODAY, 'dev-10': successor?.campaignId });
    expect(world.campaigns.rows.get(TODAY)?.state).toBe('cancelled');
  });

  it('resumed, and killed at any call: the same end', async () => {
    for (const moment of ['before', 'after'] as const) {
      for (let n = 1; n < 25; n += 1) {
        world = new CampaignWorld(ca);
        for (const days of [5, 10]) await enrol(days);
        await world.start({ kind: 'due' });
        await control(TODAY, 'pause');
        await world.start({ kind: 'control', campaignId: TODAY, control: 'resume', by: 'alice' }, { n, moment });
        expect([n, moment, states()]).toEqual([n, moment, { 'dev-5': 'offered', 'dev-10': 'offered' }]);
        const running = [...world.campaigns.rows.values()].filter(({ state }) => state === 'running');
        expect([n, moment, running.map(({ size }) => size)]).toEqual([n, moment, [2]]);
      }
    }
  });

  it('cancelled: nobody begins any more, and who had begun is stopped; again: nothing changes', async () => {
    await control(TODAY, 'cancel');
    await control(TODAY, 'cancel');
    expect(world.campaigns.rows.get(TODAY)?.state).toBe('cancelled');
    expect(new Set(world.jobs.statuses.values())).toEqual(new Set(['CANCELED']));
  });

  it('paused also while the emergency stop is set: it only takes back', async () => {
    await world.stop.set(true, 'alice', 'looking', NOW);
    await control(TODAY, 'pause');
    expect(world.campaigns.rows.get(TODAY)?.state).toBe('paused');
  });
});
