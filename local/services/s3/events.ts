/**
 * Events to EventBridge: "Object Created" and "Object Deleted", for buckets that have EventBridge on.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 */
import type { Call } from '../../models/service.js';
import type { Bucket, ObjectVersion } from './bucket.js';
import type { Buckets } from './buckets.js';

type CreatedBy = 'PutObject' | 'CopyObject' | 'CompleteMultipartUpload';

/** Who is behind a change: a request, or S3's own lifecycle rules. */
export type Cause = Call | 'lifecycle';

export function objectCreated(buckets: Buckets, bucket: Bucket, version: ObjectVersion, reason: CreatedBy, cause: Cause): void {
  send(buckets, bucket, 'Object Created', cause, {
    object: { key: version.key, size: version.body.length, etag: bare(version.eTag), ...versionOf(version) },
    reason,
  });
}

/** @param marker whether the version in the event is a new delete marker; otherwise it has been removed for good */
export function objectDeleted(buckets: Buckets, bucket: Bucket, version: ObjectVersion, marker: boolean, cause: Cause): void {
  send(buckets, bucket, 'Object Deleted', cause, {
    object: { key: version.key, ...(version.isDeleteMarker ? {} : { etag: bare(version.eTag) }), ...versionOf(version) },
    reason: cause === 'lifecycle' ? 'Lifecycle Expiration' : 'DeleteObject',
    'deletion-type': marker ? 'Delete Marker Created' : 'Permanently Deleted',
  });
}

const bare = (eTag: string) => eTag.replaceAll('"', '');
const versionOf = (version: ObjectVersion) => (version.versionId === 'null' ? {} : { 'version-id': version.versionId });

function send(
  buckets: Buckets,
  bucket: Bucket,
  type: string,
  cause: Cause,
  {
    object,
    reason,
    ...rest
  }: { readonly object: Readonly<Record<string, unknown>>; readonly reason: string; readonly 'deletion-type'?: string },
): void {
  if (!bucket.settings.eventBridge) return;
  buckets.cloud.parts.putEvent?.({
    source: 'aws.s3',
    'detail-type': type,
    resources: [bucket.arn],
    detail: {
      version: '0',
      bucket: { name: bucket.name, 'aws-generated-tags': {} },
      object: { ...object, sequencer: buckets.nextSequencer() },
      ...(cause === 'lifecycle'
        ? { 'request-id': 'LIFECYCLE', requester: 's3.amazonaws.com' }
        : { 'request-id': cause.requestId, requester: requesterOf(cause), 'source-ip-address': '127.0.0.1' }),
      reason,
      ...rest,
      'event-version': '1.2',
    },
  });
}

/** Account id, or the service principal of a service that acts for one of its resources. */
const requesterOf = ({ principal }: Call): string => (principal.kind === 'service' ? principal.service : principal.accountId);
