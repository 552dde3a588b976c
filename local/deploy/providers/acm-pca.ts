/** The chain of a CA in CloudFormation (FACTS A9): CertificateAuthority → Certificate (for its CSR) → CertificateAuthorityActivation. */
import type { Cloud } from '../../cloud.js';
import { AwsError } from '../../models/service.js';
import { onlyServed, present, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

type Block = Readonly<Record<string, unknown>>;

/** How often a certificate that is still being issued is asked for, in simulated ms. */
const POLL_MS = 100;

const certificateAuthority: Provider = async (properties, { cloud }) => {
  onlyServed(properties, [
    'CsrExtensions',
    'KeyAlgorithm',
    'KeyStorageSecurityStandard',
    'RevocationConfiguration',
    'SigningAlgorithm',
    'Subject',
    'Tags',
    'Type',
    'UsageMode',
  ]);
  const { KeyAlgorithm, SigningAlgorithm, Subject, CsrExtensions, KeyStorageSecurityStandard, Tags, UsageMode } = properties;
  const { CertificateAuthorityArn: arn } = await cloud.call<{ CertificateAuthorityArn: string }>(
    'acm-pca',
    'CreateCertificateAuthority',
    present({
      CertificateAuthorityType: textOf(properties, 'Type'),
      CertificateAuthorityConfiguration: present({ KeyAlgorithm, SigningAlgorithm, Subject, CsrExtensions }),
      RevocationConfiguration: withNumbers(properties['RevocationConfiguration'] as Block | undefined),
      KeyStorageSecurityStandard,
      Tags,
      UsageMode,
    }),
  );
  const { Csr } = await cloud.call<{ Csr: string }>('acm-pca', 'GetCertificateAuthorityCsr', { CertificateAuthorityArn: arn });
  return { ref: arn, attributes: { Arn: arn, CertificateSigningRequest: Csr } };
};

const certificate: Provider = async (properties, { cloud }) => {
  onlyServed(properties, [
    'ApiPassthrough',
    'CertificateAuthorityArn',
    'CertificateSigningRequest',
    'SigningAlgorithm',
    'TemplateArn',
    'Validity',
    'ValidityNotBefore',
  ]);
  const { ApiPassthrough, CertificateAuthorityArn, SigningAlgorithm, TemplateArn } = properties;
  const { CertificateArn } = await cloud.call<{ CertificateArn: string }>(
    'acm-pca',
    'IssueCertificate',
    present({
      ApiPassthrough,
      CertificateAuthorityArn,
      SigningAlgorithm,
      TemplateArn,
      Csr: Buffer.from(textOf(properties, 'CertificateSigningRequest') ?? ''),
      Validity: validity(properties['Validity']),
      ValidityNotBefore: validity(properties['ValidityNotBefore']),
    }),
  );
  const pem = await issued(cloud, { CertificateAuthorityArn, CertificateArn });
  return { ref: CertificateArn, attributes: { Arn: CertificateArn, Certificate: pem } };
};

const activation: Provider = async (properties, { cloud }) => {
  onlyServed(properties, ['Certificate', 'CertificateAuthorityArn', 'CertificateChain', 'Status']);
  const arn = textOf(properties, 'CertificateAuthorityArn') ?? '';
  const own = textOf(properties, 'Certificate') ?? '';
  const chain = textOf(properties, 'CertificateChain');
  const status = textOf(properties, 'Status') ?? 'ACTIVE';
  await cloud.call(
    'acm-pca',
    'ImportCertificateAuthorityCertificate',
    present({
      CertificateAuthorityArn: arn,
      Certificate: Buffer.from(own),
      CertificateChain: chain === undefined ? undefined : Buffer.from(chain),
    }),
  );
  if (status !== 'ACTIVE') await cloud.call('acm-pca', 'UpdateCertificateAuthority', { CertificateAuthorityArn: arn, Status: status });
  return { ref: arn, attributes: { CompleteCertificateChain: [own, chain].filter((pem) => pem !== undefined).join('\n') } };
};

const permission: Provider = async (properties, { cloud }) => {
  onlyServed(properties, ['Actions', 'CertificateAuthorityArn', 'Principal', 'SourceAccount']);
  await cloud.call('acm-pca', 'CreatePermission', properties);
  return { ref: `${textOf(properties, 'CertificateAuthorityArn')}|${textOf(properties, 'Principal')}`, attributes: {} };
};

async function issued(cloud: Cloud, input: Record<string, unknown>): Promise<string> {
  for (;;) {
    try {
      const { Certificate } = await cloud.call<{ Certificate: string }>('acm-pca', 'GetCertificate', input);
      return Certificate;
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== 'RequestInProgressException') throw error;
      await new Promise<void>((resolve) => cloud.world.clock.after(POLL_MS, resolve));
    }
  }
}

/** CloudFormation passes numbers as texts where a template has them so. */
function validity(given: unknown): Block | undefined {
  if (given === undefined) return undefined;
  const { Type, Value } = given as { readonly Type: string; readonly Value: unknown };
  return { Type, Value: Number(Value) };
}

function withNumbers(given: Block | undefined): Block | undefined {
  const crl = given?.['CrlConfiguration'] as Block | undefined;
  if (crl?.['ExpirationInDays'] === undefined) return given;
  return { ...given, CrlConfiguration: { ...crl, ExpirationInDays: Number(crl['ExpirationInDays']) } };
}

export const providers: Providers = {
  'AWS::ACMPCA::CertificateAuthority': certificateAuthority,
  'AWS::ACMPCA::Certificate': certificate,
  'AWS::ACMPCA::CertificateAuthorityActivation': activation,
  'AWS::ACMPCA::Permission': permission,
};
