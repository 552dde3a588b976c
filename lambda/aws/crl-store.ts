import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { CrlStore } from '../ports/crl-store.js';
import { wholeBody } from './s3-body.js';

/** S3 answers 404 for a key or version that is not there and 405 for a version that is a delete marker. Without s3:ListBucket it would answer 403, which is an error here. */
const gone = (error: unknown): boolean =>
  error instanceof S3ServiceException &&
  (['NoSuchKey', 'NoSuchVersion', 'NotFound'].includes(error.name) ||
    (error.$metadata.httpStatusCode === 405 && error.name === 'MethodNotAllowed'));

/** 304 has no body and so no error code: the SDK names it after the status, in ways that changed over time. */
const notModified = (error: unknown): boolean => error instanceof S3ServiceException && error.$metadata.httpStatusCode === 304;

export function s3CrlStore(client: S3Client): CrlStore {
  return {
    async open({ bucket, key, versionId }, ifNoneMatch) {
      try {
        const object = await client.send(
          new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId, IfNoneMatch: ifNoneMatch }),
        );
        return {
          found: 'yes',
          versionId: object.VersionId ?? 'null', // S3's own word for the version of an object in a bucket without versions
          etag: object.ETag ?? '',
          sizeBytes: object.ContentLength ?? 0,
          body: wholeBody(`s3://${bucket}/${key}`, object.Body, object.ContentLength),
        };
      } catch (error) {
        if (notModified(error)) return { found: 'unchanged' };
        if (gone(error)) return { found: 'no' };
        throw error;
      }
    },

    async currentVersion({ bucket, key }) {
      try {
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        return head.VersionId ?? 'null';
      } catch (error) {
        if (gone(error)) return undefined;
        throw error;
      }
    },

    async *list(bucket, prefix) {
      let ContinuationToken: string | undefined;
      do {
        const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken }));
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key;
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined);
    },
  };
}
