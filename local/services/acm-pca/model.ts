/**
 * The shapes of ACM Private CA in the static form of the SDK's newer clients: the client that is available here (3.523) carries none. Written from its
 * type definitions and the API reference (2017-08-22), with the members that came later: CrlType and CustomPath of CrlConfiguration.
 */
import { KEY_USAGE_BITS } from './extensions.js';

const NAMESPACE = 'com.amazonaws.acmpca';
const STRING = 0;
const NUMBER = 1;
const BOOLEAN = 2;
const TIMESTAMP = 4;
const BLOB = 21;
const STRINGS = 64;
const UNIT = 'unit';

type Members = Readonly<Record<string, unknown>>;
/** Required members first. */
const structure = (name: string, required: Members, optional: Members = {}): unknown[] => {
  const members = { ...required, ...optional };
  return [3, NAMESPACE, name, 0, Object.keys(members), Object.values(members), Object.keys(required).length];
};
const listOf = (name: string, member: unknown): unknown[] => [1, NAMESPACE, name, 0, member];
const operation = (name: string, input: unknown, output: unknown): unknown[] => [9, NAMESPACE, name, 0, () => input, () => output];
const failure = (name: string): unknown[] => [-3, NAMESPACE, name, { error: 'client' }, ['message'], [STRING]];

const Arn = { CertificateAuthorityArn: STRING };
const Paging = { NextToken: STRING, MaxResults: NUMBER };
const Tags = listOf('TagList', structure('Tag', { Key: STRING }, { Value: STRING }));
const Subject = structure(
  'ASN1Subject',
  {},
  {
    ...Object.fromEntries(
      [
        'Country',
        'Organization',
        'OrganizationalUnit',
        'DistinguishedNameQualifier',
        'State',
        'CommonName',
        'SerialNumber',
        'Locality',
        'Title',
        'Surname',
        'GivenName',
        'Initials',
        'Pseudonym',
        'GenerationQualifier',
      ].map((name) => [name, STRING]),
    ),
    CustomAttributes: listOf('CustomAttributeList', structure('CustomAttribute', { ObjectIdentifier: STRING, Value: STRING })),
  },
);
const GeneralName = structure(
  'GeneralName',
  {},
  {
    OtherName: structure('OtherName', { TypeId: STRING, Value: STRING }),
    Rfc822Name: STRING,
    DnsName: STRING,
    DirectoryName: Subject,
    EdiPartyName: structure('EdiPartyName', { PartyName: STRING }, { NameAssigner: STRING }),
    UniformResourceIdentifier: STRING,
    IpAddress: STRING,
    RegisteredId: STRING,
  },
);
const KeyUsage = structure(
  'KeyUsage',
  {},
  Object.fromEntries(KEY_USAGE_BITS.map((name) => [name, BOOLEAN])),
);
const AccessDescription = structure('AccessDescription', {
  AccessMethod: structure('AccessMethod', {}, { CustomObjectIdentifier: STRING, AccessMethodType: STRING }),
  AccessLocation: GeneralName,
});
const Configuration = structure(
  'CertificateAuthorityConfiguration',
  { KeyAlgorithm: STRING, SigningAlgorithm: STRING, Subject },
  {
    CsrExtensions: structure(
      'CsrExtensions',
      {},
      { KeyUsage, SubjectInformationAccess: listOf('AccessDescriptionList', AccessDescription) },
    ),
  },
);
const Revocation = structure(
  'RevocationConfiguration',
  {},
  {
    CrlConfiguration: structure(
      'CrlConfiguration',
      { Enabled: BOOLEAN },
      {
        ExpirationInDays: NUMBER,
        CustomCname: STRING,
        S3BucketName: STRING,
        S3ObjectAcl: STRING,
        CrlDistributionPointExtensionConfiguration: structure('CrlDistributionPointExtensionConfiguration', { OmitExtension: BOOLEAN }),
        CrlType: STRING,
        CustomPath: STRING,
      },
    ),
    OcspConfiguration: structure('OcspConfiguration', { Enabled: BOOLEAN }, { OcspCustomCname: STRING }),
  },
);
const Authority = structure(
  'CertificateAuthority',
  {},
  {
    Arn: STRING,
    OwnerAccount: STRING,
    CreatedAt: TIMESTAMP,
    LastStateChangeAt: TIMESTAMP,
    Type: STRING,
    Serial: STRING,
    Status: STRING,
    NotBefore: TIMESTAMP,
    NotAfter: TIMESTAMP,
    FailureReason: STRING,
    CertificateAuthorityConfiguration: Configuration,
    RevocationConfiguration: Revocation,
    RestorableUntil: TIMESTAMP,
    KeyStorageSecurityStandard: STRING,
    UsageMode: STRING,
  },
);
const PolicyInformation = structure(
  'PolicyInformation',
  { CertPolicyId: STRING },
  {
    PolicyQualifiers: listOf(
      'PolicyQualifierInfoList',
      structure('PolicyQualifierInfo', { PolicyQualifierId: STRING, Qualifier: structure('Qualifier', { CpsUri: STRING }) }),
    ),
  },
);
const Extensions = structure(
  'Extensions',
  {},
  {
    CertificatePolicies: listOf('CertificatePolicyList', PolicyInformation),
    ExtendedKeyUsage: listOf(
      'ExtendedKeyUsageList',
      structure('ExtendedKeyUsage', {}, { ExtendedKeyUsageType: STRING, ExtendedKeyUsageObjectIdentifier: STRING }),
    ),
    KeyUsage,
    SubjectAlternativeNames: listOf('GeneralNameList', GeneralName),
    CustomExtensions: listOf(
      'CustomExtensionList',
      structure('CustomExtension', { ObjectIdentifier: STRING, Value: STRING }, { Critical: BOOLEAN }),
    ),
  },
);
const Validity = structure('Validity', { Value: NUMBER, Type: STRING });
const Permission = structure(
  'Permission',
  {},
  { ...Arn, CreatedAt: TIMESTAMP, Principal: STRING, SourceAccount: STRING, Actions: STRINGS, Policy: STRING },
);

const OPERATIONS = [
  operation(
    'CreateCertificateAuthority',
    structure(
      'CreateCertificateAuthorityRequest',
      { CertificateAuthorityConfiguration: Configuration, CertificateAuthorityType: STRING },
      { RevocationConfiguration: Revocation, IdempotencyToken: STRING, KeyStorageSecurityStandard: STRING, Tags, UsageMode: STRING },
    ),
    structure('CreateCertificateAuthorityResponse', {}, Arn),
  ),
  operation(
    'DescribeCertificateAuthority',
    structure('DescribeCertificateAuthorityRequest', Arn),
    structure('DescribeCertificateAuthorityResponse', {}, { CertificateAuthority: Authority }),
  ),
  operation(
    'ListCertificateAuthorities',
    structure('ListCertificateAuthoritiesRequest', {}, { ...Paging, ResourceOwner: STRING }),
    structure(
      'ListCertificateAuthoritiesResponse',
      {},
      { CertificateAuthorities: listOf('CertificateAuthorities', Authority), NextToken: STRING },
    ),
  ),
  operation(
    'UpdateCertificateAuthority',
    structure('UpdateCertificateAuthorityRequest', Arn, { RevocationConfiguration: Revocation, Status: STRING }),
    UNIT,
  ),
  operation(
    'DeleteCertificateAuthority',
    structure('DeleteCertificateAuthorityRequest', Arn, { PermanentDeletionTimeInDays: NUMBER }),
    UNIT,
  ),
  operation('RestoreCertificateAuthority', structure('RestoreCertificateAuthorityRequest', Arn), UNIT),
  operation(
    'GetCertificateAuthorityCsr',
    structure('GetCertificateAuthorityCsrRequest', Arn),
    structure('GetCertificateAuthorityCsrResponse', {}, { Csr: STRING }),
  ),
  operation(
    'GetCertificateAuthorityCertificate',
    structure('GetCertificateAuthorityCertificateRequest', Arn),
    structure('GetCertificateAuthorityCertificateResponse', {}, { Certificate: STRING, CertificateChain: STRING }),
  ),
  operation(
    'ImportCertificateAuthorityCertificate',
    structure('ImportCertificateAuthorityCertificateRequest', { ...Arn, Certificate: BLOB }, { CertificateChain: BLOB }),
    UNIT,
  ),
  operation(
    'IssueCertificate',
    structure(
      'IssueCertificateRequest',
      { ...Arn, Csr: BLOB, SigningAlgorithm: STRING, Validity },
      {
        ApiPassthrough: structure('ApiPassthrough', {}, { Extensions, Subject }),
        TemplateArn: STRING,
        ValidityNotBefore: Validity,
        IdempotencyToken: STRING,
      },
    ),
    structure('IssueCertificateResponse', {}, { CertificateArn: STRING }),
  ),
  operation(
    'GetCertificate',
    structure('GetCertificateRequest', { ...Arn, CertificateArn: STRING }),
    structure('GetCertificateResponse', {}, { Certificate: STRING, CertificateChain: STRING }),
  ),
  operation(
    'RevokeCertificate',
    structure('RevokeCertificateRequest', { ...Arn, CertificateSerial: STRING, RevocationReason: STRING }),
    UNIT,
  ),
  operation(
    'CreateCertificateAuthorityAuditReport',
    structure('CreateCertificateAuthorityAuditReportRequest', { ...Arn, S3BucketName: STRING, AuditReportResponseFormat: STRING }),
    structure('CreateCertificateAuthorityAuditReportResponse', {}, { AuditReportId: STRING, S3Key: STRING }),
  ),
  operation(
    'DescribeCertificateAuthorityAuditReport',
    structure('DescribeCertificateAuthorityAuditReportRequest', { ...Arn, AuditReportId: STRING }),
    structure(
      'DescribeCertificateAuthorityAuditReportResponse',
      {},
      { AuditReportStatus: STRING, S3BucketName: STRING, S3Key: STRING, CreatedAt: TIMESTAMP },
    ),
  ),
  operation(
    'CreatePermission',
    structure('CreatePermissionRequest', { ...Arn, Principal: STRING, Actions: STRINGS }, { SourceAccount: STRING }),
    UNIT,
  ),
  operation('DeletePermission', structure('DeletePermissionRequest', { ...Arn, Principal: STRING }, { SourceAccount: STRING }), UNIT),
  operation(
    'ListPermissions',
    structure('ListPermissionsRequest', Arn, Paging),
    structure('ListPermissionsResponse', {}, { Permissions: listOf('PermissionList', Permission), NextToken: STRING }),
  ),
  operation('ListTags', structure('ListTagsRequest', Arn, Paging), structure('ListTagsResponse', {}, { Tags, NextToken: STRING })),
  operation('TagCertificateAuthority', structure('TagCertificateAuthorityRequest', { ...Arn, Tags }), UNIT),
  operation('UntagCertificateAuthority', structure('UntagCertificateAuthorityRequest', { ...Arn, Tags }), UNIT),
  operation('PutPolicy', structure('PutPolicyRequest', { ResourceArn: STRING, Policy: STRING }), UNIT),
  operation('GetPolicy', structure('GetPolicyRequest', { ResourceArn: STRING }), structure('GetPolicyResponse', {}, { Policy: STRING })),
  operation('DeletePolicy', structure('DeletePolicyRequest', { ResourceArn: STRING }), UNIT),
];

const ERRORS = [
  'CertificateMismatchException',
  'ConcurrentModificationException',
  'InvalidArgsException',
  'InvalidArnException',
  'InvalidNextTokenException',
  'InvalidPolicyException',
  'InvalidRequestException',
  'InvalidStateException',
  'InvalidTagException',
  'LimitExceededException',
  'LockoutPreventedException',
  'MalformedCertificateException',
  'MalformedCSRException',
  'PermissionAlreadyExistsException',
  'RequestAlreadyProcessedException',
  'RequestFailedException',
  'RequestInProgressException',
  'ResourceNotFoundException',
  'TooManyTagsException',
].map(failure);

/** As an SDK client would export them: names that end in `$`. */
export const ACM_PCA_SCHEMAS: Readonly<Record<string, unknown>> = Object.fromEntries(
  [...OPERATIONS, ...ERRORS].map((schema) => [`${String(schema[2])}$`, schema]),
);
