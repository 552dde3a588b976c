import fc from 'fast-check';
import { ROTATION_STATES, type RotationRefusal } from '../../domain/protocol/rotation.js';
import { decide, isStale, type ProveFacts } from '../../lambda/rotation/prove/decide.js';

const rights = { policies: ['fleet-device'], things: ['dev-1'] };
const rotation = { state: 'registered', jobId: 'job-1', activatedAtMs: 1 } as const;
const inOrder: ProveFacts = {
  rotation,
  jobId: 'job-1',
  principal: 'active-and-theirs',
  stopped: false,
  contained: false,
  old: rights,
  fresh: rights,
};

test('a proof over the new certificate of a registered rotation is taken', () => {
  expect(decide(inOrder)).toEqual({ do: 'prove', reason: 'works' });
});

test('more rights than the old one had are no hindrance', () => {
  expect(decide({ ...inOrder, fresh: { ...rights, policies: ['fleet-device', 'more'] } })).toEqual({ do: 'prove', reason: 'works' });
});

test.each(['proved', 'retired'] as const)('a proof that comes again when it is %s is answered again', (state) => {
  expect(decide({ ...inOrder, rotation: { ...rotation, state } })).toEqual({ do: 'go-on', reason: 'proved-before' });
});

test('a proof holds for five minutes', () => {
  expect([isStale(1_000_000, 1_300_000), isStale(1_000_000, 1_300_001)]).toEqual([false, true]);
});

const refusals: Record<string, [Partial<ProveFacts>, RotationRefusal]> = {
  'the certificate is the new one of no rotation, as the old one is': [{ rotation: undefined }, 'not-the-new-certificate'],
  'the message names another job': [{ jobId: 'job-2' }, 'not-the-new-certificate'],
  'the rotation was withdrawn': [{ rotation: { ...rotation, state: 'withdrawn' } }, 'not-the-new-certificate'],
  'the new certificate was never made ACTIVE by us': [{ rotation: { state: 'registered', jobId: 'job-1' } }, 'not-the-new-certificate'],
  'the new certificate is not registered yet': [{ rotation: { ...rotation, state: 'issued' } }, 'not-the-new-certificate'],
  'the certificate is not ACTIVE or not of that thing': [{ principal: 'not-theirs' }, 'not-your-certificate'],
  'the registry was not asked': [{ principal: 'not-asked' }, 'not-your-certificate'],
  'the emergency stop is set': [{ stopped: true }, 'stopped'],
  'the thing is contained': [{ contained: true }, 'contained'],
  'the new certificate lacks a policy': [{ fresh: { ...rights, policies: [] } }, 'not-permitted'],
  'the new certificate lacks a thing': [{ old: { ...rights, things: ['dev-1', 'dev-2'] } }, 'not-permitted'],
  'the rights of the old certificate are not known': [{ old: undefined }, 'not-permitted'],
  'the rights of the new certificate are not known': [{ fresh: undefined }, 'not-permitted'],
};
test.each(Object.entries(refusals))('refused when %s', (_sentence, [facts, reason]) => {
  expect(decide({ ...inOrder, ...facts })).toEqual({ do: 'refuse', reason });
});

test('law: the old certificate is given up only for one that is ACTIVE, theirs, registered by us, and allowed as much', () => {
  const someRights = fc.option(
    fc.record({ policies: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')), things: fc.uniqueArray(fc.constantFrom('dev-1', 'dev-10')) }),
    { nil: undefined },
  );
  const facts = fc.record({
    rotation: fc.option(
      fc.record({
        state: fc.constantFrom(...ROTATION_STATES),
        jobId: fc.constantFrom('job-1', 'job-2'),
        activatedAtMs: fc.option(fc.nat(), { nil: undefined }),
      }),
      { nil: undefined },
    ),
    jobId: fc.constantFrom('job-1', ''),
    principal: fc.constantFrom('active-and-theirs' as const, 'not-theirs' as const, 'not-asked' as const),
    stopped: fc.boolean(),
    contained: fc.boolean(),
    old: someRights,
    fresh: someRights,
  });
  fc.assert(
    fc.property(facts, (some) => {
      if (decide(some).do !== 'prove') return;
      expect(some).toMatchObject({ principal: 'active-and-theirs', stopped: false, contained: false });
      expect(['registered', 'escalated']).toContain(some.rotation?.state);
      expect(some.rotation?.activatedAtMs).toBeDefined();
      for (const policy of some.old!.policies) expect(some.fresh!.policies).toContain(policy);
      for (const thing of some.old!.things) expect(some.fresh!.things).toContain(thing);
    }),
    { numRuns: 5000 },
  );
});
