/** The audit’s side of the ledger: one specification, kept by the memory of the tests and by DynamoDB on the desk. And Device Defender by the real SDK. */
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { iotAccountSettings } from '../../lambda/aws/account-settings.js';
import { dynamoAuditRecords } from '../../lambda/aws/audit-records.js';
import { sqsAuditResponses, sqsCollectQueue } from '../../lambda/aws/audit-responses.js';
import { iotAudits } from '../../lambda/aws/audits.js';
import { documentClient, iotClient, sqsClient } from '../../lambda/aws/clients.js';
import { dynamoSettingsRecord } from '../../lambda/aws/settings-record.js';
import { findingKey, type AuditRecords, type FindingRecord } from '../../lambda/ports/audit-record.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import type { Desk } from '../../local/desk.js';
import { createQueue, deskWithStores, takeAll, TABLES } from '../revocation/desk-ports.js';
import { certificateIdOf, MemoryAuditRecords } from './memory/world.js';

const AT = Date.parse('2026-11-22T10:00:00Z');
const DAY = 86_400_000;
let desk: Desk;
beforeAll(async () => {
  desk = await deskWithStores();
});
afterAll(() => desk.stop());

const ledger = () => ({ client: documentClient(), table: TABLES.ledger });
const row = (name: string, changes: Partial<FindingRecord> = {}): FindingRecord => ({
  checkName: 'DEVICE_CERTIFICATE_EXPIRING_CHECK',
  resource: certificateIdOf(name),
  resourceType: 'DEVICE_CERTIFICATE',
  severity: 'MEDIUM',
  reasonCode: 'CERTIFICATE_APPROACHING_EXPIRATION',
  firstSeenAtMs: AT,
  seenAtMs: AT,
  taskId: 't1',
  findingId: `of-${name}`,
  response: 'rotate',
  ...changes,
});
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

describe.each<[string, () => AuditRecords]>([
  ['in memory', () => new MemoryAuditRecords()],
  ['on DynamoDB', () => dynamoAuditRecords(ledger(), wallClock)],
])('records of the audit %s', (_, make) => {
  let records: AuditRecords;
  beforeAll(() => {
    records = make();
  });

  test('an audit is claimed by the first, and stays with it', async () => {
    expect(await records.task('t1')).toBeUndefined();
    await records.claim('t1', 'ops', AT);
    await records.claim('t1', 'somebody else', AT);
    expect(await records.task('t1')).toEqual({ taskId: 't1', by: 'ops' });
  });

  test('an audit that is read says so, and who claimed it', async () => {
    await records.collected('t1', AT - DAY, AT);
    expect(await records.task('t1')).toEqual({ taskId: 't1', by: 'ops', startedAtMs: AT - DAY, collectedAtMs: AT });
  });

  test('the beginning of the watch is written once, and is no audit', async () => {
    expect(await records.watchedSince(AT)).toBe(AT);
    expect(await records.watchedSince(AT + DAY)).toBe(AT);
    expect((await all(records.tasks())).map(({ taskId }) => taskId)).toEqual(['t1']);
  });

  test('what is newest of a check goes up and never down', async () => {
    await records.begin(['LOGGING_DISABLED_CHECK', 'UNKNOWN'], AT);
    await records.begin(['LOGGING_DISABLED_CHECK'], AT - DAY);
    expect((await records.checks()).get('LOGGING_DISABLED_CHECK')).toEqual({ checkName: 'LOGGING_DISABLED_CHECK', begunMs: AT });
    await records.complete('LOGGING_DISABLED_CHECK', { taskId: 't2', startedAtMs: AT, nonCompliant: 1 });
    await records.complete('LOGGING_DISABLED_CHECK', { taskId: 't1', startedAtMs: AT - DAY, nonCompliant: 9 });
    expect((await records.checks()).get('LOGGING_DISABLED_CHECK')).toEqual({
      checkName: 'LOGGING_DISABLED_CHECK',
      begunMs: AT,
      completedMs: AT,
      taskId: 't2',
      nonCompliant: 1,
    });
    expect([...(await records.checks()).keys()].toSorted()).toEqual(['LOGGING_DISABLED_CHECK', 'UNKNOWN']);
  });

  test('findings are found again, by check and resource, and those that are not there are absent', async () => {
    const rows = Array.from({ length: 250 }, (__, i) => row(`pump-${i}`));
    await records.put(rows);
    const known = await records.known([...rows, row('stranger'), row('pump-1', { checkName: 'DEVICE_CERTIFICATE_AGE_CHECK' })]);
    expect(known.size).toBe(250);
    expect(known.get(findingKey(rows[7]!))).toEqual(rows[7]);
    expect((await all(records.of('DEVICE_CERTIFICATE_EXPIRING_CHECK'))).map(({ resource }) => resource).toSorted()).toEqual(
      rows.map(({ resource }) => resource).toSorted(),
    );
    expect(await all(records.of('DEVICE_CERTIFICATE_AGE_CHECK'))).toEqual([]);
    expect((await records.known([])).size).toBe(0);
    await records.put([]);
  });

  test('a finding that is seen again takes the place of what was known', async () => {
    await records.put([row('pump-1', { taskId: 't2', seenAtMs: AT + DAY, askedAtMs: AT + DAY })]);
    expect((await records.known([row('pump-1')])).get(findingKey(row('pump-1')))).toMatchObject({ taskId: 't2', askedAtMs: AT + DAY });
  });

  test('an odd name of a resource is as good as any', async () => {
    const odd = row('x', { checkName: 'UNKNOWN', resource: 'a b/ä #1', response: 'notify' });
    await records.put([odd]);
    expect(await all(records.of('UNKNOWN'))).toEqual([odd]);
  });
});

describe('Device Defender by the SDK', () => {
  const settle = () => desk.world.clock.advance(2000);

  test('an account without a configuration has no role, no target and no check; a patch adds to it', async () => {
    const account = iotAccountSettings(iotClient());
    const before = await account.auditConfiguration();
    expect([before.roleArn, before.target, Object.values(before.checks).filter(({ enabled }) => enabled)]).toEqual([
      undefined,
      undefined,
      [],
    ]);
    const { roleArn } = auditRole();
    const { TopicArn = '' } = await new SNSClient({}).send(new CreateTopicCommand({ Name: 'audits' }));
    await account.patchAuditConfiguration({
      roleArn,
      target: { targetArn: TopicArn, roleArn },
      checks: {
        DEVICE_CERTIFICATE_EXPIRING_CHECK: { configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '60' } },
        LOGGING_DISABLED_CHECK: {},
      },
    });
    await account.patchAuditConfiguration({ checks: { CONFLICTING_CLIENT_IDS_CHECK: {} } });
    const { target, checks } = await account.auditConfiguration();
    expect(target).toEqual({ targetArn: TopicArn, roleArn, enabled: true });
    expect(checks['DEVICE_CERTIFICATE_EXPIRING_CHECK']).toEqual({
      enabled: true,
      configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '60' },
    });
    expect(checks['CONFLICTING_CLIENT_IDS_CHECK']?.enabled).toBe(true);
  });

  test('events are switched on one by one', async () => {
    const account = iotAccountSettings(iotClient());
    expect(await account.enabledEvents()).toEqual(new Set());
    await account.enableEvents(['CA_CERTIFICATE']);
    await account.enableEvents(['JOB']);
    expect(await account.enabledEvents()).toEqual(new Set(['CA_CERTIFICATE', 'JOB']));
  });

  test('a task is begun, described and read; one that does not exist is absent', async () => {
    const audits = iotAudits(iotClient());
    const before = desk.world.clock.nowMs() - 1000;
    const taskId = await audits.start(['LOGGING_DISABLED_CHECK', 'DEVICE_CERTIFICATE_EXPIRING_CHECK']);
    expect(await audits.describe(taskId)).toMatchObject({ taskId, status: 'IN_PROGRESS' });
    await settle();
    expect(await audits.describe(taskId)).toMatchObject({
      status: 'COMPLETED',
      checks: expect.arrayContaining([
        { checkName: 'LOGGING_DISABLED_CHECK', status: 'COMPLETED_NON_COMPLIANT', nonCompliant: 1 },
      ]) as object,
    });
    expect(await audits.findings(taskId, undefined)).toMatchObject({
      findings: [
        {
          checkName: 'LOGGING_DISABLED_CHECK',
          severity: 'LOW',
          resourceType: 'ACCOUNT_SETTINGS',
          resource: desk.world.accountId,
          isSuppressed: false,
        },
      ],
      unreadable: [],
    });
    expect(await audits.describe('0'.repeat(32))).toBeUndefined();
    expect(await all(audits.ended(before, desk.world.clock.nowMs()))).toEqual([taskId]);
    expect(await all(audits.ended(before - DAY, before))).toEqual([]);
  });

  test('a check that the desk does not make has failed, with what it says', async () => {
    await iotAccountSettings(iotClient()).patchAuditConfiguration({ checks: { REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK: {} } });
    const audits = iotAudits(iotClient());
    const taskId = await audits.start(['REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK']);
    await settle();
    expect((await audits.describe(taskId))?.checks).toMatchObject([
      { status: 'FAILED', nonCompliant: 0, message: expect.any(String) as string },
    ]);
  });

  function auditRole(): { readonly roleArn: string } {
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow' as const, Action: 'sts:AssumeRole', Principal: { Service: 'iot.amazonaws.com' } }],
    };
    const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow' as const, Action: '*', Resource: '*' }] };
    const { arn } = desk.cloud.iam.createRole('audit', trust, [everything], []);
    return { roleArn: arn };
  }
});

describe('those who act', () => {
  test('are sent what they understand, and nobody is there who is off', async () => {
    const [start, intake, sync, own] = await Promise.all(['a-start', 'a-intake', 'a-sync', 'a-own'].map(createQueue));
    const on = sqsAuditResponses(sqsClient(), { start: start!, intake: intake!, sync: sync! });
    await on.rotate?.([certificateIdOf('pump-1')], 't1');
    await on.contain?.(
      Array.from(
        { length: 12 },
        (_, i) => ({ kind: 'audit-finding', taskId: 't1', findingId: `f${i}`, checkName: 'DEVICE_CERTIFICATE_SHARED_CHECK' }) as const,
      ),
    );
    await on.sweepCrls();
    await sqsCollectQueue(sqsClient(), own!).send({ kind: 'page', taskId: 't1', nextToken: 'next' });
    expect(await takeAll(start!)).toEqual([{ kind: 'finding', certificateIds: [certificateIdOf('pump-1')], taskId: 't1' }]);
    expect(await takeAll(intake!)).toHaveLength(12);
    expect(await takeAll(sync!)).toEqual([{ kind: 'sweep' }]);
    expect(await takeAll(own!)).toEqual([{ kind: 'page', taskId: 't1', nextToken: 'next' }]);
    const off = sqsAuditResponses(sqsClient(), { sync: sync! });
    expect([off.rotate, off.contain]).toEqual([undefined, undefined]);
  });
});

test('what was set in a setting of the account is remembered, and only grows', async () => {
  const record = dynamoSettingsRecord(ledger());
  expect(await record.ours('audit')).toEqual(new Set());
  await record.remember('audit', []);
  await record.remember('audit', ['one']);
  await record.remember('audit', ['two', 'one']);
  expect(await record.ours('audit')).toEqual(new Set(['one', 'two']));
  expect(await record.ours('events')).toEqual(new Set());
});
