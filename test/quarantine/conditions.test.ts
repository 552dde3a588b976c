/** The edges of the decisions of quarantine: the very moment at which a limit is reached, and states that no table of facts puts first. */
import type { Booking } from '../../lambda/ports/containment-work.js';
import { decideTimeBox } from '../../lambda/quarantine/contain/time-box.js';
import { countsAdmit, groupsAdmit } from '../../lambda/quarantine/intake/brake.js';
import { decideCustom, decideFinding, decideViolation } from '../../lambda/quarantine/intake/decide.js';
import { nextOf, patience, secondsUntil } from '../../lambda/quarantine/next.js';
import { allInTurns, inTurns } from '../../lambda/quarantine/in-turns.js';
import { decideStatus, planPolicies } from '../../lambda/quarantine/release/decide.js';
import { LATE_AFTER_MS, pulseOf, STUCK_AFTER_MS, type PulseFacts } from '../../lambda/quarantine/watch/decide.js';
import type { Containment } from '../../lambda/ports/containment-records.js';
import { thingName } from '../../domain/fleet/thing-name.js';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('at the very moment at which it ends, a time still holds', () => {
  const named = { thingName: 'pump-1', behavior: 'flood', securityProfileName: 'p' };
  it('for a violation of which nothing was heard for two days', () => {
    const facts = { notified: { eventType: 'in-alarm', ...named }, sourced: { ...named, isOpen: true, updatedAtMs: NOW - 2 * DAY } };
    expect(decideViolation(facts, NOW).stands).toBe(true);
  });
  it('for a finding of a week ago', () => {
    const asked = { taskId: 't', checkName: 'c' };
    const found = { ...asked, isSuppressed: false, atMs: NOW - 7 * DAY };
    expect(decideFinding({ asked, found, checkMayContain: true }, NOW).stands).toBe(true);
  });
  it('for an event of a detector whose clock is five minutes ahead, and not for one that is further', () => {
    const facts = { eventType: 'in-alarm', account: '1', ownAccount: '1', isConfigured: true };
    expect(decideCustom({ ...facts, atMs: NOW + 300_000 }, HOUR, NOW).stands).toBe(true);
    expect(decideCustom({ ...facts, atMs: NOW + 300_001 }, HOUR, NOW)).toEqual({ stands: false, reason: 'stale' });
  });
  it('for a step that may take as long as that', () => {
    const pulse = (updatedAtMs: number): PulseFacts => ({ state: 'cut', updatedAtMs, endsAtMs: NOW + DAY, isWaiting: false });
    expect(pulseOf(pulse(NOW - LATE_AFTER_MS), NOW)).toBe('moves');
    expect(pulseOf(pulse(NOW - STUCK_AFTER_MS), NOW)).toBe('late');
  });
  it('but a cool-down is over then, and an hour of the brake', () => {
    const facts = { endsAtMs: NOW, openViolations: 0, quietSinceMs: NOW - HOUR, deactivated: false };
    expect(decideTimeBox(facts, 'release', HOUR, NOW)).toEqual({ do: 'release', reason: 'clear-and-cool' });
    const booked: Booking[] = [{ thingName: thingName('b'), containmentId: 'b', sinceMs: NOW - HOUR, freedAtMs: NOW, groups: [] }];
    expect(countsAdmit(booked, 1, 1000, { floor: 1, perHour: 1, fleetShare: 0.1, groupShare: 0.1 }, NOW)).toBe('admitted');
  });
});

describe('the brake', () => {
  it('counts the members of no group where no share of it is allowed: nothing that it could find would let them through', async () => {
    const wanted: Booking[] = ['a', 'b'].map((name) => ({
      thingName: thingName(name),
      containmentId: name,
      sinceMs: NOW,
      groups: ['hall'],
    }));
    const sizeOf = () => Promise.reject(new Error('asked'));
    expect(await groupsAdmit([], wanted, { floor: 1, perHour: 9, fleetShare: 1, groupShare: 0 }, sizeOf)).toBe('group-share');
  });
});

describe('a release', () => {
  const facts = { otherHolders: 0, wasReopened: false, deactivatedByUs: false, revocation: 'none', replaced: false } as const;
  it.each(['PENDING_TRANSFER', 'PENDING_ACTIVATION', 'REGISTER_INACTIVE', 'REVOKED'] as const)(
    'makes no certificate ACTIVE that was %s, though it is INACTIVE now',
    (before) => expect(decideStatus({ ...facts, before, now: 'INACTIVE' })).toEqual({ do: 'leave' }),
  );
  it('takes the repair policy away where it is, and only there', () => {
    expect(planPolicies(['a'], ['a'], 'repair').detach).toEqual([]);
    expect(planPolicies(['a'], ['a', 'repair'], 'repair').detach).toEqual(['repair']);
  });
});

describe('whether a workflow moves', () => {
  const pulse = { updatedAtMs: NOW - HOUR, endsAtMs: NOW + DAY, isWaiting: false };
  it.each(['cut', 'reopened', 'releasing'])('is not a matter of policies that have yet to count where it is %s', (state) => {
    expect(pulseOf({ ...pulse, state, settledAtMs: NOW + HOUR }, NOW)).toBe('stuck');
  });
});

describe('a wait', () => {
  it('is a second at least, and a day at most', () => {
    expect([
      secondsUntil(NOW - 1, NOW),
      secondsUntil(NOW + 1, NOW),
      secondsUntil(NOW + 1001, NOW),
      secondsUntil(NOW + 2 * DAY, NOW),
    ]).toEqual([1, 1, 2, 86_400]);
  });
  it('grows with what it waits for, between its bounds', () => {
    expect([0, 300_000, 320_000, 10 * DAY].map((sinceMs) => patience(NOW - sinceMs, NOW, 15, 900))).toEqual([15, 15, 16, 900]);
  });
  it('for the policies is as long as they take', () => {
    const containment = { state: 'locked', response: 'contain', settledAtMs: NOW + 90_000 } as Containment;
    expect(nextOf(containment, NOW)).toEqual({ next: 'Settle', seconds: 90 });
  });
});

describe('work in turns', () => {
  it('does so many at once, all of them, and gives their results in the order of the list', async () => {
    let [now, most] = [0, 0];
    const work = async (n: number): Promise<number> => {
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setTimeout(resolve, 7 - n));
      now -= 1;
      if (n === 4) throw new Error('four');
      return n * n;
    };
    const results = await inTurns(3, [1, 2, 3, 4, 5, 6, 7], work);
    expect(results.map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))).toEqual([1, 4, 9, 'failed', 25, 36, 49]);
    expect([now, most]).toEqual([0, 3]);
    expect(await allInTurns(2, [1, 2, 3], work)).toEqual([1, 4, 9]);
    await expect(allInTurns(2, [1, 4, 5], work)).rejects.toThrow('four');
  });
});
