import { Match } from 'aws-cdk-lib/assertions';
import { createCa } from '../builders/ca.js';
import { CREATED, IMPORTED_ARN, type Resource, type Synthesised, listOf, ofType, statementsOf, synthesise, text } from './support.js';

const only = (resources: Record<string, Resource>): Resource => {
  const [first, ...more] = Object.values(resources);
  if (first === undefined || more.length > 0) throw new Error(`got ${more.length + (first ? 1 : 0)} resources, expected one`);
  return first;
};
const crlBucket = ({ stateTemplate }: Synthesised) =>
  Object.entries(ofType(stateTemplate, 'AWS::S3::Bucket')).find(([id]) => id.startsWith('TrustCrl'))?.[1];
const crlBucketPolicy = ({ stateTemplate }: Synthesised) =>
  Object.entries(ofType(stateTemplate, 'AWS::S3::BucketPolicy')).find(([id]) => id.startsWith('TrustCrl'))?.[1];
const parameter = ({ stateTemplate }: Synthesised, name: string) =>
  Object.values(ofType(stateTemplate, 'AWS::SSM::Parameter')).find(({ Properties }) => Properties['Name'] === name)?.Properties['Value'];

describe('the CRL bucket', () => {
  const synthesised = synthesise();

  it('is private, encrypted, versioned and retained, and tells EventBridge of every put', () => {
    expect(crlBucket(synthesised)).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
        VersioningConfiguration: { Status: 'Enabled' },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerPreferred' }] },
        NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      },
    });
  });

  it('refuses whoever does not come over TLS', () => {
    expect(statementsOf(crlBucketPolicy(synthesised))).toContainEqual(
      expect.objectContaining({
        Effect: 'Deny',
        Action: 's3:*',
        Principal: { AWS: '*' },
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    );
  });

  it('lets AWS Private CA put CRLs and its permission test, for a CA of this account alone', () => {
    const puts = statementsOf(crlBucketPolicy(synthesised)).find(({ Sid }) => Sid === 'PrivateCaPutsCrls');
    expect(puts).toMatchObject({
      Effect: 'Allow',
      Principal: { Service: 'acm-pca.amazonaws.com' },
      Action: ['s3:PutObject', 's3:PutObjectAcl'],
    });
    expect(
      listOf(puts?.Resource)
        .map(text)
        .map((arn) => arn.replace(/^<[^>]+>/, '')),
    ).toEqual(['/acm-pca-permission-test-key*', '/crl/*']);
    expect(text(puts?.Condition?.['StringEquals']?.['aws:SourceAccount'])).toBe('<AWS::AccountId>');
    expect(text(puts?.Condition?.['ArnLike']?.['aws:SourceArn'])).toBe(
      'arn:<AWS::Partition>:acm-pca:<AWS::Region>:<AWS::AccountId>:certificate-authority/*',
    );
    expect(statementsOf(crlBucketPolicy(synthesised))).toContainEqual(
      expect.objectContaining({
        Sid: 'PrivateCaLooksAtBucket',
        Action: ['s3:GetBucketAcl', 's3:GetBucketLocation'],
        Condition: puts?.Condition,
      }),
    );
  });

  it('keeps its policy as long as itself: a CA goes on writing to a retained bucket', () => {
    expect(crlBucketPolicy(synthesised)?.DeletionPolicy).toBe('Retain');
  });
});

describe('a created CA', () => {
  const synthesised = synthesise();
  const { stateTemplate } = synthesised;

  it('is a root with its self-signed certificate and its activation, in this order, all retained', () => {
    const [authorityId, authority] = Object.entries(ofType(stateTemplate, 'AWS::ACMPCA::CertificateAuthority'))[0] ?? [];
    const [certificateId, certificate] = Object.entries(ofType(stateTemplate, 'AWS::ACMPCA::Certificate'))[0] ?? [];
    const activation = only(ofType(stateTemplate, 'AWS::ACMPCA::CertificateAuthorityActivation'));
    expect(authority?.Properties).toMatchObject({
      Type: 'ROOT',
      KeyAlgorithm: 'EC_prime256v1',
      SigningAlgorithm: 'SHA256WITHECDSA',
      UsageMode: 'GENERAL_PURPOSE',
      Subject: { CommonName: 'Fleet Root CA' },
    });
    expect(certificate?.Properties).toMatchObject({
      CertificateAuthorityArn: { 'Fn::GetAtt': [authorityId, 'Arn'] },
      CertificateSigningRequest: { 'Fn::GetAtt': [authorityId, 'CertificateSigningRequest'] },
      Validity: { Type: 'YEARS', Value: 10 },
    });
    expect(text(certificate?.Properties['TemplateArn'])).toBe('arn:<AWS::Partition>:acm-pca:::template/RootCACertificate/V1');
    expect(activation.Properties).toMatchObject({ Certificate: { 'Fn::GetAtt': [certificateId, 'Certificate'] }, Status: 'ACTIVE' });
    for (const resource of [authority, certificate, activation]) expect(resource?.DeletionPolicy).toBe('Retain');
  });

  it('is not created before the bucket lets it write, and gives its CRLs to the bucket owner', () => {
    const authority = only(ofType(stateTemplate, 'AWS::ACMPCA::CertificateAuthority'));
    expect(authority.DependsOn).toEqual([expect.stringMatching(/^TrustCrlBucketPolicy/)]);
    expect(authority.Properties['RevocationConfiguration']).toEqual({
      CrlConfiguration: {
        Enabled: true,
        ExpirationInDays: 7,
        S3BucketName: { Ref: expect.stringMatching(/^TrustCrlBucket/) },
        S3ObjectAcl: 'BUCKET_OWNER_FULL_CONTROL',
        CrlType: 'COMPLETE',
      },
    });
  });

  it('is registered with AWS IoT in SNI_ONLY mode with the certificate that it gets at deployment, and retained', () => {
    const registered = only(ofType(stateTemplate, 'AWS::IoT::CACertificate'));
    expect(registered).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: {
        CertificateMode: 'SNI_ONLY',
        Status: 'ACTIVE',
        AutoRegistrationStatus: 'DISABLE',
        CACertificatePem: { 'Fn::GetAtt': [expect.stringMatching(/CaCertificate/), 'Certificate'] },
      },
    });
  });

  it('is pinned in two parameters, whose settings parse and name the forms of its distribution point', () => {
    expect(parameter(synthesised, '/fleetwarden/trust/fleet/certificate')).toMatchObject({
      'Fn::GetAtt': [expect.anything(), 'Certificate'],
    });
    const settings = JSON.parse(text(parameter(synthesised, '/fleetwarden/trust/fleet/settings'))) as Record<string, unknown>;
    expect(settings).toEqual({
      type: 'acm-pca',
      certificateAuthorityArn: expect.stringMatching(/^<.+\.Arn>$/),
      crl: {
        type: 'COMPLETE',
        prefix: 'crl/',
        distributionPoints: [
          expect.stringMatching(/^http:\/\/<.+>\.s3\.<AWS::Region>\.<AWS::URLSuffix>\/\{key\}$/),
          expect.stringMatching(/^http:\/\/s3\.<AWS::Region>\.<AWS::URLSuffix>\/<.+>\/\{key\}$/),
        ],
      },
    });
  });

  it('may have partitioned CRLs, another key, and just-in-time registration', () => {
    const { stateTemplate: template, appTemplate } = synthesise({
      trustAnchors: [
        { ...CREATED, create: { commonName: 'CA', keyAlgorithm: 'EC_secp384r1', crl: { type: 'PARTITIONED', expirationDays: 3 } } },
      ],
      devices: { autoRegistration: true },
    });
    expect(only(ofType(template, 'AWS::ACMPCA::CertificateAuthority')).Properties).toMatchObject({
      SigningAlgorithm: 'SHA384WITHECDSA',
      RevocationConfiguration: { CrlConfiguration: { CrlType: 'PARTITIONED', ExpirationInDays: 3 } },
    });
    expect(only(ofType(template, 'AWS::IoT::CACertificate')).Properties['AutoRegistrationStatus']).toBe('ENABLE');
    expect(appTemplate.findOutputs('EventConfigurationCommand')['EventConfigurationCommand']?.['Value']).toBe(
      `aws iot update-event-configurations --event-configurations '{"CA_CERTIFICATE":{"Enabled":true}}'`,
    );
  });
});

describe('three kinds of anchors together', () => {
  const ca = createCa({ name: 'CN=Factory CA' });
  let synthesised: Synthesised;
  beforeAll(async () => {
    const { certificatePem } = await ca;
    synthesised = synthesise({
      trustAnchors: [
        CREATED,
        { id: 'plant', type: 'acm-pca', arn: IMPORTED_ARN, certificatePem, crl: { type: 'PARTITIONED', prefix: 'plant/crl/' } },
        { id: 'factory', type: 'external', certificatePem, crl: { distributionPoints: ['http://crl.factory.example/{name}'] } },
      ],
    });
  });

  it('are all registered and pinned, and only one CA is made', () => {
    const count = (type: string): number => Object.keys(ofType(synthesised.stateTemplate, type)).length;
    expect([count('AWS::ACMPCA::CertificateAuthority'), count('AWS::IoT::CACertificate'), count('AWS::SSM::Parameter')]).toEqual([1, 3, 6]);
    for (const { Properties } of Object.values(ofType(synthesised.stateTemplate, 'AWS::IoT::CACertificate'))) {
      expect(Properties['CertificateMode']).toBe('SNI_ONLY');
    }
  });

  it('are left alone by AWS IoT where the fleet has registered them already: a second registration would fail the deployment', async () => {
    const { certificatePem } = await ca;
    const { stateTemplate } = synthesise({
      trustAnchors: [
        { id: 'plant', type: 'acm-pca', arn: IMPORTED_ARN, certificatePem, registerWithIot: false, crl: { type: 'COMPLETE' } },
        { id: 'factory', type: 'external', certificatePem, registerWithIot: false, crl: {} },
      ],
    });
    expect(ofType(stateTemplate, 'AWS::IoT::CACertificate')).toEqual({});
    expect(Object.keys(ofType(stateTemplate, 'AWS::SSM::Parameter'))).toHaveLength(4); // pinned all the same
  });

  it('have settings after their kind', async () => {
    expect(parameter(synthesised, '/fleetwarden/trust/factory/certificate')).toBe((await ca).certificatePem);
    expect(JSON.parse(text(parameter(synthesised, '/fleetwarden/trust/factory/settings')))).toEqual({
      type: 'external',
      crl: { type: 'COMPLETE', prefix: 'external/factory/', distributionPoints: ['http://crl.factory.example/{name}'] },
    });
    expect(JSON.parse(text(parameter(synthesised, '/fleetwarden/trust/plant/settings')))).toMatchObject({
      certificateAuthorityArn: IMPORTED_ARN,
      crl: { type: 'PARTITIONED', prefix: 'plant/crl/' },
    });
  });

  it('let the imported CA write below its own prefix, by its own ARN and account', () => {
    const puts = statementsOf(crlBucketPolicy(synthesised)).find(({ Sid }) => Sid === 'PrivateCaPutsCrls');
    expect(
      listOf(puts?.Resource)
        .map(text)
        .some((arn) => arn.endsWith('/plant/crl/*')),
    ).toBe(true);
    expect(text(puts?.Condition?.['StringEquals']?.['aws:SourceAccount'])).toContain('111122223333');
    expect(text(puts?.Condition?.['ArnLike']?.['aws:SourceArn'])).toContain(IMPORTED_ARN);
    expect(listOf(puts?.Resource).map(text).join()).not.toContain('external/');
  });

  it('come with the command that points the imported CA’s CRLs to the bucket', () => {
    const outputs = Object.values(synthesised.stateTemplate.findOutputs('*', { Description: Match.stringLikeRegexp('^Run once') }));
    expect(outputs).toHaveLength(1);
    const command = text((outputs[0] as { Value: unknown }).Value);
    expect(command).toMatch(
      /^aws acm-pca update-certificate-authority --certificate-authority-arn arn:aws:acm-pca:\S+ --revocation-configuration '/,
    );
    expect(JSON.parse(command.slice(command.indexOf("'") + 1, -1))).toEqual({
      CrlConfiguration: {
        Enabled: true,
        ExpirationInDays: 7,
        S3BucketName: expect.stringMatching(/^</),
        S3ObjectAcl: 'BUCKET_OWNER_FULL_CONTROL',
        CrlType: 'PARTITIONED',
        CustomPath: 'plant/crl',
      },
    });
  });

  it('without any CA at AWS Private CA let nobody write to the bucket, and listen to no event of it', async () => {
    const { certificatePem } = await ca;
    const external = synthesise({ trustAnchors: [{ id: 'factory', type: 'external', certificatePem, crl: {} }] });
    expect(
      statementsOf(crlBucketPolicy(external)).filter(
        ({ Effect, Principal }) => Effect === 'Allow' && Principal?.['Service'] === 'acm-pca.amazonaws.com',
      ),
    ).toEqual([]);
    expect(JSON.stringify(external.appTemplate.toJSON())).not.toContain('acm-pca');
  });
});

describe('what is stateful', () => {
  it('is retained under logical ids that never change: another id is a new, empty resource', () => {
    const { stateTemplate, appTemplate } = synthesise();
    const retained = (template: typeof stateTemplate) =>
      Object.entries(template.toJSON()['Resources'] as Record<string, Resource>)
        .filter(([, { DeletionPolicy, UpdateReplacePolicy }]) => DeletionPolicy === 'Retain' && UpdateReplacePolicy === 'Retain')
        .map(([id, { Type }]) => `${Type} ${id}`);
    expect(retained(stateTemplate)).toEqual([
      'AWS::S3::Bucket AccessLogs8B620ECA',
      'AWS::S3::BucketPolicy AccessLogsPolicyABDC4D2D',
      'AWS::S3::Bucket TrustCrlBucketD83F4C73',
      'AWS::S3::BucketPolicy TrustCrlBucketPolicy96171199',
      'AWS::ACMPCA::CertificateAuthority TrustfleetCaAuthorityB9B15AEC',
      'AWS::ACMPCA::Certificate TrustfleetCaCertificateA6BCDDEC',
      'AWS::ACMPCA::CertificateAuthorityActivation TrustfleetCaActivationB3B08BB7',
      'AWS::IoT::CACertificate TrustfleetIotCaCertificateE9051CD8',
      'AWS::DynamoDB::Table InventoryCFCBEC24',
      'AWS::DynamoDB::Table LedgerB7379752',
      'AWS::S3::Bucket State1C20CC9A',
      'AWS::S3::BucketPolicy StatePolicy68C7A5D2',
    ]);
    expect(retained(appTemplate)).toEqual([]);
  });

  it('of the tables can be brought back to any second, and is not deleted by a slip', () => {
    const { stateTemplate } = synthesise();
    for (const table of Object.values(ofType(stateTemplate, 'AWS::DynamoDB::Table'))) {
      expect(table.Properties).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      });
    }
  });

  it('makes no function of its own: no custom resource, no helper', () => {
    const { stateTemplate } = synthesise();
    expect({ ...ofType(stateTemplate, 'AWS::Lambda::Function'), ...ofType(stateTemplate, 'AWS::IAM::Role') }).toEqual({});
  });
});
