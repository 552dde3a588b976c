import fc from 'fast-check';
import { AUDIT_RESPONSES, auditCheckNamed } from '../../domain/fleet/audit-checks.js';
import { deviceCertificateOf, resourceName } from '../../domain/fleet/audit-resource.js';
import { AuditMessage } from '../../domain/protocol/audit.js';
import {
  decideFinding,
  decideTask,
  isSilent,
  type FindingFacts,
  type FindingPolicy,
  type TaskFacts,
} from '../../lambda/audit/collect/decide.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-22T10:00:00Z');
const OURS = 'fleetwarden-audit';

describe('one audit', () => {
  const task = (changes: Partial<NonNullable<TaskFacts['task']>> = {}): NonNullable<TaskFacts['task']> => ({
    status: 'COMPLETED',
    scheduledAuditName: OURS,
    checks: [
      { checkName: 'A', status: 'COMPLETED_COMPLIANT' },
      { checkName: 'B', status: 'COMPLETED_NON_COMPLIANT' },
    ],
    ...changes,
  });
  const facts = (changes: Partial<TaskFacts> = {}): TaskFacts => ({ task: task(), claimed: false, collected: false, ...changes });
  const { scheduledAuditName: _name, ...onDemand } = task();

  it.each<[string, TaskFacts, ReturnType<typeof decideTask>]>([
    ['that AWS IoT does not know is left alone', { claimed: true, collected: false }, { do: 'ignore', reason: 'audit-unknown' }],
    ['of our schedule is read', facts(), { do: 'collect', reason: 'audit-completed', complete: ['A', 'B'], failed: [] }],
    [
      'of another schedule is left alone',
      facts({ task: task({ scheduledAuditName: 'other' }) }),
      { do: 'ignore', reason: 'not-our-audit' },
    ],
    [
      'of a schedule whose name begins as ours is left alone',
      facts({ task: task({ scheduledAuditName: `${OURS}-2` }) }),
      { do: 'ignore', reason: 'not-our-audit' },
    ],
    ['on demand by somebody else is left alone', facts({ task: onDemand }), { do: 'ignore', reason: 'not-our-audit' }],
    [
      'on demand by one of us is read',
      facts({ task: onDemand, claimed: true }),
      { do: 'collect', reason: 'audit-completed', complete: ['A', 'B'], failed: [] },
    ],
    ['that runs is waited for', facts({ task: task({ status: 'IN_PROGRESS' }) }), { do: 'wait', reason: 'audit-running' }],
    [
      'that runs and is not ours is not even waited for',
      facts({ task: { ...onDemand, status: 'IN_PROGRESS' } }),
      { do: 'ignore', reason: 'not-our-audit' },
    ],
    ['that has been read is not read again', facts({ claimed: true, collected: true }), { do: 'ignore', reason: 'audit-collected' }],
    [
      'that completed with a check that failed, one that was cancelled and one that AWS has not ended, is complete without those',
      facts({
        task: task({
          checks: [
            { checkName: 'A', status: 'COMPLETED_NON_COMPLIANT' },
            { checkName: 'B', status: 'FAILED' },
            { checkName: 'C', status: 'CANCELED' },
            { checkName: 'D', status: 'WAITING_FOR_DATA_COLLECTION' },
          ],
        }),
      }),
      { do: 'collect', reason: 'audit-completed', complete: ['A'], failed: ['B', 'C', 'D'] },
    ],
    [
      'that was cancelled has failed, and what is complete in it is read',
      facts({ task: task({ status: 'CANCELED' }) }),
      { do: 'collect', reason: 'audit-failed', complete: ['A', 'B'], failed: [] },
    ],
    [
      'that failed has failed',
      facts({ task: task({ status: 'FAILED', checks: [] }) }),
      { do: 'collect', reason: 'audit-failed', complete: [], failed: [] },
    ],
  ])('%s', (_, given, decision) => {
    expect(decideTask(given, OURS)).toEqual(decision);
  });
});

describe('one finding', () => {
  const facts = (changes: Partial<FindingFacts> = {}): FindingFacts => ({
    isSuppressed: false,
    taskStartedMs: NOW - 3_600_000,
    ...changes,
  });
  const policy = (changes: Partial<FindingPolicy> = {}): FindingPolicy => ({
    response: 'rotate',
    rotationIsOn: true,
    quarantineIsOn: true,
    ...changes,
  });
  const known = (changes: object = {}) => ({ seenAtMs: NOW - DAY, askedAtMs: NOW - DAY, ...changes });
  const check = { begunMs: NOW - 3_600_000, completedMs: NOW - DAY };

  it.each<[string, FindingFacts, FindingPolicy, ReturnType<typeof decideFinding>]>([
    ['that is suppressed is left alone', facts({ isSuppressed: true }), policy(), { do: 'leave', reason: 'suppressed-in-aws' }],
    ['that is new is handed over', facts(), policy(), { do: 'record', reason: 'finding-new', response: 'rotate', asks: true }],
    [
      'of an audit older than the one that is being read is left alone',
      facts({ check: { begunMs: NOW } }),
      policy(),
      { do: 'leave', reason: 'newer-audit' },
    ],
    [
      'that was handed over by the audit before is not handed over again',
      facts({ known: known(), check }),
      policy(),
      { do: 'record', reason: 'finding-again', response: 'rotate', asks: false },
    ],
    [
      'that was handed over a week ago and still stands is handed over again',
      facts({ known: known({ askedAtMs: NOW - 7 * DAY }), check }),
      policy(),
      { do: 'record', reason: 'finding-again', response: 'rotate', asks: true },
    ],
    [
      'that nobody was asked about, because rotation was off then, is handed over',
      facts({ known: { seenAtMs: NOW - DAY }, check }),
      policy(),
      { do: 'record', reason: 'finding-again', response: 'rotate', asks: true },
    ],
    [
      'that a complete audit in between did not see has returned, and is handed over',
      facts({ known: known({ seenAtMs: NOW - 2 * DAY }), check }),
      policy(),
      { do: 'record', reason: 'finding-returned', response: 'rotate', asks: true },
    ],
    [
      'seen before, with no complete audit of its check since, has not returned',
      facts({ known: known({ seenAtMs: NOW - 2 * DAY }), check: { begunMs: NOW - 3_600_000 } }),
      policy(),
      { do: 'record', reason: 'finding-again', response: 'rotate', asks: false },
    ],
    [
      'to be rotated where rotation is off is for people',
      facts(),
      policy({ rotationIsOn: false }),
      { do: 'record', reason: 'finding-new', response: 'notify', asks: true },
    ],
    [
      'to be contained goes to quarantine',
      facts(),
      policy({ response: 'contain' }),
      { do: 'record', reason: 'finding-new', response: 'contain', asks: true },
    ],
    [
      'to be contained where quarantine is off is for people',
      facts(),
      policy({ response: 'contain', quarantineIsOn: false }),
      { do: 'record', reason: 'finding-new', response: 'notify', asks: true },
    ],
    [
      'to be contained is not handed over twice, however long ago: a person may have released the thing',
      facts({ known: known({ askedAtMs: NOW - 60 * DAY }), check }),
      policy({ response: 'contain' }),
      { do: 'record', reason: 'finding-again', response: 'contain', asks: false },
    ],
    [
      'to be contained is handed over when quarantine has been switched on since',
      facts({ known: { seenAtMs: NOW - DAY }, check }),
      policy({ response: 'contain' }),
      { do: 'record', reason: 'finding-again', response: 'contain', asks: true },
    ],
    [
      'for people is told by each audit as long as it stands',
      facts({ known: known(), check }),
      policy({ response: 'notify' }),
      { do: 'record', reason: 'finding-again', response: 'notify', asks: true },
    ],
    [
      'about a revoked certificate has the CRLs read by each audit',
      facts({ known: known(), check }),
      policy({ response: 'revoke' }),
      { do: 'record', reason: 'finding-again', response: 'revoke', asks: true },
    ],
  ])('%s', (_, given, chosen, decision) => {
    expect(decideFinding(given, chosen, NOW)).toEqual(decision);
  });

  it('that is suppressed never asks anybody, and nobody is asked whose capability is off', () => {
    const law = fc.property(
      fc.record({
        isSuppressed: fc.boolean(),
        taskStartedMs: fc.integer({ min: 1, max: 100 }),
        known: fc.option(fc.record({ seenAtMs: fc.integer({ min: 1, max: 100 }) }), { nil: undefined }),
        check: fc.option(fc.record({ begunMs: fc.integer({ min: 1, max: 100 }), completedMs: fc.integer({ min: 1, max: 100 }) }), {
          nil: undefined,
        }),
      }),
      fc.record({ response: fc.constantFrom(...AUDIT_RESPONSES), rotationIsOn: fc.boolean(), quarantineIsOn: fc.boolean() }),
      ({ known: before, check: of, ...rest }, chosen) => {
        const decision = decideFinding({ ...rest, ...(before && { known: before }), ...(of && { check: of }) }, chosen, NOW);
        if (rest.isSuppressed) return decision.do === 'leave';
        if (decision.do !== 'record') return true;
        return (chosen.rotationIsOn || decision.response !== 'rotate') && (chosen.quarantineIsOn || decision.response !== 'contain');
      },
    );
    expect(fc.check(law)).toMatchObject({ failed: false });
  });
});

describe('silence', () => {
  it.each<[string, number, number, boolean]>([
    ['a daily audit yesterday', 1.2 * DAY, 1, false],
    ['a daily audit that is two days and some hours old', 2 * DAY + 5 * 3_600_000, 1, false],
    ['a daily audit that is missing for longer', 2 * DAY + 7 * 3_600_000, 1, true],
    ['a weekly audit nine days ago', 9 * DAY, 7, false],
    ['a weekly audit fifteen days ago', 15 * DAY, 7, true],
  ])('after %s', (_, ageMs, periodDays, silent) => {
    expect(isSilent(NOW - ageMs, periodDays, NOW)).toBe(silent);
  });
});

describe('a name of a check', () => {
  it.each([
    ['DEVICE_CERTIFICATE_EXPIRING_CHECK', 'DEVICE_CERTIFICATE_EXPIRING_CHECK'],
    ['DEVICE_CERT_APPROACHING_EXPIRATION_CHECK', 'DEVICE_CERTIFICATE_EXPIRING_CHECK'],
    ['CA_CERT_APPROACHING_EXPIRATION_CHECK', 'CA_CERTIFICATE_EXPIRING_CHECK'],
    ['REVOKED_DEVICE_CERT_CHECK', 'REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK'],
    ['REVOKED_CA_CERT_CHECK', 'REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK'],
    ['SOMETHING_NEW_CHECK', undefined],
    ['device_certificate_expiring_check', undefined],
  ])('%s is %s', (name, check) => {
    expect(auditCheckNamed(name)).toBe(check);
  });
});

describe('a resource', () => {
  const id = 'cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4';

  it.each<[string, object, string | undefined, string | undefined]>([
    ['a certificate by its id', { deviceCertificateId: id }, id, id],
    ['the same certificate by its ARN', { deviceCertificateArn: `arn:aws:iot:eu-west-1:111122223333:cert/${id}` }, id, id],
    ['a certificate id that is none names something, and no certificate', { deviceCertificateId: 'x' }, 'x', undefined],
    ['a client', { clientId: 'pump-7' }, 'pump-7', undefined],
    ['a version of a policy', { policyVersionIdentifier: { policyVersionId: '3', policyName: 'open' } }, 'open 3', undefined],
    ['a kind that AWS has added since', { widget: { b: 'two', a: 'one' } }, 'one two', undefined],
    ['nothing', {}, undefined, undefined],
    ['empty texts', { clientId: '' }, undefined, undefined],
  ])('%s', (_, identifier, name, certificate) => {
    expect([resourceName({ ...identifier }), deviceCertificateOf({ ...identifier })]).toEqual([name, certificate]);
  });

  it('has the same name in whatever order its members come', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1, maxLength: 20 }), { minKeys: 1 }), (identifier) => {
        const turned = Object.fromEntries(Object.entries(identifier).reverse());
        expect(resourceName({ other: turned })).toBe(resourceName({ other: identifier }));
      }),
    );
  });
});

describe('a message', () => {
  const notification = { accountId: '111122223333', taskId: '4e2bcd1ccbc2a5dd15292a82ab80c380', taskStatus: 'COMPLETED', auditDetails: [] };
  const wrapped = { Type: 'Notification', MessageId: '1', TopicArn: 'arn', Message: JSON.stringify(notification) };

  it('is understood raw and wrapped by SNS, and only the id of the task counts', () => {
    for (const message of [notification, wrapped]) expect(AuditMessage.parse(message)).toMatchObject({ taskId: notification.taskId });
  });

  it.each<[string, unknown]>([
    ['without a taskId', { taskStatus: 'COMPLETED' }],
    ['with a taskId that is none', { ...notification, taskId: '../x' }],
    ['wrapped, with something else in it', { ...wrapped, Message: 'hello' }],
    ['of a kind that is not known', { kind: 'delete', taskId: 'a' }],
  ])('%s is refused', (_, message) => {
    expect(AuditMessage.safeParse(message).success).toBe(false);
  });
});
