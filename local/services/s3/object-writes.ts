/** PutObject, CopyObject, DeleteObject, DeleteObjects. */
import { createHash } from 'node:crypto';

import { AwsError, type Call } from '../../models/service.js';
import { objectAcl } from './acl.js';
import type { Bucket, Checksums, ObjectHeaders, ObjectVersion } from './bucket.js';
import { shownVersionId, type Buckets } from './buckets.js';
import { readCopySource } from './copy-source.js';
import { invalidRequest, malformedXml, notServed, preconditionFailed } from './errors.js';
import { objectCreated, objectDeleted, type Cause } from './events.js';
import { checkCopySource, checkWrite } from './preconditions.js';
import { readTagHeader } from './tags.js';

/** What PutObject, CopyObject and CreateMultipartUpload say about the object to be. */
export interface NewObject extends ObjectHeaders {
  readonly Bucket: string;
  readonly Key: string;
  readonly ACL?: string;
  readonly StorageClass?: string;
  readonly Tagging?: string;
  readonly ServerSideEncryption?: string;
  readonly SSECustomerAlgorithm?: string;
  readonly ObjectLockMode?: string;
  readonly ObjectLockLegalHoldStatus?: string;
  readonly ExpectedBucketOwner?: string;
}

interface WriteConditions {
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
}

export const CHECKSUMS = ['ChecksumCRC32', 'ChecksumCRC32C', 'ChecksumCRC64NVME', 'ChecksumSHA1', 'ChecksumSHA256'] as const;
const UNKNOWN_CHECKSUMS = ['ChecksumSHA512', 'ChecksumMD5', 'ChecksumXXHASH64', 'ChecksumXXHASH3', 'ChecksumXXHASH128'];
const LONGEST_KEY = 1024;
const LARGEST_METADATA = 2048;

/** Checksums in a request; the endpoint has compared them with the body. */
export function checksumsOf(input: object): Checksums {
  const given = input as Readonly<Record<string, unknown>>;
  const unknown = UNKNOWN_CHECKSUMS.find((name) => given[name] !== undefined);
  if (unknown) throw notServed(unknown);
  return Object.fromEntries(CHECKSUMS.flatMap((name) => (typeof given[name] === 'string' ? [[name, given[name]]] : [])));
}

export function headersOf(input: ObjectHeaders): ObjectHeaders {
  const { ContentType, CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, Expires, WebsiteRedirectLocation, Metadata } =
    input;
  const metadataSize = Object.entries(Metadata ?? {}).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  );
  if (metadataSize > LARGEST_METADATA) {
    throw new AwsError('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', 400, {
      Size: metadataSize,
      MaxSizeAllowed: LARGEST_METADATA,
    });
  }
  const headers = {
    ContentType,
    CacheControl,
    ContentDisposition,
    ContentEncoding,
    ContentLanguage,
    Expires,
    WebsiteRedirectLocation,
    Metadata,
  };
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

/** Refuses what the desk cannot keep its word on. */
export function checkNewObject(input: NewObject): void {
  if (Buffer.byteLength(input.Key) > LONGEST_KEY) throw new AwsError('KeyTooLongError', 'Your key is too long', 400);
  if (input.SSECustomerAlgorithm !== undefined) throw notServed('encryption with keys of the caller (SSE-C)');
  if (input.ObjectLockMode !== undefined || input.ObjectLockLegalHoldStatus !== undefined) throw notServed('Object Lock');
}

export function putObject(
  buckets: Buckets,
  input: NewObject & WriteConditions & { readonly Body?: Uint8Array | string; readonly WriteOffsetBytes?: number },
  call: Call,
): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  checkNewObject(input);
  if (input.WriteOffsetBytes !== undefined) throw notServed('appending');
  checkWrite(input.Key, bucket.latest(input.Key), input);
  const body = typeof input.Body === 'string' ? Buffer.from(input.Body) : (input.Body ?? new Uint8Array());
  const version = store(buckets, bucket, {
    key: input.Key,
    body,
    eTag: md5ETag(body),
    headers: headersOf(input),
    checksums: checksumsOf(input),
    checksumType: 'FULL_OBJECT',
    storageClass: input.StorageClass ?? 'STANDARD',
    acl: objectAcl(bucket, input),
    tags: readTagHeader(input.Tagging),
  });
  objectCreated(buckets, bucket, version, 'PutObject', call);
  return {
    ETag: version.eTag,
    ...version.checksums,
    ...(Object.keys(version.checksums).length > 0 ? { ChecksumType: version.checksumType } : {}),
    ServerSideEncryption: 'AES256',
    ...(bucket.settings.versioning === 'Enabled' ? shownVersionId(bucket, version.versionId) : {}),
  };
}

export const md5ETag = (body: Uint8Array): string => `"${createHash('md5').update(body).digest('hex')}"`;

/** Puts a new version into the bucket. */
export function store(
  buckets: Buckets,
  bucket: Bucket,
  content: Omit<ObjectVersion, 'versionId' | 'isDeleteMarker' | 'lastModified'>,
): ObjectVersion {
  const version: ObjectVersion = {
    ...content,
    versionId: bucket.newVersionId(),
    isDeleteMarker: false,
    lastModified: wholeSecond(buckets.now()),
  };
  bucket.add(version);
  return version;
}

/** S3 keeps times in whole seconds (the header Last-Modified has no more). */
export const wholeSecond = (date: Date): Date => new Date(Math.floor(date.getTime() / 1000) * 1000);

interface CopyRequest extends NewObject, WriteConditions {
  readonly CopySource: string;
  readonly MetadataDirective?: 'COPY' | 'REPLACE';
  readonly TaggingDirective?: 'COPY' | 'REPLACE';
  readonly CopySourceIfMatch?: string;
  readonly CopySourceIfNoneMatch?: string;
  readonly CopySourceIfModifiedSince?: Date;
  readonly CopySourceIfUnmodifiedSince?: Date;
}

export function copyObject(buckets: Buckets, input: CopyRequest, call: Call): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  checkNewObject(input);
  const source = readCopySource(input.CopySource);
  const from = buckets.bucket(source.bucket);
  const original = buckets.find(from, source.key, source.versionId, call);
  checkCopySource(original, copyConditions(input));
  checkWrite(input.Key, bucket.latest(input.Key), input);
  const replacesHeaders = input.MetadataDirective === 'REPLACE';
  const isOnItself = from === bucket && source.key === input.Key && source.versionId === undefined;
  if (isOnItself && !replacesHeaders && input.StorageClass === undefined && input.WebsiteRedirectLocation === undefined) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const version = store(buckets, bucket, {
    key: input.Key,
    body: original.body,
    eTag: original.parts ? md5ETag(original.body) : original.eTag,
    headers: replacesHeaders ? headersOf(input) : original.headers,
    checksums: original.checksumType === 'FULL_OBJECT' ? original.checksums : {},
    checksumType: 'FULL_OBJECT',
    storageClass: input.StorageClass ?? 'STANDARD',
    acl: objectAcl(bucket, input),
    tags: input.TaggingDirective === 'REPLACE' ? readTagHeader(input.Tagging) : original.tags,
  });
  objectCreated(buckets, bucket, version, 'CopyObject', call);
  return {
    CopyObjectResult: { ETag: version.eTag, LastModified: version.lastModified, ...version.checksums },
    ServerSideEncryption: 'AES256',
    ...(from.settings.versioning === undefined ? {} : { CopySourceVersionId: original.versionId }),
    ...(bucket.settings.versioning === 'Enabled' ? { VersionId: version.versionId } : {}),
  };
}

const copyConditions = (input: Omit<CopyRequest, keyof NewObject>) => ({
  ...(input.CopySourceIfMatch === undefined ? {} : { IfMatch: input.CopySourceIfMatch }),
  ...(input.CopySourceIfNoneMatch === undefined ? {} : { IfNoneMatch: input.CopySourceIfNoneMatch }),
  ...(input.CopySourceIfModifiedSince ? { IfModifiedSince: input.CopySourceIfModifiedSince } : {}),
  ...(input.CopySourceIfUnmodifiedSince ? { IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince } : {}),
});

interface DeleteRequest {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string;
  readonly IfMatch?: string;
  readonly ExpectedBucketOwner?: string;
}

export function deleteObject(buckets: Buckets, input: DeleteRequest, call: Call): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  if (input.IfMatch !== undefined) {
    const latest = bucket.latest(input.Key);
    if (!latest || latest.isDeleteMarker) throw preconditionFailed('If-Match');
    checkWrite(input.Key, latest, { IfMatch: input.IfMatch });
  }
  return deleteVersion(buckets, bucket, input.Key, input.VersionId, call);
}

/** Removes the version that is named; without a name, puts a delete marker on top, or removes the object of an unversioned bucket. */
export function deleteVersion(
  buckets: Buckets,
  bucket: Bucket,
  key: string,
  versionId: string | undefined,
  cause: Cause,
): { readonly DeleteMarker?: true; readonly VersionId?: string } {
  if (versionId !== undefined || bucket.settings.versioning === undefined) {
    const removed = bucket.remove(key, versionId ?? 'null');
    if (removed) objectDeleted(buckets, bucket, removed, false, cause);
    return { ...(removed?.isDeleteMarker ? { DeleteMarker: true } : {}), ...(versionId === undefined ? {} : { VersionId: versionId }) };
  }
  const marker: ObjectVersion = {
    key,
    versionId: bucket.newVersionId(),
    isDeleteMarker: true,
    lastModified: wholeSecond(buckets.now()),
    body: new Uint8Array(),
    eTag: '',
    headers: {},
    checksums: {},
    checksumType: 'FULL_OBJECT',
    storageClass: 'STANDARD',
    acl: 'private',
    tags: new Map(),
  };
  bucket.add(marker);
  objectDeleted(buckets, bucket, marker, true, cause);
  return { DeleteMarker: true, VersionId: marker.versionId };
}

const MOST_DELETES = 1000;

export function deleteObjects(
  buckets: Buckets,
  input: {
    readonly Bucket: string;
    readonly ExpectedBucketOwner?: string;
    readonly Delete: {
      readonly Quiet?: boolean;
      readonly Objects: readonly { readonly Key: string; readonly VersionId?: string; readonly ETag?: string }[];
    };
  },
  call: Call,
): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const { Objects, Quiet } = input.Delete;
  if (Objects.length === 0 || Objects.length > MOST_DELETES) throw malformedXml();
  const deleted: object[] = [];
  const errors: object[] = [];
  for (const { Key, VersionId, ETag } of Objects) {
    const named = VersionId === undefined ? {} : { VersionId };
    // Each object is authorised on its own: one that may not be deleted does not keep the others.
    if (!buckets.may(call, VersionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion', bucket, Key)) {
      errors.push({ Key, ...named, Code: 'AccessDenied', Message: 'Access Denied' });
      continue;
    }
    try {
      const done = deleteObject(buckets, { Bucket: input.Bucket, Key, ...named, ...(ETag === undefined ? {} : { IfMatch: ETag }) }, call);
      deleted.push({ Key, ...named, ...(done['DeleteMarker'] ? { DeleteMarker: true, DeleteMarkerVersionId: done['VersionId'] } : {}) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      errors.push({ Key, ...named, Code: error.code, Message: error.message });
    }
  }
  return { ...(Quiet ? {} : { Deleted: deleted }), ...(errors.length > 0 ? { Errors: errors } : {}) };
}
