import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type Bucket, CfnBucket, type IBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct, type IDependable } from 'constructs';
import { type AnchorConfig, crlPrefixOf, isCreated, isImported } from '../config/anchor-config.js';
import { privateBucket } from '../shared/private-bucket.js';

export interface CrlBucketProps {
  readonly trustAnchors: readonly AnchorConfig[];
  readonly accessLogs: IBucket;
}

/** Superseded CRLs are evidence: what was revoked when, and who signed it. */
const NONCURRENT_VERSION_DAYS = 365;

/**
 * The bucket that the CAs write their CRLs to:
 *
 *     crl/<CA id>.crl                   AWS Private CA, its own default key (FACTS A1)
 *     external/<anchor id>/<name>.crl   any other CA, put there by you
 *
 * Every put is an event on the default bus.
 */
export class CrlBucket extends Construct {
  readonly bucket: Bucket;
  /** What a CA that writes here must wait for: it tests its permission when it is created. */
  readonly readyForWriting: IDependable;

  constructor(scope: Construct, id: string, { trustAnchors, accessLogs }: CrlBucketProps) {
    super(scope, id);
    this.bucket = privateBucket(this, 'Bucket', {
      accessLogs: { bucket: accessLogs, prefix: 'crl/' },
      noncurrentVersionDays: NONCURRENT_VERSION_DAYS,
      // AWS Private CA sends an ACL header with every CRL. That S3 takes `bucket-owner-full-control` where access lists are enforced off is
      // not confirmed (FACTS A2), so they stay on, for an ACL that gives the owner everything and nobody else anything.
      objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
    });
    // On the L1: the L2 switch adds a helper function, in another language, with rights on every bucket of the account.
    const resource = this.bucket.node.defaultChild;
    if (!(resource instanceof CfnBucket)) throw new Error('CRL bucket: got another default child, expected AWS::S3::Bucket');
    resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
    this.admitPrivateCas(trustAnchors.filter((anchor) => isCreated(anchor) || isImported(anchor)));
    this.readyForWriting = this.bucket.policy ?? this.bucket;
  }

  /**
   * What AWS Private CA needs (UG crl-planning.html), for the CAs of this configuration alone. A CA that is created here tests the permission
   * in the moment of its creation, so the policy must stand before the CA has an ARN: for those the condition is "a CA of this account and
   * region". An imported CA is named.
   */
  private admitPrivateCas(anchors: readonly AnchorConfig[]): void {
    if (anchors.length === 0) return;
    const stack = Stack.of(this);
    const imported = anchors.filter(isImported).map(({ arn }) => arn);
    const created = anchors.some(isCreated)
      ? [
          stack.formatArn({
            service: 'acm-pca',
            resource: 'certificate-authority',
            resourceName: '*',
            arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
          }),
        ]
      : [];
    const accounts = new Set([...(created.length > 0 ? [stack.account] : []), ...imported.map((arn) => arn.split(':')[4] ?? '')]);
    const conditions = {
      StringEquals: { 'aws:SourceAccount': onlyOrAll([...accounts]) },
      ArnLike: { 'aws:SourceArn': onlyOrAll([...created, ...imported]) },
    };
    const principals = [new ServicePrincipal('acm-pca.amazonaws.com')];
    const prefixes = [...new Set(anchors.map(crlPrefixOf))];
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'PrivateCaPutsCrls',
        principals,
        actions: ['s3:PutObject', 's3:PutObjectAcl'],
        // The second is the object by which a CA tests its permission, before there is any CRL (FACTS A1).
        resources: [...prefixes.map((prefix) => `${prefix}*`), 'acm-pca-permission-test-key*'].map((key) => this.bucket.arnForObjects(key)),
        conditions,
      }),
    );
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'PrivateCaLooksAtBucket',
        principals,
        actions: ['s3:GetBucketAcl', 's3:GetBucketLocation'],
        resources: [this.bucket.bucketArn],
        conditions,
      }),
    );
  }
}

const onlyOrAll = (values: readonly string[]): string | string[] =>
  values.length === 1 && values[0] !== undefined ? values[0] : [...values];
