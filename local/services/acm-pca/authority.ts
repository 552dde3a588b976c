import type { Cloud } from '../../cloud.js';
import type { PolicyDocument } from '../../iam/principal.js';
import { AwsError } from '../../models/service.js';
import type { Der } from './der.js';
import type { AuthorityKey } from './keys.js';
import type { Asn1Subject } from './names.js';

export interface CrlConfiguration {
  readonly Enabled: boolean;
  readonly ExpirationInDays?: number;
  readonly CustomCname?: string;
  readonly S3BucketName?: string;
  readonly S3ObjectAcl?: string;
  readonly CrlDistributionPointExtensionConfiguration?: { readonly OmitExtension: boolean };
  readonly CrlType?: string;
  readonly CustomPath?: string;
}
export interface RevocationConfiguration {
  readonly CrlConfiguration?: CrlConfiguration;
  readonly OcspConfiguration?: { readonly Enabled: boolean; readonly OcspCustomCname?: string };
}
export interface AuthorityConfiguration {
  readonly KeyAlgorithm: string;
  readonly SigningAlgorithm: string;
  readonly Subject: Asn1Subject;
  readonly CsrExtensions?: unknown;
}

export interface Revocation {
  readonly at: Date;
  readonly reason: string;
  /** Whether a CRL listed the entry after its certificate had expired: the next one drops it (FACTS A1, "plus one further CRL"). */
  listedAfterExpiry: boolean;
}

export interface IssuedCertificate {
  readonly arn: string;
  readonly serialNumber: bigint;
  readonly pem: string;
  readonly subject: Der;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly issuedAt: Date;
  /** GetCertificate says RequestInProgressException before. */
  readonly readyAtMs: number;
  readonly templateArn: string;
  /** A root's own certificate cannot be revoked. */
  readonly selfSigned: boolean;
  /** The CRL that its entry goes to: `COMPLETE`, or the name of a partition. */
  readonly partition: string;
  revocation?: Revocation;
}

export interface AuthorityCertificate {
  readonly pem: string;
  readonly chainPem: string | undefined;
  readonly serialNumber: bigint;
  readonly subject: Der;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface AuditReport {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly createdAt: Date;
  status: 'CREATING' | 'SUCCESS' | 'FAILED';
}

/** One private CA, with everything it ever issued. */
export interface Authority {
  readonly arn: string;
  /** The UUID at the end of the ARN. */
  readonly id: string;
  readonly type: 'ROOT' | 'SUBORDINATE';
  readonly usageMode: string;
  readonly keyStorage: string;
  readonly configuration: AuthorityConfiguration;
  readonly key: AuthorityKey;
  readonly csrPem: string;
  readonly createdAt: Date;
  readonly issued: Map<bigint, IssuedCertificate>;
  readonly tags: Map<string, string | undefined>;
  readonly permissions: Map<
    string,
    { readonly principal: string; readonly sourceAccount: string; readonly actions: readonly string[]; readonly createdAt: Date }
  >;
  readonly reports: Map<string, AuditReport>;
  readonly idempotency: Map<string, { readonly arn: string; readonly untilMs: number }>;
  revocationConfiguration: RevocationConfiguration;
  status: string;
  lastStateChangeAt: Date;
  certificate?: AuthorityCertificate;
  policy?: { readonly text: string; readonly document: PolicyDocument };
  restorableUntil?: Date;
  statusBeforeDeletion?: string;
  cancelDeletion?: () => void;
  lastReportAtMs?: number;
  /** CrlType PARTITIONED: the CRL that new certificates are bound to. */
  openPartition?: { readonly name: string; used: number };
}

/** Everything that the operations of the service share. */
export interface PcaState {
  readonly cloud: Cloud;
  readonly authorities: Map<string, Authority>;
  readonly options: Required<PcaOptions>;
}

export interface PcaOptions {
  /** How long GetCertificate answers RequestInProgressException after IssueCertificate, in simulated ms. @default 100 */
  readonly issuanceDelayMs?: number;
  /** How a certificate's ARN ends: AWS's own documents show both forms (FACTS A4). @default hex */
  readonly serialForm?: 'hex' | 'decimal';
  /** Certificates that share one CRL of type PARTITIONED. AWS does not say how many. @default 1000 */
  readonly partitionSize?: number;
}

export const PCA_SERVICE = 'acm-pca.amazonaws.com';

export function authorityOf(state: PcaState, arn: string): Authority {
  if (!/^arn:aws[a-z-]*:acm-pca:[a-z0-9-]+:\d{12}:certificate-authority\/[0-9a-f-]{36}$/.test(arn)) {
    throw new AwsError('InvalidArnException', `The ARN ${arn} is not the ARN of a certificate authority.`);
  }
  const authority = state.authorities.get(arn);
  if (!authority) throw new AwsError('ResourceNotFoundException', `Could not find Certificate Authority with id ${arn}.`);
  return authority;
}

/** An ACTIVE CA whose own certificate has run out is EXPIRED. */
export function statusOf(authority: Authority, now: Date): string {
  return authority.status === 'ACTIVE' && authority.certificate && authority.certificate.notAfter <= now ? 'EXPIRED' : authority.status;
}

export function inState(authority: Authority, now: Date, ...allowed: readonly string[]): void {
  const status = statusOf(authority, now);
  if (!allowed.includes(status))
    throw new AwsError('InvalidStateException', `The certificate authority is in the ${status} state; expected ${allowed.join(' or ')}.`);
}

export function setStatus(state: PcaState, authority: Authority, status: string): void {
  authority.status = status;
  authority.lastStateChangeAt = state.cloud.world.clock.date();
}

/** Lower-case hex pairs with colons, as audit reports show serials. */
export const colonHex = (serialNumber: bigint): string => {
  const hex = serialNumber.toString(16);
  return (hex.padStart(hex.length + (hex.length % 2), '0').match(/../g) ?? []).join(':');
};

export function describe(authority: Authority, now: Date): Record<string, unknown> {
  const { certificate } = authority;
  return {
    Arn: authority.arn,
    OwnerAccount: authority.arn.split(':')[4],
    CreatedAt: authority.createdAt,
    LastStateChangeAt: authority.lastStateChangeAt,
    Type: authority.type,
    Status: statusOf(authority, now),
    ...(certificate
      ? { Serial: colonHex(certificate.serialNumber), NotBefore: certificate.notBefore, NotAfter: certificate.notAfter }
      : {}),
    CertificateAuthorityConfiguration: authority.configuration,
    RevocationConfiguration: authority.revocationConfiguration,
    ...(authority.restorableUntil ? { RestorableUntil: authority.restorableUntil } : {}),
    KeyStorageSecurityStandard: authority.keyStorage,
    UsageMode: authority.usageMode,
  };
}

/** Best effort, as AWS says of these events. */
export function putEvent(state: PcaState, detailType: string, resources: readonly string[], failure?: string): void {
  const detail = failure === undefined ? { result: 'success' } : { result: 'failure', reason: failure };
  state.cloud.parts.putEvent?.({ source: 'aws.acm-pca', 'detail-type': detailType, resources, detail }, { bestEffort: true });
}
