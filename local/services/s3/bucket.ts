/** A bucket: its objects with all their versions, and its settings. Bodies are never copied and never changed. */
import { randomBytes } from 'node:crypto';

import type { PolicyDocument } from '../../iam/principal.js';
import { SortedList } from '../sorted-list.js';

/** Checksums as clients gave them, by the member of the SDK's schema: `ChecksumCRC32` … */
export type Checksums = Readonly<Record<string, string>>;

/** Headers that are kept with an object and given back as they were. */
export interface ObjectHeaders {
  readonly ContentType?: string;
  readonly CacheControl?: string;
  readonly ContentDisposition?: string;
  readonly ContentEncoding?: string;
  readonly ContentLanguage?: string;
  readonly Expires?: Date;
  readonly WebsiteRedirectLocation?: string;
  readonly Metadata?: Readonly<Record<string, string>>;
}

export interface ObjectVersion {
  readonly key: string;
  /** `null` (the word) for what was written while versioning was not enabled. */
  readonly versionId: string;
  readonly isDeleteMarker: boolean;
  readonly lastModified: Date;
  readonly body: Uint8Array;
  /** With its quotation marks. */
  readonly eTag: string;
  readonly headers: ObjectHeaders;
  readonly checksums: Checksums;
  readonly checksumType: 'FULL_OBJECT' | 'COMPOSITE';
  /** Sizes of the parts of a multipart upload. */
  readonly parts?: readonly number[];
  readonly storageClass: string;
  acl: string;
  tags: ReadonlyMap<string, string>;
}

/** All versions of one key, the newest first. */
export interface KeyHistory {
  readonly key: string;
  readonly sortKey: string;
  readonly versions: ObjectVersion[];
}

export type VersioningStatus = 'Enabled' | 'Suspended' | undefined;

/** What the operations on subresources read and write; the shapes are those of the SDK client's schema. */
export interface BucketSettings {
  versioning: VersioningStatus;
  policy?: { readonly text: string; readonly document: PolicyDocument };
  eventBridge: boolean;
  ownership?: 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter';
  publicAccessBlock?: PublicAccessBlock;
  encryption: unknown;
  lifecycle?: readonly LifecycleRule[];
  logging?: unknown;
  acl: string;
  tags: ReadonlyMap<string, string>;
}

export interface PublicAccessBlock {
  readonly BlockPublicAcls?: boolean;
  readonly IgnorePublicAcls?: boolean;
  readonly BlockPublicPolicy?: boolean;
  readonly RestrictPublicBuckets?: boolean;
}

export interface LifecycleRule {
  readonly ID?: string;
  readonly Status: 'Enabled' | 'Disabled';
  readonly Prefix?: string;
  readonly Filter?: LifecycleFilter & { readonly And?: LifecycleFilter & { readonly Tags?: readonly Tag[] } };
  readonly Expiration?: { readonly Date?: Date; readonly Days?: number; readonly ExpiredObjectDeleteMarker?: boolean };
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays?: number; readonly NewerNoncurrentVersions?: number };
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation?: number };
  readonly Transitions?: readonly unknown[];
  readonly NoncurrentVersionTransitions?: readonly unknown[];
}
interface LifecycleFilter {
  readonly Prefix?: string;
  readonly Tag?: Tag;
  readonly ObjectSizeGreaterThan?: number;
  readonly ObjectSizeLessThan?: number;
}
export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

export interface Upload {
  readonly uploadId: string;
  readonly key: string;
  readonly initiated: Date;
  readonly headers: ObjectHeaders;
  readonly storageClass: string;
  readonly acl: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly checksumAlgorithm?: string;
  readonly checksumType?: 'FULL_OBJECT' | 'COMPOSITE';
  readonly parts: Map<number, Part>;
}
export interface Part {
  readonly number: number;
  readonly body: Uint8Array;
  readonly eTag: string;
  readonly checksums: Checksums;
  readonly lastModified: Date;
}

/** Keys are listed in the order of their UTF-8 bytes. */
export const sortKeyOf = (key: string): string => Buffer.from(key).toString('latin1');

export class Bucket {
  readonly arn: string;
  readonly histories = new SortedList<KeyHistory, Pick<KeyHistory, 'sortKey'>>((a, b) =>
    a.sortKey < b.sortKey ? -1 : a.sortKey > b.sortKey ? 1 : 0,
  );
  readonly uploads = new Map<string, Upload>();

  constructor(
    readonly name: string,
    readonly createdAt: Date,
    readonly settings: BucketSettings,
  ) {
    this.arn = `arn:aws:s3:::${name}`;
  }

  /** The newest version, which may be a delete marker. */
  latest(key: string): ObjectVersion | undefined {
    return this.versionsOf(key)[0];
  }

  versionsOf(key: string): readonly ObjectVersion[] {
    return this.histories.get({ sortKey: sortKeyOf(key) })?.versions ?? [];
  }

  /** The id that a new version gets by the bucket's versioning. */
  newVersionId(): string {
    return this.settings.versioning === 'Enabled' ? randomBytes(24).toString('base64url') : 'null';
  }

  /** Makes it the newest version. A version called `null` takes the place of the one before it. */
  add(version: ObjectVersion): void {
    const sortKey = sortKeyOf(version.key);
    const history = this.histories.get({ sortKey });
    if (!history) {
      this.histories.put({ key: version.key, sortKey, versions: [version] });
      return;
    }
    if (version.versionId === 'null') removeNamed(history.versions, 'null');
    history.versions.unshift(version);
  }

  /** Takes one version out for good. */
  remove(key: string, versionId: string): ObjectVersion | undefined {
    const history = this.histories.get({ sortKey: sortKeyOf(key) });
    const removed = history && removeNamed(history.versions, versionId);
    if (history?.versions.length === 0) this.histories.delete(history);
    return removed;
  }
}

function removeNamed(versions: ObjectVersion[], versionId: string): ObjectVersion | undefined {
  const at = versions.findIndex((version) => version.versionId === versionId);
  return at === -1 ? undefined : versions.splice(at, 1)[0];
}
