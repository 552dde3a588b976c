/** Every bucket of the account, and what their operations share. */
import { createHash } from 'node:crypto';

import type { Cloud } from '../../cloud.js';
import type { Call } from '../../models/service.js';
import { Bucket, type KeyHistory, type ObjectVersion } from './bucket.js';
import { accessDenied, noSuchBucket, noSuchKey, noSuchVersion } from './errors.js';
import { AwsError } from '../../models/service.js';

export class Buckets {
  readonly all = new Map<string, Bucket>();
  /** Canonical user id of the account: 64 hex digits, as S3 shows owners. */
  readonly owner: { readonly ID: string };
  private lastSequence = 0n;

  constructor(readonly cloud: Cloud) {
    this.owner = { ID: createHash('sha256').update(`canonical user ${cloud.world.accountId}`).digest('hex') };
  }

  bucket(name: string, expectedOwner?: string): Bucket {
    const bucket = this.all.get(name);
    if (!bucket) throw noSuchBucket(name);
    if (expectedOwner !== undefined && expectedOwner !== this.cloud.world.accountId) throw accessDenied();
    return bucket;
  }

  now(): Date {
    return this.cloud.world.clock.date();
  }

  /**
   * The version that a read means: the one named, or the newest. Throws NoSuchKey, NoSuchVersion, MethodNotAllowed for a delete marker; and
   * AccessDenied instead of NoSuchKey where the caller may not list the bucket, because then S3 does not say whether a key exists.
   * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
   */
  find(bucket: Bucket, key: string, versionId: string | undefined, call: Call): ObjectVersion {
    const versions = bucket.versionsOf(key);
    if (versionId === undefined) {
      const latest = versions[0];
      if (latest && !latest.isDeleteMarker) return latest;
      if (!this.may(call, 's3:ListBucket', bucket)) throw accessDenied();
      throw noSuchKey(key);
    }
    const named = versions.find((version) => version.versionId === versionId);
    if (!named) throw noSuchVersion(key, versionId);
    if (named.isDeleteMarker) {
      throw new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405, {
        Method: 'GET',
        ResourceType: 'DeleteMarker',
      });
    }
    return named;
  }

  /** Whether the caller may do this too: for rules that hang on a second permission. */
  may(call: Call, action: string, bucket: Bucket, key?: string): boolean {
    const resource = key === undefined ? bucket.arn : `${bucket.arn}/${key}`;
    return this.cloud.iam.decide(call.principal, { action, resource }, this.policiesOf(bucket)).allowed;
  }

  policiesOf(bucket: Bucket) {
    return bucket.settings.policy ? [bucket.settings.policy.document] : [];
  }

  /** Strictly increasing, so also for the events of one key: 18 hex digits of time and count. */
  nextSequencer(): string {
    const byTime = BigInt(Math.floor(this.cloud.world.clock.nowMs())) << 20n;
    this.lastSequence = byTime > this.lastSequence ? byTime : this.lastSequence + 1n;
    return this.lastSequence.toString(16).toUpperCase().padStart(18, '0');
  }
}

/** Whether what the bucket says of versions includes a version id: not before versioning was ever switched on. */
export const shownVersionId = (bucket: Bucket, versionId: string): { readonly VersionId?: string } =>
  bucket.settings.versioning === undefined ? {} : { VersionId: versionId };

export const currentOf = (history: KeyHistory): ObjectVersion | undefined =>
  history.versions[0]?.isDeleteMarker ? undefined : history.versions[0];
