/** ListObjectsV2, ListObjects, ListObjectVersions: by prefix, grouped by delimiter, in pages of at most 1,000. */
import type { Bucket, KeyHistory, ObjectVersion } from './bucket.js';
import { sortKeyOf } from './bucket.js';
import { currentOf, type Buckets } from './buckets.js';
import { invalidArgument } from './errors.js';

interface ListRequest {
  readonly Bucket: string;
  readonly Prefix?: string;
  readonly Delimiter?: string;
  readonly MaxKeys?: number;
  readonly EncodingType?: 'url';
  readonly ExpectedBucketOwner?: string;
}

const LONGEST_PAGE = 1000;

/** One line of a listing: a version, or the common prefix of several keys. */
type Line = { readonly version: ObjectVersion; readonly isLatest: boolean } | { readonly commonPrefix: string };

interface Lines {
  readonly lines: readonly Line[];
  readonly truncated: boolean;
}

/** Where a page begins: after a key (all of its versions), after one version of a key, or after everything below a common prefix. */
interface Start {
  readonly afterKey?: string;
  readonly afterVersion?: { readonly key: string; readonly versionId: string };
}

function collect(bucket: Bucket, input: ListRequest, start: Start, versionsOf: (history: KeyHistory) => readonly ObjectVersion[]): Lines {
  const { Prefix: prefix = '', Delimiter: delimiter = '' } = input;
  const most = Math.min(input.MaxKeys ?? LONGEST_PAGE, LONGEST_PAGE);
  if (most < 0) throw invalidArgument('Argument maxKeys must be an integer between 0 and 2147483647', 'maxKeys', String(input.MaxKeys));
  const from = sortKeyOf(prefix);
  const after = start.afterVersion?.key ?? start.afterKey;
  const afterSort = after === undefined ? undefined : sortKeyOf(after);
  const lines: Line[] = [];
  let group: string | undefined = delimiter !== '' && after?.endsWith(delimiter) && start.afterVersion === undefined ? after : undefined;
  for (const history of bucket.histories.forward(({ sortKey }) => sortKey >= from && (afterSort === undefined || sortKey >= afterSort))) {
    if (!history.key.startsWith(prefix)) return { lines, truncated: false };
    if (group !== undefined && history.key.startsWith(group)) continue;
    if (history.key === after && start.afterVersion === undefined) continue;
    const versions = versionsOf(history);
    if (versions.length === 0) continue;
    const end = delimiter === '' ? -1 : history.key.indexOf(delimiter, prefix.length);
    if (end !== -1) {
      if (lines.length >= most) return { lines, truncated: most > 0 };
      group = history.key.slice(0, end + delimiter.length);
      lines.push({ commonPrefix: group });
      continue;
    }
    const skipTo =
      history.key === start.afterVersion?.key ? versions.findIndex((v) => v.versionId === start.afterVersion?.versionId) + 1 : 0;
    for (const version of versions.slice(skipTo)) {
      if (lines.length >= most) return { lines, truncated: most > 0 };
      lines.push({ version, isLatest: version === history.versions[0] });
    }
  }
  return { lines, truncated: false };
}

const onlyCurrent = (history: KeyHistory): readonly ObjectVersion[] => {
  const current = currentOf(history);
  return current ? [current] : [];
};

/** With EncodingType=url keys are percent-encoded in the answer, because XML 1.0 cannot hold every character that a key may have. */
const encoder = (input: ListRequest) => (text: string) =>
  input.EncodingType === 'url' ? encodeURIComponent(text).replaceAll('%2F', '/') : text;

function common(input: ListRequest, { lines, truncated }: Lines): Record<string, unknown> {
  const encode = encoder(input);
  const prefixes = lines.flatMap((line) => ('commonPrefix' in line ? [{ Prefix: encode(line.commonPrefix) }] : []));
  return {
    Name: input.Bucket,
    Prefix: encode(input.Prefix ?? ''),
    ...(input.Delimiter === undefined ? {} : { Delimiter: encode(input.Delimiter) }),
    MaxKeys: Math.min(input.MaxKeys ?? LONGEST_PAGE, LONGEST_PAGE),
    ...(input.EncodingType ? { EncodingType: input.EncodingType } : {}),
    IsTruncated: truncated,
    ...(prefixes.length > 0 ? { CommonPrefixes: prefixes } : {}),
  };
}

function contents(input: ListRequest, { lines }: Lines, owner?: { readonly ID: string }): Record<string, unknown> {
  const encode = encoder(input);
  const objects = lines.flatMap((line) => ('version' in line ? [describe(line.version, encode)] : []));
  return objects.length > 0 ? { Contents: objects.map((object) => ({ ...object, ...(owner ? { Owner: owner } : {}) })) } : {};
}

function describe(version: ObjectVersion, encode: (text: string) => string): Record<string, unknown> {
  const algorithms = Object.keys(version.checksums).map((name) => name.replace('Checksum', ''));
  return {
    Key: encode(version.key),
    LastModified: version.lastModified,
    ETag: version.eTag,
    Size: version.body.length,
    StorageClass: version.storageClass,
    ...(algorithms.length > 0 ? { ChecksumAlgorithm: algorithms, ChecksumType: version.checksumType } : {}),
  };
}

const keyOf = (line: Line): string => ('version' in line ? line.version.key : line.commonPrefix);

interface ListV2Request extends ListRequest {
  readonly ContinuationToken?: string;
  readonly StartAfter?: string;
  readonly FetchOwner?: boolean;
}

export function listObjectsV2(buckets: Buckets, input: ListV2Request): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const afterKey = input.ContinuationToken === undefined ? input.StartAfter : readToken(input.ContinuationToken);
  const page = collect(bucket, input, afterKey === undefined ? {} : { afterKey }, onlyCurrent);
  const last = page.lines.at(-1);
  return {
    ...common(input, page),
    ...contents(input, page, input.FetchOwner ? buckets.owner : undefined),
    KeyCount: page.lines.length,
    ...(input.ContinuationToken === undefined ? {} : { ContinuationToken: input.ContinuationToken }),
    ...(input.StartAfter === undefined ? {} : { StartAfter: encoder(input)(input.StartAfter) }),
    ...(page.truncated && last ? { NextContinuationToken: Buffer.from(`after:${keyOf(last)}`).toString('base64') } : {}),
  };
}

function readToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString();
  if (!text.startsWith('after:')) throw invalidArgument('The continuation token provided is incorrect', 'continuation-token');
  return text.slice('after:'.length);
}

export function listObjects(buckets: Buckets, input: ListRequest & { readonly Marker?: string }): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const page = collect(bucket, input, input.Marker ? { afterKey: input.Marker } : {}, onlyCurrent);
  const last = page.lines.at(-1);
  return {
    ...common(input, page),
    ...contents(input, page, buckets.owner),
    Marker: encoder(input)(input.Marker ?? ''),
    // Only with a delimiter: without one the client takes the last key.
    ...(page.truncated && last && input.Delimiter !== undefined ? { NextMarker: encoder(input)(keyOf(last)) } : {}),
  };
}

export function listObjectVersions(
  buckets: Buckets,
  input: ListRequest & { readonly KeyMarker?: string; readonly VersionIdMarker?: string },
): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const { KeyMarker: key, VersionIdMarker: versionId } = input;
  if (versionId !== undefined && key === undefined)
    throw invalidArgument('A version-id marker cannot be specified without a key marker.', 'version-id-marker', versionId);
  const start: Start = key ? (versionId ? { afterVersion: { key, versionId } } : { afterKey: key }) : {};
  const page = collect(bucket, input, start, (history) => history.versions);
  const encode = encoder(input);
  const versions: object[] = [];
  const markers: object[] = [];
  for (const line of page.lines) {
    if (!('version' in line)) continue;
    const { version, isLatest } = line;
    const place = {
      Key: encode(version.key),
      VersionId: version.versionId,
      IsLatest: isLatest,
      LastModified: version.lastModified,
      Owner: buckets.owner,
    };
    if (version.isDeleteMarker) markers.push(place);
    else versions.push({ ...describe(version, encode), ...place });
  }
  const last = page.lines.at(-1);
  return {
    ...common(input, page),
    KeyMarker: encode(key ?? ''),
    VersionIdMarker: versionId ?? '',
    ...(versions.length > 0 ? { Versions: versions } : {}),
    ...(markers.length > 0 ? { DeleteMarkers: markers } : {}),
    ...(page.truncated && last
      ? { NextKeyMarker: encode(keyOf(last)), ...('version' in last ? { NextVersionIdMarker: last.version.versionId } : {}) }
      : {}),
  };
}
