/**
 * The whole capability with the adapters that run in AWS, against the desk: real SDK clients, real registry, real queues, real CRLs of a CA
 * of our own. The functions themselves, under their roles, are tried in test/scenarios.
 */
import {
  ACMPCAClient,
  CreateCertificateAuthorityCommand,
  GetCertificateAuthorityCsrCommand,
  ImportCertificateAuthorityCertificateCommand,
  IssueCertificateCommand,
} from '@aws-sdk/client-acm-pca';
import { RegisterCertificateWithoutCACommand } from '@aws-sdk/client-iot';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import { PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { brakeLimit } from '../../domain/fleet/brake-limit.js';
import { candidateCertificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { METRICS } from '../../domain/fleet/metrics.js';
import { Certificate } from '../../domain/pki/certificate.js';
import { RevokeMessage } from '../../domain/protocol/revocation.js';
import { dynamoBrake } from '../../lambda/aws/brake.js';
import { documentClient, iotClient, iotDataClient, privateCaClient, ssmClient } from '../../lambda/aws/clients.js';
import { dynamoInventory } from '../../lambda/aws/inventory.js';
import { acmPrivateCa } from '../../lambda/aws/private-ca.js';
import { iotRegistry } from '../../lambda/aws/registry.js';
import { ssmTrustAnchors } from '../../lambda/aws/trust-anchors.js';
import { CertificateArns } from '../../lambda/revocation/revoke/certificate-arn.js';
import { run as revoke, type RevokePorts } from '../../lambda/revocation/revoke/run.js';
import type { Inventory } from '../../lambda/ports/inventory.js';
import type { SyncPorts } from '../../lambda/revocation/sync/ports.js';
import { run as sync } from '../../lambda/revocation/sync/run.js';
import { wallClock as clock } from '../../lambda/runtime/clock.js';
import type { Desk } from '../../local/desk.js';
import { createCa, type TestCa } from '../builders/ca.js';
import { buildCrl } from '../builders/crl.js';
import { BUCKETS, deskPorts, deskWithStores, TABLES } from './desk-ports.js';
import { TestClock } from './memory/clock.js';
import { MemorySignals } from './memory/world.js';

const TRUST = '/fleet/trust';
const KEY = 'external/factory/ca.crl';
const FLEET = 24;
const settings = { mode: 'enforce', brake: { floor: FLEET, share: 0.01 }, clockSkewMs: 300_000, crlBucket: BUCKETS.crls } as const;

let desk: Desk;
let ca: TestCa;
let ports: SyncPorts & RevokePorts & Awaited<ReturnType<typeof deskPorts>> & { readonly inventory: Inventory };
const signals = new MemorySignals();
let fleet: readonly { readonly id: CertificateId; readonly serial: bigint }[];

beforeAll(async () => {
  desk = await deskWithStores();
  ca = await createCa({ name: 'CN=Factory CA' });
  const put = (name: string, Value: string) =>
    ssmClient().send(new PutParameterCommand({ Name: `${TRUST}/factory/${name}`, Value, Type: 'String' }));
  await put('certificate', ca.certificatePem);
  await put(
    'settings',
    JSON.stringify({ type: 'external', crl: { type: 'COMPLETE', prefix: 'external/factory/', distributionPoints: [] } }),
  );
  const inventory = dynamoInventory(documentClient(), TABLES.inventory, clock);
  ports = {
    ...(await deskPorts()),
    anchors: ssmTrustAnchors(ssmClient(), TRUST, clock),
    arns: new CertificateArns(),
    clock,
    inventory,
    privateCa: acmPrivateCa(privateCaClient()),
    registry: iotRegistry(iotClient(), iotDataClient()),
    signals,
  };
  const iot = iotClient();
  fleet = await Promise.all(
    Array.from({ length: FLEET }, async (_, i) => {
      const { certificatePem } = await ca.issue({ subject: `CN=pump-${i}` });
      await iot.send(new RegisterCertificateWithoutCACommand({ certificatePem, status: 'ACTIVE' }));
      const { der, issuerId, serialNumber, notBeforeMs, notAfterMs } = Certificate.read(certificatePem);
      const id = candidateCertificateId(der);
      await inventory.record({
        certificateId: id,
        issuerId,
        serialNumber,
        notBeforeMs,
        notAfterMs,
        status: 'ACTIVE',
        source: 'registration',
      });
      return { id, serial: BigInt(`0x${serialNumber}`) };
    }),
  );
});
afterAll(() => desk.stop());
afterEach(() => desk.world.faults.set({ throttle: 0, serverError: 0, lostAnswer: 0 }));

const crl = (crlNumber: bigint, serials: readonly bigint[], reason = 1) => {
  const thisUpdate = new Date(clock.nowMs() - 60_000);
  return buildCrl({
    ca,
    crlNumber,
    thisUpdate,
    nextUpdate: new Date(clock.nowMs() + 86_400_000),
    entries: serials.map((serial) => ({ serial, reason })),
  });
};
const statuses = async (of = fleet): Promise<unknown[]> =>
  Promise.all(of.map(async ({ id }) => (await ports.registry.describe(id))?.status));
const count = (action: string): number => desk.world.journal.counts().get(action) ?? 0;

/** What SQS does: a run that throws is delivered again. */
async function untilDone(act: () => Promise<unknown>): Promise<void> {
  for (let delivery = 1; ; delivery++) {
    try {
      await act();
      return;
    } catch (error) {
      if (delivery === 20) throw error;
    }
  }
}

async function drain(perSecond: number): Promise<void> {
  let messages = (await ports.sentToRevoke()).map((body) => RevokeMessage.parse(body));
  while (messages.length > 0) {
    const batch = messages.slice(0, 10);
    const results = await revoke(ports, { mode: 'enforce', perSecond, secondStageDelayMs: 0 }, batch).catch(() =>
      batch.map(() => ({ status: 'rejected' })),
    );
    messages = [...messages.slice(10), ...batch.filter((_, i) => results[i]?.status === 'rejected')];
  }
}

test('a CRL in the bucket: its certificates are REVOKED, at one Describe and one Update each; the rest stays', async () => {
  const [described, updated] = [count('iot:DescribeCertificate'), count('iot:UpdateCertificate')];
  await sync(ports, settings, {
    kind: 'object',
    ...(await ports.putCrl(
      KEY,
      crl(
        1n,
        fleet.slice(0, 4).map(({ serial }) => serial),
      ),
    )),
  });
  await drain(200);
  expect([count('iot:DescribeCertificate') - described, count('iot:UpdateCertificate') - updated]).toEqual([4, 4]);
  expect(await statuses()).toEqual([...Array<string>(4).fill('REVOKED'), ...Array<string>(FLEET - 4).fill('ACTIVE')]);
  expect(await ports.inventory.byId(fleet[0]!.id)).toMatchObject({ status: 'REVOKED', statusReason: 'keyCompromise' });
});

test('the sweep of an unchanged CRL: one conditional GET, no call of AWS IoT', async () => {
  const before = new Map(desk.world.journal.counts());
  await sync(ports, settings, { kind: 'object', bucket: BUCKETS.crls, key: KEY });
  const made = [...desk.world.journal.counts()].filter(([action, n]) => n !== (before.get(action) ?? 0)).map(([action]) => action);
  expect(made.filter((action) => action.startsWith('s3:'))).toEqual(['s3:GetObject']);
  expect(made.filter((action) => /^(iot|iotdata|acm-pca):/.test(action))).toEqual([]);
  expect(signals.metrics.get(METRICS.crlUnchanged)).toBe(1);
});

test('with three of ten calls of the registry throttled, some failing and some answers lost, everything is done in the end and nothing else', async () => {
  // The SDK waits half a second after each throttled call of the stores: those are left in peace, for the time that it would take.
  desk.world.faults.set({
    throttle: 0.3,
    serverError: 0.03,
    lostAnswer: 0.03,
    only: ['iot:DescribeCertificate', 'iot:UpdateCertificate', 'iot:ListPrincipalThingsV2'],
  });
  const ref = await ports.putCrl(
    KEY,
    crl(
      2n,
      fleet.slice(0, 16).map(({ serial }) => serial),
    ),
  );
  await untilDone(() => sync(ports, settings, { kind: 'object', ...ref }));
  await untilDone(() => drain(200));
  await untilDone(() => sync(ports, settings, { kind: 'object', ...ref }));
  desk.world.faults.set({ throttle: 0, serverError: 0, lostAnswer: 0 });
  await drain(200);
  expect(await statuses()).toEqual([...Array<string>(16).fill('REVOKED'), ...Array<string>(FLEET - 16).fill('ACTIVE')]);
  expect(await ports.marks.ofObject(BUCKETS.crls, KEY)).toMatchObject({ crlNumber: '2', entries: 16 });
});

test('two runs of two CRLs at once end with the higher one, and the brake has counted each once', async () => {
  const events = [
    await ports.putCrl(
      KEY,
      crl(
        3n,
        fleet.slice(0, 17).map(({ serial }) => serial),
      ),
    ),
    await ports.putCrl(
      KEY,
      crl(
        4n,
        fleet.slice(0, 18).map(({ serial }) => serial),
      ),
    ),
  ];
  await Promise.all(events.map((ref) => sync(ports, settings, { kind: 'object', ...ref })));
  await drain(200);
  expect(await statuses(fleet.slice(0, 18))).toEqual(Array(18).fill('REVOKED'));
  expect(await ports.marks.ofObject(BUCKETS.crls, KEY)).toMatchObject({ crlNumber: '4', entries: 18 });
});

test('over the brake: held, approved, carried out once', async () => {
  const narrow = { ...settings, brake: { floor: 5, share: 0.01 } };
  expect(brakeLimit(await ports.inventory.activeCount(), narrow.brake)).toBe(5);
  await sync(ports, narrow, {
    kind: 'object',
    ...(await ports.putCrl(
      KEY,
      crl(
        5n,
        fleet.map(({ serial }) => serial),
      ),
    )),
  });
  expect(await ports.sentToRevoke()).toEqual([]);
  const held = [];
  for await (const hold of ports.holds.all()) held.push(hold);
  expect(held).toMatchObject([{ state: 'HELD', count: 6, limit: 5 }]);
  const { hash } = held[0]!;
  await ports.holds.move(hash, 'HELD', 'APPROVED', 'alice', clock.nowMs());
  await sync(ports, narrow, { kind: 'approved', hash });
  await sync(ports, narrow, { kind: 'approved', hash });
  const sent = await ports.sentToRevoke();
  expect(sent).toHaveLength(6);
  await ports.revokeQueue.sendAll(sent.map((body) => RevokeMessage.parse(body)));
  await drain(200);
  expect(await statuses()).toEqual(Array(FLEET).fill('REVOKED'));
});

test('a stop row that cannot be understood stops', async () => {
  const Item = { pk: 'CONTROL', sk: 'STOP', stopped: 'perhaps' };
  await documentClient().send(new PutCommand({ TableName: TABLES.ledger, Item }));
  expect(await ports.stop.state()).toMatchObject({ stopped: true });
  await ports.stop.set(false, 'alice', 'it was off', clock.nowMs());
});

test('a run that loses the window of the brake between reading and writing counts anew', async () => {
  const client = documentClient();
  const nowMs = clock.nowMs() + 1000 * 3_600_000; // hours of its own
  const rival = dynamoBrake({ client, table: TABLES.ledger }, 60, clock);
  await rival.reserve('earlier', 1, 5, nowMs);
  const overtaken = new Proxy(client, {
    get: (target, name) =>
      name === 'send'
        ? async (command: TransactWriteCommand) => {
            if (command instanceof TransactWriteCommand) await rival.reserve('rival', 3, 5, nowMs);
            return target.send(command);
          }
        : Reflect.get(target, name),
  });
  const brake = dynamoBrake({ client: overtaken, table: TABLES.ledger }, 60, clock);
  expect(await brake.reserve('run', 2, 5, nowMs)).toEqual({ granted: false, usedInWindow: 4 });
});

describe('trust anchors', () => {
  test('come with their certificate and their settings', async () => {
    expect(await ports.anchors.all()).toEqual([
      {
        anchorId: 'factory',
        type: 'external',
        certificatePem: ca.certificatePem,
        crl: { type: 'COMPLETE', prefix: 'external/factory/', distributionPoints: [] },
      },
    ]);
  });

  test('none, or one that is not complete, is an error', async () => {
    await expect(ssmTrustAnchors(ssmClient(), '/elsewhere', clock).all()).rejects.toThrow('trust anchors: none below /elsewhere');
    await ssmClient().send(new PutParameterCommand({ Name: '/half/one/certificate', Value: ca.certificatePem, Type: 'String' }));
    await expect(ssmTrustAnchors(ssmClient(), '/half', clock).all()).rejects.toThrow('trust anchor one');
  });

  test('are read again after a minute and not before', async () => {
    const moved = new TestClock();
    const anchors = ssmTrustAnchors(ssmClient(), TRUST, moved);
    const before = count('ssm:GetParametersByPath');
    await anchors.all();
    await anchors.all();
    moved.advance(60_001);
    await anchors.all();
    expect(count('ssm:GetParametersByPath') - before).toBe(2);
  });
});

test('the Private CA: a certificate that it issued, nothing for one that it did not, an error for what is no answer', async () => {
  const pca = new ACMPCAClient({});
  const { CertificateAuthorityArn: arn = '' } = await pca.send(
    new CreateCertificateAuthorityCommand({
      CertificateAuthorityType: 'ROOT',
      CertificateAuthorityConfiguration: {
        KeyAlgorithm: 'EC_prime256v1',
        SigningAlgorithm: 'SHA256WITHECDSA',
        Subject: { CommonName: 'Root' },
      },
    }),
  );
  const { Csr = '' } = await pca.send(new GetCertificateAuthorityCsrCommand({ CertificateAuthorityArn: arn }));
  const { CertificateArn: issued = '' } = await pca.send(
    new IssueCertificateCommand({
      CertificateAuthorityArn: arn,
      Csr: Buffer.from(Csr),
      SigningAlgorithm: 'SHA256WITHECDSA',
      TemplateArn: 'arn:aws:acm-pca:::template/RootCACertificate/V1',
      Validity: { Type: 'DAYS', Value: 3650 },
    }),
  );
  await desk.world.clock.advance(1000);
  const pem = (await ports.privateCa.getCertificate(arn, issued)) ?? '';
  expect(pem).toContain('BEGIN CERTIFICATE');
  await pca.send(new ImportCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: arn, Certificate: Buffer.from(pem) }));
  expect(await ports.privateCa.getCertificate(arn, `${arn}/certificate/${'1'.repeat(32)}`)).toBeUndefined();
  await expect(ports.privateCa.getCertificate('not an ARN', issued)).rejects.toThrow(/./);

  // A serial number that only the CA knows: the form of the ARN is found out.
  const arns = new CertificateArns();
  const { serialNumber } = Certificate.read(pem);
  expect(arns.candidates(arn, serialNumber)).toContain(issued);
  arns.learn(arn, issued, serialNumber);
  expect(arns.candidates(arn, serialNumber)).toEqual([issued]);
});
