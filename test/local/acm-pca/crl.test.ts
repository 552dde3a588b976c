import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import {
  ACMPCAClient,
  CreateCertificateAuthorityAuditReportCommand,
  CreateCertificateAuthorityCommand,
  DescribeCertificateAuthorityAuditReportCommand,
  GetCertificateAuthorityCertificateCommand,
  GetCertificateAuthorityCsrCommand,
  GetCertificateCommand,
  ImportCertificateAuthorityCertificateCommand,
  IssueCertificateCommand,
  RevokeCertificateCommand,
  type CrlConfiguration,
} from '@aws-sdk/client-acm-pca';
import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, S3Client } from '@aws-sdk/client-s3';

import type { BusEvent } from '../../../local/cloud.js';
import { createCloud, type RunningCloud } from '../../../local/create-cloud.js';
import { createAcmPca } from '../../../local/services/acm-pca/service.js';
import { createS3 } from '../../../local/services/s3/service.js';
import { createWorld } from '../../../local/world/world.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
const BUCKET = 'crl-bucket';
const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version']);
    return true;
  } catch {
    return false;
  }
})();
const withOpenssl = hasOpenssl ? it : it.skip;

let cloud: RunningCloud;
let pca: ACMPCAClient;
let s3: S3Client;
let directory: string;
let events: BusEvent[];

beforeEach(async () => {
  cloud = await createCloud(createWorld({ seed: 7 }));
  cloud.addService(createS3(cloud));
  cloud.addService(createAcmPca(cloud, { issuanceDelayMs: 0, partitionSize: 2 }));
  events = [];
  cloud.parts.putEvent = (event) => void events.push(event);
  const options = { endpoint: cloud.endpoint, region: 'eu-west-1', credentials: cloud.administratorCredentials };
  pca = new ACMPCAClient(options);
  s3 = new S3Client(options);
  directory = mkdtempSync(path.join(tmpdir(), 'acm-pca-'));
  await cloud.call('s3', 'CreateBucket', { Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } });
  await letServiceIn();
});
afterEach(async () => {
  pca.destroy();
  s3.destroy();
  await cloud.stop();
  rmSync(directory, { recursive: true });
});

/** The bucket policy of FACTS A2. */
async function letServiceIn(sourceArn = 'arn:aws:acm-pca:eu-west-1:000000000000:certificate-authority/*'): Promise<void> {
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 'acm-pca.amazonaws.com' },
    Action: ['s3:PutObject', 's3:PutObjectAcl', 's3:GetBucketAcl', 's3:GetBucketLocation'],
    Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`],
    Condition: { StringEquals: { 'aws:SourceAccount': '000000000000' }, ArnLike: { 'aws:SourceArn': sourceArn } },
  };
  await cloud.call('s3', 'PutBucketPolicy', { Bucket: BUCKET, Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) });
}

const file = (name: string, content: string | Uint8Array): string => {
  const location = path.join(directory, name);
  writeFileSync(location, content);
  return location;
};
const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const CRL = { Enabled: true, ExpirationInDays: 7, S3BucketName: BUCKET, S3ObjectAcl: 'BUCKET_OWNER_FULL_CONTROL' } as const;

async function create(crl: CrlConfiguration & { CrlType?: string } = CRL): Promise<string> {
  const { CertificateAuthorityArn = '' } = await pca.send(
    new CreateCertificateAuthorityCommand({
      CertificateAuthorityType: 'ROOT',
      CertificateAuthorityConfiguration: {
        KeyAlgorithm: 'EC_prime256v1',
        SigningAlgorithm: 'SHA256WITHECDSA',
        Subject: { CommonName: 'Root' },
      },
      RevocationConfiguration: { CrlConfiguration: crl },
    }),
  );
  return CertificateAuthorityArn;
}

async function activate(arn: string): Promise<string> {
  const { Csr = '' } = await pca.send(new GetCertificateAuthorityCsrCommand({ CertificateAuthorityArn: arn }));
  const { pem } = await issue(arn, Csr, 3650, 'RootCACertificate');
  await pca.send(new ImportCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: arn, Certificate: Buffer.from(pem) }));
  return pem;
}

async function issue(
  arn: string,
  csr: string,
  days = 30,
  template = 'EndEntityClientAuthCertificate',
): Promise<{ arn: string; pem: string; serial: string }> {
  const { CertificateArn = '' } = await pca.send(
    new IssueCertificateCommand({
      CertificateAuthorityArn: arn,
      Csr: Buffer.from(csr),
      SigningAlgorithm: 'SHA256WITHECDSA',
      TemplateArn: `arn:aws:acm-pca:::template/${template}/V1`,
      Validity: { Type: 'DAYS', Value: days },
    }),
  );
  const { Certificate = '' } = await pca.send(new GetCertificateCommand({ CertificateAuthorityArn: arn, CertificateArn }));
  return { arn: CertificateArn, pem: Certificate, serial: CertificateArn.split('/').pop() ?? '' };
}

let csr: string | undefined;
const deviceCsr = (): string => {
  csr ??= openssl(
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    path.join(directory, 'k'),
    '-subj',
    '/CN=d',
  );
  return csr;
};
const revoke = (arn: string, serial: string, reason: 'KEY_COMPROMISE' | 'UNSPECIFIED' = 'KEY_COMPROMISE') =>
  pca.send(new RevokeCertificateCommand({ CertificateAuthorityArn: arn, CertificateSerial: serial, RevocationReason: reason }));

const keys = async (): Promise<string[]> =>
  ((await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }))).Contents ?? []).map(({ Key = '' }) => Key);
async function object(key: string): Promise<Uint8Array> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return (await Body?.transformToByteArray()) ?? new Uint8Array();
}
const crlText = async (key: string): Promise<string> =>
  openssl('crl', '-inform', 'DER', '-in', file('crl.der', await object(key)), '-noout', '-text');
const crlKey = (arn: string): string => `crl/${arn.split('/').pop()}.crl`;
const generations = (): unknown[] =>
  events.filter((event) => event['detail-type'] === 'ACM Private CA CRL Generation').map((event) => event.detail);

describe('the CRL of a private CA', () => {
  it('begins with a permission test object and nothing else', async () => {
    await activate(await create());
    await cloud.world.clock.advance(DAY);
    expect(await keys()).toEqual(['acm-pca-permission-test-key']);
  });

  it('cannot be configured for a bucket that does not let the service in', async () => {
    await cloud.call('s3', 'DeleteBucketPolicy', { Bucket: BUCKET });
    await expect(create()).rejects.toMatchObject({ name: 'InvalidArgsException' });
    await letServiceIn('arn:aws:acm-pca:eu-west-1:000000000000:certificate-authority/another');
    await expect(create()).rejects.toMatchObject({ name: 'InvalidArgsException' });
  });

  it('cannot be public where Block Public Access is on', async () => {
    const block = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
    await cloud.call('s3', 'PutPublicAccessBlock', { Bucket: BUCKET, PublicAccessBlockConfiguration: block });
    await expect(create({ ...CRL, S3ObjectAcl: undefined })).rejects.toMatchObject({ name: 'InvalidArgsException' });
    await expect(create()).resolves.toContain('certificate-authority/');
  });

  it.each([
    ['a disabled one with members', { Enabled: false, ExpirationInDays: 7 }],
    ['one without a bucket', { Enabled: true, ExpirationInDays: 7 }],
    ['one that never expires', { ...CRL, ExpirationInDays: 5001 }],
    ['a host name with a scheme', { ...CRL, CustomCname: 'http://crl.example.com' }],
  ])('refuses %s', async (_what, crl) => {
    await expect(create(crl)).rejects.toMatchObject({ name: 'InvalidArgsException' });
  });

  withOpenssl(
    'appears about thirty minutes after the first certificate, and again after a revocation; OpenSSL agrees with it',
    async () => {
      const arn = await create();
      const ca = file('ca.pem', await activate(arn));
      const [good, bad] = [await issue(arn, deviceCsr()), await issue(arn, deviceCsr())];
      await cloud.world.clock.advance(29 * MINUTE);
      await expect(object(crlKey(arn))).rejects.toBeInstanceOf(NoSuchKey);
      await cloud.world.clock.advance(2 * MINUTE);
      const empty = await crlText(crlKey(arn));
      expect(empty).toContain('No Revoked Certificates');

      await revoke(arn, bad.serial);
      await cloud.world.clock.advance(31 * MINUTE);
      const text = await crlText(crlKey(arn));
      expect(text).toContain('Version 2');
      expect(text).toContain('X509v3 Authority Key Identifier');
      expect(text).toContain('Key Compromise');
      expect(text).toMatch(new RegExp(`Serial Number: 0*${bad.serial.replace(/^0+/, '')}`, 'i'));
      const number = (of: string): bigint => BigInt(/CRL Number: *\n? *(0x[0-9A-F]+|\d+)/.exec(of)?.[1] ?? '0');
      expect(number(text)).toBeGreaterThan(number(empty));

      const crl = path.join(directory, 'crl.pem');
      openssl('crl', '-inform', 'DER', '-in', path.join(directory, 'crl.der'), '-out', crl);
      expect(openssl('crl', '-in', crl, '-noout', '-CAfile', ca)).toBe('');
      // The desk's clock is ahead of OpenSSL's by the time that was advanced.
      const verify = (pem: string): string =>
        openssl(
          'verify',
          '-crl_check',
          '-attime',
          String(Math.floor(cloud.world.clock.nowMs() / 1000)),
          '-CAfile',
          ca,
          '-CRLfile',
          crl,
          file('leaf.pem', pem),
        );
      expect(verify(good.pem)).toContain('OK');
      expect(() => verify(bad.pem)).toThrow(/certificate revoked/);
      expect(openssl('x509', '-in', file('leaf.pem', good.pem), '-noout', '-text')).toContain(
        `http://${BUCKET}.s3.eu-west-1.amazonaws.com/${crlKey(arn)}`,
      );
      expect(generations()).toEqual([{ result: 'success' }, { result: 'success' }]);
    },
  );

  withOpenssl('is refreshed at the middle of its validity', async () => {
    const arn = await create();
    await activate(arn);
    await issue(arn, deviceCsr());
    await cloud.world.clock.advance(31 * MINUTE);
    const first = await crlText(crlKey(arn));
    await cloud.world.clock.advance(3.4 * DAY);
    expect(await crlText(crlKey(arn))).toBe(first);
    await cloud.world.clock.advance(0.2 * DAY);
    expect(await crlText(crlKey(arn))).not.toBe(first);
  });

  withOpenssl('is tried again every fifteen minutes when the bucket refuses it, with an event for each failure', async () => {
    const arn = await create();
    await activate(arn);
    await cloud.call('s3', 'DeleteBucketPolicy', { Bucket: BUCKET });
    await issue(arn, deviceCsr());
    await cloud.world.clock.advance(46 * MINUTE);
    const refused = { result: 'failure', reason: 'Failed to write CRL to S3. Check your S3 bucket permissions.' };
    expect(generations()).toEqual([refused, refused]);
    await letServiceIn();
    await cloud.world.clock.advance(15 * MINUTE);
    expect(generations().at(-1)).toEqual({ result: 'success' });
  });

  withOpenssl('keeps an entry until one list after its certificate has expired', async () => {
    const arn = await create();
    await activate(arn);
    const { serial } = await issue(arn, deviceCsr(), 1);
    await revoke(arn, serial);
    const listed = async (): Promise<boolean> => (await crlText(crlKey(arn))).includes('Key Compromise');
    await cloud.world.clock.advance(31 * MINUTE);
    expect(await listed()).toBe(true);
    await cloud.world.clock.advance(3.5 * DAY);
    expect(await listed()).toBe(true);
    await cloud.world.clock.advance(3.5 * DAY);
    expect(await listed()).toBe(false);
  });

  withOpenssl('comes in partitions, each with its critical IDP, which the certificates point to', async () => {
    const arn = await create({ ...CRL, CrlType: 'PARTITIONED' });
    await activate(arn);
    const certificates = [await issue(arn, deviceCsr()), await issue(arn, deviceCsr()), await issue(arn, deviceCsr())];
    await revoke(arn, certificates[0]?.serial ?? '');
    await cloud.world.clock.advance(31 * MINUTE);
    const crls = (await keys()).filter((key) => key.startsWith('crl/'));
    expect(crls).toHaveLength(2);
    const pointOf = (pem: string): string => /URI:(\S+)/.exec(openssl('x509', '-in', file('leaf.pem', pem), '-noout', '-text'))?.[1] ?? '';
    const points = certificates.map(({ pem }) => pointOf(pem));
    expect(points[0]).toBe(points[1]);
    expect(points[2]).not.toBe(points[0]);
    const key = (points[0] ?? '').split('.amazonaws.com/')[1] ?? '';
    const text = await crlText(key);
    expect(text).toMatch(/Issuing Distribution Point: critical/);
    expect(text).toContain(points[0]);
    expect(text).toContain('Key Compromise');
    expect(await crlText(crls.find((other) => other !== key) ?? '')).toContain('No Revoked Certificates');
  });

  withOpenssl('takes a revocation once, of its own certificates, never of the root', async () => {
    const arn = await create();
    const root = await activate(arn);
    const { serial } = await issue(arn, deviceCsr());
    await revoke(arn, serial.match(/../g)?.join(':') ?? '');
    await expect(revoke(arn, serial)).rejects.toMatchObject({ name: 'RequestAlreadyProcessedException' });
    await expect(revoke(arn, 'abcdef')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    const own = openssl('x509', '-in', file('root.pem', root), '-noout', '-serial').split('=')[1]?.trim() ?? '';
    await expect(revoke(arn, own)).rejects.toMatchObject({ name: 'InvalidRequestException' });
    expect(events.filter((event) => event['detail-type'] === 'ACM Private CA Certificate Revocation')).toEqual([
      expect.objectContaining({ source: 'aws.acm-pca', resources: [arn, `${arn}/certificate/${serial}`], detail: { result: 'success' } }),
    ]);
  });

  withOpenssl('needs a caller who may write to the bucket: a role without that right cannot revoke', async () => {
    const arn = await create();
    await activate(arn);
    const { serial } = await issue(arn, deviceCsr());
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
    } as const;
    const { arn: roleArn } = cloud.iam.createRole(
      'revoker',
      trust,
      [{ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'acm-pca:RevokeCertificate', Resource: arn }] }],
      [],
    );
    const revoker = new ACMPCAClient({
      endpoint: cloud.endpoint,
      region: 'eu-west-1',
      credentials: cloud.iam.assume(roleArn, 'lambda.amazonaws.com', 'r'),
    });
    const command = (): RevokeCertificateCommand =>
      new RevokeCertificateCommand({ CertificateAuthorityArn: arn, CertificateSerial: serial, RevocationReason: 'SUPERSEDED' });
    await expect(revoker.send(command())).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('s3:PutObject'),
    });
    cloud.iam.addPolicy('revoker', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: `arn:aws:s3:::${BUCKET}/*` }],
    });
    await expect(revoker.send(command())).resolves.toBeDefined();
    revoker.destroy();
  });

  withOpenssl('tells everything that was issued in an audit report', async () => {
    const arn = await create();
    await activate(arn);
    const { serial } = await issue(arn, deviceCsr());
    await revoke(arn, serial);
    const report = { CertificateAuthorityArn: arn, S3BucketName: BUCKET, AuditReportResponseFormat: 'JSON' } as const;
    const { AuditReportId, S3Key = '' } = await pca.send(new CreateCertificateAuthorityAuditReportCommand(report));
    const status = async () =>
      (await pca.send(new DescribeCertificateAuthorityAuditReportCommand({ CertificateAuthorityArn: arn, AuditReportId })))
        .AuditReportStatus;
    expect(await status()).toBe('CREATING');
    await cloud.world.clock.advance(3_000);
    expect(await status()).toBe('SUCCESS');
    const rows = JSON.parse(Buffer.from(await object(S3Key)).toString()) as Record<string, string>[];
    expect(rows).toHaveLength(2);
    expect(rows[1]).toMatchObject({ serial: serial.match(/../g)?.join(':'), subject: 'CN=d', revocationReason: 'KEY_COMPROMISE' });
    await expect(pca.send(new CreateCertificateAuthorityAuditReportCommand(report))).rejects.toMatchObject({
      name: 'RequestInProgressException',
    });
  });

  it('gives the root certificate itself', async () => {
    const arn = await create();
    const pem = await activate(arn);
    expect((await pca.send(new GetCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: arn }))).Certificate).toBe(pem);
  });
});
