/** AWS Private CA: issues real certificates by template, writes real CRLs into the bucket. What differs from AWS: local/README.md. */
import type { Cloud } from '../../cloud.js';
import type { AccessRequest } from '../../iam/principal.js';
import type { AwsService } from '../../models/service.js';
import { attributeOperations } from './attributes.js';
import { auditReportOperations } from './audit-report.js';
import { authorityOperations } from './authorities.js';
import { type CrlConfiguration, type PcaOptions, type PcaState, type RevocationConfiguration } from './authority.js';
import { certificateOperations } from './certificates.js';
import { CrlPublisher } from './crl-publisher.js';
import { DEFAULT_TEMPLATE } from './templates.js';

/** A moment, not the SDK waiter's second: the difference must show, and not slow a fleet's enrolment down. */
const ISSUANCE_DELAY_MS = 100;

export function createAcmPca(cloud: Cloud, options: PcaOptions = {}): AwsService {
  const state: PcaState = {
    cloud,
    authorities: new Map(),
    options: { issuanceDelayMs: ISSUANCE_DELAY_MS, serialForm: 'hex', partitionSize: 1000, ...options },
  };
  const publisher = new CrlPublisher(state);
  return {
    name: 'acm-pca',
    signingNames: ['acm-pca'],
    operations: {
      ...authorityOperations(state, publisher),
      ...certificateOperations(state, publisher),
      ...auditReportOperations(state),
      ...attributeOperations(state),
    },
    access: (operation, input) => [ownRequest(operation, input), ...bucketRequests(state, operation, input)],
    resourcePolicies: (arn) => {
      const policy = state.authorities.get(arn)?.policy;
      return policy ? [policy.document] : [];
    },
  };
}

function ownRequest(operation: string, input: Readonly<Record<string, unknown>>): AccessRequest {
  const arn = input['CertificateAuthorityArn'] ?? input['ResourceArn'];
  const template = input['TemplateArn'];
  return {
    action: `acm-pca:${operation}`,
    resource: typeof arn === 'string' ? arn : '*',
    ...(operation === 'IssueCertificate'
      ? { context: { 'acm-pca:TemplateArn': typeof template === 'string' ? template : DEFAULT_TEMPLATE } }
      : {}),
  };
}

/**
 * Who creates, updates or revokes must be able to write to the CRL bucket too (API reference of the three operations; FACTS A2): a bucket policy that
 * bars everybody but the service breaks RevokeCertificate.
 */
function bucketRequests(state: PcaState, operation: string, input: Readonly<Record<string, unknown>>): readonly AccessRequest[] {
  const given = (input['RevocationConfiguration'] as RevocationConfiguration | undefined)?.CrlConfiguration;
  const stored = state.authorities.get(String(input['CertificateAuthorityArn']))?.revocationConfiguration.CrlConfiguration;
  const bucketOf = (crl: CrlConfiguration | undefined, key: string): readonly AccessRequest[] =>
    crl?.Enabled && crl.S3BucketName
      ? [{ action: 's3:PutObject', resource: `arn:${state.cloud.world.partition}:s3:::${crl.S3BucketName}/${key}` }]
      : [];
  if (operation === 'CreateCertificateAuthority' || operation === 'UpdateCertificateAuthority')
    return bucketOf(given, 'acm-pca-permission-test-key');
  const id = String(input['CertificateAuthorityArn']).split('/').pop();
  return operation === 'RevokeCertificate' ? bucketOf(stored, `${stored?.CustomPath ?? 'crl'}/${id}.crl`) : [];
}
