/** What `fleetwarden status` says of the capabilities that can be switched on: nothing where they are off, and the same as the ledger where they are on. */
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { certificateId } from '../../domain/fleet/certificate-id.js';
import type { Standing } from '../../domain/fleet/standing.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import {
  applicationParameterName,
  DEFAULT_PREFIX,
  OPTIONAL_PARAMETERS,
  type OptionalParameter,
} from '../../domain/protocol/application-parameters.js';
import { dynamoAuditRecords } from '../../lambda/aws/audit-records.js';
import { dynamoContainmentHolds } from '../../lambda/aws/containment-holds.js';
import { dynamoContainmentRecords } from '../../lambda/aws/containment-records.js';
import { dynamoCrlPublications } from '../../lambda/aws/kms-publications.js';
import type { Ledger } from '../../lambda/aws/ledger.js';
import { dynamoStandings } from '../../lambda/aws/violations-standings.js';
import type { FindingRecord } from '../../lambda/ports/audit-record.js';
import type { Containment } from '../../lambda/ports/containment-records.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import { KEY_ARN, ownCa } from '../builders/own-ca.js';
import { startInstallation, type Installation } from './installation.js';

const HOUR_MS = 3_600_000;
const NOTHING = { HELD: 0, APPROVED: 0, APPLIED: 0, REJECTED: 0 };
let at: Installation;
let ledger: Ledger;
let sqs: SQSClient;
let ssm: SSMClient;
const queues: Partial<Record<OptionalParameter, string>> = {};

beforeAll(async () => {
  at = await startInstallation();
  const { desk } = at.desk;
  const settings = { region: desk.env.AWS_REGION, endpoint: desk.endpoint, credentials: desk.adminCredentials };
  [sqs, ssm] = [new SQSClient(settings), new SSMClient(settings)];
  ledger = { client: at.desk.documents, table: at.ledgerTable };
}, 60_000);
afterAll(async () => {
  sqs?.destroy();
  ssm?.destroy();
  await at?.stop();
});

const put = (Name: string, Value: string) => ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));
const switchOn = async (values: Partial<Record<OptionalParameter, string>>): Promise<void> => {
  for (const [name, value] of Object.entries(values)) await put(applicationParameterName(DEFAULT_PREFIX, name as OptionalParameter), value);
};
const queue = async (name: OptionalParameter): Promise<string> => {
  queues[name] ??= (await sqs.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl!;
  return queues[name];
};
const statusJson = async () => (await at.run('status', '--json')).json<Record<string, unknown>>();
const statusText = async () => (await at.run('status')).out;

function containment(name: string, more: Partial<Containment> = {}): Containment {
  const nowMs = Date.now();
  return {
    containmentId: `operator-${name}`,
    thingName: thingName(name),
    state: 'reopened',
    response: 'contain',
    trigger: { kind: 'operator', id: '0123456789ab', by: 'ops', reason: 'smells of smoke', atMs: nowMs, evidence: {} },
    snapshot: {
      takenAtMs: nowMs,
      certificates: [{ certificateId: certificateId('a'.repeat(64)), status: 'ACTIVE', policies: ['fleetwarden-device'] }],
      groups: [],
      dynamicGroups: [],
      clientIds: [name],
    },
    adopted: [],
    startedAtMs: nowMs - HOUR_MS,
    updatedAtMs: nowMs,
    endsAtMs: nowMs + 23.5 * HOUR_MS,
    ...more,
  };
}

test('says nothing of what is off', async () => {
  const found = await statusJson();
  for (const name of ['rotation', 'signers', 'audit', 'behaviour', 'quarantine']) expect(found).not.toHaveProperty(name);
  expect(await statusText()).not.toMatch(/quarantine|behaviour|audit|rotation|CA own/);
});

test('has a queue of each capability that is on, each with its dead letters', async () => {
  const urls = Object.keys(OPTIONAL_PARAMETERS).filter((name) => name.endsWith('QueueUrl')) as OptionalParameter[];
  for (const name of urls) await switchOn({ [name]: await queue(name) });
  await sqs.send(new SendMessageCommand({ QueueUrl: await queue('intakeDeadLetterQueueUrl'), MessageBody: '{}' }));
  const found = (await statusJson()) as { queues: { name: string; deadLetters: number }[] };
  const names = ['sync', 'fast', 'revoke', 'inventory', 'reconcile', 'start', 'issue', 'prove', 'retire', 'intake', 'watch', 'audit'];
  expect(found.queues.map(({ name }) => name)).toEqual([...names, 'offline', 'publish']);
  expect(found.queues.filter(({ deadLetters }) => deadLetters > 0)).toEqual([expect.objectContaining({ name: 'intake', deadLetters: 1 })]);
});

test('shows the mode of rotation', async () => {
  await switchOn({ rotationMode: 'observe' });
  expect(await statusJson()).toMatchObject({ rotation: { mode: 'observe' } });
  expect(await statusText()).toMatch(/rotation +observe/);
});

describe('quarantine', () => {
  test('with nothing contained and nothing held says so', async () => {
    await switchOn({ quarantineMode: 'observe' });
    expect(await statusJson()).toMatchObject({ quarantine: { mode: 'observe', contained: [], holds: NOTHING } });
    expect(await statusText()).toMatch(/quarantine +observe\n +contained +nothing\n +held lists +none wait/);
  });

  test('names what is contained with its state and the time that is left, what ends first at the top, and counts the lists that wait', async () => {
    await switchOn({ quarantineMode: 'enforce' });
    const records = dynamoContainmentRecords(ledger, wallClock);
    await records.open(containment('pump-1'));
    await records.open(containment('pump-2', { state: 'deactivated', response: 'deactivate', endsAtMs: Date.now() - HOUR_MS }));
    await records.open(containment('pump-3', { rekeying: true, endsAtMs: Date.now() + 2.5 * HOUR_MS }));
    const hold = { kind: 'contain', count: 7, reason: 'over-the-brake', listKey: 'holds/x', createdAtMs: Date.now() } as const;
    const holds = dynamoContainmentHolds(ledger);
    await holds.put({ ...hold, hash: 'a'.repeat(64), state: 'HELD' });
    await holds.put({ ...hold, hash: 'b'.repeat(64), state: 'APPLIED' });
    const { quarantine } = (await statusJson()) as { quarantine: { contained: { thingName: string; secondsLeft: number }[] } };
    expect(quarantine).toMatchObject({
      mode: 'enforce',
      contained: [
        { thingName: 'pump-2', state: 'deactivated', response: 'deactivate', secondsLeft: 0 },
        { thingName: 'pump-3', state: 'reopened', response: 'contain' },
        { thingName: 'pump-1', state: 'reopened', response: 'contain' },
      ],
      holds: { HELD: 1, APPLIED: 1 },
    });
    expect(quarantine.contained[1]?.secondsLeft).toBeGreaterThan(2 * 3600);
    const text = await statusText();
    expect(text).toMatch(/contained +3: fleetwarden contained/);
    expect(text).toMatch(/held lists +1 wait for a decision: fleetwarden holds/);
    expect(text).toMatch(/pump-2 .* deactivated .* over/);
    expect(text).toMatch(/pump-3 .* reopened, waits for a new key .* 2 hours/);
  });
});

describe('the audit', () => {
  const finding = (resource: string, checkName: FindingRecord['checkName'], severity: FindingRecord['severity'], seenAtMs: number) => ({
    checkName,
    resource,
    resourceType: 'DEVICE_CERTIFICATE',
    severity,
    reasonCode: 'x',
    firstSeenAtMs: seenAtMs,
    seenAtMs,
    taskId: 't',
    findingId: resource,
    response: 'notify' as const,
  });

  test('that has not been read yet says how to begin one', async () => {
    expect(await statusJson()).toMatchObject({ audit: { open: { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0 } } });
    expect(await statusText()).toContain('none has been read yet: fleetwarden audit begins one');
  });

  test('counts open findings by severity, and none that a later audit has not seen', async () => {
    const records = dynamoAuditRecords(ledger, wallClock);
    const [beforeMs, startedAtMs] = [Date.now() - 48 * HOUR_MS, Date.now() - HOUR_MS];
    await records.put([
      finding('a', 'DEVICE_CERTIFICATE_SHARED_CHECK', 'CRITICAL', startedAtMs),
      finding('b', 'DEVICE_CERTIFICATE_EXPIRING_CHECK', 'MEDIUM', startedAtMs),
      finding('c', 'DEVICE_CERTIFICATE_EXPIRING_CHECK', 'MEDIUM', startedAtMs),
      finding('d', 'DEVICE_CERTIFICATE_EXPIRING_CHECK', 'MEDIUM', beforeMs),
    ]);
    await records.complete('DEVICE_CERTIFICATE_SHARED_CHECK', { taskId: 't', startedAtMs, nonCompliant: 1 });
    await records.complete('DEVICE_CERTIFICATE_EXPIRING_CHECK', { taskId: 't', startedAtMs, nonCompliant: 2 });
    expect(await statusJson()).toMatchObject({
      audit: { lastAudit: new Date(startedAtMs).toISOString(), open: { CRITICAL: 1, HIGH: 0, MEDIUM: 2, LOW: 0 } },
    });
    expect(await statusText()).toMatch(/newest audit .*1 hour ago.*\n +open findings +1 CRITICAL, 2 MEDIUM: fleetwarden findings/);
  });
});

describe('behaviour', () => {
  const standing = (clientId: string, behaviour: string, violationId?: string): Standing => ({
    clientId,
    thingName: clientId,
    behaviour,
    criteria: 'x',
    lastWindowEndMs: Date.now(),
    abnormalInRow: 1,
    normalInRow: 0,
    ...(violationId === undefined ? {} : { violationId, startedAtMs: Date.now() }),
    updatedAtMs: Date.now(),
  });

  test('counts what is in alarm by behaviour, not what is only on its way there, and what the monitor gave up', async () => {
    await switchOn({ detect: 'built-in' });
    const standings = dynamoStandings(ledger, wallClock);
    for (const one of [
      standing('pump-1', 'messages-sent', 'v1'),
      standing('pump-2', 'messages-sent', 'v2'),
      standing('pump-2', 'disconnects', 'v3'),
      standing('pump-4', 'disconnects'),
    ])
      expect(await standings.write(undefined, one)).toBe(true);
    await sqs.send(new SendMessageCommand({ QueueUrl: await queue('monitorDeadLetterQueueUrl'), MessageBody: '{}' }));
    expect(await statusJson()).toMatchObject({
      behaviour: { detect: 'built-in', open: 3, byBehaviour: { 'messages-sent': 2, disconnects: 1 }, givenUp: 1 },
    });
    expect(await statusText()).toMatch(/behaviour +built-in\n +violations open +3: 2 messages-sent, 1 disconnects\n +batches given up +1/);
  });

  test('of Detect counts the violations of the profiles of this installation, and adds them to those of the monitor', async () => {
    const { desk } = at.desk;
    const violations = desk.cloud.parts.detect!;
    for (const securityProfileName of ['fleetwarden-rules', 'others']) {
      const criteria = { comparisonOperator: 'less-than', value: { count: 5 }, durationSeconds: 300 };
      const behaviors = [{ name: 'authorization-failures', metric: 'aws:num-authorization-failures', criteria }];
      await desk.cloud.call('iot', 'CreateSecurityProfile', { securityProfileName, behaviors });
      const securityProfileTargetArn = `arn:aws:iot:${desk.world.region}:${desk.world.accountId}:all/things`;
      await desk.cloud.call('iot', 'AttachSecurityProfile', { securityProfileName, securityProfileTargetArn });
      const behaviorName = 'authorization-failures';
      await violations.raise({ securityProfileName, behaviorName, thingName: 'pump-9', metricValue: { count: 9 } });
    }
    await switchOn({ detect: 'device-defender', detectProfiles: 'fleetwarden-rules' });
    expect(await statusJson()).toMatchObject({ behaviour: { open: 1, byBehaviour: { 'authorization-failures': 1 } } });
    await switchOn({ detect: 'both' });
    expect(await statusJson()).toMatchObject({ behaviour: { detect: 'both', open: 4 } });
  });
});

describe('a CA whose key is in KMS', () => {
  const publish = async (crlNumber: number, thisUpdateMs: number, nextUpdateMs: number) => {
    const publication = { crlNumber, thisUpdateMs, nextUpdateMs, begunAtMs: thisUpdateMs, entries: 4, listDigest: 'd'.repeat(64) };
    await dynamoCrlPublications(ledger).published('own', publication);
  };

  beforeAll(async () => {
    await put(`/${DEFAULT_PREFIX}/trust/own/certificate`, ownCa().certificatePem);
    const crl = { type: 'COMPLETE', prefix: 'external/own/', distributionPoints: [] };
    const signer = { type: 'kms', keyArn: KEY_ARN, crlValidityDays: 7 };
    await put(`/${DEFAULT_PREFIX}/trust/own/settings`, JSON.stringify({ type: 'external', signer, crl }));
  });

  test('is told of also before its first CRL', async () => {
    expect(await statusJson()).toMatchObject({ signers: [{ anchorId: 'own', keyArn: KEY_ARN }] });
    expect(await statusText()).toMatch(/CA own +has published no CRL yet/);
  });

  test.each([
    [1, 'current', -24, 144, /CRL 1, 4 entries, ends in 5 days/],
    [2, 'late', -144, 24, /CRL 2, 4 entries, ends in 23 hours/],
    [3, 'expired', -170, -2, /CRL 3, 4 entries, EXPIRED at \d{4}-/],
  ])('shows CRL %i as %s', async (crlNumber, state, from, to, says) => {
    await publish(crlNumber, Date.now() + from * HOUR_MS, Date.now() + to * HOUR_MS);
    expect(await statusJson()).toMatchObject({ signers: [{ anchorId: 'own', crl: { crlNumber, entries: 4, state } }] });
    expect(await statusText()).toMatch(says);
  });
});
