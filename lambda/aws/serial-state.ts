import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { SerialState } from '../ports/serial-state.js';
import { wholeBody } from './s3-body.js';

/** A state that the high-water mark points at and that is not there is an error, never an empty state: an empty one would revoke everything again. */
export function s3SerialState(client: S3Client, bucket: string): SerialState {
  return {
    async *load(key) {
      const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      yield* wholeBody(`s3://${bucket}/${key}`, object.Body, object.ContentLength);
    },
    async save(key, parts) {
      const chunks: Uint8Array[] = [];
      for await (const part of parts) chunks.push(part);
      // One PutObject: S3 shows an object whole or not at all. 17 MB for a million entries.
      await client.send(
        new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.concat(chunks), ContentType: 'application/octet-stream' }),
      );
    },
  };
}
