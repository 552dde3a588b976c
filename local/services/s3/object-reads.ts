/** GetObject, HeadObject, GetObjectAttributes, and the tags and ACLs of objects. */
import type { Call } from '../../models/service.js';
import { grantsOf, objectAcl } from './acl.js';
import type { Bucket, ObjectVersion, Tag } from './bucket.js';
import { shownVersionId, type Buckets } from './buckets.js';
import { invalidArgument } from './errors.js';
import { checkRead, type ReadConditions } from './preconditions.js';
import { parseRange, type ByteRange } from './range.js';
import { readTags, writeTags } from './tags.js';

interface OfObject {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string;
  readonly ExpectedBucketOwner?: string;
}

interface ReadRequest extends OfObject, ReadConditions {
  readonly Range?: string;
  readonly PartNumber?: number;
  readonly ChecksumMode?: 'ENABLED';
  readonly ResponseCacheControl?: string;
  readonly ResponseContentDisposition?: string;
  readonly ResponseContentEncoding?: string;
  readonly ResponseContentLanguage?: string;
  readonly ResponseContentType?: string;
  readonly ResponseExpires?: Date;
}

export function getObject(buckets: Buckets, input: ReadRequest, call: Call): Record<string, unknown> {
  const { bucket, version, range } = open(buckets, input, call);
  const body = range ? version.body.subarray(range.start, range.end + 1) : version.body;
  return { ...headersOf(bucket, version, input, range), Body: body };
}

export function headObject(buckets: Buckets, input: ReadRequest, call: Call): Record<string, unknown> {
  const { bucket, version, range } = open(buckets, input, call);
  return headersOf(bucket, version, input, range);
}

function open(buckets: Buckets, input: ReadRequest, call: Call) {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const version = buckets.find(bucket, input.Key, input.VersionId, call);
  checkRead(version, input);
  const range = input.PartNumber === undefined ? parseRange(input.Range, version.body.length) : rangeOfPart(version, input.PartNumber);
  return { bucket, version, range };
}

function rangeOfPart(version: ObjectVersion, number: number): ByteRange | undefined {
  const parts = version.parts ?? [version.body.length];
  const size = parts[number - 1];
  if (size === undefined) throw invalidArgument('The requested partnumber is not satisfiable', 'partNumber', String(number));
  const start = parts.slice(0, number - 1).reduce((sum, part) => sum + part, 0);
  return version.parts ? { start, end: start + size - 1 } : undefined;
}

function headersOf(bucket: Bucket, version: ObjectVersion, input: ReadRequest, range: ByteRange | undefined): Record<string, unknown> {
  const size = version.body.length;
  const overrides = {
    CacheControl: input.ResponseCacheControl,
    ContentDisposition: input.ResponseContentDisposition,
    ContentEncoding: input.ResponseContentEncoding,
    ContentLanguage: input.ResponseContentLanguage,
    ContentType: input.ResponseContentType,
    Expires: input.ResponseExpires,
  };
  return {
    ContentType: 'binary/octet-stream',
    ...version.headers,
    ...Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined)),
    AcceptRanges: 'bytes',
    LastModified: version.lastModified,
    ETag: version.eTag,
    ServerSideEncryption: 'AES256',
    ...shownVersionId(bucket, version.versionId),
    ...(range
      ? { ContentLength: range.end - range.start + 1, ContentRange: `bytes ${range.start}-${range.end}/${size}` }
      : { ContentLength: size }),
    // The checksum is that of the whole object, so it goes with the whole object only.
    ...(input.ChecksumMode === 'ENABLED' && !range && Object.keys(version.checksums).length > 0
      ? { ...version.checksums, ChecksumType: version.checksumType }
      : {}),
    ...(version.storageClass === 'STANDARD' ? {} : { StorageClass: version.storageClass }),
    ...(version.parts && input.PartNumber !== undefined ? { PartsCount: version.parts.length } : {}),
    ...(version.tags.size > 0 ? { TagCount: version.tags.size } : {}),
  };
}

export function getObjectAttributes(
  buckets: Buckets,
  input: OfObject & { readonly ObjectAttributes: readonly string[] },
  call: Call,
): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const version = buckets.find(bucket, input.Key, input.VersionId, call);
  const attributes: Readonly<Record<string, unknown>> = {
    ETag: version.eTag.replaceAll('"', ''),
    ObjectSize: version.body.length,
    StorageClass: version.storageClass,
    ...(Object.keys(version.checksums).length > 0 ? { Checksum: { ...version.checksums, ChecksumType: version.checksumType } } : {}),
    ...(version.parts ? { ObjectParts: { TotalPartsCount: version.parts.length } } : {}),
  };
  return {
    LastModified: version.lastModified,
    ...shownVersionId(bucket, version.versionId),
    ...Object.fromEntries(Object.entries(attributes).filter(([name]) => input.ObjectAttributes.includes(name))),
  };
}

export function getObjectTagging(buckets: Buckets, input: OfObject, call: Call): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const version = buckets.find(bucket, input.Key, input.VersionId, call);
  return { TagSet: writeTags(version.tags), ...shownVersionId(bucket, version.versionId) };
}

export function putObjectTagging(
  buckets: Buckets,
  input: OfObject & { readonly Tagging: { readonly TagSet: readonly Tag[] } },
  call: Call,
) {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const version = buckets.find(bucket, input.Key, input.VersionId, call);
  version.tags = readTags(input.Tagging.TagSet, 10);
  return shownVersionId(bucket, version.versionId);
}

export function deleteObjectTagging(buckets: Buckets, input: OfObject, call: Call): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const version = buckets.find(bucket, input.Key, input.VersionId, call);
  version.tags = new Map();
  return shownVersionId(bucket, version.versionId);
}

export function getObjectAcl(buckets: Buckets, input: OfObject, call: Call): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  return grantsOf(buckets, buckets.find(bucket, input.Key, input.VersionId, call).acl);
}

export function putObjectAcl(buckets: Buckets, input: OfObject & { readonly ACL?: string }, call: Call): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const version = buckets.find(bucket, input.Key, input.VersionId, call);
  version.acl = objectAcl(bucket, input);
  return {};
}
