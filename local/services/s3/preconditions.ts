/** Conditional requests. RFC 9110 §13.2.2 gives the order; https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html */
import type { ObjectVersion } from './bucket.js';
import { noSuchKey, notModified, notServed, preconditionFailed } from './errors.js';

export interface ReadConditions {
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
  readonly IfModifiedSince?: Date;
  readonly IfUnmodifiedSince?: Date;
}

/** Throws PreconditionFailed (412) or NotModified (304). */
export function checkRead(version: ObjectVersion, conditions: ReadConditions): void {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions;
  if (IfMatch !== undefined) {
    if (!matches(IfMatch, version)) throw preconditionFailed('If-Match');
  } else if (IfUnmodifiedSince && seconds(version.lastModified) > seconds(IfUnmodifiedSince))
    throw preconditionFailed('If-Unmodified-Since');
  if (IfNoneMatch !== undefined) {
    if (matches(IfNoneMatch, version)) throw notModified();
  } else if (IfModifiedSince && seconds(version.lastModified) <= seconds(IfModifiedSince)) throw notModified();
}

/** The source of a copy: every condition that fails is a 412. */
export function checkCopySource(version: ObjectVersion, conditions: ReadConditions): void {
  try {
    checkRead(version, conditions);
  } catch {
    throw preconditionFailed(
      conditions.IfMatch === undefined && conditions.IfUnmodifiedSince === undefined
        ? 'x-amz-copy-source-If-None-Match'
        : 'x-amz-copy-source-If-Match',
    );
  }
}

/** Conditional writes: `If-None-Match: *` only where nothing is there, `If-Match` only over that very content. */
export function checkWrite(
  key: string,
  latest: ObjectVersion | undefined,
  conditions: { readonly IfMatch?: string; readonly IfNoneMatch?: string },
): void {
  const current = latest?.isDeleteMarker ? undefined : latest;
  if (conditions.IfNoneMatch !== undefined) {
    if (conditions.IfNoneMatch !== '*') throw notServed('If-None-Match with a value other than * on writes');
    if (current) throw preconditionFailed('If-None-Match');
  }
  if (conditions.IfMatch === undefined) return;
  if (!current) throw noSuchKey(key);
  if (!matches(conditions.IfMatch, current)) throw preconditionFailed('If-Match');
}

const matches = (header: string, version: ObjectVersion): boolean =>
  header
    .split(',')
    .some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '').replaceAll('"', '') === version.eTag.replaceAll('"', ''));

/** HTTP dates have whole seconds. */
const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);
