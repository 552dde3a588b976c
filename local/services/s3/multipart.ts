/** Multipart upload. https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
import { createHash, randomBytes } from 'node:crypto';

import { AwsError, type Call } from '../../models/service.js';
import { objectAcl } from './acl.js';
import type { Bucket, Checksums, Part, Upload } from './bucket.js';
import type { Buckets } from './buckets.js';
import { readCopySource } from './copy-source.js';
import { invalidArgument, malformedXml, noSuchUpload } from './errors.js';
import { objectCreated } from './events.js';
import { checkNewObject, checksumsOf, headersOf, md5ETag, store, wholeSecond, type NewObject } from './object-writes.js';
import { checkWrite } from './preconditions.js';
import { parseRange } from './range.js';
import { readTagHeader } from './tags.js';

interface OfUpload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
  readonly ExpectedBucketOwner?: string;
}

const MOST_PARTS = 10_000;
/** Every part but the last. */
const SMALLEST_PART = 5 * 1024 * 1024;

export function createMultipartUpload(
  buckets: Buckets,
  input: NewObject & { readonly ChecksumAlgorithm?: string; readonly ChecksumType?: 'FULL_OBJECT' | 'COMPOSITE' },
): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  checkNewObject(input);
  const { ChecksumAlgorithm: algorithm } = input;
  const type = algorithm === undefined ? undefined : (input.ChecksumType ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE'));
  const upload: Upload = {
    uploadId: randomBytes(32).toString('base64url'),
    key: input.Key,
    initiated: wholeSecond(buckets.now()),
    headers: headersOf(input),
    storageClass: input.StorageClass ?? 'STANDARD',
    acl: objectAcl(bucket, input),
    tags: readTagHeader(input.Tagging),
    ...(algorithm === undefined ? {} : { checksumAlgorithm: algorithm }),
    ...(type === undefined ? {} : { checksumType: type }),
    parts: new Map(),
  };
  bucket.uploads.set(upload.uploadId, upload);
  return {
    Bucket: bucket.name,
    Key: upload.key,
    UploadId: upload.uploadId,
    ServerSideEncryption: 'AES256',
    ...checksumKind(upload),
  };
}

const checksumKind = (upload: Upload) => ({
  ...(upload.checksumAlgorithm === undefined ? {} : { ChecksumAlgorithm: upload.checksumAlgorithm }),
  ...(upload.checksumType === undefined ? {} : { ChecksumType: upload.checksumType }),
});

function find(buckets: Buckets, input: OfUpload): { readonly bucket: Bucket; readonly upload: Upload } {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const upload = bucket.uploads.get(input.UploadId);
  if (!upload || upload.key !== input.Key) throw noSuchUpload(input.UploadId);
  return { bucket, upload };
}

export function uploadPart(
  buckets: Buckets,
  input: OfUpload & { readonly PartNumber: number; readonly Body?: Uint8Array | string },
): Record<string, unknown> {
  const { upload } = find(buckets, input);
  const body = typeof input.Body === 'string' ? Buffer.from(input.Body) : (input.Body ?? new Uint8Array());
  const part = addPart(buckets, upload, input.PartNumber, body, checksumsOf(input));
  return { ETag: part.eTag, ...part.checksums, ServerSideEncryption: 'AES256' };
}

export function uploadPartCopy(
  buckets: Buckets,
  input: OfUpload & { readonly PartNumber: number; readonly CopySource: string; readonly CopySourceRange?: string },
  call: Call,
): Record<string, unknown> {
  const { upload } = find(buckets, input);
  const source = readCopySource(input.CopySource);
  const original = buckets.find(buckets.bucket(source.bucket), source.key, source.versionId, call);
  const range = parseRange(input.CopySourceRange, original.body.length);
  const body = range ? original.body.subarray(range.start, range.end + 1) : original.body;
  const part = addPart(buckets, upload, input.PartNumber, body, {});
  return { CopyPartResult: { ETag: part.eTag, LastModified: part.lastModified }, ServerSideEncryption: 'AES256' };
}

function addPart(buckets: Buckets, upload: Upload, number: number, body: Uint8Array, checksums: Checksums): Part {
  if (!Number.isInteger(number) || number < 1 || number > MOST_PARTS) {
    throw invalidArgument(`Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`, 'partNumber', String(number));
  }
  const part: Part = { number, body, eTag: md5ETag(body), checksums, lastModified: wholeSecond(buckets.now()) };
  upload.parts.set(number, part);
  return part;
}

interface CompletedPart {
  readonly PartNumber?: number;
  readonly ETag?: string;
}

export function completeMultipartUpload(
  buckets: Buckets,
  input: OfUpload & {
    readonly MultipartUpload?: { readonly Parts?: readonly CompletedPart[] };
    readonly IfMatch?: string;
    readonly IfNoneMatch?: string;
    readonly MpuObjectSize?: number;
  },
  call: Call,
): Record<string, unknown> {
  const { bucket, upload } = find(buckets, input);
  checkWrite(upload.key, bucket.latest(upload.key), input);
  const parts = chosenParts(upload, input.MultipartUpload?.Parts ?? []);
  const size = parts.reduce((sum, part) => sum + part.body.length, 0);
  if (input.MpuObjectSize !== undefined && input.MpuObjectSize !== size) {
    throw new AwsError('InvalidRequest', 'The provided x-amz-mp-object-size header does not match what was computed', 400);
  }
  const only = parts[0];
  const version = store(buckets, bucket, {
    key: upload.key,
    body: parts.length === 1 && only ? only.body : Buffer.concat(parts.map((part) => part.body)),
    eTag: eTagOf(parts),
    headers: upload.headers,
    checksums: upload.checksumType === 'COMPOSITE' ? composite(parts) : checksumsOf(input),
    checksumType: upload.checksumType ?? 'FULL_OBJECT',
    parts: parts.map((part) => part.body.length),
    storageClass: upload.storageClass,
    acl: upload.acl,
    tags: upload.tags,
  });
  bucket.uploads.delete(upload.uploadId);
  objectCreated(buckets, bucket, version, 'CompleteMultipartUpload', call);
  return {
    Location: `https://${bucket.name}.s3.${buckets.cloud.world.region}.amazonaws.com/${upload.key}`,
    Bucket: bucket.name,
    Key: upload.key,
    ETag: version.eTag,
    ...version.checksums,
    ...(Object.keys(version.checksums).length > 0 ? { ChecksumType: version.checksumType } : {}),
    ServerSideEncryption: 'AES256',
    ...(bucket.settings.versioning === 'Enabled' ? { VersionId: version.versionId } : {}),
  };
}

function chosenParts(upload: Upload, list: readonly CompletedPart[]): readonly Part[] {
  if (list.length === 0) throw malformedXml();
  const parts = list.map(({ PartNumber, ETag }) => {
    const part = upload.parts.get(PartNumber ?? 0);
    if (part && ETag?.replaceAll('"', '') === part.eTag.replaceAll('"', '')) return part;
    throw new AwsError(
      'InvalidPart',
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      400,
      { UploadId: upload.uploadId, PartNumber, ETag },
    );
  });
  if (parts.some((part, i) => i > 0 && part.number <= (parts[i - 1]?.number ?? 0))) {
    throw new AwsError('InvalidPartOrder', 'The list of parts was not in ascending order. Parts must be ordered by part number.', 400);
  }
  const small = parts.slice(0, -1).find((part) => part.body.length < SMALLEST_PART);
  if (small) {
    throw new AwsError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', 400, {
      ProposedSize: small.body.length,
      MinSizeAllowed: SMALLEST_PART,
      PartNumber: small.number,
    });
  }
  return parts;
}

/** MD5 of the parts' MD5s, and how many they were. */
function eTagOf(parts: readonly Part[]): string {
  const digests = Buffer.concat(parts.map((part) => Buffer.from(part.eTag.replaceAll('"', ''), 'hex')));
  return `"${createHash('md5').update(digests).digest('hex')}-${parts.length}"`;
}

/** Checksum of the parts' checksums, and how many they were; only for the hashes, as CRCs of CRCs would need the endpoint's tables. */
function composite(parts: readonly Part[]): Checksums {
  const digests = (name: string) => parts.map((part) => part.checksums[name]);
  const hashes = { ChecksumSHA1: 'sha1', ChecksumSHA256: 'sha256' } as const;
  const found = Object.entries(hashes).filter(([name]) => digests(name).every((digest) => digest !== undefined));
  return Object.fromEntries(
    found.map(([name, algorithm]) => {
      const all = Buffer.concat(digests(name).map((digest) => Buffer.from(digest ?? '', 'base64')));
      return [name, `${createHash(algorithm).update(all).digest('base64')}-${parts.length}`];
    }),
  );
}

export function abortMultipartUpload(buckets: Buckets, input: OfUpload): Record<string, unknown> {
  const { bucket, upload } = find(buckets, input);
  bucket.uploads.delete(upload.uploadId);
  return {};
}

export function listParts(
  buckets: Buckets,
  input: OfUpload & { readonly MaxParts?: number; readonly PartNumberMarker?: string },
): Record<string, unknown> {
  const { bucket, upload } = find(buckets, input);
  const after = Number(input.PartNumberMarker ?? 0);
  const most = Math.min(input.MaxParts ?? 1000, 1000);
  const all = [...upload.parts.values()].filter((part) => part.number > after).sort((a, b) => a.number - b.number);
  const page = all.slice(0, most);
  return {
    Bucket: bucket.name,
    Key: upload.key,
    UploadId: upload.uploadId,
    PartNumberMarker: String(after),
    MaxParts: most,
    IsTruncated: all.length > page.length,
    ...(all.length > page.length ? { NextPartNumberMarker: String(page.at(-1)?.number ?? after) } : {}),
    ...(page.length > 0
      ? {
          Parts: page.map((part) => ({
            PartNumber: part.number,
            LastModified: part.lastModified,
            ETag: part.eTag,
            Size: part.body.length,
            ...part.checksums,
          })),
        }
      : {}),
    Initiator: buckets.owner,
    Owner: buckets.owner,
    StorageClass: upload.storageClass,
    ...checksumKind(upload),
  };
}

export function listMultipartUploads(
  buckets: Buckets,
  input: { readonly Bucket: string; readonly Prefix?: string; readonly ExpectedBucketOwner?: string },
) {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const uploads = [...bucket.uploads.values()]
    .filter((upload) => upload.key.startsWith(input.Prefix ?? ''))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.initiated.getTime() - b.initiated.getTime()));
  return {
    Bucket: bucket.name,
    Prefix: input.Prefix ?? '',
    MaxUploads: 1000,
    IsTruncated: false,
    ...(uploads.length > 0
      ? {
          Uploads: uploads.map((upload) => ({
            Key: upload.key,
            UploadId: upload.uploadId,
            Initiated: upload.initiated,
            StorageClass: upload.storageClass,
            Owner: buckets.owner,
            Initiator: buckets.owner,
            ...checksumKind(upload),
          })),
        }
      : {}),
  };
}
