import { z } from 'zod';
import { SyncMessage } from '../../../domain/protocol/revocation.js';

/**
 * "Object Created" of S3 as EventBridge puts it on the queue (payload: eventbridge-s3-object-created-crl.json). Keys are as they are, not URL-encoded.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 */
const ObjectCreated = z
  .object({
    source: z.literal('aws.s3'),
    'detail-type': z.literal('Object Created'),
    detail: z.object({
      bucket: z.object({ name: z.string().min(1) }),
      object: z.object({ key: z.string().min(1), 'version-id': z.string().min(1).optional() }),
    }),
  })
  .transform(({ detail: { bucket, object } }): SyncMessage => ({
    kind: 'object',
    bucket: bucket.name,
    key: object.key,
    versionId: object['version-id'],
  }));

/** One message on the sync queue: ours, or the raw event. */
export const SyncEvent = z.union([SyncMessage, ObjectCreated]);
