/** The life of a certificate authority: create, describe, import, update, delete, restore. */
import { randomUUID, X509Certificate } from 'node:crypto';

import { AwsError, type Operation } from '../../models/service.js';
import { inPages } from '../pages.js';
import {
  authorityOf,
  describe,
  inState,
  putEvent,
  setStatus,
  statusOf,
  type Authority,
  type AuthorityConfiguration,
  type PcaState,
  type RevocationConfiguration,
} from './authority.js';
import { checkRevocationConfiguration, testPermission } from './crl-configuration.js';
import type { CrlPublisher } from './crl-publisher.js';
import { elements } from './der.js';
import { createKey, signingAlgorithm } from './keys.js';
import { nameOf } from './names.js';
import { fromPem, toPem } from './pem.js';
import { writeRequest } from './x509-writer.js';

interface CreateInput {
  readonly CertificateAuthorityConfiguration: AuthorityConfiguration;
  readonly CertificateAuthorityType: string;
  readonly RevocationConfiguration?: RevocationConfiguration;
  readonly IdempotencyToken?: string;
  readonly KeyStorageSecurityStandard?: string;
  readonly Tags?: readonly { readonly Key: string; readonly Value?: string }[];
  readonly UsageMode?: string;
}
interface ArnInput {
  readonly CertificateAuthorityArn: string;
}

/** Tokens of CreateCertificateAuthority and IssueCertificate are remembered for five minutes (FACTS A3). */
export const IDEMPOTENCY_MS = 5 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** CAs in one region (FACTS A8). */
const MOST_AUTHORITIES = 200;

export function authorityOperations(state: PcaState, publisher: CrlPublisher): Readonly<Record<string, Operation>> {
  const { world } = state.cloud;
  const remembered = new Map<string, { readonly arn: string; readonly untilMs: number }>();

  const create = async (input: CreateInput): Promise<Record<string, unknown>> => {
    const known = input.IdempotencyToken === undefined ? undefined : remembered.get(input.IdempotencyToken);
    if (known && known.untilMs > world.clock.nowMs()) return { CertificateAuthorityArn: known.arn };
    if (state.authorities.size >= MOST_AUTHORITIES)
      throw new AwsError('LimitExceededException', `The account has ${MOST_AUTHORITIES} certificate authorities.`);
    const authority = await newAuthority(state, input);
    await testPermission(state, authority, authority.revocationConfiguration);
    state.authorities.set(authority.arn, authority);
    if (input.IdempotencyToken !== undefined)
      remembered.set(input.IdempotencyToken, { arn: authority.arn, untilMs: world.clock.nowMs() + IDEMPOTENCY_MS });
    putEvent(state, 'ACM Private CA Creation', [authority.arn]);
    return { CertificateAuthorityArn: authority.arn };
  };

  const remove = (input: ArnInput & { PermanentDeletionTimeInDays?: number }): void => {
    const authority = authorityOf(state, input.CertificateAuthorityArn);
    const days = input.PermanentDeletionTimeInDays ?? 30;
    if (days < 7 || days > 30) throw new AwsError('ValidationException', `PermanentDeletionTimeInDays: got ${days}, expected 7 to 30`);
    inState(authority, world.clock.date(), 'CREATING', 'PENDING_CERTIFICATE', 'DISABLED', 'EXPIRED', 'FAILED');
    authority.statusBeforeDeletion = statusOf(authority, world.clock.date());
    authority.restorableUntil = new Date(world.clock.nowMs() + days * DAY_MS);
    authority.cancelDeletion = world.clock.after(days * DAY_MS, () => {
      publisher.stop(authority);
      state.authorities.delete(authority.arn);
    });
    setStatus(state, authority, 'DELETED');
  };

  const restore = (input: ArnInput): void => {
    const authority = authorityOf(state, input.CertificateAuthorityArn);
    inState(authority, world.clock.date(), 'DELETED');
    authority.cancelDeletion?.();
    delete authority.restorableUntil;
    setStatus(state, authority, authority.statusBeforeDeletion ?? 'DISABLED');
  };

  const update = async (input: ArnInput & { RevocationConfiguration?: RevocationConfiguration; Status?: string }): Promise<void> => {
    const authority = authorityOf(state, input.CertificateAuthorityArn);
    inState(authority, world.clock.date(), 'ACTIVE', 'DISABLED', 'EXPIRED');
    if (input.Status !== undefined && !['ACTIVE', 'DISABLED'].includes(input.Status)) {
      throw new AwsError('InvalidArgsException', `Status: got '${input.Status}', expected ACTIVE or DISABLED.`);
    }
    if (input.RevocationConfiguration !== undefined) {
      const configuration = checkRevocationConfiguration(input.RevocationConfiguration);
      await testPermission(state, authority, configuration);
      authority.revocationConfiguration = configuration;
    }
    if (input.Status !== undefined) setStatus(state, authority, input.Status);
  };

  return {
    CreateCertificateAuthority: create,
    DescribeCertificateAuthority: (input: ArnInput) => ({
      CertificateAuthority: describe(authorityOf(state, input.CertificateAuthorityArn), world.clock.date()),
    }),
    ListCertificateAuthorities: (input: { MaxResults?: number; NextToken?: string; ResourceOwner?: string }) => {
      const own = input.ResourceOwner === 'OTHER_ACCOUNTS' ? [] : [...state.authorities.values()];
      const { page, nextToken } = inPages(own, input.MaxResults ?? 1000, input.NextToken, 'InvalidNextTokenException');
      return {
        CertificateAuthorities: page.map((authority) => describe(authority, world.clock.date())),
        ...(nextToken === undefined ? {} : { NextToken: nextToken }),
      };
    },
    UpdateCertificateAuthority: update,
    DeleteCertificateAuthority: remove,
    RestoreCertificateAuthority: restore,
    GetCertificateAuthorityCsr: (input: ArnInput) => ({ Csr: authorityOf(state, input.CertificateAuthorityArn).csrPem }),
    GetCertificateAuthorityCertificate: (input: ArnInput) => {
      const { certificate, status } = authorityOf(state, input.CertificateAuthorityArn);
      if (!certificate || status === 'DELETED')
        throw new AwsError('InvalidStateException', `The certificate authority is in the ${status} state and has no certificate to give.`);
      return { Certificate: certificate.pem, ...(certificate.chainPem === undefined ? {} : { CertificateChain: certificate.chainPem }) };
    },
    ImportCertificateAuthorityCertificate: (input: ArnInput & { Certificate: Uint8Array; CertificateChain?: Uint8Array }) => {
      const authority = authorityOf(state, input.CertificateAuthorityArn);
      inState(authority, world.clock.date(), 'PENDING_CERTIFICATE', 'ACTIVE', 'DISABLED', 'EXPIRED');
      importCertificate(authority, input.Certificate, input.CertificateChain);
      setStatus(state, authority, authority.status === 'DISABLED' ? 'DISABLED' : 'ACTIVE');
      return {};
    },
  };
}

async function newAuthority(state: PcaState, input: CreateInput): Promise<Authority> {
  const { world } = state.cloud;
  const configuration = input.CertificateAuthorityConfiguration;
  if (input.CertificateAuthorityType !== 'ROOT' && input.CertificateAuthorityType !== 'SUBORDINATE') {
    throw new AwsError(
      'InvalidArgsException',
      `CertificateAuthorityType: got '${input.CertificateAuthorityType}', expected ROOT or SUBORDINATE.`,
    );
  }
  const key = await createKey(configuration.KeyAlgorithm);
  signingAlgorithm(key, configuration.SigningAlgorithm);
  const id = randomUUID();
  const now = world.clock.date();
  return {
    id,
    arn: `arn:${world.partition}:acm-pca:${world.region}:${world.accountId}:certificate-authority/${id}`,
    type: input.CertificateAuthorityType,
    usageMode: input.UsageMode ?? 'GENERAL_PURPOSE',
    keyStorage: input.KeyStorageSecurityStandard ?? 'FIPS_140_2_LEVEL_3_OR_HIGHER',
    configuration,
    key,
    csrPem: toPem('CERTIFICATE REQUEST', await writeRequest(key, configuration.SigningAlgorithm, nameOf(configuration.Subject))),
    createdAt: now,
    lastStateChangeAt: now,
    status: 'PENDING_CERTIFICATE',
    revocationConfiguration: checkRevocationConfiguration(input.RevocationConfiguration),
    issued: new Map(),
    tags: new Map((input.Tags ?? []).map((tag) => [tag.Key, tag.Value])),
    permissions: new Map(),
    reports: new Map(),
    idempotency: new Map(),
  };
}

/** The certificate must be for this key and this subject, a CA's, and a subordinate's must come with a chain that leads to it. */
function importCertificate(authority: Authority, certificate: Uint8Array, chain: Uint8Array | undefined): void {
  const read = (pem: Uint8Array): readonly X509Certificate[] => {
    try {
      return fromPem('CERTIFICATE', Buffer.from(pem).toString('latin1')).map((der) => new X509Certificate(der));
    } catch (error) {
      throw new AwsError(
        'MalformedCertificateException',
        `The certificate cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const [own, ...rest] = read(certificate);
  if (!own || rest.length > 0) throw new AwsError('MalformedCertificateException', 'Certificate: expected one certificate in PEM form.');
  const issuers = chain === undefined ? [] : read(chain);
  if (!own.publicKey.export({ type: 'spki', format: 'der' }).equals(authority.key.publicKey)) {
    throw new AwsError('CertificateMismatchException', 'The certificate does not match the key of the certificate authority.');
  }
  if (!own.ca) throw new AwsError('InvalidRequestException', 'The certificate is not one of a certificate authority.');
  if ((authority.type === 'ROOT') !== (issuers.length === 0)) {
    throw new AwsError('InvalidRequestException', 'CertificateChain: a subordinate needs one, a root must not have one.');
  }
  [own, ...issuers].reduce((subject, issuer) => {
    if (!subject.verify(issuer.publicKey))
      throw new AwsError('CertificateMismatchException', 'The certificate chain does not lead to the certificate.');
    return issuer;
  });
  const [tbs] = elements(elements(own.raw)[0]?.content ?? Buffer.alloc(0));
  // version, serialNumber, signature, issuer, validity, subject
  const subject = elements(tbs?.content ?? Buffer.alloc(0))[5]?.whole;
  if (!subject?.equals(nameOf(authority.configuration.Subject)))
    throw new AwsError('CertificateMismatchException', 'The subject of the certificate is not that of the certificate authority.');
  authority.certificate = {
    pem: toPem('CERTIFICATE', own.raw),
    chainPem: issuers.length > 0 ? issuers.map((issuer) => toPem('CERTIFICATE', issuer.raw)).join('\n') : undefined,
    serialNumber: BigInt(`0x${own.serialNumber}`),
    subject,
    notBefore: new Date(own.validFrom),
    notAfter: new Date(own.validTo),
  };
}
