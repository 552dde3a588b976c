/** The subresources of a bucket: what CloudFormation, terraform and the AWS CLI set and read. */
import { AwsError } from '../../models/service.js';
import { bucketAcl, grantsOf } from './acl.js';
import type { Bucket, BucketSettings, LifecycleRule, PublicAccessBlock, Tag } from './bucket.js';
import { DEFAULT_ENCRYPTION } from './bucket-operations.js';
import type { Buckets } from './buckets.js';
import { invalidArgument, invalidRequest, malformedXml, notServed } from './errors.js';
import { isPublic, readPolicy } from './policy.js';
import { readTags, writeTags } from './tags.js';

interface OfBucket {
  readonly Bucket: string;
  readonly ExpectedBucketOwner?: string;
}
type Answer = Record<string, unknown>;

const settingsOf = (buckets: Buckets, input: OfBucket): BucketSettings => bucketOf(buckets, input).settings;
const bucketOf = (buckets: Buckets, input: OfBucket): Bucket => buckets.bucket(input.Bucket, input.ExpectedBucketOwner);
const absent = (code: string, message: string, bucket: string) => new AwsError(code, message, 404, { BucketName: bucket });

/** An answer that says "nothing is set", for subresources that the desk does not serve but that terraform reads. */
const never = (code: string, message: string) => (buckets: Buckets, input: OfBucket) => {
  bucketOf(buckets, input);
  throw absent(code, message, input.Bucket);
};
const nothing = (answer: Answer) => (buckets: Buckets, input: OfBucket) => {
  bucketOf(buckets, input);
  return answer;
};

export const UNSET_SETTINGS = {
  GetBucketCors: never('NoSuchCORSConfiguration', 'The CORS configuration does not exist'),
  GetBucketWebsite: never('NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration'),
  GetBucketReplication: never('ReplicationConfigurationNotFoundError', 'The replication configuration was not found'),
  GetObjectLockConfiguration: never('ObjectLockConfigurationNotFoundError', 'Object Lock configuration does not exist for this bucket'),
  // Deleting what is not there succeeds on S3.
  DeleteBucketCors: nothing({}),
  DeleteBucketWebsite: nothing({}),
  DeleteBucketReplication: nothing({}),
  GetBucketAccelerateConfiguration: nothing({}),
  GetBucketRequestPayment: nothing({ Payer: 'BucketOwner' }),
} as const;

export function getBucketVersioning(buckets: Buckets, input: OfBucket): Answer {
  const { versioning } = settingsOf(buckets, input);
  return versioning === undefined ? {} : { Status: versioning };
}

export function putBucketVersioning(
  buckets: Buckets,
  input: OfBucket & { readonly VersioningConfiguration: { readonly Status?: 'Enabled' | 'Suspended'; readonly MFADelete?: string } },
): Answer {
  const settings = settingsOf(buckets, input);
  const { Status, MFADelete } = input.VersioningConfiguration;
  if (MFADelete === 'Enabled') throw notServed('MFA delete');
  if (Status !== 'Enabled' && Status !== 'Suspended') throw malformedXml();
  settings.versioning = Status;
  return {};
}

export function getBucketPolicy(buckets: Buckets, input: OfBucket): Answer {
  const { policy } = settingsOf(buckets, input);
  if (!policy) throw absent('NoSuchBucketPolicy', 'The bucket policy does not exist', input.Bucket);
  return { Policy: policy.text };
}

export function putBucketPolicy(buckets: Buckets, input: OfBucket & { readonly Policy: string }): Answer {
  const bucket = bucketOf(buckets, input);
  bucket.settings.policy = readPolicy(bucket, input.Policy);
  return {};
}

export function deleteBucketPolicy(buckets: Buckets, input: OfBucket): Answer {
  delete settingsOf(buckets, input).policy;
  return {};
}

export function getBucketPolicyStatus(buckets: Buckets, input: OfBucket): Answer {
  const { policy } = settingsOf(buckets, input);
  if (!policy) throw absent('NoSuchBucketPolicy', 'The bucket policy does not exist', input.Bucket);
  return { PolicyStatus: { IsPublic: isPublic(policy.document) } };
}

export function getBucketNotificationConfiguration(buckets: Buckets, input: OfBucket): Answer {
  return settingsOf(buckets, input).eventBridge ? { EventBridgeConfiguration: {} } : {};
}

interface NotificationConfiguration {
  readonly TopicConfigurations?: readonly unknown[];
  readonly QueueConfigurations?: readonly unknown[];
  readonly LambdaFunctionConfigurations?: readonly unknown[];
  readonly EventBridgeConfiguration?: object;
}

export function putBucketNotificationConfiguration(
  buckets: Buckets,
  input: OfBucket & { readonly NotificationConfiguration: NotificationConfiguration },
): Answer {
  const settings = settingsOf(buckets, input);
  const { TopicConfigurations, QueueConfigurations, LambdaFunctionConfigurations, EventBridgeConfiguration } =
    input.NotificationConfiguration;
  if ([TopicConfigurations, QueueConfigurations, LambdaFunctionConfigurations].some((list) => list && list.length > 0)) {
    throw notServed('event notifications to SNS, SQS or Lambda (EventBridge only)');
  }
  settings.eventBridge = EventBridgeConfiguration !== undefined;
  return {};
}

export function getPublicAccessBlock(buckets: Buckets, input: OfBucket): Answer {
  const { publicAccessBlock } = settingsOf(buckets, input);
  if (!publicAccessBlock) {
    throw absent('NoSuchPublicAccessBlockConfiguration', 'The public access block configuration was not found', input.Bucket);
  }
  return { PublicAccessBlockConfiguration: publicAccessBlock };
}

export function putPublicAccessBlock(
  buckets: Buckets,
  input: OfBucket & { readonly PublicAccessBlockConfiguration: PublicAccessBlock },
): Answer {
  const off = { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false };
  settingsOf(buckets, input).publicAccessBlock = { ...off, ...input.PublicAccessBlockConfiguration };
  return {};
}

export function deletePublicAccessBlock(buckets: Buckets, input: OfBucket): Answer {
  delete settingsOf(buckets, input).publicAccessBlock;
  return {};
}

export function getBucketOwnershipControls(buckets: Buckets, input: OfBucket): Answer {
  const { ownership } = settingsOf(buckets, input);
  if (!ownership) throw absent('OwnershipControlsNotFoundError', 'The bucket ownership controls were not found', input.Bucket);
  return { OwnershipControls: { Rules: [{ ObjectOwnership: ownership }] } };
}

export function putBucketOwnershipControls(
  buckets: Buckets,
  input: OfBucket & {
    readonly OwnershipControls: { readonly Rules: readonly { readonly ObjectOwnership: NonNullable<BucketSettings['ownership']> }[] };
  },
): Answer {
  const settings = settingsOf(buckets, input);
  const [rule, ...more] = input.OwnershipControls.Rules;
  if (!rule || more.length > 0) throw malformedXml();
  if (rule.ObjectOwnership === 'BucketOwnerEnforced' && settings.acl !== 'private') {
    throw new AwsError(
      'InvalidBucketAclWithObjectOwnership',
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
      400,
    );
  }
  settings.ownership = rule.ObjectOwnership;
  return {};
}

export function deleteBucketOwnershipControls(buckets: Buckets, input: OfBucket): Answer {
  delete settingsOf(buckets, input).ownership;
  return {};
}

export const getBucketEncryption = (buckets: Buckets, input: OfBucket): Answer => ({
  ServerSideEncryptionConfiguration: settingsOf(buckets, input).encryption,
});

export function putBucketEncryption(buckets: Buckets, input: OfBucket & { readonly ServerSideEncryptionConfiguration: unknown }): Answer {
  settingsOf(buckets, input).encryption = input.ServerSideEncryptionConfiguration;
  return {};
}

export function deleteBucketEncryption(buckets: Buckets, input: OfBucket): Answer {
  settingsOf(buckets, input).encryption = DEFAULT_ENCRYPTION;
  return {};
}

export function getBucketLifecycleConfiguration(buckets: Buckets, input: OfBucket): Answer {
  const { lifecycle } = settingsOf(buckets, input);
  if (!lifecycle) throw absent('NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist', input.Bucket);
  return { Rules: lifecycle, TransitionDefaultMinimumObjectSize: 'all_storage_classes_128K' };
}

export function putBucketLifecycleConfiguration(
  buckets: Buckets,
  input: OfBucket & { readonly LifecycleConfiguration?: { readonly Rules?: readonly LifecycleRule[] } },
): Answer {
  const settings = settingsOf(buckets, input);
  const rules = input.LifecycleConfiguration?.Rules ?? [];
  if (rules.length === 0 || rules.length > 1000) throw malformedXml();
  const named = rules.map((rule, i) => ({ ...rule, ID: rule.ID ?? `rule-${i + 1}` }));
  if (new Set(named.map((rule) => rule.ID)).size < named.length)
    throw invalidArgument('Rule ID must be unique. Found same ID for more than one rule');
  for (const rule of named) checkRule(rule);
  settings.lifecycle = named;
  return {};
}

function checkRule(rule: LifecycleRule): void {
  const { Expiration, NoncurrentVersionExpiration, AbortIncompleteMultipartUpload, Transitions, NoncurrentVersionTransitions } = rule;
  if (
    !Expiration &&
    !NoncurrentVersionExpiration &&
    !AbortIncompleteMultipartUpload &&
    !Transitions?.length &&
    !NoncurrentVersionTransitions?.length
  ) {
    throw invalidRequest('At least one action needs to be specified in a rule');
  }
  const days = [Expiration?.Days, NoncurrentVersionExpiration?.NoncurrentDays, AbortIncompleteMultipartUpload?.DaysAfterInitiation];
  if (days.some((count) => count !== undefined && count < 1))
    throw invalidArgument("'Days' for Expiration action must be a positive integer");
}

export function deleteBucketLifecycle(buckets: Buckets, input: OfBucket): Answer {
  delete settingsOf(buckets, input).lifecycle;
  return {};
}

export function getBucketLogging(buckets: Buckets, input: OfBucket): Answer {
  const { logging } = settingsOf(buckets, input);
  return logging === undefined ? {} : { LoggingEnabled: logging };
}

export function putBucketLogging(
  buckets: Buckets,
  input: OfBucket & { readonly BucketLoggingStatus: { readonly LoggingEnabled?: { readonly TargetBucket: string } } },
): Answer {
  const settings = settingsOf(buckets, input);
  const { LoggingEnabled } = input.BucketLoggingStatus;
  if (LoggingEnabled && !buckets.all.has(LoggingEnabled.TargetBucket)) {
    throw new AwsError('InvalidTargetBucketForLogging', 'The target bucket for logging does not exist', 400, {
      TargetBucket: LoggingEnabled.TargetBucket,
    });
  }
  if (LoggingEnabled) settings.logging = LoggingEnabled;
  else delete settings.logging;
  return {};
}

export function getBucketTagging(buckets: Buckets, input: OfBucket): Answer {
  const { tags } = settingsOf(buckets, input);
  if (tags.size === 0) throw absent('NoSuchTagSet', 'The TagSet does not exist', input.Bucket);
  return { TagSet: writeTags(tags) };
}

export function putBucketTagging(buckets: Buckets, input: OfBucket & { readonly Tagging: { readonly TagSet: readonly Tag[] } }): Answer {
  settingsOf(buckets, input).tags = readTags(input.Tagging.TagSet, 50);
  return {};
}

export function deleteBucketTagging(buckets: Buckets, input: OfBucket): Answer {
  settingsOf(buckets, input).tags = new Map();
  return {};
}

export const getBucketAcl = (buckets: Buckets, input: OfBucket): Answer => grantsOf(buckets, settingsOf(buckets, input).acl);

export function putBucketAcl(
  buckets: Buckets,
  input: OfBucket & { readonly ACL?: string; readonly AccessControlPolicy?: unknown },
): Answer {
  const bucket = bucketOf(buckets, input);
  if (input.AccessControlPolicy !== undefined) throw notServed('access control lists given as grants');
  bucket.settings.acl = bucketAcl(bucket, input);
  return {};
}
