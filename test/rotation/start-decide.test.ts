import fc from 'fast-check';
import { dueFromMs, parseRotationWindow, printRotationWindow } from '../../domain/fleet/rotation-window.js';
import { decide, type StartFacts } from '../../lambda/rotation/start/decide.js';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-22T10:00:00Z');
const WINDOW = { kind: 'days', days: 30 } as const;
const due = {
  status: 'ACTIVE',
  thingName: 'dev-1',
  notBeforeMs: NOW - 335 * DAY_MS,
  notAfterMs: NOW + 30 * DAY_MS,
  ours: true,
} as const;
const facts = (certificate: Partial<NonNullable<StartFacts['certificate']>> = {}, more: Partial<StartFacts> = {}): StartFacts => ({
  reason: 'expires-soon',
  open: false,
  contained: false,
  certificate: { ...due, ...certificate },
  ...more,
});

describe('a certificate is put into a campaign', () => {
  it('when it ends within the window, with its end as the deadline', () => {
    expect(decide(facts(), WINDOW, NOW)).toEqual({ do: 'open', reason: 'expires-soon', deadlineMs: due.notAfterMs });
  });
  it('when so large a share of its life is left, however short that life', () => {
    const week = { notBeforeMs: NOW - 5 * DAY_MS, notAfterMs: NOW + 2 * DAY_MS };
    expect(decide(facts(week), { kind: 'share', share: 0.33 }, NOW)).toMatchObject({ do: 'open' });
    expect(decide(facts(week), { kind: 'share', share: 0.28 }, NOW)).toEqual({ do: 'leave', reason: 'not-due-yet' });
  });
  it.each(['operator', 'audit-finding'] as const)('for %s also long before it ends, and then has thirty days', (reason) => {
    const certificate = { notAfterMs: NOW + 900 * DAY_MS };
    expect(decide(facts(certificate, { reason }), WINDOW, NOW)).toEqual({ do: 'open', reason, deadlineMs: NOW + 30 * DAY_MS });
  });
});

describe('a certificate is left out', () => {
  it.each<[string, StartFacts, string]>([
    ['that the inventory does not know', { reason: 'operator', open: false, contained: false }, 'not-in-inventory'],
    ['that is not ACTIVE', facts({ status: 'INACTIVE' }), 'not-active'],
    ['that another CA has issued', facts({ ours: false }), 'not-our-issuer'],
    ['that no thing has', facts({ thingName: undefined }), 'no-thing'],
    ['whose thing is contained', facts({}, { contained: true }), 'thing-contained'],
    ['whose rotation is open already: a second finding adds nothing', facts({}, { open: true }), 'rotation-open'],
    ['that has ended: no job reaches the device', facts({ notAfterMs: NOW }), 'expired'],
    ['that ends a moment after the window', facts({ notAfterMs: due.notAfterMs + 1 }), 'not-due-yet'],
  ])('%s', (_, given, reason) => {
    expect(decide(given, WINDOW, NOW)).toEqual({ do: 'leave', reason });
  });
});

describe('by law', () => {
  const certificate = fc.record({
    status: fc.constantFrom('ACTIVE', 'INACTIVE', 'REVOKED', 'PENDING_ACTIVATION', 'NOT_REGISTERED', 'something new'),
    thingName: fc.option(fc.constant('dev-1'), { nil: undefined }),
    notBeforeMs: fc.integer({ min: NOW - 900 * DAY_MS, max: NOW }),
    notAfterMs: fc.integer({ min: NOW - 10 * DAY_MS, max: NOW + 900 * DAY_MS }),
    ours: fc.boolean(),
  });
  const reason = fc.constantFrom('expires-soon' as const, 'operator' as const, 'audit-finding' as const);

  it('only what is ACTIVE, ours, on a thing, alive and without an open rotation is opened, and its deadline is never after its end', () => {
    fc.assert(
      fc.property(certificate, reason, fc.boolean(), fc.boolean(), (given, asked, open, contained) => {
        const decision = decide({ certificate: given, reason: asked, open, contained }, WINDOW, NOW);
        if (decision.do === 'leave') return;
        expect(given).toMatchObject({ status: 'ACTIVE', ours: true, thingName: 'dev-1' });
        expect(open).toBe(false);
        expect(contained).toBe(false);
        expect(decision.deadlineMs).toBeGreaterThan(NOW);
        expect(decision.deadlineMs).toBeLessThanOrEqual(given.notAfterMs);
      }),
    );
  });

  it('a window that is printed is read again, and a certificate once due stays due until it ends', () => {
    const window = fc.oneof(
      fc.integer({ min: 1, max: 3650 }).map((days) => ({ kind: 'days', days }) as const),
      fc.integer({ min: 10, max: 900 }).map((thousandths) => ({ kind: 'share', share: thousandths / 1000 }) as const),
    );
    fc.assert(
      fc.property(window, certificate, fc.nat(900 * DAY_MS), (given, validity, laterMs) => {
        expect(parseRotationWindow(printRotationWindow(given))).toEqual(given);
        const from = dueFromMs(given, validity);
        const now = from + laterMs;
        if (now >= validity.notAfterMs) return;
        const whole = { ...validity, status: 'ACTIVE', thingName: 'dev-1', ours: true };
        expect(decide({ certificate: whole, reason: 'expires-soon', open: false, contained: false }, given, Math.ceil(now)).do).toBe(
          'open',
        );
      }),
    );
  });
});
