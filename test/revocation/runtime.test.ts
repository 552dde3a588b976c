import type { SQSEvent } from 'aws-lambda';
import { z } from 'zod';
import { METRICS, METRIC_DIMENSION, METRIC_NAMESPACE } from '../../domain/fleet/metrics.js';
import { wholeBody } from '../../lambda/aws/s3-body.js';
import { FastEnv } from '../../lambda/revocation/fast/env.js';
import { RevokeEnv } from '../../lambda/revocation/revoke/env.js';
import { SyncEnv } from '../../lambda/revocation/sync/env.js';
import { SyncEvent } from '../../lambda/revocation/sync/event.js';
import { readEnvironment } from '../../lambda/runtime/environment.js';
import { lambdaSignals } from '../../lambda/runtime/signals.js';
import { sqsBatchHandler, sqsHandler } from '../../lambda/runtime/sqs-handler.js';
import { TestClock } from './memory/clock.js';

const variables = {
  APPLICATION: 'fleetwarden',
  INVENTORY_TABLE: 'inventory',
  LEDGER_TABLE: 'ledger',
  TRUST_PARAMETER_PATH: '/fleetwarden/trust',
  REVOCATION_MODE: 'enforce',
  BRAKE_FLOOR: '5',
  BRAKE_SHARE: '0.01',
  BRAKE_WINDOW_MINUTES: '60',
  CRL_BUCKET: 'crls',
  STATE_BUCKET: 'states',
  REVOKE_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/000000000000/revoke',
  SYNC_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/000000000000/sync',
  RECONCILE_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/000000000000/reconcile',
  CLOCK_SKEW_SECONDS: '300',
  REVOKE_PER_SECOND: '10',
  SECOND_STAGE_DELAY_MINUTES: '0',
};

describe('the environment', () => {
  test('is read as what it is', () => {
    expect(readEnvironment(SyncEnv, variables)).toMatchObject({ BRAKE_FLOOR: 5, BRAKE_SHARE: 0.01, CLOCK_SKEW_SECONDS: 300 });
    expect(readEnvironment(FastEnv, variables)).toMatchObject({ BRAKE_WINDOW_MINUTES: 60 });
    expect(readEnvironment(RevokeEnv, variables)).toMatchObject({ REVOKE_PER_SECOND: 10 });
  });

  test.each(Object.keys(SyncEnv.shape))('has no default for %s', (name) => {
    expect(() => readEnvironment(SyncEnv, { ...variables, [name]: undefined })).toThrow(name);
  });

  test.each([
    ['BRAKE_SHARE', '1.5'],
    ['BRAKE_SHARE', '1%'],
    ['BRAKE_SHARE', '-0.1'],
    ['BRAKE_FLOOR', ''],
    ['BRAKE_FLOOR', '1e9'],
    ['BRAKE_WINDOW_MINUTES', '0'],
    ['REVOCATION_MODE', 'Enforce'],
    ['REVOKE_QUEUE_URL', 'revoke'],
  ])('refuses %s=%j, and says which and not what', (name, value) => {
    const read = () => readEnvironment(SyncEnv, { ...variables, [name]: value, UNRELATED_SECRET: 's3cret' });
    expect(read).toThrow(name);
    expect(read).not.toThrow('s3cret');
  });
});

describe('signals', () => {
  const clock = new TestClock();
  const lines: Record<string, unknown>[] = [];
  const signals = lambdaSignals('fleetwarden', clock, (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  beforeEach(() => void (lines.length = 0));

  test('metrics are one line in embedded metric format, with the values and their units', () => {
    signals.count(METRICS.revoked);
    signals.count(METRICS.revoked);
    signals.count(METRICS.secondsToRevoke, 2.5);
    signals.flush();
    expect(lines).toEqual([
      {
        _aws: {
          Timestamp: clock.nowMs(),
          CloudWatchMetrics: [
            {
              Namespace: METRIC_NAMESPACE,
              Dimensions: [[METRIC_DIMENSION]],
              Metrics: [
                { Name: 'Revoked', Unit: 'Count' },
                { Name: 'SecondsToRevoke', Unit: 'Seconds' },
              ],
            },
          ],
        },
        [METRIC_DIMENSION]: 'fleetwarden',
        Revoked: [1, 1],
        SecondsToRevoke: [2.5],
      },
    ]);
  });

  test('no line where nothing was counted, and no value twice', () => {
    signals.count(METRICS.revoked);
    signals.flush();
    signals.flush();
    expect(lines).toHaveLength(1);
  });

  test('more than a hundred values take more than one line, as the format demands', () => {
    for (let i = 0; i < 250; i++) signals.count(METRICS.revoked);
    signals.flush();
    expect(lines.map((line) => (line['Revoked'] as number[]).length)).toEqual([100, 100, 50]);
  });

  test('a log line says when, where and what, with its ids', () => {
    signals.warn('CRL not applied', { reason: 'reader-refused', refusals: ['bad-signature'] });
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'WARN',
        time: '2026-11-22T10:00:00.000Z',
        message: 'CRL not applied',
        application: 'fleetwarden',
        reason: 'reader-refused',
        refusals: ['bad-signature'],
      }),
    ]);
  });
});

describe('a batch of SQS messages', () => {
  const lines: string[] = [];
  const signals = lambdaSignals('fleetwarden', new TestClock(), (line) => lines.push(line));
  beforeEach(() => void (lines.length = 0));
  const Message = z.object({ n: z.number() });
  const event = (...bodies: readonly string[]): SQSEvent =>
    ({
      Records: bodies.map((body, i) => ({ messageId: `m${i}`, body, attributes: { ApproximateReceiveCount: '1' } })),
    }) as unknown as SQSEvent;
  const failures = (...ids: readonly string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });

  test('what fails goes back alone', async () => {
    const handler = sqsHandler(Message, signals, async ({ n }) => {
      if (n === 2) throw new Error('not now');
    });
    expect(await handler(event('{"n":1}', '{"n":2}', '{"n":3}'))).toEqual(failures('m1'));
    expect(lines.join()).toContain('not now');
  });

  test('what cannot be read goes back too, towards the dead-letter queue, and is not in the log', async () => {
    const handler = sqsHandler(Message, signals, async () => undefined);
    expect(await handler(event('not JSON: s3cret', '{"m":"s3cret"}', '{"n":3}'))).toEqual(failures('m0', 'm1'));
    expect(lines.join()).not.toContain('"m":');
  });

  test('answers that are missing count as failures', async () => {
    const handler = sqsBatchHandler(Message, signals, async () => [{ status: 'fulfilled', value: undefined }]);
    expect(await handler(event('{"n":1}', '{"n":2}'))).toEqual(failures('m1'));
  });

  test('metrics are written also when the whole batch fails', async () => {
    const handler = sqsBatchHandler(Message, signals, async () => {
      signals.count(METRICS.revoked);
      throw new Error('no ledger');
    });
    await expect(handler(event('{"n":1}'))).rejects.toThrow('no ledger');
    expect(lines.join()).toContain('"Revoked":[1]');
  });
});

describe('messages of the sync queue', () => {
  test('the event of S3, as EventBridge puts it there', () => {
    const event = {
      version: '0',
      id: '7f1c2a90-55aa-4c0b-8f4e-0d3b6a1e9c11',
      'detail-type': 'Object Created',
      source: 'aws.s3',
      account: '111122223333',
      time: '2026-11-22T10:15:30Z',
      region: 'eu-west-1',
      resources: ['arn:aws:s3:::crls'],
      detail: {
        version: '0',
        bucket: { name: 'crls', 'aws-generated-tags': {} },
        object: {
          key: 'crl/4a1f0d2e.crl',
          size: 48213,
          etag: 'b1946ac92492d2347c6235b4d2611184',
          'version-id': 'IYV3',
          sequencer: '0069217F2A5C0E11AB',
        },
        'request-id': 'N4N7GDK58NMKJ12R',
        requester: 'acm-pca.amazonaws.com',
        'source-ip-address': '192.0.2.10',
        reason: 'PutObject',
      },
    };
    expect(SyncEvent.parse(event)).toEqual({ kind: 'object', bucket: 'crls', key: 'crl/4a1f0d2e.crl', versionId: 'IYV3' });
    expect(() => SyncEvent.parse({ ...event, source: 'aws.s4' })).toThrow('Invalid');
  });

  test.each([{ kind: 'sweep' }, { kind: 'object', bucket: 'b', key: 'k' }, { kind: 'approved', hash: 'a'.repeat(64) }])(
    'ours: $kind',
    (message) => {
      expect(SyncEvent.parse(message)).toEqual(message);
    },
  );

  test.each([{ kind: 'approved', hash: 'A' }, { kind: 'revoke-all' }, {}, null])('nothing else: %j', (message) => {
    expect(() => SyncEvent.parse(message)).toThrow('Invalid');
  });
});

describe('the body of an object', () => {
  const read = async (sizeBytes: number) => {
    for await (const _part of wholeBody('s3://b/k', [Buffer.from('abc'), Buffer.from('de')], sizeBytes));
  };
  test('that is cut short is trouble, and not a shorter object', async () => {
    await expect(read(5)).resolves.toBeUndefined();
    await expect(read(6)).rejects.toThrow('s3://b/k: got 5 bytes, expected 6');
  });
});
