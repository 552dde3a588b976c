import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  CreateThingTypeCommand,
  CreateTopicRuleCommand,
  DeleteCACertificateCommand,
  DeleteCertificateCommand,
  DeletePolicyCommand,
  DeleteThingCommand,
  DescribeCACertificateCommand,
  DescribeCertificateCommand,
  DescribeEndpointCommand,
  DescribeEventConfigurationsCommand,
  DescribeThingCommand,
  DetachThingPrincipalCommand,
  GetIndexingConfigurationCommand,
  GetPolicyCommand,
  GetRegistrationCodeCommand,
  GetTopicRuleCommand,
  GetV2LoggingOptionsCommand,
  ListAttachedPoliciesCommand,
  ListCertificatesByCACommand,
  ListCertificatesCommand,
  ListPrincipalThingsV2Command,
  ListTagsForResourceCommand,
  ListTargetsForPolicyCommand,
  ListThingGroupsForThingCommand,
  ListThingPrincipalsV2Command,
  ListThingsCommand,
  ListThingsInThingGroupCommand,
  ListTopicRulesCommand,
  RegisterCACertificateCommand,
  RegisterCertificateCommand,
  RegisterCertificateWithoutCACommand,
  SetV2LoggingOptionsCommand,
  UpdateCACertificateCommand,
  UpdateCertificateCommand,
  UpdateEventConfigurationsCommand,
  UpdateIndexingConfigurationCommand,
  UpdateThingCommand,
  type CertificateStatus,
  type TopicRulePayload,
} from '@aws-sdk/client-iot';
import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { X509Certificate, createHash } from 'node:crypto';
import { providers as iotProviders } from '../../local/deploy/providers/iot.js';
import { createSigningRequest } from '../../local/fleet/signing-request.js';
import { startLogs } from '../../local/services/logs/service.js';
import { createS3 } from '../../local/services/s3/service.js';
import { startSqs } from '../../local/services/sqs/service.js';
import { createCa, type TestCa } from '../builders/ca.js';
import { ARN, OPEN_POLICY, nextMessage, startGatewayDesk, type GatewayDesk } from './gateway-desk.js';

let desk: GatewayDesk;
let sqs: SQSClient;
let stopSqs: () => void;
beforeAll(async () => {
  desk = await startGatewayDesk();
  stopSqs = startSqs(desk.cloud);
  startLogs(desk.cloud);
  desk.cloud.addService(createS3(desk.cloud));
  sqs = new SQSClient({ endpoint: desk.cloud.endpoint, region: 'eu-west-1', credentials: desk.cloud.administratorCredentials });
});
afterAll(async () => {
  stopSqs();
  sqs.destroy();
  await desk.stop();
});

let counter = 0;
const unique = (prefix: string): string => `${prefix}-${(counter += 1)}`;
const issue = (ca: TestCa = desk.ca) => ca.issue({ subject: `CN=${unique('device')}` });

describe('certificates', () => {
  test('the id is the SHA-256 of the DER form, and the registry gives the certificate back with its CA, mode and validity', async () => {
    const issued = await issue();
    const { certificateId, certificateArn } = await desk.iot.send(
      new RegisterCertificateCommand({ certificatePem: issued.certificatePem, status: 'ACTIVE' }),
    );
    expect(certificateId).toBe(createHash('sha256').update(issued.certificateDer).digest('hex'));
    const { certificateDescription } = await desk.iot.send(new DescribeCertificateCommand({ certificateId }));
    expect(certificateDescription).toMatchObject({
      certificateArn,
      certificateId,
      status: 'ACTIVE',
      certificateMode: 'SNI_ONLY',
      ownedBy: '000000000000',
    });
    expect(certificateDescription!.caCertificateId).toBe(createHash('sha256').update(desk.ca.certificateDer).digest('hex'));
    expect(new X509Certificate(certificateDescription!.certificatePem!).raw.equals(issued.certificateDer)).toBe(true);
    expect(certificateDescription!.validity!.notAfter).toEqual(new Date(new X509Certificate(issued.certificatePem).validTo));
    await expect(desk.iot.send(new RegisterCertificateCommand({ certificatePem: issued.certificatePem }))).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      resourceId: certificateId,
      resourceArn: certificateArn,
    });
  });

  test.each<[CertificateStatus, CertificateStatus, string | undefined]>([
    ['ACTIVE', 'INACTIVE', undefined],
    ['INACTIVE', 'ACTIVE', undefined],
    ['ACTIVE', 'REVOKED', undefined],
    ['REVOKED', 'REVOKED', undefined],
    ['REVOKED', 'ACTIVE', 'CertificateStateException'],
    ['REVOKED', 'INACTIVE', 'CertificateStateException'],
    ['ACTIVE', 'PENDING_TRANSFER', 'InvalidRequestException'],
    ['ACTIVE', 'PENDING_ACTIVATION', 'InvalidRequestException'],
  ])('a status change from %s to %s: %s', async (from, to, error) => {
    const { certificateId } = await desk.iot.send(
      new RegisterCertificateWithoutCACommand({ certificatePem: (await issue()).certificatePem, status: from }),
    );
    const change = desk.iot.send(new UpdateCertificateCommand({ certificateId, newStatus: to }));
    if (error) await expect(change).rejects.toMatchObject({ name: error });
    else await change;
    const { certificateDescription } = await desk.iot.send(new DescribeCertificateCommand({ certificateId }));
    expect(certificateDescription!.status).toBe(error ? from : to);
  });

  test('a certificate of a CA that is not registered needs RegisterCertificateWithoutCA, has no CA then, and is in no list of a CA', async () => {
    const foreign = await createCa({ name: 'CN=Unregistered' });
    const { certificatePem } = await issue(foreign);
    await expect(desk.iot.send(new RegisterCertificateCommand({ certificatePem }))).rejects.toMatchObject({
      name: 'CertificateValidationException',
    });
    const { certificateId } = await desk.iot.send(new RegisterCertificateWithoutCACommand({ certificatePem }));
    const { certificateDescription } = await desk.iot.send(new DescribeCertificateCommand({ certificateId }));
    expect(certificateDescription).toMatchObject({ status: 'INACTIVE', certificateMode: 'SNI_ONLY' });
    expect(certificateDescription!.caCertificateId).toBeUndefined();
  });

  test('deletion is refused while it is ACTIVE, while a thing is attached, and while a policy is attached unless forced', async () => {
    const device = await desk.enrol(unique('thing'));
    const remove = (forceDelete = false) =>
      desk.iot.send(new DeleteCertificateCommand({ certificateId: device.certificateId, forceDelete }));
    await expect(remove()).rejects.toMatchObject({ name: 'CertificateStateException' });
    await desk.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'INACTIVE' }));
    await expect(remove(true)).rejects.toMatchObject({ name: 'DeleteConflictException' });
    await desk.iot.send(new DetachThingPrincipalCommand({ thingName: device.thingName, principal: device.certificateArn }));
    await expect(remove()).rejects.toMatchObject({ name: 'DeleteConflictException' });
    await remove(true);
    await expect(desk.iot.send(new DescribeCertificateCommand({ certificateId: device.certificateId }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('lists come in pages whose tokens survive a deletion, in both orders, by CA too', async () => {
    const ca = await createCa({ name: 'CN=Paged CA' });
    const { certificateId: caCertificateId } = await desk.iot.send(
      new RegisterCACertificateCommand({ caCertificate: ca.certificatePem, certificateMode: 'SNI_ONLY', setAsActive: true }),
    );
    const ids: string[] = [];
    for (let i = 0; i < 7; i++)
      ids.push((await desk.iot.send(new RegisterCertificateCommand({ certificatePem: (await issue(ca)).certificatePem }))).certificateId!);
    const walk = async (ascendingOrder: boolean, between: () => Promise<unknown> = () => Promise.resolve()): Promise<string[]> => {
      const found: string[] = [];
      let marker: string | undefined;
      do {
        const page = await desk.iot.send(
          new ListCertificatesByCACommand({ caCertificateId, pageSize: 3, ascendingOrder, ...(marker ? { marker } : {}) }),
        );
        found.push(...page.certificates!.map((certificate) => certificate.certificateId!));
        marker = page.nextMarker;
        if (found.length === 3) await between();
      } while (marker);
      return found;
    };
    expect(await walk(true)).toEqual(ids);
    expect(await walk(false)).toEqual(ids.toReversed());
    expect(await walk(true, () => desk.iot.send(new DeleteCertificateCommand({ certificateId: ids[0]! })))).toEqual(ids);
    await expect(desk.iot.send(new ListCertificatesCommand({ marker: 'made-up' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
    await expect(desk.iot.send(new ListCertificatesCommand({ pageSize: 251 }))).rejects.toMatchObject({ name: 'InvalidRequestException' });
  });

  test('AWS IoT issues by request or with keys of its own, until the end of 2049', async () => {
    const { csrPem } = await createSigningRequest('from-csr');
    const fromCsr = await desk.iot.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest: csrPem, setAsActive: true }));
    const certificate = new X509Certificate(fromCsr.certificatePem!);
    expect(certificate.subject).toBe('CN=from-csr');
    expect(new Date(certificate.validTo).toISOString()).toBe('2049-12-31T23:59:59.000Z');
    const withKeys = await desk.iot.send(new CreateKeysAndCertificateCommand({}));
    expect(new X509Certificate(withKeys.certificatePem!).publicKey.export({ type: 'spki', format: 'pem' }).toString().trim()).toBe(
      withKeys.keyPair!.PublicKey!.trim(),
    );
    await expect(desk.iot.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest: 'nonsense' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });
});

describe('CA certificates', () => {
  test('SNI_ONLY takes no verification certificate, DEFAULT wants one for the registration code', async () => {
    const ca = await createCa({ name: 'CN=Verified CA' });
    const register = (more: object) =>
      desk.iot.send(new RegisterCACertificateCommand({ caCertificate: ca.certificatePem, setAsActive: true, ...more }));
    await expect(register({})).rejects.toMatchObject({ name: 'InvalidRequestException' });
    const wrong = await ca.issue({ subject: 'CN=wrong' });
    await expect(register({ verificationCertificate: wrong.certificatePem })).rejects.toMatchObject({
      name: 'RegistrationCodeValidationException',
    });
    await expect(register({ certificateMode: 'SNI_ONLY', verificationCertificate: wrong.certificatePem })).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
    const { registrationCode } = await desk.iot.send(new GetRegistrationCodeCommand({}));
    const right = await ca.issue({ subject: `CN=${registrationCode}` });
    const { certificateId } = await register({ verificationCertificate: right.certificatePem });
    const { certificateDescription } = await desk.iot.send(new DescribeCACertificateCommand({ certificateId }));
    expect(certificateDescription).toMatchObject({ status: 'ACTIVE', certificateMode: 'DEFAULT', autoRegistrationStatus: 'DISABLE' });
  });

  test('at most ten have one subject, and a certificate of theirs needs its CA named', async () => {
    const cas = await Promise.all(Array.from({ length: 11 }, () => createCa({ name: 'CN=Same Name' })));
    const register = (ca: TestCa) =>
      desk.iot.send(new RegisterCACertificateCommand({ caCertificate: ca.certificatePem, certificateMode: 'SNI_ONLY', setAsActive: true }));
    for (const ca of cas.slice(0, 10)) await register(ca);
    await expect(register(cas[10]!)).rejects.toMatchObject({ name: 'LimitExceededException' });
    const { certificatePem } = await issue(cas[3]);
    await expect(desk.iot.send(new RegisterCertificateCommand({ certificatePem }))).rejects.toMatchObject({
      name: 'CertificateConflictException',
    });
    await desk.iot.send(new RegisterCertificateCommand({ certificatePem, caCertificatePem: cas[3]!.certificatePem }));
  });

  test('an inactive CA takes no new certificates; an active one is not deleted', async () => {
    const ca = await createCa({ name: 'CN=Retired CA' });
    const { certificateId } = await desk.iot.send(
      new RegisterCACertificateCommand({ caCertificate: ca.certificatePem, certificateMode: 'SNI_ONLY', setAsActive: true }),
    );
    await expect(desk.iot.send(new DeleteCACertificateCommand({ certificateId }))).rejects.toMatchObject({
      name: 'CertificateStateException',
    });
    await desk.iot.send(new UpdateCACertificateCommand({ certificateId, newStatus: 'INACTIVE' }));
    await expect(desk.iot.send(new RegisterCertificateCommand({ certificatePem: (await issue(ca)).certificatePem }))).rejects.toMatchObject(
      { name: 'CertificateStateException' },
    );
    await desk.iot.send(new DeleteCACertificateCommand({ certificateId }));
  });

  test('a certificate of a device is no CA certificate', async () => {
    await expect(
      desk.iot.send(new RegisterCACertificateCommand({ caCertificate: (await issue()).certificatePem, certificateMode: 'SNI_ONLY' })),
    ).rejects.toMatchObject({ name: 'CertificateValidationException' });
  });
});

describe('things', () => {
  test('are created twice alike, changed by version, listed by filter and deleted when nothing is attached', async () => {
    const thingName = unique('meter');
    await desk.iot.send(new CreateThingTypeCommand({ thingTypeName: 'meter' }));
    const create = (site: string) =>
      desk.iot.send(new CreateThingCommand({ thingName, thingTypeName: 'meter', attributePayload: { attributes: { site } } }));
    await create('plant-1');
    await create('plant-1');
    await expect(create('plant-2')).rejects.toMatchObject({ name: 'ResourceAlreadyExistsException' });
    await desk.iot.send(
      new UpdateThingCommand({ thingName, expectedVersion: 1, attributePayload: { attributes: { line: 'a', site: '' }, merge: true } }),
    );
    await expect(desk.iot.send(new UpdateThingCommand({ thingName, expectedVersion: 1 }))).rejects.toMatchObject({
      name: 'VersionConflictException',
    });
    expect(await desk.iot.send(new DescribeThingCommand({ thingName }))).toMatchObject({
      thingName,
      defaultClientId: thingName,
      attributes: { line: 'a' },
      version: 2,
      thingTypeName: 'meter',
    });
    const named = async (filter: object) =>
      (await desk.iot.send(new ListThingsCommand({ ...filter, maxResults: 250 }))).things!.map((thing) => thing.thingName);
    expect(await named({ thingTypeName: 'meter' })).toEqual([thingName]);
    expect(await named({ attributeName: 'line', attributeValue: 'a' })).toEqual([thingName]);
    expect(await named({ attributeName: 'line', attributeValue: 'b' })).toEqual([]);
    await expect(desk.iot.send(new CreateThingCommand({ thingName: 'no spaces' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
    await desk.iot.send(new DeleteThingCommand({ thingName }));
    await expect(desk.iot.send(new DescribeThingCommand({ thingName }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('an exclusive certificate belongs to one thing; a thing may have several certificates', async () => {
    const first = await desk.enrol(unique('excl'));
    const second = await desk.enrol(unique('excl'));
    const attach = (thingName: string, principal: string) =>
      desk.iot.send(new AttachThingPrincipalCommand({ thingName, principal, thingPrincipalType: 'EXCLUSIVE_THING' }));
    await expect(attach(second.thingName, first.certificateArn)).rejects.toMatchObject({ name: 'InvalidRequestException' });
    const { certificateArn } = await desk.iot.send(new RegisterCertificateCommand({ certificatePem: (await issue()).certificatePem }));
    await attach(first.thingName, certificateArn!);
    const { thingPrincipalObjects } = await desk.iot.send(new ListThingPrincipalsV2Command({ thingName: first.thingName }));
    expect(thingPrincipalObjects).toEqual(
      [first.certificateArn, certificateArn].map((principal) => ({ principal, thingPrincipalType: 'EXCLUSIVE_THING' })),
    );
    const { principalThingObjects } = await desk.iot.send(
      new ListPrincipalThingsV2Command({ principal: first.certificateArn, thingPrincipalType: 'NON_EXCLUSIVE_THING' }),
    );
    expect(principalThingObjects).toEqual([]);
    await expect(desk.iot.send(new DeleteThingCommand({ thingName: first.thingName }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });

  test('groups form a tree; a thing is in one group of a tree; policies of parents are inherited', async () => {
    const [parent, child, sibling] = [unique('group'), unique('group'), unique('group')];
    await desk.iot.send(new CreateThingGroupCommand({ thingGroupName: parent }));
    await desk.iot.send(new CreateThingGroupCommand({ thingGroupName: child, parentGroupName: parent }));
    await desk.iot.send(new CreateThingGroupCommand({ thingGroupName: sibling, parentGroupName: parent }));
    const device = await desk.enrol(unique('member'));
    await desk.iot.send(new AddThingToThingGroupCommand({ thingGroupName: child, thingName: device.thingName }));
    await expect(
      desk.iot.send(new AddThingToThingGroupCommand({ thingGroupName: sibling, thingName: device.thingName })),
    ).rejects.toMatchObject({ name: 'InvalidRequestException' });
    expect((await desk.iot.send(new ListThingsInThingGroupCommand({ thingGroupName: parent, recursive: true }))).things).toEqual([
      device.thingName,
    ]);
    expect(
      (await desk.iot.send(new ListThingGroupsForThingCommand({ thingName: device.thingName }))).thingGroups!.map(
        (group) => group.groupName,
      ),
    ).toEqual([child]);
    const client = await desk.connect(device, device.thingName);
    const denied = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'iot:Connect', Resource: '*' }] });
    await desk.iot.send(new CreatePolicyCommand({ policyName: 'group-deny', policyDocument: denied }));
    await desk.iot.send(new AttachPolicyCommand({ policyName: 'group-deny', target: ARN(`thinggroup/${parent}`) }));
    client.end(true);
    await desk.refused(device, device.thingName);
  });
});

describe('policies', () => {
  test('have at most five versions, are attached to certificates, and are not deleted while they are attached', async () => {
    const policyName = unique('policy');
    const policyDocument = JSON.stringify(OPEN_POLICY);
    await desk.iot.send(new CreatePolicyCommand({ policyName, policyDocument }));
    for (let i = 0; i < 4; i++) await desk.iot.send(new CreatePolicyVersionCommand({ policyName, policyDocument, setAsDefault: i === 3 }));
    await expect(desk.iot.send(new CreatePolicyVersionCommand({ policyName, policyDocument }))).rejects.toMatchObject({
      name: 'VersionsLimitExceededException',
    });
    expect(await desk.iot.send(new GetPolicyCommand({ policyName }))).toMatchObject({ defaultVersionId: '5', policyDocument });
    const device = await desk.enrol(unique('holder'), { policy: policyName });
    expect((await desk.iot.send(new ListAttachedPoliciesCommand({ target: device.certificateArn }))).policies).toEqual([
      { policyName, policyArn: ARN(`policy/${policyName}`) },
    ]);
    expect((await desk.iot.send(new ListTargetsForPolicyCommand({ policyName }))).targets).toEqual([device.certificateArn]);
    await expect(desk.iot.send(new DeletePolicyCommand({ policyName }))).rejects.toMatchObject({ name: 'DeleteConflictException' });
  });

  test.each([
    ['no JSON', '{'],
    ['an unknown effect', JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Maybe', Action: 'iot:*', Resource: '*' }] })],
    ['NotAction', JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', NotAction: 'iot:Connect', Resource: '*' }] })],
    ['NotResource', JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'iot:*', NotResource: '*' }] })],
    [
      'Principal',
      JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'iot:*', Resource: '*' }] }),
    ],
    [
      'an action of another service',
      JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }] }),
    ],
    [
      'too many characters',
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: Array.from({ length: 60 }, () => ARN('topic/a-rather-long-name')) }],
      }),
    ],
  ])('a document with %s is malformed', async (_, policyDocument) => {
    await expect(desk.iot.send(new CreatePolicyCommand({ policyName: unique('bad'), policyDocument }))).rejects.toMatchObject({
      name: 'MalformedPolicyException',
    });
  });
});

test('settings of the account are kept as they are given', async () => {
  await expect(desk.iot.send(new GetV2LoggingOptionsCommand({}))).rejects.toMatchObject({ name: 'NotConfiguredException' });
  await desk.iot.send(new SetV2LoggingOptionsCommand({ roleArn: 'arn:aws:iam::000000000000:role/log', defaultLogLevel: 'INFO' }));
  expect(await desk.iot.send(new GetV2LoggingOptionsCommand({}))).toMatchObject({ defaultLogLevel: 'INFO', disableAllLogs: false });
  await desk.iot.send(new UpdateEventConfigurationsCommand({ eventConfigurations: { CA_CERTIFICATE: { Enabled: true } } }));
  await desk.iot.send(new UpdateEventConfigurationsCommand({ eventConfigurations: { JOB: { Enabled: true } } }));
  const { eventConfigurations } = await desk.iot.send(new DescribeEventConfigurationsCommand({}));
  expect(eventConfigurations).toMatchObject({ CA_CERTIFICATE: { Enabled: true }, JOB: { Enabled: true }, THING: { Enabled: false } });
  await desk.iot.send(new UpdateIndexingConfigurationCommand({ thingIndexingConfiguration: { thingIndexingMode: 'REGISTRY' } }));
  expect((await desk.iot.send(new GetIndexingConfigurationCommand({}))).thingIndexingConfiguration).toEqual({
    thingIndexingMode: 'REGISTRY',
  });
  expect((await desk.iot.send(new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }))).endpointAddress).toBe(
    `localhost:${desk.gateway.port}`,
  );
});

describe('topic rules', () => {
  const roleFor = (name: string, statement: object, service = 'iot.amazonaws.com'): string =>
    desk.cloud.iam.createRole(
      name,
      { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }] },
      [{ Version: '2012-10-17', Statement: [statement as never] }],
      [],
    ).arn;
  const rule = (topicRulePayload: TopicRulePayload) =>
    desk.iot.send(new CreateTopicRuleCommand({ ruleName: unique('rule').replace('-', '_'), topicRulePayload }));
  const receive = async (QueueUrl: string): Promise<unknown[]> => {
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 }));
    return (Messages ?? []).map(({ Body }) => JSON.parse(Body!) as unknown);
  };
  const queue = async (): Promise<string> => (await sqs.send(new CreateQueueCommand({ QueueName: unique('queue') }))).QueueUrl!;
  const queueArn = (url: string): string => `arn:aws:sqs:eu-west-1:000000000000:${url.split('/').at(-1)}`;

  test('presence events reach a queue with named fields, under a role that AWS IoT may assume', async () => {
    const queueUrl = await queue();
    const roleArn = roleFor('rule-to-queue', { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: queueArn(queueUrl) });
    await rule({
      sql: "SELECT clientId, principalIdentifier, timestamp, 'connected' AS kind, topic(4) AS level FROM '$aws/events/presence/connected/+' WHERE startswith(clientId, 'watched')",
      awsIotSqlVersion: '2016-03-23',
      actions: [{ sqs: { queueUrl, roleArn, useBase64: false } }],
    });
    const [watched, other] = [await desk.enrol(unique('watched')), await desk.enrol(unique('other'))];
    await desk.connect(other, other.thingName);
    await desk.connect(watched, watched.thingName);
    expect(await receive(queueUrl)).toEqual([
      {
        clientId: watched.thingName,
        principalIdentifier: watched.certificateId,
        timestamp: expect.any(Number) as number,
        kind: 'connected',
        level: 'connected',
      },
    ]);
  });

  test.each([
    ['that AWS IoT may not assume', 'lambda.amazonaws.com', 'sqs:SendMessage'],
    ['that may not send', 'iot.amazonaws.com', 'sqs:ReceiveMessage'],
  ])('a role %s delivers nothing, and the error action hears of it', async (name, service, Action) => {
    const [queueUrl, errors] = [await queue(), await queue()];
    const roleArn = roleFor(unique('refused'), { Effect: 'Allow', Action, Resource: '*' }, service);
    const errorRole = roleFor(unique('errors'), { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: '*' });
    const topic = `errors/${unique('t')}`;
    await rule({
      sql: `SELECT * FROM '${topic}'`,
      actions: [{ sqs: { queueUrl, roleArn } }],
      errorAction: { sqs: { queueUrl: errors, roleArn: errorRole } },
    });
    await desk.data.send(new PublishCommand({ topic, payload: Buffer.from('{"a":1}') }));
    expect(await receive(errors)).toEqual([
      expect.objectContaining({
        topic,
        base64OriginalPayload: Buffer.from('{"a":1}').toString('base64'),
        failures: [expect.objectContaining({ failedAction: 'SqsAction', failedResource: queueUrl })],
      }),
    ]);
    expect(name).toBeTruthy();
  });

  test('a message is republished, and Basic Ingest reaches its rule but no subscriber', async () => {
    const roleArn = roleFor('republisher', { Effect: 'Allow', Action: 'iot:Publish', Resource: ARN('topic/out/*') });
    await desk.iot.send(
      new CreateTopicRuleCommand({
        ruleName: 'ingest',
        topicRulePayload: {
          sql: 'SELECT *, topic(1) AS first, clientid() AS client',
          actions: [{ republish: { roleArn, topic: 'out/${topic(2)}', qos: 1 } }],
        },
      }),
    );
    const device = await desk.enrol(unique('ingest'), { policy: 'open' });
    const client = await desk.connect(device, device.thingName);
    const topics: string[] = [];
    await client.subscribeAsync(['out/#', '$aws/rules/#'], { qos: 1 });
    client.on('message', (topic) => topics.push(topic));
    const received = nextMessage(client);
    await client.publishAsync('$aws/rules/ingest/a/b', '{"x":1}', { qos: 1 });
    expect(JSON.parse((await received).text)).toEqual({ x: 1, first: 'a', client: device.thingName });
    expect(topics).toEqual(['out/b']);
  });

  test('a message is put into a bucket and into a log under the roles of the actions, its key from the message', async () => {
    const bucketRole = roleFor('to-bucket', { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::iot-messages/*' });
    const logRole = roleFor('to-log', {
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
      Resource: '*',
    });
    await desk.cloud.call('s3', 'CreateBucket', { Bucket: 'iot-messages', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } });
    await desk.cloud.call('logs', 'CreateLogGroup', { logGroupName: 'iot-messages' });
    await rule({
      sql: "SELECT value FROM 'store/+'",
      actions: [
        { s3: { roleArn: bucketRole, bucketName: 'iot-messages', key: '${topic(2)}/${value}.json' } },
        { cloudwatchLogs: { roleArn: logRole, logGroupName: 'iot-messages' } },
      ],
    });
    await desk.data.send(new PublishCommand({ topic: 'store/a', payload: Buffer.from('{"value":7,"secret":1}') }));
    const found = async (): Promise<unknown[]> => [
      await desk.cloud
        .call<{ Contents?: { Key: string }[] }>('s3', 'ListObjectsV2', { Bucket: 'iot-messages' })
        .then(({ Contents }) => Contents?.map(({ Key }) => Key)),
      await desk.cloud
        .call<{ events: { message: string }[] }>('logs', 'FilterLogEvents', { logGroupName: 'iot-messages' })
        .then(({ events }) => events.map(({ message }) => message)),
    ];
    for (let i = 0; i < 100 && !(await found()).every((list) => Array.isArray(list) && list.length === 1); i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await found()).toEqual([['a/7.json'], ['{"value":7}']]);
  });

  test('SQL that does not parse and functions that are not served are refused when the rule is made', async () => {
    await expect(rule({ sql: 'SELEKT *', actions: [] })).rejects.toMatchObject({ name: 'SqlParseException' });
    await expect(rule({ sql: "SELECT get_thing_shadow('a', 'b') AS s FROM 'x'", actions: [] })).rejects.toMatchObject({
      name: 'SqlParseException',
    });
  });

  test('a rule is described and listed as it was made', async () => {
    const sql = "SELECT * FROM 'listed/topic'";
    await desk.iot.send(
      new CreateTopicRuleCommand({
        ruleName: 'listed',
        topicRulePayload: { sql, actions: [], awsIotSqlVersion: '2016-03-23' },
        tags: 'team=a',
      }),
    );
    const { rule: found, ruleArn } = await desk.iot.send(new GetTopicRuleCommand({ ruleName: 'listed' }));
    expect(found).toMatchObject({ ruleName: 'listed', sql, ruleDisabled: false, awsIotSqlVersion: '2016-03-23' });
    expect((await desk.iot.send(new ListTopicRulesCommand({ topic: 'listed/topic' }))).rules).toEqual([
      expect.objectContaining({ ruleArn, topicPattern: 'listed/topic' }),
    ]);
    expect((await desk.iot.send(new ListTagsForResourceCommand({ resourceArn: ruleArn! }))).tags).toEqual([{ Key: 'team', Value: 'a' }]);
  });
});

test('templates: policy, thing, rule and CA certificate answer to Ref and GetAtt as AWS documents', async () => {
  const context = {
    cloud: desk.cloud,
    stackName: 'stack',
    logicalId: 'Logical',
    physicalName: () => unique('stack-Logical'),
    assetDirectory: () => '',
  };
  const make = async (type: string, properties: object) => iotProviders[type]!(properties as Record<string, unknown>, context);
  const ca = await createCa({ name: 'CN=Template CA' });
  const caId = createHash('sha256').update(ca.certificateDer).digest('hex');
  expect(
    await make('AWS::IoT::CACertificate', {
      CACertificatePem: ca.certificatePem,
      CertificateMode: 'SNI_ONLY',
      Status: 'ACTIVE',
      AutoRegistrationStatus: 'ENABLE',
    }),
  ).toEqual({
    ref: caId,
    attributes: { Arn: ARN(`cacert/${caId}`), Id: caId },
  });
  expect(await make('AWS::IoT::Policy', { PolicyName: 'templated', PolicyDocument: OPEN_POLICY })).toEqual({
    ref: 'templated',
    attributes: { Arn: ARN('policy/templated'), Id: 'templated' },
  });
  const thing = await make('AWS::IoT::Thing', { ThingName: 'templated-thing', AttributePayload: { Attributes: { Site: 'a' } } });
  expect(thing).toMatchObject({ ref: 'templated-thing', attributes: { Arn: ARN('thing/templated-thing') } });
  const payload = {
    Sql: "SELECT * FROM 'a'",
    Actions: [{ Republish: { Topic: 'b', RoleArn: 'arn:aws:iam::000000000000:role/r', Qos: '1' } }],
    RuleDisabled: 'true',
  };
  expect(await make('AWS::IoT::TopicRule', { RuleName: 'templated', TopicRulePayload: payload })).toEqual({
    ref: 'templated',
    attributes: { Arn: ARN('rule/templated') },
  });
  expect((await desk.iot.send(new GetTopicRuleCommand({ ruleName: 'templated' }))).rule).toMatchObject({
    ruleDisabled: true,
    actions: [{ republish: { topic: 'b', qos: 1 } }],
  });
  await expect(make('AWS::IoT::ThingGroup', { QueryString: 'a:b' })).rejects.toThrow('QueryString is not supported');
});
