import fc from 'fast-check';
import { brakeLimit } from '../../domain/fleet/brake-limit.js';
import { REASONS } from '../../domain/fleet/reasons.js';
import { REVOKE_ACTIONS, REVOKE_OUTCOMES, type RevokeOutcome } from '../../domain/protocol/revocation.js';
import { decide as decideFast, type FastFacts } from '../../lambda/revocation/fast/decide.js';
import { decide as decideRevoke, isSettled, type RevokeFacts } from '../../lambda/revocation/revoke/decide.js';
import { decide as decideSync, type SyncFacts } from '../../lambda/revocation/sync/decide.js';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const DIGEST = 'a'.repeat(64);

describe('what the sync decides about one CRL', () => {
  const facts: SyncFacts = {
    crl: { accepted: true, crlNumber: 8n, digest: DIGEST, fresh: 3 },
    mark: { crlNumber: '7', digest: 'b'.repeat(64) },
    displaces: true,
    mode: 'enforce',
    stopped: false,
  };
  const numbered = (crlNumber: bigint, digest = DIGEST): Partial<SyncFacts> => ({ crl: { accepted: true, crlNumber, digest, fresh: 3 } });

  const table: Record<string, [Partial<SyncFacts>, string, string]> = {
    'a CRL above the mark with new entries is applied': [{}, 'advance', 'new-revocations'],
    'a CRL above the mark without new entries raises the mark all the same': [
      { crl: { accepted: true, crlNumber: 8n, digest: DIGEST, fresh: 0 } },
      'advance',
      'nothing-new',
    ],
    'the first CRL of a CA is applied': [{ mark: undefined }, 'advance', 'new-revocations'],
    'a CRL that the reader refused is not applied': [{ crl: { accepted: false, foreign: false } }, 'refused', 'reader-refused'],
    'a CRL of an unknown CA is not applied': [{ crl: { accepted: false, foreign: true } }, 'no-anchor', 'no-trust-anchor'],
    'a lower number in the current object is a rollback': [numbered(6n), 'rollback', 'number-below-mark'],
    'a lower number in an older version is only late': [{ ...numbered(6n), displaces: false }, 'stale', 'older-version'],
    'the same number with the same content is the same CRL': [numbered(7n, 'b'.repeat(64)), 'unchanged', 'same-crl'],
    'the same number with other content is equivocation': [numbered(7n), 'equivocation', 'same-number-other-content'],
    'numbers are compared as numbers and not as text': [
      { ...numbered(10n), mark: { crlNumber: '9', digest: DIGEST } },
      'advance',
      'new-revocations',
    ],
    'numbers beyond the range of a double are told apart': [
      { ...numbered(2n ** 158n), mark: { crlNumber: (2n ** 158n + 1n).toString(), digest: DIGEST } },
      'rollback',
      'number-below-mark',
    ],
    'under the emergency stop the plan is reported': [{ stopped: true }, 'stopped', 'emergency-stop'],
    'in mode observe the plan is reported': [{ mode: 'observe' }, 'observed', 'mode-observe'],
    'in mode off nothing is applied either': [{ mode: 'off' }, 'observed', 'mode-off'],
    'a rollback is reported under the emergency stop too': [{ ...numbered(6n), stopped: true }, 'rollback', 'number-below-mark'],
    'a refused CRL is reported in mode observe too': [
      { crl: { accepted: false, foreign: false }, mode: 'observe' },
      'refused',
      'reader-refused',
    ],
  };
  test.each(Object.entries(table))('%s', (_sentence, [change, expected, reason]) => {
    const decision = decideSync({ ...facts, ...change });
    expect('outcome' in decision ? decision.outcome : decision.do).toBe(expected);
    expect(decision.reason).toBe(reason);
  });

  test('law: only an accepted CRL above the mark, in mode enforce, without a stop, is ever applied', () => {
    const number = fc.bigInt({ min: 0n, max: 20n });
    const digest = fc.constantFrom('a'.repeat(64), 'b'.repeat(64));
    const anyFacts: fc.Arbitrary<SyncFacts> = fc.record({
      crl: fc.oneof(
        fc.record({ accepted: fc.constant(false as const), foreign: fc.boolean() }),
        fc.record({ accepted: fc.constant(true as const), crlNumber: number, digest, fresh: fc.nat(9) }),
      ),
      mark: fc.option(fc.record({ crlNumber: number.map(String), digest }), { nil: undefined }),
      displaces: fc.boolean(),
      mode: fc.constantFrom('off', 'observe', 'enforce'),
      stopped: fc.boolean(),
    });
    fc.assert(
      fc.property(anyFacts, (one) => {
        const decision = decideSync(one);
        expect(REASONS).toHaveProperty([decision.reason]);
        if (decision.do !== 'advance') return;
        expect(one.mode).toBe('enforce');
        expect(one.stopped).toBe(false);
        expect(one.crl.accepted && (one.mark === undefined || one.crl.crlNumber > BigInt(one.mark.crlNumber))).toBe(true);
      }),
    );
  });
});

describe('what the worker decides about one certificate', () => {
  const found = (standing: 'ACTIVE' | 'INACTIVE' | 'REVOKED' | 'other', identity: 'the-one-named' | 'a-ca' | 'another' = 'the-one-named') =>
    ({ registry: { found: 'yes', standing, identity } }) as const;
  const before = (state: 'acting' | 'done', action: RevokeFacts['action'], outcome?: RevokeOutcome): Pick<RevokeFacts, 'before'> => ({
    before: { state, action, runId: 'run-1', ...(outcome && { outcome }) },
  });
  const facts: RevokeFacts = { action: 'revoke', ...found('ACTIVE') };
  const twoStages = { secondStageDelayMs: 3_600_000 };

  const table: Record<string, [Partial<RevokeFacts>, string, string, object?]> = {
    'an ACTIVE certificate becomes REVOKED': [{}, 'set REVOKED', 'revoked'],
    'an INACTIVE certificate becomes REVOKED': [found('INACTIVE'), 'set REVOKED', 'revoked'],
    'a certificate that waits for activation becomes REVOKED': [found('other'), 'set REVOKED', 'revoked'],
    'a REVOKED certificate is left': [found('REVOKED'), 'record', 'already-revoked'],
    'a REVOKED certificate of a run that died is finished': [{ ...found('REVOKED'), ...before('acting', 'revoke') }, 'finish', 'revoked'],
    'a REVOKED certificate that we revoked stays on record as ours': [
      { ...found('REVOKED'), ...before('done', 'revoke', 'revoked') },
      'nothing',
      'revoked',
    ],
    'with two stages it becomes INACTIVE first': [{}, 'set INACTIVE', 'deactivated', twoStages],
    'with two stages an INACTIVE one waits for its second stage': [found('INACTIVE'), 'finish', 'deactivated', twoStages],
    'the second stage makes it REVOKED': [{ action: 'complete', ...found('INACTIVE') }, 'set REVOKED', 'revoked', twoStages],
    'the second stage makes it REVOKED where somebody has activated it': [{ action: 'complete' }, 'set REVOKED', 'revoked', twoStages],
    'the second stage leaves a REVOKED one': [{ action: 'complete', ...found('REVOKED') }, 'record', 'already-revoked', twoStages],
    'a hold makes it INACTIVE and never REVOKED': [{ action: 'hold' }, 'set INACTIVE', 'deactivated'],
    'a hold on an INACTIVE one is recorded as not ours': [{ action: 'hold', ...found('INACTIVE') }, 'record', 'already-inactive'],
    'a hold of a run that died is finished as ours': [
      { action: 'hold', ...found('INACTIVE'), ...before('acting', 'hold') },
      'finish',
      'deactivated',
    ],
    'a hold that is ours stays on record as ours': [
      { action: 'hold', ...found('INACTIVE'), ...before('done', 'hold', 'deactivated') },
      'nothing',
      'deactivated',
    ],
    'a hold leaves a REVOKED one': [{ action: 'hold', ...found('REVOKED') }, 'record', 'already-revoked'],
    'a hold does not weaken a revocation that waits for its certificate': [
      { action: 'hold', registry: { found: 'no', known: false }, ...before('done', 'revoke', 'not-registered') },
      'nothing',
      'not-registered',
    ],
    'a hold that is ours can be undone': [
      { action: 'reactivate', ...found('INACTIVE'), ...before('done', 'hold', 'deactivated') },
      'set ACTIVE',
      'reactivated',
    ],
    'what we did not deactivate is not reactivated': [{ action: 'reactivate', ...found('INACTIVE') }, 'nothing', 'not-ours'],
    'what was INACTIVE before our hold is not reactivated, and that the hold is over is on record': [
      { action: 'reactivate', ...found('INACTIVE'), ...before('done', 'hold', 'already-inactive') },
      'record',
      'not-ours',
    ],
    'what was INACTIVE before our hold and is REVOKED by now stays on record as it is': [
      { action: 'reactivate', ...found('REVOKED'), ...before('done', 'hold', 'already-inactive') },
      'nothing',
      'not-ours',
    ],
    'a hold that is still under way is not reactivated': [
      { action: 'reactivate', ...found('INACTIVE'), ...before('acting', 'hold') },
      'nothing',
      'not-ours',
    ],
    'the first stage of a revocation is not reactivated': [
      { action: 'reactivate', ...found('INACTIVE'), ...before('done', 'revoke', 'deactivated') },
      'nothing',
      'not-ours',
    ],
    'a reactivation that died is finished': [
      { action: 'reactivate', ...found('ACTIVE'), ...before('done', 'hold', 'deactivated') },
      'record',
      'reactivated',
    ],
    'a reactivation leaves a REVOKED one': [
      { action: 'reactivate', ...found('REVOKED'), ...before('done', 'hold', 'deactivated') },
      'record',
      'already-revoked',
    ],
    'a reactivation leaves one that is being transferred': [
      { action: 'reactivate', ...found('other'), ...before('done', 'hold', 'deactivated') },
      'record',
      'not-ours',
    ],
    'one that was never registered is remembered': [{ registry: { found: 'no', known: false } }, 'record', 'not-registered'],
    'one that was known and is gone is recorded as deleted': [{ registry: { found: 'no', known: true } }, 'record', 'deleted'],
    "a CA's certificate is left to a person": [found('ACTIVE', 'a-ca'), 'record', 'is-a-ca'],
    'another certificate under the same id is left alone': [found('ACTIVE', 'another'), 'record', 'mismatch'],
  };
  test.each(Object.entries(table))('%s', (_sentence, [change, expected, outcome, policy]) => {
    const decision = decideRevoke({ ...facts, ...change }, { secondStageDelayMs: 0, ...policy }, NOW);
    expect(decision.do === 'set' ? `set ${decision.status}` : decision.do).toBe(expected);
    expect(decision.outcome).toBe(outcome);
  });

  test('the second stage falls due after the delay', () => {
    expect(decideRevoke(facts, twoStages, NOW)).toMatchObject({ dueAtMs: NOW + 3_600_000 });
    expect(decideRevoke({ ...facts, ...found('INACTIVE') }, twoStages, NOW)).toMatchObject({ dueAtMs: NOW + 3_600_000 });
  });

  const anyFacts: fc.Arbitrary<RevokeFacts> = fc.record({
    action: fc.constantFrom(...REVOKE_ACTIONS),
    registry: fc.oneof(
      fc.record({ found: fc.constant('no' as const), known: fc.boolean() }),
      fc.record({
        found: fc.constant('yes' as const),
        standing: fc.constantFrom('REVOKED', 'INACTIVE', 'ACTIVE', 'other'),
        identity: fc.constantFrom('the-one-named', 'a-ca', 'another'),
      }),
    ),
    before: fc.option(
      fc.record({
        state: fc.constantFrom('acting', 'done'),
        action: fc.constantFrom(...REVOKE_ACTIONS),
        runId: fc.constantFrom('run-1', 'run-2'),
        outcome: fc.option(fc.constantFrom(...REVOKE_OUTCOMES), { nil: undefined }),
      }),
      { nil: undefined },
    ),
  });
  const anyPolicy = fc.record({ secondStageDelayMs: fc.constantFrom(0, 3_600_000) });

  test('law: nothing is touched unless the registry has the very certificate that was named', () => {
    fc.assert(
      fc.property(anyFacts, anyPolicy, (one, policy) => {
        const decision = decideRevoke(one, policy, NOW);
        expect(REASONS).toHaveProperty([decision.reason]);
        if (decision.do === 'set') expect(one.registry).toMatchObject({ found: 'yes', identity: 'the-one-named' });
      }),
    );
  });

  test('law: only a revocation makes REVOKED, and only a hold of ours is ever made ACTIVE', () => {
    fc.assert(
      fc.property(anyFacts, anyPolicy, (one, policy) => {
        const decision = decideRevoke(one, policy, NOW);
        if (decision.do !== 'set') return;
        if (decision.status === 'REVOKED') expect(['revoke', 'complete']).toContain(one.action);
        if (decision.status === 'ACTIVE') {
          expect(one.action).toBe('reactivate');
          expect(one.before).toMatchObject({ state: 'done', action: 'hold', outcome: 'deactivated' });
        }
      }),
    );
  });

  test('law: a REVOKED certificate is never set to anything', () => {
    fc.assert(
      fc.property(anyFacts, anyPolicy, (one, policy) => {
        const isRevoked = one.registry.found === 'yes' && one.registry.standing === 'REVOKED';
        expect(isRevoked && decideRevoke(one, policy, NOW).do === 'set').toBe(false);
      }),
    );
  });

  test('law: a message counts as settled only on a record that is done, and never for a certificate that has just turned up', () => {
    const anyMessage = fc.record({
      action: fc.constantFrom(...REVOKE_ACTIONS),
      runId: fc.constantFrom('run-1', 'run-2'),
      source: fc.constantFrom('crl', 'event', 'remembered', 'operator'),
    });
    fc.assert(
      fc.property(anyMessage, anyFacts, (message, one) => {
        if (!isSettled(message, one.before)) return;
        expect(message.source).not.toBe('remembered');
        expect(one.before?.state).toBe('done');
        expect(['not-registered', 'deleted', 'mismatch', 'is-a-ca', 'observed', undefined]).not.toContain(one.before?.outcome);
      }),
    );
  });

  test.each([
    ['the same hold again', 'hold', 'run-1', 'hold', 'deactivated', true],
    ['a hold of another run', 'hold', 'run-2', 'hold', 'deactivated', false],
    ['a revocation after a hold', 'revoke', 'run-1', 'hold', 'deactivated', false],
    ['the second stage after the first', 'complete', 'run-1', 'revoke', 'deactivated', false],
    ['anything after REVOKED', 'hold', 'run-2', 'revoke', 'revoked', true],
    ['a revocation of what was not registered', 'revoke', 'run-1', 'revoke', 'not-registered', false],
  ] as const)('%s: settled is %s %s %s %s → %s', (_sentence, action, runId, beforeAction, outcome, expected) => {
    expect(isSettled({ action, runId, source: 'crl' }, { state: 'done', action: beforeAction, runId: 'run-1', outcome })).toBe(expected);
  });
});

describe('what the fast path decides about one event', () => {
  const facts: FastFacts = { result: 'success', ours: true, certificate: 'the-one-named', done: false, mode: 'enforce', stopped: false };
  const table: Record<string, [Partial<FastFacts>, string, string]> = {
    'a revocation of our CA is handed over': [{}, 'hand-over', 'revocation-event'],
    'mode off leaves it': [{ mode: 'off' }, 'leave', 'mode-off'],
    'a revocation that failed is left': [{ result: 'failure' }, 'leave', 'not-a-success'],
    "another account's CA is left": [{ ours: false, certificate: undefined }, 'leave', 'not-our-ca'],
    'what the CA never issued is left': [{ certificate: undefined }, 'leave', 'not-issued-here'],
    "a CA's certificate is left to a person": [{ certificate: 'a-ca' }, 'leave', 'ca-certificate-listed'],
    'a certificate that the pinned key did not sign is left': [{ certificate: 'another' }, 'leave', 'other-certificate'],
    'what is done already is left': [{ done: true }, 'leave', 'handled-before'],
    'the emergency stop reports': [{ stopped: true }, 'report', 'emergency-stop'],
    'mode observe reports': [{ mode: 'observe' }, 'report', 'mode-observe'],
  };
  test.each(Object.entries(table))('%s', (_sentence, [change, expected, reason]) => {
    expect(decideFast({ ...facts, ...change })).toMatchObject({ do: expected, reason });
  });
});

describe('the limit of the brake', () => {
  test.each([
    ['a fleet of three may lose all three', 3, 5],
    ['up to 599 the floor counts', 599, 5],
    ['from 600 on one in a hundred', 600, 6],
    ['rounded down', 699, 6],
    ['a million', 1_000_000, 10_000],
    ['a fleet that was never counted has the floor', undefined, 5],
  ])('%s', (_sentence, active, expected) => {
    expect(brakeLimit(active, { floor: 5, share: 0.01 })).toBe(expected);
  });

  test('shares that binary fractions miss are exact', () => {
    expect(brakeLimit(100, { floor: 0, share: 0.29 })).toBe(29);
    expect(brakeLimit(100, { floor: 0, share: 0.07 })).toBe(7);
  });
});
