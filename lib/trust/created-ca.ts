import { Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnCertificate, CfnCertificateAuthority, CfnCertificateAuthorityActivation } from 'aws-cdk-lib/aws-acmpca';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct, type IDependable } from 'constructs';
import { type CreatedAnchor, signingAlgorithmOf } from '../config/anchor-config.js';

export interface CreatedCaProps {
  readonly create: CreatedAnchor['create'];
  readonly crlBucket: IBucket;
  /** The bucket policy: a CA whose CRL bucket it cannot write to is not created. */
  readonly after: IDependable;
}

/** A root CA at AWS Private CA: CA → its self-signed certificate → activation. All retained: who deletes a CA deletes the trust of a fleet. */
export class CreatedCa extends Construct {
  readonly certificateAuthorityArn: string;
  /** PEM, known at deployment. */
  readonly certificatePem: string;
  /** `<CA-ID>`, the end of the ARN: names the CRL object. */
  readonly certificateAuthorityId: string;

  constructor(scope: Construct, id: string, { create, crlBucket, after }: CreatedCaProps) {
    super(scope, id);
    const signingAlgorithm = signingAlgorithmOf(create);
    const authority = new CfnCertificateAuthority(this, 'Authority', {
      type: 'ROOT',
      keyAlgorithm: create.keyAlgorithm,
      signingAlgorithm,
      subject: { commonName: create.commonName, ...(create.organization ? { organization: create.organization } : {}) },
      usageMode: 'GENERAL_PURPOSE',
      revocationConfiguration: {
        crlConfiguration: {
          enabled: true,
          expirationInDays: create.crl.expirationDays,
          s3BucketName: crlBucket.bucketName,
          // Not the default: PUBLIC_READ fails where public access is blocked (PAPI CrlConfiguration).
          s3ObjectAcl: 'BUCKET_OWNER_FULL_CONTROL',
          crlType: create.crl.type,
        },
      },
    });
    authority.node.addDependency(after);
    authority.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.certificateAuthorityArn = authority.attrArn;
    this.certificateAuthorityId = Fn.select(1, Fn.split('/', authority.attrArn));

    const certificate = new CfnCertificate(this, 'Certificate', {
      certificateAuthorityArn: authority.attrArn,
      certificateSigningRequest: authority.attrCertificateSigningRequest,
      signingAlgorithm,
      templateArn: `arn:${Stack.of(this).partition}:acm-pca:::template/RootCACertificate/V1`,
      validity: { type: 'YEARS', value: create.validityYears },
    });
    certificate.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.certificatePem = certificate.attrCertificate;

    new CfnCertificateAuthorityActivation(this, 'Activation', {
      certificateAuthorityArn: authority.attrArn,
      certificate: certificate.attrCertificate,
      status: 'ACTIVE',
    }).applyRemovalPolicy(RemovalPolicy.RETAIN);
  }
}
