import { decide, decideListed, STALE_AFTER_MS } from '../../lambda/inventory/reconcile/decide.js';

const NOW = Date.UTC(2026, 10, 22, 4);
const RUN = '2026-11-22T03:00:00.000Z';
const at = (name: 'listing' | 'sweeping' | 'done', sequence: number, ageMs = 60_000) => ({
  runId: RUN,
  sequence,
  phase: { name },
  startedAtMs: NOW - 3_600_000,
  updatedAtMs: NOW - ageMs,
});
const start = { kind: 'start' } as const;
const asked = (agoMs: number) => ({ kind: 'start', askedAtMs: NOW - agoMs }) as const;
const goOn = (runId = RUN) => ({ kind: 'continue', runId }) as const;

describe('a message on the reconcile queue', () => {
  test.each([
    ['start, and there never was a run: begins', start, undefined, 'begin'],
    ['start after a complete run: begins', start, at('done', 9), 'begin'],
    ['start while a run is listing: ignored', start, at('listing', 4), 'ignore'],
    ['start while a run is sweeping: ignored', start, at('sweeping', 4), 'ignore'],
    ['start, and the run has not moved just under six hours: ignored', start, at('listing', 4, STALE_AFTER_MS - 1), 'ignore'],
    ['start, and the run has not moved for six hours: begins anew', start, at('listing', 4, STALE_AFTER_MS), 'begin'],
    ['start delivered again after a crash before its first message: tells itself to go on', start, at('listing', 0), 'go-on-by-message'],
    ['start asked for after a complete run began: begins', asked(60_000), at('done', 9), 'begin'],
    ['start asked for before the run that is complete began: answered by it', asked(7_200_000), at('done', 9), 'ignore'],
    ['start asked for before the run under way began: answered by it', asked(7_200_000), at('listing', 4), 'ignore'],
    ['start asked for during a run: put back, the run may have passed what it is about', asked(60_000), at('listing', 4), 'later'],
    ['continue: goes on', goOn(), at('listing', 4), 'go-on'],
    ['continue of a run that was given up: ignored', goOn('2026-11-20T03:00:00.000Z'), at('listing', 4), 'ignore'],
    ['continue of a run that is complete: ignored', goOn(), at('done', 9), 'ignore'],
    ['continue, and nothing is known of any run: ignored', goOn(), undefined, 'ignore'],
  ])('%s', (_sentence, message, stored, kind) => {
    expect(decide(message, stored, NOW).kind).toBe(kind);
  });
});

describe('one line of the registry beside the inventory', () => {
  test.each([
    ['unknown: looked up', 'ACTIVE', undefined, 'look-up', 'new'],
    ['another status: looked up', 'INACTIVE', { status: 'ACTIVE', thingName: 'dev-1' }, 'look-up', 'another status'],
    ['issued before, registered now: looked up', 'ACTIVE', { status: 'NOT_REGISTERED' }, 'look-up', 'another status'],
    ['REVOKED in the inventory, ACTIVE in the registry: looked up', 'ACTIVE', { status: 'REVOKED' }, 'look-up', 'another status'],
    ['ACTIVE without a thing: looked up, it may have one now', 'ACTIVE', { status: 'ACTIVE' }, 'look-up', 'no thing known'],
    ['as the inventory has it: costs nothing', 'ACTIVE', { status: 'ACTIVE', thingName: 'dev-1' }, 'same', 'as the inventory has it'],
    ['REVOKED without a thing: costs nothing', 'REVOKED', { status: 'REVOKED' }, 'same', 'as the inventory has it'],
  ])('%s', (_sentence, status, known, kind, reason) => {
    expect(decideListed({ status }, known)).toEqual({ kind, reason });
  });
});
