/** S3 as the desk serves it. What is served and what differs: README.md beside this file. */
import type { Cloud } from '../../cloud.js';
import type { AwsService, Call, Operation } from '../../models/service.js';
import { accessOf } from './access.js';
import * as bucketOperations from './bucket-operations.js';
import * as settings from './bucket-settings.js';
import { Buckets } from './buckets.js';
import { startLifecycle } from './lifecycle.js';
import * as listing from './listing.js';
import * as multipart from './multipart.js';
import * as reads from './object-reads.js';
import * as writes from './object-writes.js';

const OPERATIONS = {
  CreateBucket: bucketOperations.createBucket,
  DeleteBucket: bucketOperations.deleteBucket,
  HeadBucket: bucketOperations.headBucket,
  ListBuckets: bucketOperations.listBuckets,
  GetBucketLocation: bucketOperations.getBucketLocation,
  GetBucketVersioning: settings.getBucketVersioning,
  PutBucketVersioning: settings.putBucketVersioning,
  GetBucketPolicy: settings.getBucketPolicy,
  PutBucketPolicy: settings.putBucketPolicy,
  DeleteBucketPolicy: settings.deleteBucketPolicy,
  GetBucketPolicyStatus: settings.getBucketPolicyStatus,
  GetBucketNotificationConfiguration: settings.getBucketNotificationConfiguration,
  PutBucketNotificationConfiguration: settings.putBucketNotificationConfiguration,
  GetPublicAccessBlock: settings.getPublicAccessBlock,
  PutPublicAccessBlock: settings.putPublicAccessBlock,
  DeletePublicAccessBlock: settings.deletePublicAccessBlock,
  GetBucketOwnershipControls: settings.getBucketOwnershipControls,
  PutBucketOwnershipControls: settings.putBucketOwnershipControls,
  DeleteBucketOwnershipControls: settings.deleteBucketOwnershipControls,
  GetBucketEncryption: settings.getBucketEncryption,
  PutBucketEncryption: settings.putBucketEncryption,
  DeleteBucketEncryption: settings.deleteBucketEncryption,
  GetBucketLifecycleConfiguration: settings.getBucketLifecycleConfiguration,
  PutBucketLifecycleConfiguration: settings.putBucketLifecycleConfiguration,
  DeleteBucketLifecycle: settings.deleteBucketLifecycle,
  GetBucketLogging: settings.getBucketLogging,
  PutBucketLogging: settings.putBucketLogging,
  GetBucketTagging: settings.getBucketTagging,
  PutBucketTagging: settings.putBucketTagging,
  DeleteBucketTagging: settings.deleteBucketTagging,
  GetBucketAcl: settings.getBucketAcl,
  PutBucketAcl: settings.putBucketAcl,
  ...settings.UNSET_SETTINGS,
  GetObject: reads.getObject,
  HeadObject: reads.headObject,
  GetObjectAttributes: reads.getObjectAttributes,
  GetObjectTagging: reads.getObjectTagging,
  PutObjectTagging: reads.putObjectTagging,
  DeleteObjectTagging: reads.deleteObjectTagging,
  GetObjectAcl: reads.getObjectAcl,
  PutObjectAcl: reads.putObjectAcl,
  PutObject: writes.putObject,
  CopyObject: writes.copyObject,
  DeleteObject: writes.deleteObject,
  DeleteObjects: writes.deleteObjects,
  ListObjectsV2: listing.listObjectsV2,
  ListObjects: listing.listObjects,
  ListObjectVersions: listing.listObjectVersions,
  CreateMultipartUpload: multipart.createMultipartUpload,
  UploadPart: multipart.uploadPart,
  UploadPartCopy: multipart.uploadPartCopy,
  CompleteMultipartUpload: multipart.completeMultipartUpload,
  AbortMultipartUpload: multipart.abortMultipartUpload,
  ListParts: multipart.listParts,
  ListMultipartUploads: multipart.listMultipartUploads,
} as const;

export function createS3(cloud: Cloud): AwsService {
  const buckets = new Buckets(cloud);
  startLifecycle(buckets);
  const run = (name: keyof typeof OPERATIONS) => OPERATIONS[name] as (buckets: Buckets, input: never, call: Call) => unknown;
  const operations = Object.fromEntries(
    (Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]).map((name): [string, Operation] => [
      name,
      (input, call) => run(name)(buckets, input as never, call),
    ]),
  );
  return {
    name: 's3',
    signingNames: ['s3'],
    operations,
    access: accessOf,
    resourcePolicies: (arn) => {
      const bucket = buckets.all.get(/^arn:aws:s3:::([^/]+)/.exec(arn)?.[1] ?? '');
      return bucket ? buckets.policiesOf(bucket) : [];
    },
  };
}
