import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import {
  ACMPCAClient,
  CreateCertificateAuthorityCommand,
  DescribeCertificateAuthorityCommand,
  GetCertificateAuthorityCertificateCommand,
  GetCertificateAuthorityCsrCommand,
  GetCertificateCommand,
  ImportCertificateAuthorityCertificateCommand,
  IssueCertificateCommand,
  ListCertificateAuthoritiesCommand,
  waitUntilCertificateIssued,
  type KeyAlgorithm,
  type SigningAlgorithm,
} from '@aws-sdk/client-acm-pca';

import { createCloud, type RunningCloud } from '../../../local/create-cloud.js';
import { createAcmPca } from '../../../local/services/acm-pca/service.js';
import { createWorld } from '../../../local/world/world.js';

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
let directory: string;

beforeAll(async () => {
  cloud = await createCloud(createWorld({ seed: 7 }));
  cloud.addService(createAcmPca(cloud));
  pca = new ACMPCAClient({ endpoint: cloud.endpoint, region: 'eu-west-1', credentials: cloud.administratorCredentials });
  directory = mkdtempSync(path.join(tmpdir(), 'acm-pca-'));
});
afterAll(async () => {
  pca.destroy();
  await cloud.stop();
  rmSync(directory, { recursive: true });
});

const file = (name: string, content: string): string => {
  const location = path.join(directory, name);
  writeFileSync(location, content);
  return location;
};
const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

async function issue(
  authority: string,
  csr: string,
  template: string,
  options: { days?: number; algorithm?: SigningAlgorithm; subject?: Record<string, string> } = {},
) {
  const { CertificateArn } = await pca.send(
    new IssueCertificateCommand({
      CertificateAuthorityArn: authority,
      Csr: Buffer.from(csr),
      SigningAlgorithm: options.algorithm ?? 'SHA256WITHECDSA',
      TemplateArn: `arn:aws:acm-pca:::template/${template}/V1`,
      Validity: { Type: 'DAYS', Value: options.days ?? 30 },
      ...(options.subject ? { ApiPassthrough: { Subject: options.subject } } : {}),
    }),
  );
  return CertificateArn ?? '';
}

async function pemOf(authority: string, certificate: string) {
  await cloud.world.clock.advance(200);
  const { Certificate = '', CertificateChain } = await pca.send(
    new GetCertificateCommand({ CertificateAuthorityArn: authority, CertificateArn: certificate }),
  );
  return { pem: Certificate, chain: CertificateChain };
}

async function activeRoot(keyAlgorithm: string, signing: SigningAlgorithm, commonName = 'Root'): Promise<string> {
  const { CertificateAuthorityArn: arn = '' } = await pca.send(
    new CreateCertificateAuthorityCommand({
      CertificateAuthorityType: 'ROOT',
      CertificateAuthorityConfiguration: {
        KeyAlgorithm: keyAlgorithm as KeyAlgorithm,
        SigningAlgorithm: signing,
        Subject: { CommonName: commonName, Organization: 'Example', Country: 'IE' },
      },
    }),
  );
  const { Csr = '' } = await pca.send(new GetCertificateAuthorityCsrCommand({ CertificateAuthorityArn: arn }));
  const { pem } = await pemOf(arn, await issue(arn, Csr, 'RootCACertificate', { days: 3650, algorithm: signing }));
  await pca.send(new ImportCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: arn, Certificate: Buffer.from(pem) }));
  return arn;
}

function deviceCsr(name: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const key = file(`${name}.key`, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  return openssl('req', '-new', '-key', key, '-subj', `/CN=${name}`);
}

describe('a private CA', () => {
  let root: string;
  beforeAll(async () => {
    root = await activeRoot('EC_prime256v1', 'SHA256WITHECDSA');
  });

  it('describes itself as ACTIVE once its certificate is imported', async () => {
    const { CertificateAuthority } = await pca.send(new DescribeCertificateAuthorityCommand({ CertificateAuthorityArn: root }));
    expect(CertificateAuthority).toMatchObject({
      Status: 'ACTIVE',
      Type: 'ROOT',
      NotAfter: expect.any(Date),
      RevocationConfiguration: { CrlConfiguration: { Enabled: false } },
    });
    const { CertificateAuthorities } = await pca.send(new ListCertificateAuthoritiesCommand({}));
    expect(CertificateAuthorities?.map(({ Arn }) => Arn)).toContain(root);
  });

  withOpenssl('issues a certificate that OpenSSL verifies, with the subject of the API and the usages of the template', async () => {
    const arn = await issue(root, deviceCsr('a'), 'EndEntityClientAuthCertificate_APIPassthrough', {
      subject: { CommonName: 'pump-1', Organization: 'Fleet' },
    });
    const { pem, chain } = await pemOf(root, arn);
    const { Certificate: ca = '' } = await pca.send(new GetCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: root }));
    expect(chain).toBe(ca);
    expect(openssl('verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', file('ca.pem', ca), file('leaf.pem', pem))).toContain(
      'OK',
    );
    const text = openssl('x509', '-in', file('leaf.pem', pem), '-noout', '-text');
    expect(text).toMatch(/Subject: O ?= ?Fleet, CN ?= ?pump-1/);
    expect(text).toContain('TLS Web Client Authentication');
    expect(text).not.toContain('TLS Web Server Authentication');
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Key Encipherment/);
    expect(text).toContain('CA:FALSE');
    const certificate = new X509Certificate(pem);
    expect(arn.split('/').pop()).toBe(certificate.serialNumber.toLowerCase().padStart(32, '0'));
    // Backdated by an hour, ends thirty days from now.
    expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBe((30 * 24 + 1) * 3600 * 1000);
  });

  withOpenssl.each([
    ['RSA_2048', 'SHA256WITHRSA'],
    ['EC_secp384r1', 'SHA384WITHECDSA'],
    ['EC_secp521r1', 'SHA512WITHECDSA'],
  ] as const)('signs with %s and %s so that OpenSSL verifies', async (keyAlgorithm, signing) => {
    const arn = await activeRoot(keyAlgorithm, signing, keyAlgorithm);
    const { pem } = await pemOf(arn, await issue(arn, deviceCsr('b'), 'EndEntityCertificate', { algorithm: signing }));
    const { Certificate: ca = '' } = await pca.send(new GetCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: arn }));
    expect(openssl('verify', '-x509_strict', '-CAfile', file('ca2.pem', ca), file('leaf2.pem', pem))).toContain('OK');
  });

  withOpenssl('says that the issuance is in progress before it is done, and lets the SDK wait for it', async () => {
    const arn = await issue(root, deviceCsr('c'), 'EndEntityCertificate');
    const input = { CertificateAuthorityArn: root, CertificateArn: arn };
    await expect(pca.send(new GetCertificateCommand(input))).rejects.toMatchObject({ name: 'RequestInProgressException' });
    expect((await waitUntilCertificateIssued({ client: pca, maxWaitTime: 10 }, input)).state).toBe('SUCCESS');
  });

  withOpenssl('gives the same certificate for the same idempotency token for five minutes', async () => {
    const request = {
      CertificateAuthorityArn: root,
      Csr: Buffer.from(deviceCsr('d')),
      SigningAlgorithm: 'SHA256WITHECDSA',
      Validity: { Type: 'DAYS', Value: 1 },
      IdempotencyToken: 'once',
    } as const;
    const first = await pca.send(new IssueCertificateCommand(request));
    expect((await pca.send(new IssueCertificateCommand(request))).CertificateArn).toBe(first.CertificateArn);
    await cloud.world.clock.advance(5 * 60_000 + 1);
    expect((await pca.send(new IssueCertificateCommand(request))).CertificateArn).not.toBe(first.CertificateArn);
  });

  withOpenssl('refuses what AWS refuses', async () => {
    const csr = deviceCsr('e');
    await expect(issue(root, csr, 'EndEntityCertificate', { algorithm: 'SHA256WITHRSA' })).rejects.toMatchObject({
      name: 'InvalidArgsException',
    });
    await expect(issue(root, csr, 'EndEntityCertificate', { days: 4000 })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(issue(root, csr, 'NoSuchTemplate')).rejects.toMatchObject({ name: 'InvalidArgsException' });
    await expect(issue(root, 'not a request', 'EndEntityCertificate')).rejects.toMatchObject({ name: 'MalformedCSRException' });
    const damaged = csr.replace(/[A-Za-z0-9](?==*\n-----END)/, (last) => (last === 'A' ? 'B' : 'A'));
    await expect(issue(root, damaged, 'EndEntityCertificate')).rejects.toMatchObject({ name: 'MalformedCSRException' });
    await expect(
      issue(
        root.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
        csr,
        'EndEntityCertificate',
      ),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(issue('nonsense', csr, 'EndEntityCertificate')).rejects.toMatchObject({ name: 'InvalidArnException' });
  });
});
