/** CreateBucket, DeleteBucket, HeadBucket, ListBuckets, GetBucketLocation. */
import { AwsError } from '../../models/service.js';
import { bucketAcl } from './acl.js';
import { Bucket, type BucketSettings, type Tag } from './bucket.js';
import type { Buckets } from './buckets.js';
import { notServed } from './errors.js';
import { wholeSecond } from './object-writes.js';
import { readTags } from './tags.js';

interface OfBucket {
  readonly Bucket: string;
  readonly ExpectedBucketOwner?: string;
}

const NAME = /^(?!xn--|sthree-|amzn-s3-demo-$)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** What a bucket without settings answers to GetBucketEncryption since 2023. */
export const DEFAULT_ENCRYPTION = {
  Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false }],
};

export function createBucket(
  buckets: Buckets,
  input: OfBucket & {
    readonly ACL?: string;
    readonly CreateBucketConfiguration?: { readonly LocationConstraint?: string; readonly Tags?: readonly Tag[] };
    readonly ObjectOwnership?: BucketSettings['ownership'];
    readonly ObjectLockEnabledForBucket?: boolean;
  },
): Record<string, unknown> {
  const { region } = buckets.cloud.world;
  if (!NAME.test(input.Bucket)) {
    throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.', 400, { BucketName: input.Bucket });
  }
  if (input.ObjectLockEnabledForBucket) throw notServed('Object Lock');
  const location = input.CreateBucketConfiguration?.LocationConstraint;
  if (location !== region && !(region === 'us-east-1' && location === undefined)) {
    throw new AwsError(
      'IllegalLocationConstraintException',
      `The ${location ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
      400,
    );
  }
  if (buckets.all.has(input.Bucket)) {
    throw new AwsError(
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      409,
      { BucketName: input.Bucket },
    );
  }
  // Defaults of every new bucket since April 2023: no ACLs, no public access.
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
  const bucket = new Bucket(input.Bucket, wholeSecond(buckets.now()), {
    versioning: undefined,
    eventBridge: false,
    ownership: input.ObjectOwnership ?? 'BucketOwnerEnforced',
    publicAccessBlock: { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true },
    encryption: DEFAULT_ENCRYPTION,
    acl: 'private',
    tags: readTags(input.CreateBucketConfiguration?.Tags ?? [], 50),
  });
  bucket.settings.acl = bucketAcl(bucket, input);
  buckets.all.set(bucket.name, bucket);
  return { Location: `/${bucket.name}` };
}

export function deleteBucket(buckets: Buckets, input: OfBucket): Record<string, unknown> {
  const bucket = buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  if (bucket.histories.size > 0) {
    const versioned = bucket.settings.versioning === undefined ? '' : ' You must delete all versions in the bucket.';
    throw new AwsError('BucketNotEmpty', `The bucket you tried to delete is not empty.${versioned}`, 409, { BucketName: bucket.name });
  }
  buckets.all.delete(bucket.name);
  return {};
}

export function headBucket(buckets: Buckets, input: OfBucket): Record<string, unknown> {
  buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  return { BucketRegion: buckets.cloud.world.region };
}

export function listBuckets(
  buckets: Buckets,
  input: { readonly Prefix?: string; readonly MaxBuckets?: number; readonly ContinuationToken?: string },
): Record<string, unknown> {
  const { region } = buckets.cloud.world;
  const after = input.ContinuationToken === undefined ? '' : Buffer.from(input.ContinuationToken, 'base64').toString();
  const all = [...buckets.all.values()]
    .filter(({ name }) => name.startsWith(input.Prefix ?? '') && name > after)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const page = all.slice(0, input.MaxBuckets ?? 10_000);
  const last = page.at(-1);
  return {
    Buckets: page.map(({ name, createdAt }) => ({ Name: name, CreationDate: createdAt, BucketRegion: region })),
    Owner: buckets.owner,
    ...(input.Prefix === undefined ? {} : { Prefix: input.Prefix }),
    ...(page.length < all.length && last ? { ContinuationToken: Buffer.from(last.name).toString('base64') } : {}),
  };
}

export function getBucketLocation(buckets: Buckets, input: OfBucket): Record<string, unknown> {
  buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
  const { region } = buckets.cloud.world;
  return region === 'us-east-1' ? {} : { LocationConstraint: region };
}
