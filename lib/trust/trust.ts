/**
 * The CAs of the fleet. For each trust anchor: its certificate and settings as SSM parameters (read by the functions, pinned), and its
 * registration with AWS IoT. For a created one, the CA itself; for an imported one, the command that points its CRLs here.
 */
import { CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnCACertificate } from 'aws-cdk-lib/aws-iot';
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import { CfnParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import type { TrustAnchorSettings } from '../../domain/pki/trust-anchor.js';
import { type AnchorConfig, crlPrefixOf, hasSigner, isCreated, isImported } from '../config/anchor-config.js';
import type { Configuration } from '../config/configuration.js';
import { CreatedCa } from './created-ca.js';
import { CrlBucket } from './crl-bucket.js';

export interface TrustProps {
  readonly configuration: Configuration;
  readonly accessLogs: IBucket;
}

interface PinnedCa {
  readonly certificatePem: string;
  readonly certificateAuthorityArn?: string;
}

export class Trust extends Construct {
  readonly crlBucket: Bucket;
  /** ARNs of the anchors at AWS Private CA, created and imported. */
  readonly privateCaArns: readonly string[];
  /** SSM path below which the anchors lie, without a slash at its end. */
  readonly parameterPath: string;

  constructor(scope: Construct, id: string, { configuration, accessLogs }: TrustProps) {
    super(scope, id);
    this.parameterPath = `/${configuration.prefix}/trust`;
    const { bucket, readyForWriting } = new CrlBucket(this, 'Crl', { trustAnchors: configuration.trustAnchors, accessLogs });
    this.crlBucket = bucket;
    const arns: string[] = [];
    for (const anchor of configuration.trustAnchors) {
      const anchorScope = new Construct(this, anchor.id);
      const ca: PinnedCa = isCreated(anchor)
        ? new CreatedCa(anchorScope, 'Ca', { create: anchor.create, crlBucket: bucket, after: readyForWriting })
        : { certificatePem: anchor.certificatePem, ...(isImported(anchor) ? { certificateAuthorityArn: anchor.arn } : {}) };
      if (ca.certificateAuthorityArn !== undefined) arns.push(ca.certificateAuthorityArn);
      if (isCreated(anchor) || anchor.registerWithIot) this.register(anchorScope, ca, configuration.devices.autoRegistration);
      this.pin(anchorScope, anchor, ca);
      if (isImported(anchor)) this.tellCommand(anchorScope, anchor);
    }
    this.privateCaArns = arns;
  }

  /**
   * SNI_ONLY: no verification certificate, and the certificates of several accounts may share the CA (FACTS B2). Retained: AWS IoT refuses
   * to delete an ACTIVE CA, and a fleet whose CA is gone cannot register a new certificate.
   */
  private register(scope: Construct, ca: PinnedCa, autoRegistration: boolean): void {
    new CfnCACertificate(scope, 'IotCaCertificate', {
      caCertificatePem: ca.certificatePem,
      certificateMode: 'SNI_ONLY',
      status: 'ACTIVE',
      autoRegistrationStatus: autoRegistration ? 'ENABLE' : 'DISABLE',
    }).applyRemovalPolicy(RemovalPolicy.RETAIN);
  }

  private pin(scope: Construct, anchor: AnchorConfig, ca: PinnedCa): void {
    const path = `${this.parameterPath}/${anchor.id}`;
    const settings: TrustAnchorSettings = {
      type: anchor.type,
      ...(ca.certificateAuthorityArn === undefined ? {} : { certificateAuthorityArn: ca.certificateAuthorityArn }),
      ...(hasSigner(anchor) ? { signer: anchor.signer } : {}),
      crl: {
        type: isCreated(anchor) ? anchor.create.crl.type : anchor.crl.type,
        prefix: crlPrefixOf(anchor),
        distributionPoints: this.distributionPoints(anchor),
      },
    };
    new CfnParameter(scope, 'CertificateParameter', {
      name: `${path}/certificate`,
      type: 'String',
      value: ca.certificatePem,
      description: `Certificate of trust anchor ${anchor.id}, pinned`,
    });
    new CfnParameter(scope, 'SettingsParameter', {
      name: `${path}/settings`,
      type: 'String',
      value: Stack.of(this).toJsonString(settings),
      description: `Settings of trust anchor ${anchor.id}`,
    });
  }

  /** The URIs that AWS Private CA writes into its CRLs and certificates (FACTS A1): today's form, and the older one that long-lived CAs keep. */
  private distributionPoints(anchor: AnchorConfig): string[] {
    if (anchor.type === 'external') return anchor.crl.distributionPoints;
    const { region, urlSuffix } = Stack.of(this);
    const bucket = this.crlBucket.bucketName;
    return [`http://${bucket}.s3.${region}.${urlSuffix}/{key}`, `http://s3.${region}.${urlSuffix}/${bucket}/{key}`];
  }

  /** CloudFormation cannot change a CA that it did not make. */
  private tellCommand(scope: Construct, anchor: AnchorConfig & { readonly arn: string }): void {
    const customPath = crlPrefixOf(anchor) === 'crl/' ? {} : { CustomPath: crlPrefixOf(anchor).slice(0, -1) };
    const revocationConfiguration = Stack.of(this).toJsonString({
      CrlConfiguration: {
        Enabled: true,
        ExpirationInDays: 7,
        S3BucketName: this.crlBucket.bucketName,
        S3ObjectAcl: 'BUCKET_OWNER_FULL_CONTROL',
        CrlType: isCreated(anchor) ? anchor.create.crl.type : anchor.crl.type,
        ...customPath,
      },
    });
    new CfnOutput(scope, 'CrlCommand', {
      description: `Run once: points the CRLs of the imported CA ${anchor.id} to the CRL bucket`,
      value: `aws acm-pca update-certificate-authority --certificate-authority-arn ${anchor.arn} --revocation-configuration '${revocationConfiguration}'`,
    });
  }
}
