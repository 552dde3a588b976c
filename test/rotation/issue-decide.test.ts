import fc from 'fast-check';
import { ROTATION_REFUSALS, ROTATION_STATES } from '../../domain/protocol/rotation.js';
import { decide, type IssueFacts } from '../../lambda/rotation/issue/decide.js';

const SHA = 'a'.repeat(64);
const request = {
  readable: true,
  sha256: SHA,
  signature: 'verified',
  keyIsAccepted: true,
  namesThing: true,
  asksForNames: false,
  asksForExtensions: false,
} as const;
const inOrder: IssueFacts = {
  rotation: { state: 'offered', jobId: 'job-1' },
  principal: 'active-and-theirs',
  stopped: false,
  contained: false,
  jobId: 'job-1',
  execution: 'IN_PROGRESS',
  request,
  keyIsKnown: false,
  hasAnother: false,
};

test('a request in order is granted', () => {
  expect(decide(inOrder)).toEqual({ do: 'grant', reason: 'in-order' });
});

test('the same request again goes on, whatever its key is known as by now', () => {
  const facts: IssueFacts = {
    ...inOrder,
    rotation: { ...inOrder.rotation!, state: 'registered', csrSha256: SHA },
    keyIsKnown: undefined,
    hasAnother: undefined,
  };
  expect(decide(facts)).toEqual({ do: 'go-on', reason: 'granted-before' });
});

const refusals: Record<string, [Partial<IssueFacts>, keyof typeof ROTATION_REFUSALS]> = {
  'no rotation is open for the certificate': [{ rotation: undefined }, 'not-due'],
  'the certificate is not ACTIVE or not of that thing': [{ principal: 'not-theirs' }, 'not-your-certificate'],
  'the registry was not asked': [{ principal: 'not-asked' }, 'not-your-certificate'],
  'the emergency stop is set': [{ stopped: true }, 'stopped'],
  'the thing is contained': [{ contained: true }, 'contained'],
  'the message names another job': [{ jobId: 'job-2' }, 'no-open-job'],
  'the job has no execution for this thing': [{ execution: undefined }, 'no-open-job'],
  'the execution has not begun': [{ execution: 'QUEUED' }, 'no-open-job'],
  'the execution has timed out': [{ execution: 'TIMED_OUT' }, 'no-open-job'],
  'the execution has succeeded': [{ execution: 'SUCCEEDED' }, 'no-open-job'],
  'the request does not parse': [{ request: { readable: false } }, 'bad-request'],
  'its signature does not verify': [{ request: { ...request, signature: 'bad' } }, 'bad-request'],
  'its signature is over a weak hash': [{ request: { ...request, signature: 'weak-hash' } }, 'bad-request'],
  'its signature is of an algorithm that is not verified': [{ request: { ...request, signature: 'unsupported' } }, 'bad-request'],
  'its key is of a kind or size that is not accepted': [{ request: { ...request, keyIsAccepted: false } }, 'weak-key'],
  'its subject is another’s': [{ request: { ...request, namesThing: false } }, 'foreign-name'],
  'it asks for alternative names': [{ request: { ...request, asksForNames: true } }, 'foreign-name'],
  'it asks for other extensions': [{ request: { ...request, asksForExtensions: true } }, 'asks-for-ca'],
  'the rotation was granted to another request': [
    { rotation: { state: 'requested', jobId: 'job-1', csrSha256: 'b'.repeat(64) } },
    'another-request',
  ],
  'its key is known': [{ keyIsKnown: true }, 'key-reused'],
  'nobody looked whether its key is known': [{ keyIsKnown: undefined }, 'key-reused'],
  'the thing has another ACTIVE certificate': [{ hasAnother: true }, 'two-already'],
  'nobody looked whether it has': [{ hasAnother: undefined }, 'two-already'],
};
test.each(Object.entries(refusals))('refused when %s', (_sentence, [facts, reason]) => {
  expect(decide({ ...inOrder, ...facts })).toEqual({ do: 'refuse', reason });
});

describe('laws', () => {
  const facts: fc.Arbitrary<IssueFacts> = fc.record(
    {
      rotation: fc.option(
        fc.record(
          {
            state: fc.constantFrom(...ROTATION_STATES),
            jobId: fc.constantFrom('job-1', 'job-2'),
            csrSha256: fc.constantFrom(SHA, 'b'.repeat(64)),
          },
          { requiredKeys: ['state', 'jobId'] },
        ),
        { nil: undefined },
      ),
      principal: fc.constantFrom('active-and-theirs', 'not-theirs', 'not-asked'),
      stopped: fc.boolean(),
      contained: fc.boolean(),
      jobId: fc.constantFrom('job-1', 'job-2', ''),
      execution: fc.constantFrom(undefined, 'QUEUED', 'IN_PROGRESS', 'FAILED', 'CANCELED', 'A_STATUS_OF_TOMORROW'),
      request: fc.oneof(
        fc.constant({ readable: false as const }),
        fc.record({
          readable: fc.constant(true as const),
          sha256: fc.constantFrom(SHA, 'c'.repeat(64)),
          signature: fc.constantFrom('verified', 'bad', 'weak-hash', 'unsupported'),
          keyIsAccepted: fc.boolean(),
          namesThing: fc.boolean(),
          asksForNames: fc.boolean(),
          asksForExtensions: fc.boolean(),
        }),
      ),
      keyIsKnown: fc.option(fc.boolean(), { nil: undefined }),
      hasAnother: fc.option(fc.boolean(), { nil: undefined }),
    },
    { requiredKeys: ['principal', 'stopped', 'contained', 'jobId', 'request'] },
  ) as fc.Arbitrary<IssueFacts>;

  test('whatever is not refused is known to be in order in every respect', () => {
    fc.assert(
      fc.property(facts, (some) => {
        const decision = decide(some);
        if (decision.do === 'refuse') return;
        expect(some).toMatchObject({
          principal: 'active-and-theirs',
          stopped: false,
          contained: false,
          execution: 'IN_PROGRESS',
          request: { ...request, sha256: expect.any(String) as unknown },
        });
        expect(some.rotation?.jobId).toBe(some.jobId);
        if (decision.do === 'grant') expect(some).toMatchObject({ keyIsKnown: false, hasAnother: false });
        else expect(some.rotation?.csrSha256).toBe(some.request.readable && some.request.sha256);
      }),
      { numRuns: 3000 },
    );
  });

  test('a rotation that was granted is never granted again', () => {
    fc.assert(
      fc.property(facts, (some) => {
        if (some.rotation?.csrSha256 !== undefined) expect(decide(some).do).not.toBe('grant');
      }),
      { numRuns: 2000 },
    );
    expect(decide({ ...inOrder, rotation: { state: 'requested', jobId: 'job-1', csrSha256: SHA } }).do).toBe('go-on');
  });
});

test('every refusal of the tables is one that the device can look up', () => {
  for (const [, reason] of Object.values(refusals)) expect(ROTATION_REFUSALS).toHaveProperty([reason]);
});
