/** The Jobs protocol against a scripted service: what AWS documents, and what its samples show besides. */
import fc from 'fast-check';
import { NextJob } from '../../agent/jobs/job-messages.js';
import { JobRejected, JobsClient, NoAnswer } from '../../agent/jobs/jobs-client.js';
import { systemClock } from '../../agent/clock.js';
import { jitteredMs } from '../../agent/retry.js';
import type { Connection } from '../../agent/transport/transport.js';

type Body = Readonly<Record<string, unknown>> & { readonly clientToken: string };
type Reply = { readonly outcome: 'accepted' | 'rejected'; readonly message: Readonly<Record<string, unknown>> } | undefined;

const accepted = (message: Readonly<Record<string, unknown>>): Reply => ({ outcome: 'accepted', message });
const rejected = (code: string, more: Readonly<Record<string, unknown>> = {}): Reply => ({
  outcome: 'rejected',
  message: { code, ...more },
});

function jobs(...replies: readonly Reply[]): {
  readonly client: JobsClient;
  readonly sent: { readonly topic: string; readonly body: Body }[];
} {
  const sent: { topic: string; body: Body }[] = [];
  const connection: Connection = {
    closed: new Promise(() => undefined),
    close: () => Promise.resolve(),
    subscribe: () => Promise.resolve(),
    onMessage: () => undefined,
    publish: (topic, payload) => {
      const body = JSON.parse(payload) as Body;
      sent.push({ topic, body });
      const reply = replies[sent.length - 1];
      if (reply) setImmediate(() => client.receive(`${topic}/${reply.outcome}`, { ...reply.message, clientToken: body.clientToken }));
      return Promise.resolve();
    },
  };
  const client = new JobsClient(connection, {
    thingName: 'pump-1',
    clock: systemClock,
    random: () => 0.5,
    settings: { jobAnswerMs: 30, jobTries: 3, ask: { firstMs: 2, longestMs: 4 } },
    signal: new AbortController().signal,
  });
  return { client, sent };
}
const job = { jobId: 'job-1', executionNumber: 1, versionNumber: 2 };

test('an update names the version and the execution, and gives the new version', async () => {
  const { client, sent } = jobs(accepted({ executionState: { status: 'IN_PROGRESS', versionNumber: 3 } }));
  expect(await client.update(job, 'IN_PROGRESS', { step: 'accepted' })).toMatchObject({ versionNumber: 3 });
  expect(sent).toEqual([
    {
      topic: '$aws/things/pump-1/jobs/job-1/update',
      body: {
        status: 'IN_PROGRESS',
        statusDetails: { step: 'accepted' },
        expectedVersion: '2',
        executionNumber: 1,
        includeJobExecutionState: true,
        clientToken: expect.any(String),
      },
    },
  ]);
});

test('VersionMismatch: the version of the rejection is taken; without one the execution is read', async () => {
  const withState = jobs(
    rejected('VersionMismatch', { executionState: { status: 'IN_PROGRESS', versionNumber: 7 } }),
    accepted({ executionState: { status: 'SUCCEEDED', versionNumber: 8 } }),
  );
  expect(await withState.client.update(job, 'SUCCEEDED', {})).toMatchObject({ versionNumber: 8 });
  expect(withState.sent[1]!.body['expectedVersion']).toBe('7');

  const without = jobs(
    rejected('VersionMismatch'),
    accepted({ execution: { jobId: 'job-1', status: 'IN_PROGRESS', versionNumber: 9, executionNumber: 1 } }),
    accepted({ executionState: { status: 'SUCCEEDED', versionNumber: 10 } }),
  );
  expect(await without.client.update(job, 'SUCCEEDED', {})).toMatchObject({ versionNumber: 10 });
  expect(without.sent.map(({ topic }) => topic.split('/').at(-1))).toEqual(['update', 'get', 'update']);
});

test.each(['TerminalStateReached', 'ResourceNotFound', 'InvalidStateTransition'])(
  '%s: the execution is over, whoever ended it',
  async (code) => {
    expect(await jobs(rejected(code)).client.update(job, 'SUCCEEDED', {})).toBe('over');
    expect(await jobs(rejected(code)).client.describe('job-1')).toBeUndefined();
  },
);

test('VersionMismatch of an execution that has ended: over', async () => {
  const { client } = jobs(rejected('VersionMismatch', { executionState: { status: 'TIMED_OUT', versionNumber: 5 } }));
  expect(await client.update(job, 'SUCCEEDED', {})).toBe('over');
});

test.each(['RequestThrottled', 'InternalError'])('%s: asked again, under another token', async (code) => {
  const { client, sent } = jobs(rejected(code), accepted({}));
  expect(await client.next()).toBeUndefined();
  expect(new Set(sent.map(({ body }) => body.clientToken)).size).toBe(2);
});

test('no answer: asked again; after the last try an error that says so', async () => {
  const lost = jobs(undefined, accepted({ inProgressJobs: [{ jobId: 'b' }], queuedJobs: [{ jobId: 'a' }] }));
  expect(await lost.client.pending()).toEqual(['b', 'a']);
  await expect(jobs(undefined, undefined, undefined).client.next()).rejects.toThrow(NoAnswer);
});

test('any other rejection is an error and is not repeated', async () => {
  const { client, sent } = jobs(rejected('InvalidRequest', { message: 'no' }));
  await expect(client.next()).rejects.toThrow(JobRejected);
  expect(sent).toHaveLength(1);
});

test('an answer to another token, or without one, settles nothing', async () => {
  const { client } = jobs(undefined, accepted({}));
  const next = client.next();
  client.receive('$aws/things/pump-1/jobs/$next/get/accepted', { execution: { jobId: 'forged' }, clientToken: 'other' });
  client.receive('$aws/things/pump-1/jobs/$next/get/rejected', { code: 'InvalidJson' });
  expect(await next).toBeUndefined();
});

test('timestamps are read in seconds and in milliseconds; the document as JSON and as a string', () => {
  const execution = { jobId: 'j', status: 'QUEUED', versionNumber: 1, executionNumber: 1 };
  const queuedAt = (value: number): unknown =>
    NextJob.parse({ timestamp: value, execution: { ...execution, queuedAt: value } }).execution?.queuedAt;
  expect([queuedAt(1_795_342_509), queuedAt(1_795_342_509_000)]).toEqual([1_795_342_509_000, 1_795_342_509_000]);
  const document = (jobDocument: unknown): unknown => NextJob.parse({ execution: { ...execution, jobDocument } }).execution?.jobDocument;
  expect([document({ operation: 'x' }), document('{"operation":"x"}'), document('not JSON')]).toEqual([
    { operation: 'x' },
    { operation: 'x' },
    'not JSON',
  ]);
  expect(NextJob.parse({ timestamp: 1_795_342_999 }).execution).toBeUndefined();
});

test('jitter: never above the ceiling, which doubles and then stays', () => {
  fc.assert(
    fc.property(fc.nat(2000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
      const ms = jitteredMs({ firstMs: 100, longestMs: 5000 }, attempt, () => random);
      return ms >= 0 && ms <= Math.min(5000, 100 * 2 ** Math.min(attempt, 30));
    }),
  );
  expect(jitteredMs({ firstMs: 100, longestMs: 5000 }, 3, () => 0.5)).toBe(400);
});
