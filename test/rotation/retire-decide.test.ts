import fc from 'fast-check';
import { ROTATION_STATES, type RotationState } from '../../domain/protocol/rotation.js';
import {
  decideDeadline,
  decideMember,
  decideOrphan,
  decideRetire,
  decideTakeBack,
  type MemberFacts,
  type RetireFacts,
} from '../../lambda/rotation/retire/decide.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const NOW = Date.parse('2026-11-22T10:00:00Z');
const STANDINGS = ['ACTIVE', 'INACTIVE', 'REVOKED', 'PENDING_ACTIVATION', 'absent', 'something new'];

describe('an old certificate', () => {
  const over: RetireFacts = {
    state: 'proved',
    provedAtMs: NOW - 7 * DAY_MS,
    retireAtMs: NOW,
    old: 'INACTIVE',
    new: 'ACTIVE',
    contained: false,
  };

  it.each<[string, Partial<RetireFacts>, string, string]>([
    ['is retired when the new one is proved, ACTIVE, and the grace is over', {}, 'retire', 'grace-over'],
    ['that is REVOKED already is brought to its end at the CA', { old: 'REVOKED' }, 'retire', 'grace-over'],
    ['that was deleted is brought to its end at the CA', { old: 'absent' }, 'retire', 'grace-over'],
    ['waits until the last moment of the grace', { retireAtMs: NOW + 1 }, 'wait', 'in-grace'],
    ['waits without a proof, whatever the state says', { provedAtMs: undefined }, 'wait', 'never-proved'],
    ['waits while the thing is contained', { contained: true }, 'wait', 'thing-contained'],
    ['is kept when the new one was revoked', { new: 'REVOKED' }, 'keep', 'new-not-active'],
    ['is kept when the new one is gone', { new: 'absent' }, 'keep', 'new-not-active'],
    ['is kept when somebody has made it ACTIVE again', { old: 'ACTIVE' }, 'keep', 'old-active-again'],
    ['waits when it is still ACTIVE a moment after the proof', { old: 'ACTIVE', provedAtMs: NOW - 1 }, 'wait', 'old-active-again'],
  ])('%s', (_, facts, verb, reason) => {
    expect(decideRetire({ ...over, ...facts }, NOW)).toEqual({ do: verb, reason });
  });

  it('by law is retired only with a proof on record, after the grace, and while the new one is ACTIVE', () => {
    const facts = fc.record({
      state: fc.constantFrom(...ROTATION_STATES),
      provedAtMs: fc.option(fc.integer({ min: NOW - 90 * DAY_MS, max: NOW }), { nil: undefined }),
      retireAtMs: fc.option(fc.integer({ min: NOW - 90 * DAY_MS, max: NOW + 90 * DAY_MS }), { nil: undefined }),
      old: fc.constantFrom(...STANDINGS),
      new: fc.constantFrom(...STANDINGS),
      contained: fc.boolean(),
    });
    fc.assert(
      fc.property(facts, (given) => {
        if (decideRetire(given, NOW).do !== 'retire') return;
        expect(given).toMatchObject({ state: 'proved', new: 'ACTIVE', contained: false });
        expect(given.old).not.toBe('ACTIVE');
        expect(given.provedAtMs).toBeDefined();
        expect(given.retireAtMs).toBeLessThanOrEqual(NOW);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a new certificate that was not proved', () => {
  it('is taken back while the old one keeps the device in the fleet, or where it keeps no device in it itself', () => {
    expect(decideTakeBack({ standing: 'ACTIVE', notAfterMs: NOW + 1 }, 'ACTIVE', NOW)).toEqual({ do: 'take-back' });
    expect(decideTakeBack({ standing: 'REVOKED' }, 'INACTIVE', NOW)).toEqual({ do: 'take-back' });
    expect(decideTakeBack({ standing: 'absent' }, 'absent', NOW)).toEqual({ do: 'take-back' });
  });
  it.each([
    ['is not ACTIVE', { standing: 'INACTIVE', notAfterMs: NOW + DAY_MS }],
    ['has ended', { standing: 'ACTIVE', notAfterMs: NOW }],
    ['cannot be read', { standing: 'ACTIVE' }],
    ['is gone', { standing: 'absent' }],
  ])('is kept when the old one %s: it may be all that the device has', (_, old) => {
    expect(decideTakeBack(old, 'ACTIVE', NOW)).toEqual({ do: 'keep', reason: 'old-not-active' });
  });
});

describe('a member of a campaign', () => {
  const PROOF_MS = 2 * HOUR_MS;
  const offered: MemberFacts = { state: 'offered', sinceMs: NOW - 60_000, settled: false, campaign: 'running', execution: 'QUEUED' };
  const decide = (facts: Partial<MemberFacts>) => decideMember({ ...offered, ...facts }, PROOF_MS, NOW);
  const long = { sinceMs: NOW - PROOF_MS - 1 };

  it.each<[string, Partial<MemberFacts>, object]>([
    ['that is offline is left alone, however long', { sinceMs: NOW - 20 * DAY_MS }, { do: 'nothing' }],
    ['that is at it is left alone', { state: 'requested', execution: 'IN_PROGRESS' }, { do: 'nothing' }],
    ['that failed is withdrawn', { state: 'registered', execution: 'FAILED' }, { do: 'withdraw', reason: 'execution-failed' }],
    ['that refused is withdrawn', { execution: 'REJECTED' }, { do: 'withdraw', reason: 'execution-rejected' }],
    ['that ran out of time is withdrawn', { state: 'issued', execution: 'TIMED_OUT' }, { do: 'withdraw', reason: 'execution-timed-out' }],
    ['whose execution was removed is withdrawn', { execution: 'REMOVED' }, { do: 'withdraw', reason: 'execution-gone' }],
    ['whose execution was cancelled is withdrawn', { execution: 'CANCELED' }, { do: 'withdraw', reason: 'execution-gone' }],
    ['… but in a paused campaign waits to be resumed', { execution: 'CANCELED', campaign: 'paused' }, { do: 'plan-again' }],
    ['that succeeded and whose proof is on its way is left alone', { state: 'registered', execution: 'SUCCEEDED' }, { do: 'nothing' }],
    [
      'that says it succeeded and never proved it is withdrawn',
      { state: 'registered', execution: 'SUCCEEDED', ...long },
      { do: 'withdraw', reason: 'never-proved' },
    ],
    [
      'that has a certificate and went silent is withdrawn',
      { state: 'registered', execution: 'unknown', ...long },
      { do: 'withdraw', reason: 'never-proved' },
    ],
    ['without an execution, just launched, is left alone', { execution: 'none' }, { do: 'nothing' }],
    ['without an execution, long after, is withdrawn', { execution: 'none', ...long }, { do: 'withdraw', reason: 'execution-gone' }],
    ['that is planned in a paused campaign waits', { state: 'planned', campaign: 'paused', ...long }, { do: 'nothing' }],
    ['that came too late for the job goes into the next run', { state: 'planned', ...long }, { do: 'withdraw', reason: 'moved-on' }],
    [
      'that is planned in a cancelled campaign is withdrawn',
      { state: 'planned', campaign: 'cancelled' },
      { do: 'withdraw', reason: 'campaign-ended' },
    ],
    [
      'that is proved is left alone, whatever its job says',
      { state: 'proved', execution: 'FAILED', campaign: 'cancelled', ...long },
      { do: 'nothing' },
    ],
    ['that is withdrawn and not settled is settled', { state: 'withdrawn' }, { do: 'settle' }],
    ['that is withdrawn and settled is left alone', { state: 'withdrawn', settled: true }, { do: 'nothing' }],
  ])('%s', (_, facts, expected) => {
    expect(decide(facts)).toEqual(expected);
  });

  it('by law is never withdrawn once it is proved or retired', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<RotationState>('proved', 'retired'),
        fc.constantFrom('FAILED', 'TIMED_OUT', 'CANCELED', 'none', 'unknown', 'something new'),
        fc.constantFrom('running', 'paused', 'cancelled', 'aborted', 'completed'),
        fc.nat(900 * DAY_MS),
        (state, execution, campaign, ageMs) => {
          expect(decide({ state, execution, campaign: campaign as MemberFacts['campaign'], sinceMs: NOW - ageMs })).toEqual({
            do: 'nothing',
          });
        },
      ),
    );
  });
});

describe('a rotation whose deadline comes closer', () => {
  const MARKS = [14, 7, 1];
  const deadlineMs = NOW + 30 * DAY_MS;
  const at = (daysLeft: number, more: Partial<Parameters<typeof decideDeadline>[0]> = {}) =>
    decideDeadline({ state: 'offered', createdAtMs: NOW, deadlineMs, ...more }, MARKS, deadlineMs - daysLeft * DAY_MS);

  it('tells at 14, 7 and 1 days, each once', () => {
    let escalatedDays: number | undefined;
    const told: [number, number][] = [];
    for (let hoursLeft = 30 * 24; hoursLeft > 0; hoursLeft -= 1) {
      const decision = at(hoursLeft / 24, { ...(escalatedDays !== undefined && { escalatedDays }) });
      if (decision.do !== 'tell') continue;
      told.push([hoursLeft / 24, decision.days]);
      escalatedDays = decision.days;
    }
    expect(told).toEqual([
      [14, 14],
      [7, 7],
      [1, 1],
    ]);
  });
  it('tells the nearest mark alone when some were missed', () => {
    expect(at(3)).toEqual({ do: 'tell', days: 7, reason: 'deadline-near' });
  });
  it('does not tell of marks that had passed before it was opened: short lives would escalate from their first day on', () => {
    const createdAtMs = deadlineMs - 5 * DAY_MS;
    expect(at(5, { createdAtMs })).toEqual({ do: 'nothing' });
    expect(at(1, { createdAtMs })).toEqual({ do: 'tell', days: 1, reason: 'deadline-near' });
  });
  it('tells of the deadline itself, once', () => {
    expect(at(0, { escalatedDays: 1 })).toEqual({ do: 'tell', days: 0, reason: 'deadline-missed' });
    expect(at(-1, { escalatedDays: 0, notAfterMs: deadlineMs + 90 * DAY_MS })).toEqual({ do: 'nothing' });
  });
  it('is withdrawn when the old certificate has ended, unless a new one is registered: that is the only way in', () => {
    expect(at(-1, { escalatedDays: 0, notAfterMs: deadlineMs, state: 'escalated' })).toEqual({ do: 'withdraw', reason: 'expired' });
    expect(at(-1, { escalatedDays: 0, notAfterMs: deadlineMs, state: 'registered' })).toEqual({ do: 'nothing' });
  });
});

describe('a certificate that a CA issued for a rotation', () => {
  const orphan = { isNamed: false, standing: 'absent', isRevoked: false };
  it.each([
    ['that no rotation names, nobody registered, and nobody revoked is superseded', orphan, 'supersede', 'orphan-at-ca'],
    ['that its rotation names is its rotation’s business', { ...orphan, isNamed: true }, 'leave', 'issued'],
    ['that is revoked is left alone', { ...orphan, isRevoked: true }, 'leave', 'handled-before'],
    ['that is in the registry is left alone, whatever its status', { ...orphan, standing: 'INACTIVE' }, 'leave', 'in-registry'],
    ['that is ACTIVE is left alone', { ...orphan, standing: 'ACTIVE' }, 'leave', 'in-registry'],
    ['of which it is not known whether it is registered is left alone', { ...orphan, standing: 'not asked' }, 'leave', 'in-registry'],
  ])('%s', (_sentence, facts, act, reason) => {
    expect(decideOrphan(facts)).toEqual({ do: act, reason });
  });
});
