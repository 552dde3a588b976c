import fc from 'fast-check';
import {
  MODES,
  REVOKE_ACTIONS,
  REVOKE_OUTCOMES,
  type RevokeAction,
  type RevokeMessage,
  type RevokeOutcome,
} from '../../domain/protocol/revocation.js';
import { decide, type RememberedRevocation } from '../../lambda/inventory/remembered/decide.js';

const NOW = Date.UTC(2026, 10, 22, 4);
const ID = 'ab'.repeat(32);
const MINUTE = 60_000;

const message = (action: RevokeAction): RevokeMessage => ({
  version: 1,
  action,
  anchorId: 'fleet-ca',
  serialNumber: 'b7c2',
  reason: 'keyCompromise',
  source: 'crl',
  runId: 'digest',
});
const remembered = (outcome: RevokeOutcome | 'acting', action: RevokeAction = 'revoke', ageMs = 60 * MINUTE): RememberedRevocation =>
  outcome === 'acting'
    ? { state: 'acting', message: message(action), updatedAtMs: NOW - ageMs }
    : { state: 'done', outcome, message: message(action), updatedAtMs: NOW - ageMs };

describe('a revocation is remembered for a certificate that has turned up in the registry', () => {
  test.each<[string, string, RememberedRevocation, 'hand-over' | 'none']>([
    ['revoked before it was registered: handed over', 'PENDING_ACTIVATION', remembered('not-registered'), 'hand-over'],
    ['ACTIVE although revoked before it was registered: handed over', 'ACTIVE', remembered('not-registered'), 'hand-over'],
    ['on hold before it was registered: handed over', 'ACTIVE', remembered('not-registered', 'hold'), 'hand-over'],
    ['deleted, then registered again: handed over', 'ACTIVE', remembered('deleted'), 'hand-over'],
    [
      'ACTIVE although REVOKED cannot be left: another certificate of that serial number, handed over',
      'ACTIVE',
      remembered('revoked'),
      'hand-over',
    ],
    ['only observed, and the mode is enforce now: handed over', 'ACTIVE', remembered('observed'), 'hand-over'],
    ['begun an hour ago and never finished: handed over', 'ACTIVE', remembered('acting'), 'hand-over'],
    ['begun a minute ago: the worker has it', 'ACTIVE', remembered('acting', 'revoke', MINUTE), 'none'],
    ['REVOKED already: nothing', 'REVOKED', remembered('not-registered'), 'none'],
    ['issued only: nothing to revoke yet', 'NOT_REGISTERED', remembered('not-registered'), 'none'],
    ['gone: nothing', 'DELETED', remembered('not-registered'), 'none'],
    ['deactivated by a first stage, and its second one is on its way: nothing', 'INACTIVE', remembered('deactivated'), 'none'],
    ['ACTIVE again after an approved removal from hold: nothing', 'ACTIVE', remembered('reactivated', 'reactivate'), 'none'],
    [
      'a reactivation that found no certificate: nothing, it must never activate what turns up',
      'INACTIVE',
      remembered('not-registered', 'reactivate'),
      'none',
    ],
    ['a CA certificate: a person decides', 'ACTIVE', remembered('is-a-ca'), 'none'],
    ['another certificate was found under the serial number: the worker looks again', 'ACTIVE', remembered('mismatch'), 'hand-over'],
  ])('%s', (_sentence, status, revocation, kind) => {
    expect(decide(status, ID, revocation, 'enforce', NOW).kind).toBe(kind);
  });

  test('what is handed over is what was asked for, with its own source and run', () => {
    const decision = decide('ACTIVE', ID, remembered('not-registered', 'hold'), 'enforce', NOW);
    expect(decision).toMatchObject({ message: { ...message('hold'), source: 'remembered', runId: `remembered:${ID}` } });
  });

  test('mode observe says what it would do, mode off says nothing', () => {
    expect(decide('ACTIVE', ID, remembered('not-registered'), 'observe', NOW).kind).toBe('observe');
    expect(decide('ACTIVE', ID, remembered('not-registered'), 'off', NOW).kind).toBe('none');
  });
});

test('law: nothing is handed over unless the mode is enforce, the registry has it and is not at REVOKED, and a revocation or hold was asked for', () => {
  const revocations = fc.record({
    state: fc.constantFrom('acting' as const, 'done' as const),
    outcome: fc.option(fc.constantFrom(...REVOKE_OUTCOMES), { nil: undefined }),
    message: fc.constantFrom(...REVOKE_ACTIONS).map(message),
    updatedAtMs: fc.integer({ min: 0, max: 2 * NOW }),
  });
  const statuses = fc.constantFrom('ACTIVE', 'INACTIVE', 'REVOKED', 'PENDING_ACTIVATION', 'NOT_REGISTERED', 'DELETED');
  fc.assert(
    fc.property(statuses, revocations, fc.constantFrom(...MODES), (status, revocation, mode) => {
      const decision = decide(status, ID, revocation, mode, NOW);
      if (decision.kind !== 'hand-over') return;
      expect(mode).toBe('enforce');
      expect(['REVOKED', 'NOT_REGISTERED', 'DELETED']).not.toContain(status);
      expect(['revoke', 'hold', 'complete']).toContain(decision.message.action);
      expect(decision.message.serialNumber).toBe(revocation.message.serialNumber);
      expect(['is-a-ca', 'not-ours', 'reactivated']).not.toContain(revocation.state === 'done' ? revocation.outcome : undefined);
    }),
  );
});
