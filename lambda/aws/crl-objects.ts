import { HeadObjectCommand, PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { CrlObjects } from '../ports/crl-objects.js';

/** 412: the object is another one by now, or there is one. 409: a write of somebody else is under way. 404: it was deleted (S3 user guide, conditional writes). */
const LOST_RACE = new Set([404, 409, 412]);

export function s3CrlObjects(client: S3Client, Bucket: string): CrlObjects {
  return {
    async etag(Key) {
      try {
        const { ETag } = await client.send(new HeadObjectCommand({ Bucket, Key }));
        if (ETag === undefined) throw new Error(`s3://${Bucket}/${Key}: got no ETag`);
        return ETag;
      } catch (error) {
        if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
        throw error;
      }
    },

    async replace(Key, etag, der) {
      try {
        await client.send(
          new PutObjectCommand({
            Bucket,
            Key,
            Body: der,
            // RFC 5280 §4.2.1.13: the media type of a CRL in DER.
            ContentType: 'application/pkix-crl',
            ...(etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag }),
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof S3ServiceException && LOST_RACE.has(error.$metadata.httpStatusCode ?? 0)) return false;
        throw error;
      }
    },
  };
}
