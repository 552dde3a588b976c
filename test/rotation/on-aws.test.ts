/**
 * issue and prove with the adapters that run in AWS, against the desk: a job on a device's own connection, a Private CA, the registry, and a device
 * that connects with what it was given. The functions themselves, under their roles, are tried in the scenes.
 */
import { KeyObject } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { Certificate } from '../../domain/pki/certificate.js';
import { RotationProofEvent, RotationRequestEvent } from '../../domain/protocol/rotation-events.js';
import type { RotationJob, RotationResponse } from '../../domain/protocol/rotation.js';
import type { IssueSettings } from '../../lambda/rotation/issue/ports.js';
import { run as issue } from '../../lambda/rotation/issue/run.js';
import { run as prove } from '../../lambda/rotation/prove/run.js';
import { createRequest, type BuiltRequest } from '../builders/csr.js';
import { POLICY, startRotationDesk, type Connection, type DeskDevice, type RotationDesk } from './desk.js';

const CAMPAIGN = 'c-2026-11-22';
const JOB = `rotation-${CAMPAIGN}`;
const GRACE_MS = 7 * 86_400_000;
const issueSettings: IssueSettings = {
  mode: 'enforce',
  topicPrefix: 'fleet',
  perSecond: 1000,
  issuingAnchorId: 'fleet-ca',
  validityDays: 90,
};
const proveSettings = { mode: 'enforce', topicPrefix: 'fleet', perSecond: 1000, graceMs: GRACE_MS } as const;

let desk: RotationDesk;
let device: DeskDevice;
let other: DeskDevice;
let old: Connection;
let request: BuiltRequest;

beforeAll(async () => {
  desk = await startRotationDesk();
  [device, other] = [await desk.enrol('dev-1'), await desk.enrol('dev-10')];
  request = await createRequest({ subject: 'CN=dev-1' });
});
afterAll(() => desk.stop());
afterEach(() => desk.desk.world.faults.set({ throttle: 0, serverError: 0, lostAnswer: 0 }));

const document = (): RotationJob => ({
  operation: 'rotate-certificate',
  version: 1,
  campaignId: CAMPAIGN,
  reason: 'expires-soon',
  deadline: new Date(desk.ports.clock.nowMs() + 86_400_000).toISOString(),
});
const rollout = {
  baseRatePerMinute: 100,
  maximumPerMinute: 1000,
  incrementFactor: 1.5,
  increaseAfterSucceeded: 10,
  abortAtPercent: 50,
  abortAfterExecuted: 5,
  inProgressTimeoutMinutes: 60,
};
const envelope = (of: DeskDevice, principal: string = of.id) => ({
  version: 1,
  jobId: JOB,
  principal,
  clientId: of.thing,
  thingName: of.thing,
  receivedAtMs: desk.ports.clock.nowMs(),
});
const asks = (csr: string, of = device) =>
  issue(desk.ports, issueSettings, RotationRequestEvent.parse({ kind: 'request', csr, ...envelope(of) }));
const proves = (principal: string, of = device) =>
  prove(desk.ports, proveSettings, RotationProofEvent.parse({ kind: 'proof', ...envelope(of, principal) }));
const statusOf = async (id: string) => (await desk.ports.registry.describe(id as DeskDevice['id']))?.status;
const fresh = async () => (await desk.ports.rotations.byOld(device.id))!.newCertificateId!;
async function heard(connection: Connection, status: RotationResponse['status']): Promise<RotationResponse> {
  for (let i = 0; i < 100; i++) {
    const found = connection.heard.findLast((response) => response.status === status);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no answer ${status}: heard ${JSON.stringify(connection.heard)}`);
}
/** What SQS does: a run that throws is delivered again. */
async function delivered<T>(act: () => Promise<T>): Promise<T> {
  for (let delivery = 1; ; delivery++) {
    try {
      return await act();
    } catch (error) {
      if (delivery === 30) throw error;
    }
  }
}

test('a campaign has its thing group and its job, made once however often they are asked for; the device takes the job', async () => {
  const { groups, jobs, rotations, clock } = desk.ports;
  const made = document();
  for (let i = 0; i < 2; i++) {
    await groups.create(CAMPAIGN, CAMPAIGN);
    for (const { thing } of [device, other]) await groups.add(CAMPAIGN, thing);
    await jobs.create(JOB, CAMPAIGN, made, rollout);
  }
  for (const { id, thing } of [device, other]) {
    const atMs = clock.nowMs();
    const common = {
      campaignId: CAMPAIGN,
      jobId: JOB,
      state: 'offered',
      reason: 'expires-soon',
      foundBy: 'expiry query',
      deadlineMs: atMs + 86_400_000,
    } as const;
    await rotations.open({ ...common, oldCertificateId: id, thingName: thing, createdAtMs: atMs, updatedAtMs: atMs });
  }
  await desk.desk.world.clock.advance(120_000);
  expect(await jobs.execution(JOB, device.thing)).toEqual({ status: 'QUEUED' });
  expect(await jobs.execution('no-such-job', device.thing)).toBeUndefined();
  expect(await jobs.describe('no-such-job')).toBeUndefined();
  expect(await asks(request.base64)).toBe('no-open-job');

  for (const one of [other, device]) {
    old = await desk.connect(one.thing, one.issued.certificatePem, one.issued.privateKeyPem);
    const started = new Promise((resolve) => old.client.once('message', resolve));
    await old.client.publishAsync(`$aws/things/${one.thing}/jobs/start-next`, '{}', { qos: 1 });
    await started;
  }
  expect(await jobs.execution(JOB, device.thing)).toEqual({ status: 'IN_PROGRESS' });
  expect(await jobs.describe(JOB)).toMatchObject({ status: 'IN_PROGRESS', counts: { IN_PROGRESS: 2, QUEUED: 0 } });
});

test('requests that must be refused are refused before the CA is asked anything', async () => {
  const before = desk.desk.world.journal.counts().get('acm-pca:IssueCertificate');
  expect(await asks((await createRequest({ subject: 'CN=dev-10' })).base64)).toBe('foreign-name');
  expect(await asks((await createRequest({ ca: true })).base64)).toBe('asks-for-ca');
  expect(await asks((await createRequest({ key: 'RSA-1024' })).base64)).toBe('weak-key');
  const { clock, stop, enrolling } = desk.ports;
  expect(enrolling).toBeDefined();
  await stop.set(true, 'alice', 'exercise', clock.nowMs());
  expect(await asks(request.base64)).toBe('stopped');
  await stop.set(false, 'alice', 'exercise', clock.nowMs());
  await desk.ledger.client.send(new PutCommand({ TableName: desk.ledger.table, Item: { pk: 'CONTAINED#dev-10', sk: 'CONTAINED' } }));
  expect(await asks((await createRequest()).base64, other)).toBe('contained');
  expect(desk.desk.world.journal.counts().get('acm-pca:IssueCertificate')).toBe(before);
  expect(await heard(old, 'refused')).toMatchObject({ jobId: JOB });
});

test('with throttles, failures and lost answers, in the end one certificate is registered, and the device hears of it', async () => {
  desk.desk.world.faults.set({
    throttle: 0.1,
    serverError: 0.05,
    lostAnswer: 0.1,
    only: [
      'acm-pca:IssueCertificate',
      'acm-pca:GetCertificate',
      'iot:RegisterCertificate',
      'iot:UpdateCertificate',
      'iot:AttachPolicy',
      'iot:AttachThingPrincipal',
      'iot:DescribeCertificate',
      'iot:DescribeJobExecution',
    ],
  });
  expect(await delivered(() => asks(request.base64))).toBe('issued');
  desk.desk.world.faults.set({ throttle: 0, serverError: 0, lostAnswer: 0 });
  const id = await fresh();
  expect(await desk.ports.enrolling.certificatesOf(device.thing)).toHaveLength(2);
  expect([await statusOf(device.id), await statusOf(id)]).toEqual(['ACTIVE', 'ACTIVE']);
  expect([await desk.ports.enrolling.policiesOf(id), await desk.ports.registry.thingsOf(id)]).toEqual([[POLICY], [device.thing]]);
  const answer = await heard(old, 'issued');
  if (answer.status !== 'issued') throw new Error(answer.status);
  const certificate = Certificate.read(answer.certificatePem);
  expect(certificate.subject).toBe('CN=dev-1');
  expect(certificate.wasSignedBy(Certificate.read(desk.caPem))).toBe(true);
  expect(certificate.publicKey.equals(request.publicKey)).toBe(true);
  expect(certificate.extendedKeyUsages).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(await desk.ports.inventory.byId(id)).toMatchObject({
    status: 'ACTIVE',
    thingName: 'dev-1',
    serialNumber: certificate.serialNumber,
  });
});

test('the same request again, three at once and an hour later: the same certificate, the CA is not asked for another', async () => {
  const before = desk.desk.world.journal.counts().get('acm-pca:IssueCertificate');
  const id = await fresh();
  expect(await Promise.all([1, 2, 3].map(() => asks(request.base64)))).toEqual(['issued', 'issued', 'issued']);
  expect(await fresh()).toBe(id);
  expect(desk.desk.world.journal.counts().get('acm-pca:IssueCertificate')).toBe(before);
  expect(await asks((await createRequest()).base64)).toBe('another-request');
});

test('the old certificate cannot prove; the new one connects, proves, and the old one is out', async () => {
  expect(await proves(device.id)).toBe('not-the-new-certificate');
  expect(await statusOf(device.id)).toBe('ACTIVE');
  const answer = await heard(old, 'issued');
  if (answer.status !== 'issued') throw new Error(answer.status);
  const key = KeyObject.from(request.keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  const connection = await desk.connect(device.thing, answer.certificatePem, key);
  expect(await delivered(() => proves(answer.certificateId))).toBe('proved');
  expect(await heard(connection, 'proved')).toMatchObject({ certificateId: answer.certificateId });
  expect([await statusOf(device.id), await statusOf(answer.certificateId)]).toEqual(['INACTIVE', 'ACTIVE']);
  const retirable = [];
  for await (const rotation of desk.ports.rotations.toRetire(desk.ports.clock.nowMs() + GRACE_MS))
    retirable.push(rotation.oldCertificateId);
  expect(retirable).toEqual([device.id]);
  expect(await proves(answer.certificateId)).toBe('proved');
});

test('a device that is asked for nothing gets nothing, and a superseded certificate is superseded once', async () => {
  const third = await desk.enrol('dev-3');
  expect(await asks((await createRequest()).base64, third)).toBe('not-due');
  const { serialNumber } = Certificate.read((await desk.ports.registry.describe(await fresh()))!.certificatePem);
  for (let i = 0; i < 2; i++) await desk.ports.ca.supersede(serialNumber);
});

test('jobs and executions are cancelled once, and what has ended or never was is no trouble', async () => {
  const { jobs, groups } = desk.ports;
  for (let i = 0; i < 2; i++) await jobs.cancelExecution(JOB, other.thing);
  expect(await jobs.execution(JOB, other.thing)).toEqual({ status: 'CANCELED' });
  for (let i = 0; i < 2; i++) await jobs.cancel(JOB, 'an operator asked for it');
  await jobs.cancel('no-such-job', 'an operator asked for it');
  await jobs.cancelExecution('no-such-job', other.thing);
  expect((await jobs.describe(JOB))?.status).toMatch(/^(CANCELED|COMPLETED)$/);
  for (let i = 0; i < 2; i++) await groups.remove(CAMPAIGN, other.thing);
});

test('a job id that another job has is an error, and not taken for our own job; the same job again is', async () => {
  const { jobs } = desk.ports;
  const document = {
    operation: 'rotate-certificate',
    version: 1,
    campaignId: 'c-1',
    reason: 'operator',
    deadline: '2027-01-01T00:00:00.000Z',
  } as const;
  for (let i = 0; i < 2; i++) await jobs.create('taken', CAMPAIGN, document, rollout);
  await expect(jobs.create('taken', CAMPAIGN, { ...document, campaignId: 'c-2' }, rollout)).rejects.toThrow('taken by another job');
  for (let i = 0; i < 2; i++) await jobs.remove('taken');
  expect(await jobs.describe('taken')).toBeUndefined();
  await jobs.create('taken', CAMPAIGN, { ...document, campaignId: 'c-2' }, rollout);
});

test('with a maintenance window nobody is told outside of it', async () => {
  const { jobs, groups, clock } = desk.ports;
  await groups.create('at-night', 'c-3');
  await groups.add('at-night', device.thing);
  const hour = (new Date(clock.nowMs()).getUTCHours() + 2) % 24;
  const maintenanceWindow = { startTime: `cron(0 ${hour} * * ? *)`, durationInMinutes: 60 };
  const document = {
    operation: 'rotate-certificate',
    version: 1,
    campaignId: 'c-3',
    reason: 'operator',
    deadline: '2027-01-01T00:00:00.000Z',
  } as const;
  await jobs.create('at-night', 'at-night', document, { ...rollout, maintenanceWindow });
  await desk.desk.world.clock.advance(60_000);
  expect(await jobs.execution('at-night', device.thing)).toBeUndefined();
  await desk.desk.world.clock.advance(2 * 3_600_000);
  expect(await jobs.execution('at-night', device.thing)).toEqual({ status: 'QUEUED' });
  for (let i = 0; i < 2; i++) await groups.delete('at-night');
});
