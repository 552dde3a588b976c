import {
  CancelAuditTaskCommand,
  CreateAuditSuppressionCommand,
  CreatePolicyCommand,
  CreateScheduledAuditCommand,
  DeleteAccountAuditConfigurationCommand,
  DeleteAuditSuppressionCommand,
  DeletePolicyCommand,
  DeleteScheduledAuditCommand,
  DescribeAccountAuditConfigurationCommand,
  DescribeAuditTaskCommand,
  DescribeScheduledAuditCommand,
  ListAuditFindingsCommand,
  ListAuditTasksCommand,
  SetV2LoggingOptionsCommand,
  StartOnDemandAuditTaskCommand,
  UpdateAccountAuditConfigurationCommand,
  UpdateCertificateCommand,
  type AuditFinding,
} from '@aws-sdk/client-iot';
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnAccountAuditConfiguration, CfnScheduledAudit } from 'aws-cdk-lib/aws-iot';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { iotAuditFindings } from '../../lambda/aws/findings.js';
import type { MetricValue } from '../../local/cloud.js';
import { deployAssembly } from '../../local/deploy/deploy-assembly.js';
import { hasRocaFingerprint } from '../../local/services/iot/audit/key-checks.js';
import { startSns } from '../../local/services/sns/service.js';
import { startSqs } from '../../local/services/sqs/service.js';
import { ARN, DEVICE_POLICY, OPEN_POLICY, closed, startGatewayDesk, type Device, type GatewayDesk } from './gateway-desk.js';

const DAY_MS = 24 * 60 * 60_000;
const ACCOUNT = '000000000000';
let desk: GatewayDesk;
let stopSqs: () => void;
let queueUrl: string;
const assembly = mkdtempSync(path.join(tmpdir(), 'audit-'));
const metrics: MetricValue[] = [];
const allow = (Action: string, resource: string) => ({ Effect: 'Allow', Action, Resource: ARN(resource) });
const deny = (Action: string, resource: string) => ({ Effect: 'Deny', Action, Resource: ARN(resource) });
let expiring: Device;
let expired: Device;
let fresh: Device;

beforeAll(async () => {
  desk = await startGatewayDesk({ startAt: new Date('2026-11-22T10:00:00Z') });
  stopSqs = startSqs(desk.cloud);
  startSns(desk.cloud);
  desk.cloud.parts.metrics = (values) => metrics.push(...values);
  expiring = await desk.enrol('soon', { notAfter: new Date('2026-12-10T00:00:00Z') });
  expired = await desk.enrol('past', { notAfter: new Date('2026-11-22T10:00:01Z') });
  fresh = await desk.enrol('fresh', { notAfter: new Date('2036-01-01T00:00:00Z') });
  const inactive = await desk.enrol('inactive', { notAfter: new Date('2026-12-10T00:00:00Z') });
  await desk.iot.send(new UpdateCertificateCommand({ certificateId: inactive.certificateId, newStatus: 'INACTIVE' }));
  queueUrl = await deployAudit();
});
afterAll(async () => {
  stopSqs();
  await desk.stop();
  rmSync(assembly, { recursive: true });
});

/** What an application synthesises: topic, roles with the conditions of the confused deputy, configuration, schedule. */
async function deployAudit(): Promise<string> {
  const context = (JSON.parse(readFileSync('cdk.json', 'utf8')) as { context: Record<string, unknown> }).context;
  const app = new App({ outdir: assembly, context });
  const stack = new Stack(app, 'audit');
  const fromIot = new ServicePrincipal('iot.amazonaws.com', {
    conditions: {
      StringEquals: { 'aws:SourceAccount': ACCOUNT },
      ArnLike: { 'aws:SourceArn': `arn:aws:iot:eu-west-1:${ACCOUNT}:*` },
    },
  });
  const topic = new Topic(stack, 'Topic');
  const queue = new Queue(stack, 'Queue');
  topic.addSubscription(new SqsSubscription(queue, { rawMessageDelivery: true }));
  const notify = new Role(stack, 'Notify', { assumedBy: fromIot });
  topic.grantPublish(notify);
  const audit = new Role(stack, 'Audit', {
    assumedBy: fromIot,
    managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSIoTDeviceDefenderAudit')],
  });
  const configuration = new CfnAccountAuditConfiguration(stack, 'Configuration', {
    accountId: ACCOUNT,
    roleArn: audit.roleArn,
    auditCheckConfigurations: {
      deviceCertificateExpiringCheck: { enabled: true },
      caCertificateExpiringCheck: { enabled: true },
      loggingDisabledCheck: { enabled: true },
      deviceCertificateSharedCheck: { enabled: true },
      conflictingClientIdsCheck: { enabled: true },
      ioTPolicyPotentialMisConfigurationCheck: { enabled: true },
      iotPolicyOverlyPermissiveCheck: { enabled: true },
      revokedCaCertificateStillActiveCheck: { enabled: true },
      caCertificateKeyQualityCheck: { enabled: true },
      deviceCertificateKeyQualityCheck: { enabled: true },
      deviceCertificateAgeCheck: { enabled: false, configuration: { certAgeThresholdInDays: '60' } },
    },
    auditNotificationTargetConfigurations: { sns: { targetArn: topic.topicArn, roleArn: notify.roleArn, enabled: true } },
  });
  // The construct of this CDK does not know the threshold, CloudFormation does.
  configuration.addPropertyOverride('AuditCheckConfigurations.DeviceCertificateExpiringCheck.Configuration', {
    CertExpirationThresholdInDays: '30',
  });
  configuration.node.addDependency(notify, audit);
  new CfnScheduledAudit(stack, 'Daily', {
    scheduledAuditName: 'daily',
    frequency: 'DAILY',
    targetCheckNames: ['DEVICE_CERTIFICATE_EXPIRING_CHECK', 'REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK'],
  }).node.addDependency(configuration);
  new CfnOutput(stack, 'QueueUrl', { value: queue.queueUrl });
  app.synth();
  return String((await deployAssembly(desk.cloud, assembly))['audit']!['QueueUrl']);
}

interface Completion {
  readonly taskId: string;
  readonly [member: string]: unknown;
}

/** What has come to the topic since this was asked last. */
async function completions(): Promise<Completion[]> {
  const { Messages = [] } = await desk.cloud.call<{ Messages?: { Body: string; ReceiptHandle: string }[] }>('sqs', 'ReceiveMessage', {
    QueueUrl: queueUrl,
    MaxNumberOfMessages: 10,
  });
  if (Messages.length === 0) return [];
  for (const { ReceiptHandle } of Messages) await desk.cloud.call('sqs', 'DeleteMessage', { QueueUrl: queueUrl, ReceiptHandle });
  return [...Messages.map(({ Body }) => JSON.parse(Body) as Completion), ...(await completions())];
}

/** Runs an audit to its end. */
async function audit(...targetCheckNames: string[]): Promise<string> {
  const { taskId } = await desk.iot.send(new StartOnDemandAuditTaskCommand({ targetCheckNames }));
  expect((await desk.iot.send(new DescribeAuditTaskCommand({ taskId }))).taskStatus).toBe('IN_PROGRESS');
  await desk.cloud.world.clock.advance(2000);
  return taskId!;
}

const findingsOf = async (taskId: string): Promise<AuditFinding[]> =>
  (await desk.iot.send(new ListAuditFindingsCommand({ taskId }))).findings ?? [];
const certificatesOf = (findings: readonly AuditFinding[]): (string | undefined)[] =>
  findings.map(({ nonCompliantResource }) => nonCompliantResource?.resourceIdentifier?.deviceCertificateId);

describe('an audit', () => {
  test('finds certificates that expire soon or have expired, and only those that are in use', async () => {
    const taskId = await audit('DEVICE_CERTIFICATE_EXPIRING_CHECK');
    const findings = await findingsOf(taskId);
    expect(certificatesOf(findings)).toEqual([expiring.certificateId, expired.certificateId]);
    expect(findings[0]).toMatchObject({
      taskId,
      checkName: 'DEVICE_CERTIFICATE_EXPIRING_CHECK',
      severity: 'MEDIUM',
      nonCompliantResource: {
        resourceType: 'DEVICE_CERTIFICATE',
        additionalInfo: { EXPIRATION_TIME: String(Date.parse('2026-12-10T00:00:00Z')) },
      },
      reasonForNonComplianceCode: 'CERTIFICATE_APPROACHING_EXPIRATION',
      isSuppressed: false,
    });
    expect(findings[1]!.reasonForNonComplianceCode).toBe('CERTIFICATE_PAST_EXPIRATION');
    expect(await desk.iot.send(new DescribeAuditTaskCommand({ taskId }))).toMatchObject({
      taskStatus: 'COMPLETED',
      taskType: 'ON_DEMAND_AUDIT_TASK',
      taskStatistics: { totalChecks: 1, nonCompliantChecks: 1 },
      auditDetails: {
        DEVICE_CERTIFICATE_EXPIRING_CHECK: {
          checkRunStatus: 'COMPLETED_NON_COMPLIANT',
          checkCompliant: false,
          totalResourcesCount: 3,
          nonCompliantResourcesCount: 2,
          suppressedNonCompliantResourcesCount: 0,
        },
      },
    });
    const again = await audit('DEVICE_CERTIFICATE_EXPIRING_CHECK');
    expect((await findingsOf(again)).map(({ findingId }) => findingId)).not.toEqual(findings.map(({ findingId }) => findingId));
  });

  test('tells its topic counts and no findings, once for each audit', async () => {
    await completions();
    const taskId = await audit('DEVICE_CERTIFICATE_EXPIRING_CHECK', 'CA_CERTIFICATE_EXPIRING_CHECK');
    expect(await completions()).toEqual([
      {
        accountId: ACCOUNT,
        taskId,
        taskStatus: 'COMPLETED',
        taskType: 'ON_DEMAND_AUDIT_TASK',
        failedChecksCount: 0,
        canceledChecksCount: 0,
        nonCompliantChecksCount: 1,
        compliantChecksCount: 1,
        totalChecksCount: 2,
        taskStartTime: expect.any(Number),
        auditDetails: [
          {
            checkName: 'DEVICE_CERTIFICATE_EXPIRING_CHECK',
            checkRunStatus: 'COMPLETED_NON_COMPLIANT',
            nonCompliantResourcesCount: 2,
            totalResourcesCount: 3,
            suppressedNonCompliantResourceCount: 0,
          },
          {
            checkName: 'CA_CERTIFICATE_EXPIRING_CHECK',
            checkRunStatus: 'COMPLETED_COMPLIANT',
            nonCompliantResourcesCount: 0,
            totalResourcesCount: 1,
            suppressedNonCompliantResourceCount: 0,
          },
        ],
      },
    ]);
  });

  test('marks what is suppressed, and lists it apart', async () => {
    const suppression = {
      checkName: 'DEVICE_CERTIFICATE_EXPIRING_CHECK',
      resourceIdentifier: { deviceCertificateId: expired.certificateId },
    };
    await desk.iot.send(new CreateAuditSuppressionCommand({ ...suppression, suppressIndefinitely: true, clientRequestToken: 'a' }));
    await expect(
      desk.iot.send(new CreateAuditSuppressionCommand({ ...suppression, suppressIndefinitely: true, clientRequestToken: 'b' })),
    ).rejects.toMatchObject({ name: 'ResourceAlreadyExistsException' });
    const taskId = await audit('DEVICE_CERTIFICATE_EXPIRING_CHECK');
    const listed = async (listSuppressedFindings: boolean): Promise<(string | undefined)[]> =>
      certificatesOf((await desk.iot.send(new ListAuditFindingsCommand({ taskId, listSuppressedFindings }))).findings!);
    expect(await listed(true)).toEqual([expired.certificateId]);
    expect(await listed(false)).toEqual([expiring.certificateId]);
    expect(await findingsOf(taskId)).toHaveLength(2);
    await desk.iot.send(new DeleteAuditSuppressionCommand(suppression));
  });

  test('lists findings in pages, by check, resource and time', async () => {
    const from = new Date(desk.cloud.world.clock.nowMs() - 1000);
    const taskId = await audit('DEVICE_CERTIFICATE_EXPIRING_CHECK', 'LOGGING_DISABLED_CHECK');
    const first = await desk.iot.send(new ListAuditFindingsCommand({ taskId, maxResults: 2 }));
    const rest = await desk.iot.send(new ListAuditFindingsCommand({ taskId, maxResults: 2, nextToken: first.nextToken }));
    expect([first.findings!.length, rest.findings!.length, rest.nextToken]).toEqual([2, 1, undefined]);
    expect(rest.findings![0]).toMatchObject({ nonCompliantResource: { resourceIdentifier: { account: ACCOUNT } }, severity: 'LOW' });
    const byResource = await desk.iot.send(
      new ListAuditFindingsCommand({
        startTime: from,
        endTime: new Date(desk.cloud.world.clock.nowMs()),
        resourceIdentifier: { deviceCertificateId: expiring.certificateId },
      }),
    );
    expect(certificatesOf(byResource.findings!)).toEqual([expiring.certificateId]);
    await expect(desk.iot.send(new ListAuditFindingsCommand({ taskId, startTime: from, endTime: from }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
    await expect(desk.iot.send(new ListAuditFindingsCommand({ checkName: 'LOGGING_DISABLED_CHECK' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });

  test('sees one certificate used by two clients at once, and one client id used twice', async () => {
    const shared = await desk.enrol('shared', { policy: 'open', exclusive: false });
    const one = await desk.connect(shared, 'one');
    const two = await desk.connect(shared, 'two');
    const thrownOut = closed(one);
    await desk.connect(fresh, 'fresh');
    await desk.connect(shared, 'one');
    await thrownOut;
    two.end(true);
    await closed(two);
    await desk.iot.send(new SetV2LoggingOptionsCommand({ roleArn: 'arn:aws:iam::000000000000:role/r', defaultLogLevel: 'INFO' }));
    const findings = await findingsOf(
      await audit('DEVICE_CERTIFICATE_SHARED_CHECK', 'CONFLICTING_CLIENT_IDS_CHECK', 'LOGGING_DISABLED_CHECK'),
    );
    expect(findings).toHaveLength(2);
    expect(findings[0]).toMatchObject({
      severity: 'CRITICAL',
      nonCompliantResource: { resourceIdentifier: { deviceCertificateId: shared.certificateId } },
      relatedResources: ['one', 'two'].map((clientId) => ({
        resourceType: 'CLIENT_ID',
        resourceIdentifier: { clientId },
        additionalInfo: { CONNECTION_TIME: expect.stringMatching(/^\d{13}$/) },
      })),
      reasonForNonComplianceCode: 'CERTIFICATE_SHARED_BY_MULTIPLE_DEVICES',
    });
    expect(findings[1]).toMatchObject({ nonCompliantResource: { resourceIdentifier: { clientId: 'one' } } });
  });

  test('names both certificates of a client id that one took from the other, the later one first, in members that the application finds them in', async () => {
    const [victim, thief] = [await desk.enrol('victim', { policy: 'open' }), await desk.enrol('thief', { policy: 'open' })];
    const first = await desk.connect(victim, 'victim');
    const thrownOut = closed(first);
    await desk.connect(thief, 'victim');
    await thrownOut;
    const findings = await findingsOf(await audit('CONFLICTING_CLIENT_IDS_CHECK'));
    const finding = findings.find(({ nonCompliantResource }) => nonCompliantResource?.resourceIdentifier?.clientId === 'victim');
    expect(finding?.relatedResources).toMatchObject([
      { resourceType: 'DEVICE_CERTIFICATE', resourceIdentifier: { deviceCertificateId: thief.certificateId } },
      {
        resourceIdentifier: { deviceCertificateId: victim.certificateId },
        additionalInfo: { DISCONNECTION_TIME: expect.stringMatching(/^\d{13}$/) },
      },
    ]);
    expect(await iotAuditFindings(desk.iot).read(finding!.findingId!)).toMatchObject({
      clientId: 'victim',
      principals: [thief.certificateId, victim.certificateId],
    });
  });

  test.each([
    ['the policy of the tests for devices', undefined, DEVICE_POLICY.Statement],
    ['all of everything', 'ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS', OPEN_POLICY.Statement],
    ['any client id', 'ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS', [allow('iot:Connect', 'client/${iot:ClientId}')]],
    ['every shadow', 'ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS', [allow('iot:Publish', 'topic/$aws/things/*/shadow/update')]],
    [
      'a denial with a wildcard of MQTT',
      'POLICY_CONTAINS_MQTT_WILDCARDS_IN_DENY_STATEMENT',
      [allow('iot:Subscribe', 'topicfilter/building/*'), deny('iot:Subscribe', 'topicfilter/building/control_room/#')],
    ],
    [
      'a denial that a broader filter passes by',
      'TOPIC_FILTERS_INTENDED_TO_DENY_ALLOWED_USING_WILDCARDS',
      [allow('iot:Subscribe', 'topicfilter/building/*'), deny('iot:Subscribe', 'topicfilter/building/control_room/*')],
    ],
    [
      'the same, and receiving is denied too',
      undefined,
      [
        allow('iot:Subscribe', 'topicfilter/building/*'),
        deny('iot:Subscribe', 'topicfilter/building/control_room/*'),
        deny('iot:Receive', 'topic/building/control_room/*'),
      ],
    ],
  ])('of policies: %s → %s', async (_, reasonCode, Statement) => {
    await desk.iot.send(
      new CreatePolicyCommand({ policyName: 'judged', policyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) }),
    );
    const findings = await findingsOf(await audit('IOT_POLICY_OVERLY_PERMISSIVE_CHECK', 'IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK'));
    await desk.iot.send(new DeletePolicyCommand({ policyName: 'judged' }));
    const judged = findings.filter(
      ({ nonCompliantResource }) => nonCompliantResource?.resourceIdentifier?.policyVersionIdentifier?.policyName === 'judged',
    );
    expect(judged.map((finding) => finding.reasonForNonComplianceCode)).toEqual(reasonCode === undefined ? [] : [reasonCode]);
  });

  test('calls keys of elliptic curves and sound RSA keys good, and knows the mark of ROCA', async () => {
    const taskId = await audit('DEVICE_CERTIFICATE_KEY_QUALITY_CHECK', 'CA_CERTIFICATE_KEY_QUALITY_CHECK');
    expect((await desk.iot.send(new DescribeAuditTaskCommand({ taskId }))).taskStatistics).toMatchObject({ compliantChecks: 2 });
    const sound = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }).n!;
    expect(hasRocaFingerprint(BigInt(`0x${Buffer.from(sound, 'base64url').toString('hex')}`))).toBe(false);
    // As the library made its primes: k·M + (65537^a mod M), with M the product of the small primes.
    const M = [3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n, 43n, 47n, 53n, 59n, 61n, 67n, 71n, 73n, 79n, 83n, 89n, 97n, 101n, 103n, 107n, 109n, 113n, 127n, 131n, 137n, 139n, 149n, 151n, 157n, 163n, 167n].reduce((a, b) => a * b); // prettier-ignore
    const weak = (k: bigint, a: bigint): bigint => k * M + (65_537n ** a % M);
    expect(hasRocaFingerprint(weak(12_345n, 77n) * weak(67_891n, 91n))).toBe(true);
  });

  test('can be cancelled, and says so', async () => {
    await completions();
    const { taskId } = await desk.iot.send(new StartOnDemandAuditTaskCommand({ targetCheckNames: ['LOGGING_DISABLED_CHECK'] }));
    await desk.iot.send(new CancelAuditTaskCommand({ taskId }));
    await desk.cloud.world.clock.advance(5000);
    expect(await completions()).toMatchObject([{ taskId, taskStatus: 'CANCELED', canceledChecksCount: 1 }]);
  });
});

describe('a scheduled audit', () => {
  test('runs each day; what the desk cannot evaluate has failed and is not called compliant', async () => {
    await completions();
    const from = new Date(desk.cloud.world.clock.nowMs());
    await desk.cloud.world.clock.advance(2 * DAY_MS);
    const { tasks } = await desk.iot.send(
      new ListAuditTasksCommand({ startTime: from, endTime: new Date(desk.cloud.world.clock.nowMs()), taskType: 'SCHEDULED_AUDIT_TASK' }),
    );
    expect(tasks).toHaveLength(2);
    expect(await desk.iot.send(new DescribeAuditTaskCommand({ taskId: tasks![0]!.taskId }))).toMatchObject({
      taskStatus: 'COMPLETED',
      scheduledAuditName: 'daily',
      taskStatistics: { failedChecks: 1, nonCompliantChecks: 1 },
      auditDetails: { REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK: { checkRunStatus: 'FAILED', message: expect.any(String) } },
    });
    expect(await completions()).toMatchObject([{ scheduledAuditName: 'daily', failedChecksCount: 1 }, { scheduledAuditName: 'daily' }]);
    expect(metrics).toContainEqual(
      expect.objectContaining({
        name: 'NonCompliantResources',
        dimensions: { ScheduledAuditName: 'daily', CheckName: 'DEVICE_CERTIFICATE_EXPIRING_CHECK' },
        value: 2,
      }),
    );
  });

  test.each([
    ['WEEKLY', { dayOfWeek: 'MON' }, 2],
    ['BIWEEKLY', { dayOfWeek: 'MON' }, 1],
    ['MONTHLY', { dayOfMonth: 'LAST' }, 1],
  ] as const)('%s runs on its day', async (frequency, day, runs) => {
    const scheduledAuditName = `by-${frequency}`;
    await desk.iot.send(
      new CreateScheduledAuditCommand({ scheduledAuditName, frequency, ...day, targetCheckNames: ['LOGGING_DISABLED_CHECK'] }),
    );
    expect(await desk.iot.send(new DescribeScheduledAuditCommand({ scheduledAuditName }))).toMatchObject({ frequency, ...day });
    const from = desk.cloud.world.clock.nowMs();
    await desk.cloud.world.clock.advance(14 * DAY_MS);
    const { tasks } = await desk.iot.send(
      new ListAuditTasksCommand({ startTime: new Date(from), endTime: new Date(desk.cloud.world.clock.nowMs()), maxResults: 250 }),
    );
    const described = await Promise.all(tasks!.map(({ taskId }) => desk.iot.send(new DescribeAuditTaskCommand({ taskId }))));
    const starts = described.filter((task) => task.scheduledAuditName === scheduledAuditName).map((task) => task.taskStartTime!);
    await desk.iot.send(new DeleteScheduledAuditCommand({ scheduledAuditName }));
    if (frequency === 'MONTHLY') expect(starts.every((start) => new Date(start.getTime() + DAY_MS).getUTCDate() === 1)).toBe(true);
    else expect([starts.length, ...new Set(starts.map((start) => start.getUTCDay()))]).toEqual([runs, 1]);
  });
});

describe('the account’s configuration', () => {
  test('is merged, shows every check, and keeps what a schedule needs', async () => {
    await desk.iot.send(
      new UpdateAccountAuditConfigurationCommand({ auditCheckConfigurations: { DEVICE_CERTIFICATE_AGE_CHECK: { enabled: true } } }),
    );
    const described = await desk.iot.send(new DescribeAccountAuditConfigurationCommand({}));
    expect(Object.keys(described.auditCheckConfigurations!)).toHaveLength(17);
    expect(described.auditCheckConfigurations).toMatchObject({
      DEVICE_CERTIFICATE_AGE_CHECK: { enabled: true, configuration: { CERT_AGE_THRESHOLD_IN_DAYS: '60' } },
      DEVICE_CERTIFICATE_EXPIRING_CHECK: { enabled: true, configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '30' } },
      INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK: { enabled: false },
    });
    expect(described.auditNotificationTargetConfigurations).toMatchObject({ SNS: { enabled: true } });
    await expect(
      desk.iot.send(
        new UpdateAccountAuditConfigurationCommand({ auditCheckConfigurations: { DEVICE_CERTIFICATE_EXPIRING_CHECK: { enabled: false } } }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidRequestException' });
  });

  test.each([
    ['a threshold of 29 days', { DEVICE_CERTIFICATE_EXPIRING_CHECK: { configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '29' } } }],
    ['a configuration of another check', { LOGGING_DISABLED_CHECK: { configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '30' } } }],
    ['a check that does not exist', { NO_SUCH_CHECK: { enabled: true } }],
  ])('%s is refused', async (_, auditCheckConfigurations) => {
    await expect(desk.iot.send(new UpdateAccountAuditConfigurationCommand({ auditCheckConfigurations }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });

  test('certificates older than the threshold are found', async () => {
    await desk.cloud.world.clock.advance(61 * DAY_MS);
    const findings = await findingsOf(await audit('DEVICE_CERTIFICATE_AGE_CHECK'));
    expect(certificatesOf(findings)).toContain(fresh.certificateId);
    expect(findings[0]!.reasonForNonComplianceCode).toBe('CERTIFICATE_PAST_AGE_THRESHOLD');
  });

  test('a role that may not read makes the check fail, not pass', async () => {
    const { arn } = desk.cloud.iam.createRole(
      'blind',
      {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: 'iot.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      },
      [],
      [],
    );
    await desk.iot.send(new UpdateAccountAuditConfigurationCommand({ roleArn: arn }));
    const taskId = await audit('DEVICE_CERTIFICATE_EXPIRING_CHECK');
    expect((await desk.iot.send(new DescribeAuditTaskCommand({ taskId }))).auditDetails).toMatchObject({
      DEVICE_CERTIFICATE_EXPIRING_CHECK: { checkRunStatus: 'FAILED', errorCode: 'INSUFFICIENT_PERMISSIONS' },
    });
  });

  test('is reset as a whole, with the schedules when that is asked for', async () => {
    await expect(desk.iot.send(new DeleteAccountAuditConfigurationCommand({}))).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await desk.iot.send(new DeleteAccountAuditConfigurationCommand({ deleteScheduledAudits: true }));
    await expect(audit('LOGGING_DISABLED_CHECK')).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await expect(
      desk.iot.send(
        new UpdateAccountAuditConfigurationCommand({ auditCheckConfigurations: { LOGGING_DISABLED_CHECK: { enabled: true } } }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidRequestException' });
  });
});
