/**
 * Access control lists, as far as they matter today: canned ACLs are accepted or refused by Object Ownership and Block Public Access, and shown
 * again. They grant nothing on the desk: access is decided by policies.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 */
import { AwsError } from '../../models/service.js';
import type { Bucket } from './bucket.js';
import type { Buckets } from './buckets.js';
import { accessDenied, invalidArgument, notServed } from './errors.js';

const PUBLIC: readonly string[] = ['public-read', 'public-read-write', 'authenticated-read'];
const CANNED: readonly string[] = [
  ...PUBLIC,
  'private',
  'aws-exec-read',
  'bucket-owner-read',
  'bucket-owner-full-control',
  'log-delivery-write',
];
const GROUPS = 'http://acs.amazonaws.com/groups';

interface AclHeaders {
  readonly ACL?: string;
  readonly GrantFullControl?: string;
  readonly GrantRead?: string;
  readonly GrantReadACP?: string;
  readonly GrantWrite?: string;
  readonly GrantWriteACP?: string;
}

/** The canned ACL of a write to an object, checked; `private` where none was given. */
export function objectAcl(bucket: Bucket, headers: AclHeaders): string {
  return checked(bucket, headers, (acl) => acl === 'bucket-owner-full-control');
}

/** The canned ACL of PutBucketAcl, checked. */
export const bucketAcl = (bucket: Bucket, headers: AclHeaders): string => checked(bucket, headers, (acl) => acl === 'private');

function checked(bucket: Bucket, headers: AclHeaders, allowedWhenEnforced: (acl: string) => boolean): string {
  const { ACL: acl } = headers;
  if (headers.GrantFullControl ?? headers.GrantRead ?? headers.GrantReadACP ?? headers.GrantWrite ?? headers.GrantWriteACP) {
    throw notServed('x-amz-grant headers');
  }
  if (acl === undefined) return 'private';
  if (!CANNED.includes(acl)) throw invalidArgument('', 'x-amz-acl', acl);
  if (PUBLIC.includes(acl) && bucket.settings.publicAccessBlock?.BlockPublicAcls) {
    throw accessDenied('Access Denied: public access control lists (ACLs) are blocked by the BlockPublicAcls block public access setting.');
  }
  if (bucket.settings.ownership === 'BucketOwnerEnforced' && !allowedWhenEnforced(acl)) {
    throw new AwsError('AccessControlListNotSupported', 'The bucket does not allow ACLs', 400);
  }
  return acl;
}

/** The grants that a canned ACL stands for. */
export function grantsOf(buckets: Buckets, acl: string): Record<string, unknown> {
  const owner = { Grantee: { Type: 'CanonicalUser', ID: buckets.owner.ID }, Permission: 'FULL_CONTROL' };
  const group = (name: string, permission: string) => ({ Grantee: { Type: 'Group', URI: `${GROUPS}/${name}` }, Permission: permission });
  const more: Readonly<Record<string, readonly object[]>> = {
    'public-read': [group('global/AllUsers', 'READ')],
    'public-read-write': [group('global/AllUsers', 'READ'), group('global/AllUsers', 'WRITE')],
    'authenticated-read': [group('global/AuthenticatedUsers', 'READ')],
    'log-delivery-write': [group('s3/LogDelivery', 'WRITE'), group('s3/LogDelivery', 'READ_ACP')],
  };
  return { Owner: buckets.owner, Grants: [owner, ...(more[acl] ?? [])] };
}
