/**
 * Lifecycle rules, run once a day by the desk's clock. Ages count from midnight UTC after the day, as S3 rounds them.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
 */
import type { Bucket, KeyHistory, LifecycleRule, ObjectVersion } from './bucket.js';
import { currentOf, type Buckets } from './buckets.js';
import { objectDeleted } from './events.js';
import { deleteVersion } from './object-writes.js';

const DAY_MS = 86_400_000;

export function startLifecycle(buckets: Buckets): void {
  buckets.cloud.world.clock.every(DAY_MS, () => runLifecycle(buckets));
}

export function runLifecycle(buckets: Buckets): void {
  for (const bucket of buckets.all.values()) {
    const rules = bucket.settings.lifecycle?.filter((rule) => rule.Status === 'Enabled') ?? [];
    if (rules.length === 0) continue;
    const nowMs = buckets.now().getTime();
    for (const rule of rules) abortOldUploads(bucket, rule, nowMs);
    // All at once: removing while iterating would skip keys.
    const histories = Array.from(bucket.histories.forward());
    for (const history of histories) for (const rule of rules) applyRule(buckets, bucket, history, rule, nowMs);
  }
}

/** The end of the UTC day that lies `days` after the time. */
const dueMs = (from: Date, days: number): number => Math.ceil((from.getTime() + days * DAY_MS) / DAY_MS) * DAY_MS;

function applyRule(buckets: Buckets, bucket: Bucket, history: KeyHistory, rule: LifecycleRule, nowMs: number): void {
  const current = currentOf(history);
  if (current && matches(rule, current) && isExpired(rule, current, nowMs))
    deleteVersion(buckets, bucket, history.key, undefined, 'lifecycle');
  for (const version of outdated(rule, history, nowMs)) {
    bucket.remove(history.key, version.versionId);
    objectDeleted(buckets, bucket, version, false, 'lifecycle');
  }
  const only = history.versions[0];
  if (rule.Expiration?.ExpiredObjectDeleteMarker && history.versions.length === 1 && only?.isDeleteMarker && hasPrefix(rule, history.key)) {
    bucket.remove(history.key, only.versionId);
    objectDeleted(buckets, bucket, only, false, 'lifecycle');
  }
}

function isExpired(rule: LifecycleRule, version: ObjectVersion, nowMs: number): boolean {
  const { Days, Date: date } = rule.Expiration ?? {};
  return (Days !== undefined && nowMs >= dueMs(version.lastModified, Days)) || (date !== undefined && nowMs >= date.getTime());
}

/** Versions that have been noncurrent for long enough: a version became so when the next newer one was written. */
function outdated(rule: LifecycleRule, { versions }: KeyHistory, nowMs: number): readonly ObjectVersion[] {
  const { NoncurrentDays, NewerNoncurrentVersions = 0 } = rule.NoncurrentVersionExpiration ?? {};
  if (NoncurrentDays === undefined) return [];
  return versions.filter((version, i) => {
    const newer = versions[i - 1];
    // versions[0] is current; of the noncurrent ones the newest few may be kept.
    return newer && i > NewerNoncurrentVersions && matches(rule, version) && nowMs >= dueMs(newer.lastModified, NoncurrentDays);
  });
}

function abortOldUploads(bucket: Bucket, rule: LifecycleRule, nowMs: number): void {
  const days = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
  if (days === undefined) return;
  for (const upload of bucket.uploads.values()) {
    if (hasPrefix(rule, upload.key) && nowMs >= dueMs(upload.initiated, days)) bucket.uploads.delete(upload.uploadId);
  }
}

const hasPrefix = (rule: LifecycleRule, key: string): boolean =>
  key.startsWith(rule.Prefix ?? rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? '');

function matches(rule: LifecycleRule, version: ObjectVersion): boolean {
  const { Filter: filter } = rule;
  const tags = [...(filter?.Tag ? [filter.Tag] : []), ...(filter?.And?.Tags ?? [])];
  const over = filter?.ObjectSizeGreaterThan ?? filter?.And?.ObjectSizeGreaterThan ?? -1;
  const under = filter?.ObjectSizeLessThan ?? filter?.And?.ObjectSizeLessThan ?? Number.POSITIVE_INFINITY;
  const size = version.body.length;
  return hasPrefix(rule, version.key) && size > over && size < under && tags.every(({ Key, Value }) => version.tags.get(Key) === Value);
}
