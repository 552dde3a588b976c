/** IssueCertificate, GetCertificate, RevokeCertificate. */
import { randomBytes, randomUUID } from 'node:crypto';

import { AwsError, type Operation } from '../../models/service.js';
import { IDEMPOTENCY_MS } from './authorities.js';
import { authorityOf, inState, putEvent, type Authority, type IssuedCertificate, type PcaState } from './authority.js';
import { distributionPoint } from './crl-configuration.js';
import { REASON_CODES, type CrlPublisher } from './crl-publisher.js';
import { readCsr, type Csr } from './csr.js';
import { authorityKeyIdentifier, crlDistributionPoints, subjectKeyIdentifier, type Extension } from './extensions.js';
import { keyIdentifierOf, signingAlgorithm } from './keys.js';
import { nameOf } from './names.js';
import { toPem } from './pem.js';
import { DEFAULT_TEMPLATE, extensionsOf, subjectOf, templateOf, type ApiPassthrough, type Template } from './templates.js';
import { endOf, notBefore, SHORT_LIVED_MS, type Validity } from './validity.js';
import { writeCertificate } from './x509-writer.js';

interface IssueInput {
  readonly CertificateAuthorityArn: string;
  readonly Csr: Uint8Array;
  readonly SigningAlgorithm: string;
  readonly Validity: Validity;
  readonly ValidityNotBefore?: Validity;
  readonly TemplateArn?: string;
  readonly ApiPassthrough?: ApiPassthrough;
  readonly IdempotencyToken?: string;
}
const SERIAL_OCTETS = 16;

export function certificateOperations(state: PcaState, publisher: CrlPublisher): Readonly<Record<string, Operation>> {
  const { world } = state.cloud;

  const issue = async (input: IssueInput): Promise<Record<string, unknown>> => {
    const authority = authorityOf(state, input.CertificateAuthorityArn);
    const template = templateOf(input.TemplateArn ?? DEFAULT_TEMPLATE);
    // A root signs itself while it waits for its certificate; everything else needs an active CA.
    inState(authority, world.clock.date(), ...(template.kind === 'root' ? ['PENDING_CERTIFICATE', 'ACTIVE', 'EXPIRED'] : ['ACTIVE']));
    signingAlgorithm(authority.key, input.SigningAlgorithm);
    const token = input.IdempotencyToken;
    const known = token === undefined ? undefined : authority.idempotency.get(token);
    if (known && known.untilMs > world.clock.nowMs()) return { CertificateArn: known.arn };
    const certificate = await write(state, authority, template, input);
    authority.issued.set(certificate.serialNumber, certificate);
    if (token !== undefined) authority.idempotency.set(token, { arn: certificate.arn, untilMs: world.clock.nowMs() + IDEMPOTENCY_MS });
    putEvent(state, 'ACM Private CA Certificate Issuance', [authority.arn, certificate.arn]);
    if (certificate.partition !== '') publisher.issued(authority, certificate);
    return { CertificateArn: certificate.arn };
  };

  const get = (input: { CertificateAuthorityArn: string; CertificateArn: string }): Record<string, unknown> => {
    const authority = authorityOf(state, input.CertificateAuthorityArn);
    if (!/:certificate-authority\/[0-9a-f-]{36}\/certificate\/[0-9a-f]+$/.test(input.CertificateArn))
      throw new AwsError('InvalidArnException', `The ARN ${input.CertificateArn} is not the ARN of a certificate.`);
    const certificate = authority.issued.get(serialOfArn(state, input.CertificateArn));
    if (certificate?.arn !== input.CertificateArn)
      throw new AwsError('ResourceNotFoundException', `Could not find certificate ${input.CertificateArn}.`);
    if (certificate.readyAtMs > world.clock.nowMs())
      throw new AwsError('RequestInProgressException', `The certificate ${certificate.arn} is not yet issued.`);
    const chain = certificate.selfSigned
      ? []
      : [authority.certificate?.pem, authority.certificate?.chainPem].filter((pem) => pem !== undefined);
    return { Certificate: certificate.pem, ...(chain.length > 0 ? { CertificateChain: chain.join('\n') } : {}) };
  };

  const revoke = (input: { CertificateAuthorityArn: string; CertificateSerial: string; RevocationReason: string }): void => {
    const authority = authorityOf(state, input.CertificateAuthorityArn);
    inState(authority, world.clock.date(), 'ACTIVE', 'DISABLED');
    if (REASON_CODES[input.RevocationReason] === undefined)
      throw new AwsError('InvalidRequestException', `RevocationReason: got '${input.RevocationReason}'.`);
    const digits = input.CertificateSerial.replaceAll(':', '');
    if (!/^[0-9a-f]{1,128}$/i.test(digits))
      throw new AwsError(
        'InvalidRequestException',
        `CertificateSerial: got '${input.CertificateSerial}', expected a serial number in hex.`,
      );
    const certificate = authority.issued.get(BigInt(`0x${digits}`));
    if (!certificate)
      throw new AwsError(
        'ResourceNotFoundException',
        `The certificate authority issued no certificate with serial ${input.CertificateSerial}.`,
      );
    if (certificate.selfSigned) throw new AwsError('InvalidRequestException', 'A self-signed certificate cannot be revoked.');
    if (certificate.revocation)
      throw new AwsError('RequestAlreadyProcessedException', `The certificate ${certificate.arn} has been revoked already.`);
    if (certificate.readyAtMs > world.clock.nowMs())
      throw new AwsError('RequestInProgressException', `The certificate ${certificate.arn} is not yet issued.`);
    certificate.revocation = { at: world.clock.date(), reason: input.RevocationReason, listedAfterExpiry: false };
    putEvent(state, 'ACM Private CA Certificate Revocation', [authority.arn, certificate.arn]);
    if (certificate.partition !== '') publisher.changed(authority, certificate.partition);
  };

  return { IssueCertificate: issue, GetCertificate: get, RevokeCertificate: revoke };
}

async function write(state: PcaState, authority: Authority, template: Template, input: IssueInput): Promise<IssuedCertificate> {
  const now = state.cloud.world.clock.date();
  const csr = await readCsr(input.Csr);
  const selfSigned = template.kind === 'root';
  if (selfSigned && !csr.publicKey.equals(authority.key.publicKey))
    throw new AwsError('InvalidArgsException', 'A root certificate is issued for the CSR of its own certificate authority.');
  const notAfter = endOf(input.Validity, now);
  const begins = notBefore(input.ValidityNotBefore, now);
  checkValidity(authority, selfSigned, begins, notAfter, now);
  const serialNumber = freshSerial(authority);
  const subject = subjectOf(template, csr, input.ApiPassthrough);
  const partition = selfSigned ? '' : partitionFor(state, authority);
  const der = await writeCertificate(authority.key, input.SigningAlgorithm, {
    serialNumber,
    issuer: selfSigned ? subject : (authority.certificate?.subject ?? nameOf(authority.configuration.Subject)),
    subject,
    notBefore: begins,
    notAfter,
    publicKey: csr.publicKey,
    extensions: [...extensionsOf(template, csr, input.ApiPassthrough), ...issuerExtensions(state, authority, csr, selfSigned, partition)],
  });
  return {
    arn: `${authority.arn}/certificate/${state.options.serialForm === 'hex' ? serialNumber.toString(16).padStart(2 * SERIAL_OCTETS, '0') : serialNumber}`,
    serialNumber,
    pem: toPem('CERTIFICATE', der),
    subject,
    notBefore: begins,
    notAfter,
    issuedAt: now,
    readyAtMs: now.getTime() + state.options.issuanceDelayMs,
    templateArn: template.arn,
    selfSigned,
    partition,
  };
}

function issuerExtensions(state: PcaState, authority: Authority, csr: Csr, selfSigned: boolean, partition: string): readonly Extension[] {
  const crl = authority.revocationConfiguration.CrlConfiguration;
  const pointed = crl?.Enabled && !crl.CrlDistributionPointExtensionConfiguration?.OmitExtension && partition !== '';
  return [
    subjectKeyIdentifier(keyIdentifierOf(csr.publicKey)),
    ...(selfSigned ? [] : [authorityKeyIdentifier(authority.key.keyIdentifier)]),
    ...(pointed ? [crlDistributionPoints(distributionPoint(state, authority, crl, partition))] : []),
  ];
}

function checkValidity(authority: Authority, selfSigned: boolean, begins: Date, notAfter: Date, now: Date): void {
  if (notAfter <= begins || notAfter <= now)
    throw new AwsError('ValidationException', 'The certificate validity ends before it begins, or in the past.');
  if (!selfSigned && authority.certificate && notAfter > authority.certificate.notAfter) {
    throw new AwsError('ValidationException', "The certificate validity specified exceeds the certificate authority's validity.");
  }
  if (authority.usageMode === 'SHORT_LIVED_CERTIFICATE' && !selfSigned && notAfter.getTime() - now.getTime() > SHORT_LIVED_MS) {
    throw new AwsError(
      'ValidationException',
      'A certificate authority in SHORT_LIVED_CERTIFICATE mode issues certificates of at most seven days.',
    );
  }
}

/** 128 random bits: half of them need a seventeenth octet in DER. Zero is not a serial number (RFC 5280 §4.1.2.2). */
function freshSerial(authority: Authority): bigint {
  for (;;) {
    const serialNumber = BigInt(`0x${randomBytes(SERIAL_OCTETS).toString('hex')}`);
    if (serialNumber > 0n && !authority.issued.has(serialNumber)) return serialNumber;
  }
}

/** The CRL that a new certificate is bound to: with PARTITIONED the newest partition until it is full; empty where there is no CRL. */
function partitionFor(state: PcaState, authority: Authority): string {
  const crl = authority.revocationConfiguration.CrlConfiguration;
  if (!crl?.Enabled) return '';
  if (crl.CrlType !== 'PARTITIONED') return 'COMPLETE';
  const open = authority.openPartition;
  if (open && open.used < state.options.partitionSize) {
    open.used++;
    return open.name;
  }
  authority.openPartition = { name: randomUUID(), used: 1 };
  return authority.openPartition.name;
}

function serialOfArn(state: PcaState, arn: string): bigint {
  const tail = arn.split('/').pop() ?? '';
  if (state.options.serialForm === 'hex') return BigInt(`0x${tail}`);
  return /^\d+$/.test(tail) ? BigInt(tail) : 0n;
}
