/**
 * What IAM is asked before an operation.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
import type { AccessRequest } from '../../iam/principal.js';
import { readCopySource } from './copy-source.js';

type Input = Readonly<Record<string, unknown>>;

/** Operations on a bucket whose IAM action has another name than they have. The others are called alike. */
const BUCKET_ACTIONS: Readonly<Record<string, string>> = {
  HeadBucket: 'ListBucket',
  ListObjects: 'ListBucket',
  ListObjectsV2: 'ListBucket',
  ListObjectVersions: 'ListBucketVersions',
  ListMultipartUploads: 'ListBucketMultipartUploads',
  GetBucketEncryption: 'GetEncryptionConfiguration',
  PutBucketEncryption: 'PutEncryptionConfiguration',
  DeleteBucketEncryption: 'PutEncryptionConfiguration',
  GetBucketLifecycleConfiguration: 'GetLifecycleConfiguration',
  PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
  DeleteBucketLifecycle: 'PutLifecycleConfiguration',
  GetPublicAccessBlock: 'GetBucketPublicAccessBlock',
  PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
  DeletePublicAccessBlock: 'PutBucketPublicAccessBlock',
  DeleteBucketOwnershipControls: 'PutBucketOwnershipControls',
  DeleteBucketTagging: 'PutBucketTagging',
  GetBucketNotificationConfiguration: 'GetBucketNotification',
  PutBucketNotificationConfiguration: 'PutBucketNotification',
  GetBucketAccelerateConfiguration: 'GetAccelerateConfiguration',
  GetBucketReplication: 'GetReplicationConfiguration',
  GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
  GetBucketCors: 'GetBucketCORS',
  DeleteBucketCors: 'PutBucketCORS',
  DeleteBucketReplication: 'PutReplicationConfiguration',
};

/** Operations on an object. `versioned`: with a version id it is another action, `…Version…`. */
const OBJECT_ACTIONS: Readonly<Record<string, { readonly action: string; readonly versioned?: string }>> = {
  GetObject: { action: 'GetObject', versioned: 'GetObjectVersion' },
  HeadObject: { action: 'GetObject', versioned: 'GetObjectVersion' },
  GetObjectAttributes: { action: 'GetObjectAttributes', versioned: 'GetObjectVersionAttributes' },
  GetObjectAcl: { action: 'GetObjectAcl', versioned: 'GetObjectVersionAcl' },
  PutObjectAcl: { action: 'PutObjectAcl', versioned: 'PutObjectVersionAcl' },
  GetObjectTagging: { action: 'GetObjectTagging', versioned: 'GetObjectVersionTagging' },
  PutObjectTagging: { action: 'PutObjectTagging', versioned: 'PutObjectVersionTagging' },
  DeleteObjectTagging: { action: 'DeleteObjectTagging', versioned: 'DeleteObjectVersionTagging' },
  DeleteObject: { action: 'DeleteObject', versioned: 'DeleteObjectVersion' },
  PutObject: { action: 'PutObject' },
  CopyObject: { action: 'PutObject' },
  CreateMultipartUpload: { action: 'PutObject' },
  UploadPart: { action: 'PutObject' },
  UploadPartCopy: { action: 'PutObject' },
  CompleteMultipartUpload: { action: 'PutObject' },
  AbortMultipartUpload: { action: 'AbortMultipartUpload' },
  ListParts: { action: 'ListMultipartUploadParts' },
};

/** Condition keys that come from members of the request. */
const CONTEXT: Readonly<Record<string, string>> = {
  Prefix: 's3:prefix',
  Delimiter: 's3:delimiter',
  MaxKeys: 's3:max-keys',
  VersionId: 's3:VersionId',
  ACL: 's3:x-amz-acl',
  ServerSideEncryption: 's3:x-amz-server-side-encryption',
  StorageClass: 's3:x-amz-storage-class',
  CopySource: 's3:x-amz-copy-source',
};

export function accessOf(operation: string, input: Input): readonly AccessRequest[] {
  if (operation === 'ListBuckets') return [{ action: 's3:ListAllMyBuckets', resource: '*' }];
  // Each object is authorised on its own by the operation: one that may not be deleted does not keep the others.
  if (operation === 'DeleteObjects') return [];
  const bucketArn = `arn:aws:s3:::${String(input['Bucket'])}`;
  const context = contextOf(input);
  const object = OBJECT_ACTIONS[operation];
  if (!object) return [{ action: `s3:${BUCKET_ACTIONS[operation] ?? operation}`, resource: bucketArn, ...context }];
  const resource = `${bucketArn}/${String(input['Key'])}`;
  const action = input['VersionId'] === undefined ? object.action : (object.versioned ?? object.action);
  return [
    { action: `s3:${action}`, resource, ...context },
    ...(object.action === 'PutObject' ? alsoForWrites(input, resource, context) : []),
  ];
}

/** An ACL and tags that come with a write each need their own permission; a copy needs to read its source. */
function alsoForWrites(input: Input, resource: string, context: Pick<AccessRequest, 'context'>): readonly AccessRequest[] {
  const requests: AccessRequest[] = [];
  if (input['ACL'] !== undefined) requests.push({ action: 's3:PutObjectAcl', resource, ...context });
  if (input['Tagging'] !== undefined) requests.push({ action: 's3:PutObjectTagging', resource, ...context });
  if (typeof input['CopySource'] === 'string') {
    const { bucket, key, versionId } = readCopySource(input['CopySource']);
    requests.push({ action: versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', resource: `arn:aws:s3:::${bucket}/${key}` });
  }
  return requests;
}

function contextOf(input: Input): Pick<AccessRequest, 'context'> {
  const pairs = Object.entries(CONTEXT).flatMap(([member, key]) => {
    const value = input[member];
    return typeof value === 'string' || typeof value === 'number' ? [[key, String(value)]] : [];
  });
  return pairs.length > 0 ? { context: Object.fromEntries(pairs) as Record<string, string> } : {};
}
