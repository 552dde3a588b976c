/** The decisions of quarantine, by tables: taking out any `if` turns a sentence red. */
import fc from 'fast-check';
import { neverListedBy } from '../../domain/fleet/never-list.js';
import type { Reason } from '../../domain/fleet/reasons.js';
import { RESPONSES } from '../../domain/fleet/responses.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import type { Containment } from '../../lambda/ports/containment-records.js';
import type { Booking } from '../../lambda/ports/containment-work.js';
import { decideReopen, type ReopenFacts } from '../../lambda/quarantine/contain/reopen.js';
import { answerOf } from '../../lambda/quarantine/contain/shut-off.js';
import { decideTimeBox, type TimeBoxFacts } from '../../lambda/quarantine/contain/time-box.js';
import { countsAdmit, groupsAdmit, type ContainmentBrake } from '../../lambda/quarantine/intake/brake.js';
import { decideRelease, speaksAgainst } from '../../lambda/quarantine/intake/control.js';
import {
  decide,
  decideAttachment,
  decideConflict,
  decideCustom,
  decideFinding,
  decideNamed,
  decideNameless,
  decideNobody,
  decidePrincipal,
  decideViolation,
  whyNotMeant,
  type CustomFacts,
  type FindingFacts,
  type ThingDecisionFacts,
  type UserFacts,
  type ViolationFacts,
} from '../../lambda/quarantine/intake/decide.js';
import { patience, nextOf } from '../../lambda/quarantine/next.js';
import { decideStatus, planPolicies, type RestoreFacts } from '../../lambda/quarantine/release/decide.js';
import { decideWatch, pulseOf, type PulseFacts, type WatchFacts } from '../../lambda/quarantine/watch/decide.js';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('a violation that is notified', () => {
  const named = { thingName: 'pump-1', behavior: 'flood', securityProfileName: 'fleetwarden-built-in' };
  const sourced = { ...named, isOpen: true, updatedAtMs: NOW };
  const facts = (
    more: Partial<NonNullable<ViolationFacts['sourced']>> = {},
    notified: Partial<ViolationFacts['notified']> = {},
  ): ViolationFacts => ({
    notified: { eventType: 'in-alarm', ...named, ...notified },
    sourced: { ...sourced, ...more },
  });
  it('stands when its source has it in alarm now', () => {
    expect(decideViolation(facts(), NOW)).toEqual({ stands: true, reason: 'violation' });
  });
  it.each<[string, ViolationFacts, string]>([
    ['that says that the alarm is over', facts({}, { eventType: 'alarm-cleared' }), 'not-in-alarm'],
    ['that was given up', facts({}, { eventType: 'alarm-invalidated' }), 'not-in-alarm'],
    ['that no source knows', { notified: { eventType: 'in-alarm', ...named } }, 'forged'],
    ['of another thing than its source says', facts({ thingName: 'pump-2' }), 'forged'],
    ['of a thing whose name only begins so', facts({ thingName: 'pump-10' }), 'forged'],
    ['of another behaviour than its source says', facts({ behavior: 'chatty' }), 'forged'],
    ['of another profile than its source says', facts({ securityProfileName: 'other' }), 'forged'],
    ['that is not in alarm any more', facts({ isOpen: false }), 'alarm-over'],
    ['that a person has marked as false', facts({ verificationState: 'FALSE_POSITIVE' }), 'marked-benign'],
    ['that a person has marked as benign', facts({ verificationState: 'BENIGN_POSITIVE' }), 'marked-benign'],
    ['of which nothing was heard for more than two days', facts({ updatedAtMs: NOW - 2 * DAY - 1 }), 'stale'],
  ])('%s does not stand', (_, given, reason) => {
    expect(decideViolation(given, NOW)).toEqual({ stands: false, reason });
  });
  it.each(['TRUE_POSITIVE', 'UNKNOWN'])('marked as %s stands', (verificationState) => {
    expect(decideViolation(facts({ verificationState }), NOW).stands).toBe(true);
  });
});

describe('a finding of the audit', () => {
  const asked = { taskId: 't1', checkName: 'DEVICE_CERTIFICATE_SHARED_CHECK' };
  const found = { ...asked, isSuppressed: false, atMs: NOW };
  const facts = (more: Partial<NonNullable<FindingFacts['found']>> = {}): FindingFacts => ({
    asked,
    found: { ...found, ...more },
    checkMayContain: true,
  });
  it('stands when AWS IoT has it so', () => {
    expect(decideFinding(facts(), NOW)).toEqual({ stands: true, reason: 'audit-finding' });
  });
  it.each<[string, FindingFacts, string]>([
    ['that AWS IoT does not know', { asked, checkMayContain: true }, 'forged'],
    ['of another task', facts({ taskId: 't2' }), 'forged'],
    ['of another check', facts({ checkName: 'LOGGING_DISABLED_CHECK' }), 'forged'],
    ['of a check that never means containment', { ...facts(), checkMayContain: false }, 'not-a-containing-check'],
    ['that is suppressed', facts({ isSuppressed: true }), 'finding-suppressed'],
    ['of more than a week ago', facts({ atMs: NOW - 7 * DAY - 1 }), 'stale'],
  ])('%s does not stand', (_, given, reason) => {
    expect(decideFinding(given, NOW)).toEqual({ stands: false, reason });
  });
});

describe('an event of another detector', () => {
  const facts = (more: Partial<CustomFacts> = {}): CustomFacts => ({
    eventType: 'in-alarm',
    account: '111122223333',
    ownAccount: '111122223333',
    atMs: NOW,
    isConfigured: true,
    ...more,
  });
  it('stands when it is fresh, ours, and its source is configured', () => {
    expect(decideCustom(facts({ atMs: NOW - HOUR }), HOUR, NOW)).toEqual({ stands: true, reason: 'custom-violation' });
  });
  it.each<[string, CustomFacts, string]>([
    ['of a source that is not configured', facts({ isConfigured: false }), 'source-not-configured'],
    ['of another account', facts({ account: '444455556666' }), 'foreign-account'],
    ['that says that the alarm is over', facts({ eventType: 'alarm-cleared' }), 'not-in-alarm'],
    ['that is too old', facts({ atMs: NOW - HOUR - 1 }), 'stale'],
    ['of tomorrow: it would be fresh for ever', facts({ atMs: NOW + DAY }), 'stale'],
  ])('%s does not stand', (_, given, reason) => {
    expect(decideCustom(given, HOUR, NOW)).toEqual({ stands: false, reason });
  });
});

describe('whose device it is', () => {
  const certificateId = 'c1';
  const nobody = (reason: Reason, name = 'pump-1') => ({ who: 'nobody', name, reason }) as const;
  const things = (...names: string[]) => ({ who: 'things', names }) as const;
  const active = (id: string, ...of: string[]): UserFacts => ({ certificateId: id, status: 'ACTIVE', things: of });

  it.each<[string, Parameters<typeof decidePrincipal>[0], object]>([
    ['of one thing means that thing', { certificateId, status: 'ACTIVE', things: ['pump-1'] }, things('pump-1')],
    [
      'of several things means all of them: the brake holds them',
      { certificateId, status: 'ACTIVE', things: ['a', 'b'] },
      things('a', 'b'),
    ],
    ['of no thing means nobody', { certificateId, status: 'ACTIVE', things: [] }, nobody('certificate-without-thing', 'c1')],
    ['that the registry does not have means nobody', { certificateId, things: [] }, nobody('no-such-thing', 'c1')],
    [
      'that is not ACTIVE says nothing about its thing, which may have another one',
      { certificateId, status: 'REVOKED', things: ['pump-1'] },
      nobody('offender-shut-out', 'c1'),
    ],
    [
      'that containment keeps INACTIVE is no news',
      { certificateId, status: 'INACTIVE', things: ['pump-1'], isContained: true },
      nobody('already-contained', 'c1'),
    ],
    [
      'of a contained thing, and ACTIVE, means the thing: it may have to go further',
      { certificateId, status: 'ACTIVE', things: ['pump-1'], isContained: true },
      things('pump-1'),
    ],
  ])('a certificate that was refused %s', (_, facts, expected) => {
    expect(decidePrincipal(facts)).toEqual(expected);
  });

  it.each<[string, readonly UserFacts[], object]>([
    ['that nobody is known to have used', [], nobody('offender-unknown')],
    [
      'of a thing whose own certificate alone has used it: copied',
      [active('c1', 'pump-1')],
      { ...things('pump-1'), reason: 'credentials-copied' },
    ],
    [
      'that a certificate of another thing has used, too: that one',
      [active('c1', 'pump-1'), active('c2', 'pump-2')],
      { ...things('pump-2'), reason: 'client-id-taken' },
    ],
    ['that only a stranger has used: the stranger', [active('c2', 'pump-2')], { ...things('pump-2'), reason: 'client-id-taken' }],
    [
      'that two strangers have used: both',
      [active('c3', 'pump-3'), active('c2', 'pump-2'), active('c4', 'pump-2')],
      { ...things('pump-2', 'pump-3'), reason: 'client-id-taken' },
    ],
    [
      'that a stranger has used who is out by now: nobody, and not the victim',
      [active('c1', 'pump-1'), { certificateId: 'c2', status: 'INACTIVE', things: ['pump-2'] }],
      nobody('offender-shut-out'),
    ],
    ['that a certificate of no thing has used: nobody', [active('c1', 'pump-1'), active('c2')], nobody('certificate-without-thing', 'c2')],
    [
      'whose thing has changed its key: nobody',
      [active('c1', 'pump-1'), { certificateId: 'c0', status: 'INACTIVE', things: ['pump-1'] }],
      nobody('key-changed'),
    ],
    [
      'that a certificate has used which was the thing’s own until it was detached: nobody',
      [active('c1', 'pump-1'), { certificateId: 'c0', status: 'REVOKED', things: [], wasOf: 'pump-1' }],
      nobody('key-changed'),
    ],
    [
      'that a certificate has used which has become another thing’s: that one',
      [{ ...active('c2', 'pump-2'), wasOf: 'pump-1' }],
      { ...things('pump-2'), reason: 'client-id-taken' },
    ],
  ])('a client id %s', (_, users, expected) => {
    expect(decideConflict({ clientId: 'pump-1', isThing: true, users })).toEqual(expected);
  });
  it.each<[string, readonly UserFacts[], object]>([
    [
      'and was used by one thing alone: copied',
      [active('c1', 'pump-1'), active('c2', 'pump-1')],
      { ...things('pump-1'), reason: 'credentials-copied' },
    ],
    ['and was used by two things: nobody can tell', [active('c1', 'pump-1'), active('c2', 'pump-2')], nobody('offender-unknown', 'x')],
    [
      'and was used by a certificate of no thing, too: nobody can tell',
      [active('c1', 'pump-1'), active('c2')],
      nobody('offender-unknown', 'x'),
    ],
    [
      'and was used by what is out by now',
      [{ certificateId: 'c1', status: 'INACTIVE', things: ['pump-1'] }],
      nobody('offender-shut-out', 'x'),
    ],
  ])('a client id that is no thing %s', (_, users, expected) => {
    expect(decideConflict({ clientId: 'x', isThing: false, users })).toEqual(expected);
  });

  it.each<[string, boolean, readonly UserFacts[], object]>([
    [
      'whose certificate is attached to it still is meant, whoever else has used the client id',
      true,
      [active('c2', 'pump-2')],
      things('pump-1'),
    ],
    ['of whose client nothing is known is meant', false, [], things('pump-1')],
    [
      'is not meant when its certificate is another thing’s now: that one is',
      false,
      [active('c1', 'pump-2')],
      { ...things('pump-2'), reason: 'violation' },
    ],
    ['is not meant when its certificate is nobody’s now', false, [active('c1')], nobody('certificate-without-thing', 'c1')],
    [
      'is not meant when its certificate is out',
      false,
      [{ certificateId: 'c1', status: 'INACTIVE', things: ['pump-2'] }],
      nobody('offender-shut-out', 'client-7'),
    ],
  ])('a thing that AWS IoT named at the connection %s', (_, isAttached, users, expected) => {
    expect(decideAttachment({ thingName: 'pump-1', clientId: 'client-7', isAttached, users })).toEqual(expected);
  });

  it.each<[string, Parameters<typeof decideNamed>[1], object]>([
    ['that nobody else has used is meant', [], things('pump-1')],
    ['that its former certificate has used is meant', [{ certificateId: 'c9', things: [], wasOf: 'pump-1' }], things('pump-1')],
    ['that another thing’s certificate has used is not meant', [active('c2', 'pump-2')], nobody('offender-unknown', 'pump-1')],
    ['that a certificate of no thing has used is not meant', [active('c2')], nobody('offender-unknown', 'pump-1')],
    ['that very many have used is not meant', 'too-many', nobody('offender-unknown', 'pump-1')],
  ])('a thing by a client id %s', (_, others, expected) => {
    expect(decideNamed('pump-1', others)).toEqual(expected);
  });
  it.each<[string, Parameters<typeof whyNotMeant>[1], string | undefined]>([
    ['is meant still', things('pump-1', 'pump-2'), undefined],
    ['is not meant when it is another one by now', things('pump-2'), 'offender-moved'],
    ['is not meant when its certificate is out by now', nobody('offender-shut-out', 'c1'), 'offender-shut-out'],
    ['is meant where nobody can tell: that is what the person was asked', nobody('offender-unknown', 'c1'), undefined],
    ['is meant where its own containment has begun', nobody('already-contained', 'c1'), undefined],
  ])('a thing that a person has agreed to contain %s', (_, offender, reason) => {
    expect(whyNotMeant('pump-1', offender)).toBe(reason);
  });
  it('of very many who have used a client id nobody is meant', () => {
    expect(decideNameless('x', 'too-many', 'violation')).toEqual(nobody('offender-unknown', 'x'));
    const facts = { thingName: 'pump-1', clientId: 'x', isAttached: false, users: 'too-many' } as const;
    expect(decideAttachment(facts)).toEqual(nobody('offender-unknown', 'x'));
  });

  it('people are told that nobody can be contained, unless the response is only to note it, or it is contained already', () => {
    expect(decideNobody('contain', 'offender-unknown')).toEqual({ do: 'tell', reason: 'offender-unknown' });
    expect(decideNobody(undefined, 'offender-unknown')).toEqual({ do: 'tell', reason: 'offender-unknown' });
    expect(decideNobody('observe', 'offender-unknown')).toEqual({ do: 'leave', reason: 'only-observed' });
    expect(decideNobody('contain', 'already-contained')).toEqual({ do: 'leave', reason: 'already-contained' });
  });
  it('what cannot connect contains nobody, whoever has used the client id', () => {
    const statuses = ['INACTIVE', 'REVOKED', 'PENDING_TRANSFER', 'REGISTER_INACTIVE', 'PENDING_ACTIVATION', undefined] as const;
    const user = fc.record({
      certificateId: fc.string(),
      status: fc.constantFrom(...statuses),
      things: fc.subarray(['pump-1', 'pump-2']),
      wasOf: fc.constantFrom(undefined, 'pump-1', 'pump-2'),
    });
    fc.assert(
      fc.property(fc.array(user), fc.boolean(), (users, isThing) => {
        expect(decideConflict({ clientId: 'pump-1', isThing, users: users as UserFacts[] }).who).toBe('nobody');
      }),
    );
  });
});

describe('what is done about a thing', () => {
  const facts = (more: Partial<ThingDecisionFacts> = {}): ThingDecisionFacts => ({
    byPerson: false,
    exists: true,
    response: 'contain',
    containmentId: 'violation-1',
    isPast: false,
    ...more,
  });
  const open = { containmentId: 'violation-0', response: 'contain' } as const;
  it.each<[string, ThingDecisionFacts, object]>([
    ['contained, when it is configured so', facts(), { do: 'contain', reason: 'violation', response: 'contain' }],
    [
      'contained again by its own containment, which a crash left behind',
      facts({ open: { ...open, containmentId: 'violation-1' } }),
      { do: 'contain' },
    ],
    ['only told, when nobody knows the thing', facts({ exists: false }), { do: 'tell', reason: 'no-such-thing' }],
    ['only told, when nobody knows the behaviour', facts({ response: undefined }), { do: 'tell', reason: 'unknown-behaviour' }],
    ['left, when it is to be observed', facts({ response: 'observe' }), { do: 'leave', reason: 'only-observed' }],
    ['only told, when people are to be told', facts({ response: 'notify' }), { do: 'tell', reason: 'people-told' }],
    ['paged, when it is never to be contained', facts({ neverListed: 'type gateway' }), { do: 'page', reason: 'never-listed' }],
    ['contained all the same, when a person says so', facts({ neverListed: 'type gateway', byPerson: true }), { do: 'contain' }],
    ['left, when this very violation was answered before', facts({ isPast: true }), { do: 'leave', reason: 'contained-before' }],
    ['left, when it is contained already', facts({ open }), { do: 'leave', reason: 'already-contained' }],
    ['taken further, when the response is higher', facts({ open, response: 'deactivate' }), { do: 'escalate', response: 'deactivate' }],
    ['left, when the response is lower', facts({ open, response: 'shut-off' }), { do: 'leave', reason: 'already-contained' }],
  ])('%s', (_, given, decision) => {
    expect(decide(given, 'violation')).toMatchObject(decision);
  });
  it('is never contained by machine when it is on the never-list, does not exist, or nobody said how', () => {
    const response = fc.option(fc.constantFrom(...RESPONSES), { nil: undefined });
    fc.assert(
      fc.property(
        response,
        fc.boolean(),
        fc.option(fc.constant('thing x'), { nil: undefined }),
        fc.boolean(),
        (given, exists, neverListed, isPast) => {
          const decision = decide(facts({ response: given, exists, neverListed, isPast }), 'violation');
          if (decision.do !== 'contain') return;
          expect([exists, neverListed, isPast]).toEqual([true, undefined, false]);
          expect(['shut-off', 'contain', 'deactivate']).toContain(decision.response);
        },
      ),
    );
  });
});

describe('the never-list', () => {
  const none = { things: [], types: [], groups: [], attributes: [] };
  const thing = { thingName: 'pump-1', typeName: 'pump', attributes: { role: 'gateway', line: '' }, groups: ['hall'] };
  it.each<[string, Parameters<typeof neverListedBy>[0], string | undefined]>([
    ['its name', { ...none, things: ['pump-1'] }, 'thing pump-1'],
    ['its type', { ...none, types: ['pump'] }, 'type pump'],
    ['a group', { ...none, groups: ['hall'] }, 'group hall'],
    ['an attribute, whatever its value', { ...none, attributes: ['role'] }, 'attribute role'],
    ['an attribute of that value', { ...none, attributes: ['role=gateway'] }, 'attribute role=gateway'],
    ['an attribute that is there and empty', { ...none, attributes: ['line'] }, 'attribute line'],
    ['nothing, where the value is another', { ...none, attributes: ['role=valve'] }, undefined],
    ['nothing, where it has no such attribute', { ...none, attributes: ['toString'] }, undefined],
    ['nothing, where only the beginning of the name is the same', { ...none, things: ['pump-10', 'pump'] }, undefined],
    ['nothing, where the list is empty', none, undefined],
  ])('names a thing by %s', (_, list, by) => {
    expect(neverListedBy(list, thing)).toBe(by);
  });
});

describe('the brake', () => {
  const brake: ContainmentBrake = { floor: 3, perHour: 10, fleetShare: 0.01, groupShare: 0.1 };
  const booked = (count: number, more: Partial<Booking> = {}): Booking[] =>
    Array.from({ length: count }, (_, index) => ({
      thingName: thingName(`b-${index}`),
      containmentId: `b-${index}`,
      sinceMs: NOW - 2 * HOUR,
      groups: [],
      ...more,
    }));
  it.each<[string, Parameters<typeof countsAdmit>, string]>([
    ['lets the floor through, however small the fleet', [[], 3, 3, brake, NOW], 'admitted'],
    ['holds one more than the floor in a small fleet', [[], 4, 3, brake, NOW], 'fleet-share'],
    ['leaves the floor alone where the fleet was never counted', [[], 4, undefined, brake, NOW], 'fleet-share'],
    ['lets the share of a large fleet through', [[], 10, 1000, brake, NOW], 'admitted'],
    ['counts what is open against the share, however long ago it began', [booked(8), 3, 1000, brake, NOW], 'fleet-share'],
    ['does not count what was released more than an hour after it began', [booked(9, { freedAtMs: NOW }), 3, 1000, brake, NOW], 'admitted'],
    [
      'counts what was begun within the hour, also when it is released',
      [booked(9, { freedAtMs: NOW, sinceMs: NOW - 1 }), 2, 1000, brake, NOW],
      'per-hour',
    ],
    ['holds more than an hour may bring, however large the fleet', [[], 11, 1_000_000, brake, NOW], 'per-hour'],
    ['lets the floor through where an hour may bring less', [[], 3, 1_000_000, { ...brake, perHour: 0 }, NOW], 'admitted'],
  ])('%s', (_, given, verdict) => {
    expect(countsAdmit(...given)).toBe(verdict);
  });
  const inHall = booked(5, { groups: ['hall'] });
  it.each<[string, Booking[], Booking[], ContainmentBrake, number, string]>([
    ['lets a tenth of a group through', [], inHall, brake, 50, 'admitted'],
    ['holds more than a tenth of a group', [], inHall, brake, 49, 'group-share'],
    ['counts what of the group is open', booked(1, { groups: ['hall'], containmentId: 'x' }), inHall, brake, 50, 'group-share'],
    [
      'does not count what of the group is released',
      booked(1, { groups: ['hall'], containmentId: 'x', freedAtMs: NOW }),
      inHall,
      brake,
      50,
      'admitted',
    ],
    ['lets the floor of the smallest group through', [], inHall.slice(0, 3), brake, 3, 'admitted'],
    ['holds all over the floor where no share is allowed', [], inHall, { ...brake, groupShare: 0 }, 1_000_000, 'group-share'],
  ])('%s', async (_, before, wanted, given, size, verdict) => {
    expect(await groupsAdmit(before, wanted, given, (_group, upTo) => Promise.resolve(Math.min(size, upTo)))).toBe(verdict);
  });
  it('does not count the members of a group as long as the floor is enough', async () => {
    const sizeOf = () => Promise.reject(new Error('asked'));
    expect(await groupsAdmit([], inHall.slice(0, 3), brake, sizeOf)).toBe('admitted');
  });
});

describe('what comes next', () => {
  const containment = (more: Partial<Containment>): Containment =>
    ({ state: 'recorded', response: 'contain', endsAtMs: NOW + DAY, ...more }) as Containment;
  const asked = { jobId: 'j', askedAtMs: NOW };
  const release = { by: 'ops', reason: 'r', rekey: false, force: false, atMs: NOW };
  it.each<[string, Containment, string]>([
    ['after the record: out', containment({}), 'Cut'],
    ['after the record, where only a shut-off is asked for: that', containment({ response: 'shut-off' }), 'ShutOff'],
    ['after the cut: the lock', containment({ state: 'cut' }), 'Lock'],
    ['after the lock: until the policies count', containment({ state: 'locked', settledAtMs: NOW + 1000 }), 'Settle'],
    ['when they count: back for repair', containment({ state: 'locked', settledAtMs: NOW }), 'Reopen'],
    ['locked, and nobody knows since when: locked again', containment({ state: 'locked' }), 'Lock'],
    ['locked, and to be deactivated: not back', containment({ state: 'locked', settledAtMs: NOW, response: 'deactivate' }), 'Deactivate'],
    ['back for repair: the shut-off', containment({ state: 'reopened' }), 'ShutOff'],
    ['back for repair, and now to be deactivated', containment({ state: 'reopened', response: 'deactivate' }), 'Deactivate'],
    ['asked: until it answers', containment({ state: 'reopened', shutOff: asked }), 'AwaitAnswer'],
    ['obeyed: until release', containment({ state: 'reopened', shutOff: { ...asked, outcome: 'done' } }), 'Watch'],
    ['refused: out again', containment({ state: 'reopened', shutOff: { ...asked, outcome: 'refused' } }), 'Deactivate'],
    ['not answered: out again', containment({ state: 'reopened', shutOff: { ...asked, outcome: 'unanswered' } }), 'Deactivate'],
    ['deactivated: until release', containment({ state: 'deactivated' }), 'Watch'],
    ['to be released: that, wherever it stands', containment({ state: 'cut', release }), 'Restore'],
    ['to be released with a new key: that first', containment({ state: 'reopened', release: { ...release, rekey: true } }), 'ReKey'],
    [
      'while the new key is made: until it is proved',
      containment({ state: 'reopened', rekeying: true, release: { ...release, rekey: true } }),
      'AwaitKey',
    ],
    ['half-way back: the rest', containment({ state: 'releasing' }), 'Restore'],
    ['back: nothing', containment({ state: 'released' }), 'Released'],
  ])('%s', (_, given, next) => {
    expect(nextOf(given, NOW).next).toBe(next);
  });
});

describe('a certificate is let back for repair', () => {
  const facts = (more: Partial<ReopenFacts> = {}): ReopenFacts => ({
    before: 'ACTIVE',
    now: 'INACTIVE',
    revocation: 'none',
    policies: ['repair'],
    carryingGroups: [],
    ...more,
  });
  it.each<[string, ReopenFacts, string]>([
    ['when repair is all that it may', facts(), 'activate'],
    ['but not when it was not ACTIVE before', facts({ before: 'INACTIVE' }), 'leave'],
    ['but not when it was revoked meanwhile', facts({ now: 'REVOKED' }), 'leave'],
    ['but not when it is gone', facts({ now: undefined }), 'leave'],
    ['but not when a revocation or a hold of it is on record', facts({ revocation: 'on-record' }), 'leave'],
    ['but not when it cannot be told whether there is one', facts({ revocation: 'unreadable' }), 'leave'],
    ['but not when it may something else', facts({ policies: ['repair', 'extra'] }), 'rights-remain'],
    ['but not when another policy stands in the place of repair', facts({ policies: ['device'] }), 'rights-remain'],
    ['but not when it may nothing: nobody knows why', facts({ policies: [] }), 'rights-remain'],
    ['but not when the thing is in a group that carries a policy', facts({ carryingGroups: ['hall'] }), 'rights-remain'],
  ])('%s', (_, given, decision) => {
    expect(decideReopen(given, 'repair')).toBe(decision);
  });
});

describe('the answer to a shut-off', () => {
  it.each([
    ['SUCCEEDED', 0, 'done'],
    ['SUCCEEDED', 10_000, 'done'],
    ['FAILED', 0, 'refused'],
    ['REJECTED', 0, 'refused'],
    ['TIMED_OUT', 0, 'refused'],
    ['CANCELED', 0, 'refused'],
    ['REMOVED', 0, 'refused'],
    ['QUEUED', 999, undefined],
    ['IN_PROGRESS', 999, undefined],
    ['IN_PROGRESS', 1000, 'unanswered'],
    [undefined, 999, undefined],
    [undefined, 1000, 'unanswered'],
    ['A_NEW_WORD', 999, undefined],
  ])('%s after %d ms of 1000 is %s', (status, after, outcome) => {
    expect(answerOf(status, NOW, 1000, NOW + after)).toBe(outcome);
  });
});

describe('the end of a time box', () => {
  const facts = (more: Partial<TimeBoxFacts> = {}): TimeBoxFacts => ({
    endsAtMs: NOW,
    openViolations: 0,
    quietSinceMs: NOW - DAY,
    deactivated: false,
    ...more,
  });
  it.each<[string, TimeBoxFacts, Parameters<typeof decideTimeBox>[1], string, string]>([
    ['has not come', facts({ endsAtMs: NOW + 1 }), 'release', 'wait', 'within-time-box'],
    ['extends, where it is to', facts(), 'extend', 'extend', 'time-box-over'],
    ['pages, where it is to', facts(), 'page', 'page', 'time-box-over'],
    ['releases, where it is to and nothing speaks against it', facts(), 'release', 'release', 'clear-and-cool'],
    ['pages instead, where a violation is in alarm', facts({ openViolations: 1 }), 'release', 'page', 'violation-open'],
    ['pages instead, where the device did not stop', facts({ deactivated: true }), 'release', 'page', 'device-silent'],
    ['waits for the cool-down', facts({ quietSinceMs: NOW - HOUR + 1 }), 'release', 'extend', 'cooling-down'],
  ])('%s', (_, given, then, decision, reason) => {
    expect(decideTimeBox(given, then, HOUR, NOW)).toEqual({ do: decision, reason });
  });
});

describe('a release that a person asks for', () => {
  it('is refused while a violation is in alarm, unless the person insists', () => {
    expect(decideRelease({ openViolations: 1, force: false })).toBe('violation-open');
    expect(decideRelease({ openViolations: 1, force: true })).toBeUndefined();
    expect(decideRelease({ openViolations: 0, force: false })).toBeUndefined();
  });
});

describe('a violation that is open speaks against a release', () => {
  const ports = { metric: 'aws:listening-tcp-ports', updatedAtMs: NOW - DAY };
  const back = { reopenedAtMs: NOW - HOUR };
  it.each<[string, Parameters<typeof speaksAgainst>, boolean]>([
    ['not where it was reported before the device was cut off, and it cannot report any more', [ports, back], false],
    ['nor where the device was deactivated', [ports, { deactivatedAtMs: NOW - HOUR }], false],
    ['where something was seen of it since', [{ ...ports, seenAtMs: NOW - 1 }, back], true],
    [
      'where it was seen between being back for repair and being deactivated',
      [
        { ...ports, seenAtMs: NOW - HOUR + 1 },
        { ...back, deactivatedAtMs: NOW },
      ],
      true,
    ],
    ['where the device was not cut off, or not for long enough to know', [ports, {}], true],
    ['where the cloud counts, and silence would have cleared it', [{ ...ports, metric: 'aws:num-messages-sent' }, back], true],
    ['where its source does not say what it is about', [{ updatedAtMs: 0 }, back], true],
    ['not where it is about a custom metric that only the device reports', [{ ...ports, metric: 'cpu_temp' }, back], false],
    ['not where its address has not connected since', [{ ...ports, metric: 'aws:source-ip-address' }, back], false],
  ])('%s', (_, given, expected) => {
    expect(speaksAgainst(...given)).toBe(expected);
  });
});

describe('the status of a certificate at release', () => {
  const facts = (more: Partial<RestoreFacts> = {}): RestoreFacts => ({
    before: 'ACTIVE',
    now: 'INACTIVE',
    otherHolders: 0,
    wasReopened: false,
    deactivatedByUs: false,
    revocation: 'none',
    replaced: false,
    ...more,
  });
  it.each<[string, RestoreFacts, object]>([
    ['is ACTIVE again', facts(), { do: 'activate' }],
    ['is left where it is right', facts({ now: 'ACTIVE' }), { do: 'leave' }],
    ['stays INACTIVE where it was', facts({ before: 'INACTIVE' }), { do: 'leave' }],
    ['stays what a person made it where it was INACTIVE', facts({ before: 'INACTIVE', now: 'ACTIVE' }), { do: 'leave' }],
    ['stays REVOKED where it was', facts({ before: 'REVOKED', now: 'REVOKED' }), { do: 'leave' }],
    ['is no more where it was deleted', facts({ now: undefined }), { do: 'keep', why: 'deleted' }],
    ['stays REVOKED where it was revoked meanwhile', facts({ now: 'REVOKED' }), { do: 'keep', why: 'revoked' }],
    ['is not touched while another contained thing has it', facts({ otherHolders: 1 }), { do: 'keep', why: 'held-by-another-thing' }],
    ['stays INACTIVE where the device has a new one', facts({ replaced: true }), { do: 'keep', why: 'replaced' }],
    ['stays INACTIVE where its CA has put it on hold', facts({ revocation: 'on-record' }), { do: 'keep', why: 'on-hold' }],
    ['stays INACTIVE where nobody can tell which it is', facts({ revocation: 'unreadable' }), { do: 'keep', why: 'unreadable' }],
    [
      'stays INACTIVE where somebody deactivated it during repair',
      facts({ wasReopened: true }),
      { do: 'keep', why: 'deactivated-by-somebody' },
    ],
    ['is ACTIVE again where it was ours to deactivate', facts({ wasReopened: true, deactivatedByUs: true }), { do: 'activate' }],
    ['is left where AWS IoT says something that we do not change', facts({ now: 'PENDING_TRANSFER' }), { do: 'leave' }],
  ])('%s', (_, given, decision) => {
    expect(decideStatus(given)).toEqual(decision);
  });
  it('comes with the policies that it had, those that people added, and without repair', () => {
    expect(planPolicies(['a', 'b'], ['repair', 'b', 'extra'], 'repair')).toEqual({ detach: ['repair'], attach: ['a'], kept: ['extra'] });
    expect(planPolicies(['repair'], ['repair'], 'repair')).toEqual({ detach: [], attach: [], kept: [] });
  });
});

describe('the look at what is contained', () => {
  const facts = (more: Partial<WatchFacts> = {}): WatchFacts => ({
    status: 'INACTIVE',
    isKnown: true,
    mayBeActive: false,
    isRekey: false,
    ...more,
  });
  it.each<[string, WatchFacts, object]>([
    ['leaves what is shut', facts(), { do: 'leave' }],
    ['leaves what was opened for repair', facts({ status: 'ACTIVE', mayBeActive: true }), { do: 'leave' }],
    ['shuts what is ACTIVE and was not opened', facts({ status: 'ACTIVE' }), { do: 'shut', reason: 'active-again' }],
    ['takes in a certificate that has appeared', facts({ isKnown: false }), { do: 'adopt', reason: 'adopted-certificate' }],
    [
      'tells of one that has appeared and is another thing’s, too',
      facts({ isKnown: false, isShared: true }),
      { do: 'tell', reason: 'shared-certificate' },
    ],
    [
      'shuts one of several things that it has shut before',
      facts({ status: 'ACTIVE', isShared: true }),
      { do: 'shut', reason: 'active-again' },
    ],
    ['leaves the new certificate that the release waits for', facts({ isKnown: false, status: 'ACTIVE', isRekey: true }), { do: 'leave' }],
  ])('%s', (_, given, decision) => {
    expect(decideWatch(given)).toEqual(decision);
  });
  const pulse = (more: Partial<PulseFacts>): PulseFacts => ({
    state: 'cut',
    updatedAtMs: NOW - HOUR,
    endsAtMs: NOW + DAY,
    isWaiting: false,
    ...more,
  });
  it.each<[string, PulseFacts, string]>([
    ['a step that has not come for half an hour', pulse({}), 'stuck'],
    ['a step that has not come for a quarter of an hour', pulse({ updatedAtMs: NOW - HOUR / 4 }), 'late'],
    ['a step that was a moment ago', pulse({ updatedAtMs: NOW - 1000 }), 'moves'],
    ['one that waits for a word, within its time box', pulse({ isWaiting: true }), 'moves'],
    ['one that waits for a word, long after its time box', pulse({ isWaiting: true, endsAtMs: NOW - HOUR }), 'stuck'],
    ['one whose policies have yet to count', pulse({ state: 'locked', settledAtMs: NOW }), 'moves'],
    ['one whose policies have counted for long', pulse({ state: 'locked', settledAtMs: NOW - HOUR }), 'stuck'],
    ['one whose device still has time to answer', pulse({ answerDueAtMs: NOW + HOUR }), 'moves'],
    ['one whose device has had its time', pulse({ answerDueAtMs: NOW - HOUR / 4 }), 'late'],
    ['one whose release was asked for a moment ago', pulse({ releaseAtMs: NOW - 1000 }), 'moves'],
    ['one whose release was asked for a while ago', pulse({ releaseAtMs: NOW - HOUR / 4 }), 'late'],
  ])('%s: %s', (_, given, expected) => {
    expect(pulseOf(given, NOW)).toBe(expected);
  });
  it('is looked at the less often the longer it lasts: a week of waiting leaves room in the history of one execution', () => {
    let [looks, atMs] = [0, NOW];
    while (atMs < NOW + 7 * DAY) {
      atMs += patience(NOW, atMs, 15, 900) * 1000;
      looks += 1;
    }
    expect(looks * 9).toBeLessThan(10_000);
    expect(patience(NOW, NOW + 60_000, 15, 900)).toBe(15);
  });
});
