import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

export interface PrivateBucketProps {
  /** Where the access log goes. @default no access log: the access-log bucket itself */
  readonly accessLogs?: { readonly bucket: IBucket; /** `crl/` */ readonly prefix: string };
  /** How long superseded versions are kept. */
  readonly noncurrentVersionDays: number;
  /** @default BUCKET_OWNER_ENFORCED: access lists are off */
  readonly objectOwnership?: ObjectOwnership;
}

/** Private, TLS only, encrypted, versioned, retained: every bucket of the application. */
export function privateBucket(scope: Construct, id: string, props: PrivateBucketProps): Bucket {
  const bucket = new Bucket(scope, id, {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    encryption: BucketEncryption.S3_MANAGED,
    objectOwnership: props.objectOwnership ?? ObjectOwnership.BUCKET_OWNER_ENFORCED,
    versioned: true,
    removalPolicy: RemovalPolicy.RETAIN,
    ...(props.accessLogs ? { serverAccessLogsBucket: props.accessLogs.bucket, serverAccessLogsPrefix: props.accessLogs.prefix } : {}),
    lifecycleRules: [
      { noncurrentVersionExpiration: Duration.days(props.noncurrentVersionDays), abortIncompleteMultipartUploadAfter: Duration.days(7) },
    ],
  });
  // With the bucket: a retained bucket without its policy would be open to plain HTTP, and closed to the CA that goes on writing to it.
  bucket.policy?.applyRemovalPolicy(RemovalPolicy.RETAIN);
  return bucket;
}
