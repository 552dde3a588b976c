/**
 * AWS::S3::Bucket and AWS::S3::BucketPolicy. Ref and GetAtt as in the resource reference
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_S3.html).
 */
import { booleanOf, numberOf, onlyServed, present, textOf } from '../properties.js';
import type { Created, Provider, ProviderContext, Providers } from '../provider.js';

type Properties = Readonly<Record<string, unknown>>;

const BUCKET_PROPERTIES = [
  'AccessControl',
  'BucketEncryption',
  'BucketName',
  'LifecycleConfiguration',
  'LoggingConfiguration',
  'NotificationConfiguration',
  'OwnershipControls',
  'PublicAccessBlockConfiguration',
  'Tags',
  'VersioningConfiguration',
];
const LONGEST_NAME = 63;

const bucket: Provider = async (properties, context) => {
  onlyServed(properties, BUCKET_PROPERTIES);
  const { world } = context.cloud;
  const name = textOf(properties, 'BucketName') ?? context.physicalName(LONGEST_NAME, { lowerCase: true });
  const put = (operation: string, input: Record<string, unknown>) => context.cloud.call('s3', operation, { Bucket: name, ...input });
  const section = (property: string) => properties[property] as Properties | undefined;
  await put('CreateBucket', world.region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: world.region } });
  await each(section('OwnershipControls'), (controls) => put('PutBucketOwnershipControls', { OwnershipControls: controls }));
  await each(section('PublicAccessBlockConfiguration'), (block) =>
    put('PutPublicAccessBlock', { PublicAccessBlockConfiguration: flags(block) }),
  );
  await each(section('VersioningConfiguration'), (versioning) => put('PutBucketVersioning', { VersioningConfiguration: versioning }));
  await each(section('BucketEncryption'), (encryption) =>
    put('PutBucketEncryption', { ServerSideEncryptionConfiguration: encryptionOf(encryption) }),
  );
  await each(section('LifecycleConfiguration'), (lifecycle) =>
    put('PutBucketLifecycleConfiguration', { LifecycleConfiguration: lifecycleOf(lifecycle) }),
  );
  await each(section('LoggingConfiguration'), (logging) => put('PutBucketLogging', { BucketLoggingStatus: loggingOf(logging, name) }));
  await each(section('NotificationConfiguration'), (notification) =>
    put('PutBucketNotificationConfiguration', { NotificationConfiguration: notificationOf(notification) }),
  );
  const acl = textOf(properties, 'AccessControl');
  if (acl !== undefined) await put('PutBucketAcl', { ACL: cannedAcl(acl) });
  const tags = properties['Tags'] as readonly unknown[] | undefined;
  if (tags?.length) await put('PutBucketTagging', { Tagging: { TagSet: tags } });
  return created(name, context);
};

async function each(section: Properties | undefined, apply: (section: Properties) => Promise<unknown>): Promise<void> {
  if (section) await apply(section);
}

function created(name: string, { cloud: { world } }: ProviderContext): Created {
  return {
    ref: name,
    attributes: {
      Arn: `arn:${world.partition}:s3:::${name}`,
      DomainName: `${name}.s3.amazonaws.com`,
      RegionalDomainName: `${name}.s3.${world.region}.amazonaws.com`,
      DualStackDomainName: `${name}.s3.dualstack.${world.region}.amazonaws.com`,
      WebsiteURL: `http://${name}.s3-website-${world.region}.amazonaws.com`,
    },
  };
}

/** CloudFormation takes `"true"` for true. */
const flags = (section: Properties): Record<string, unknown> =>
  Object.fromEntries(Object.keys(section).map((name) => [name, booleanOf(section, name)]));

function encryptionOf(section: Properties): Record<string, unknown> {
  onlyServed(section, ['ServerSideEncryptionConfiguration']);
  const rules = section['ServerSideEncryptionConfiguration'] as readonly Properties[];
  return {
    Rules: rules.map((rule) => {
      onlyServed(rule, ['ServerSideEncryptionByDefault', 'BucketKeyEnabled']);
      return present({
        ApplyServerSideEncryptionByDefault: rule['ServerSideEncryptionByDefault'],
        BucketKeyEnabled: booleanOf(rule, 'BucketKeyEnabled'),
      });
    }),
  };
}

function lifecycleOf(section: Properties): Record<string, unknown> {
  onlyServed(section, ['Rules', 'TransitionDefaultMinimumObjectSize']);
  return { Rules: (section['Rules'] as readonly Properties[]).map(lifecycleRule) };
}

function lifecycleRule(rule: Properties): Record<string, unknown> {
  onlyServed(rule, [
    'AbortIncompleteMultipartUpload',
    'ExpirationDate',
    'ExpirationInDays',
    'ExpiredObjectDeleteMarker',
    'Id',
    'NoncurrentVersionExpiration',
    'NoncurrentVersionExpirationInDays',
    'ObjectSizeGreaterThan',
    'ObjectSizeLessThan',
    'Prefix',
    'Status',
    'TagFilters',
  ]);
  const date = textOf(rule, 'ExpirationDate');
  const expiration = present({
    Days: numberOf(rule, 'ExpirationInDays'),
    Date: date === undefined ? undefined : new Date(date),
    ExpiredObjectDeleteMarker: booleanOf(rule, 'ExpiredObjectDeleteMarker'),
  });
  const noncurrent = (rule['NoncurrentVersionExpiration'] ?? {}) as Properties;
  const noncurrentDays = numberOf(noncurrent, 'NoncurrentDays') ?? numberOf(rule, 'NoncurrentVersionExpirationInDays');
  const abort = rule['AbortIncompleteMultipartUpload'] as Properties | undefined;
  return present({
    ID: textOf(rule, 'Id'),
    Status: textOf(rule, 'Status'),
    Filter: {
      And: present({
        Prefix: textOf(rule, 'Prefix') ?? '',
        Tags: rule['TagFilters'],
        ObjectSizeGreaterThan: numberOf(rule, 'ObjectSizeGreaterThan'),
        ObjectSizeLessThan: numberOf(rule, 'ObjectSizeLessThan'),
      }),
    },
    Expiration: Object.keys(expiration).length > 0 ? expiration : undefined,
    NoncurrentVersionExpiration:
      noncurrentDays === undefined
        ? undefined
        : present({ NoncurrentDays: noncurrentDays, NewerNoncurrentVersions: numberOf(noncurrent, 'NewerNoncurrentVersions') }),
    AbortIncompleteMultipartUpload: abort && { DaysAfterInitiation: numberOf(abort, 'DaysAfterInitiation') },
  });
}

/** Without a destination a bucket logs into itself. */
function loggingOf(section: Properties, name: string): Record<string, unknown> {
  onlyServed(section, ['DestinationBucketName', 'LogFilePrefix', 'TargetObjectKeyFormat']);
  return {
    LoggingEnabled: present({
      TargetBucket: textOf(section, 'DestinationBucketName') ?? name,
      TargetPrefix: textOf(section, 'LogFilePrefix') ?? '',
      TargetObjectKeyFormat: section['TargetObjectKeyFormat'],
    }),
  };
}

function notificationOf(section: Properties): Record<string, unknown> {
  onlyServed(section, ['EventBridgeConfiguration']);
  const eventBridge = section['EventBridgeConfiguration'] as Properties | undefined;
  // CloudFormation's default for a section that is there is true.
  return eventBridge && (booleanOf(eventBridge, 'EventBridgeEnabled') ?? true) ? { EventBridgeConfiguration: {} } : {};
}

/** `BucketOwnerFullControl` → `bucket-owner-full-control` */
const cannedAcl = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();

const bucketPolicy: Provider = async (properties, context) => {
  onlyServed(properties, ['Bucket', 'PolicyDocument']);
  const name = textOf(properties, 'Bucket') ?? '';
  const document = properties['PolicyDocument'];
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  await context.cloud.call('s3', 'PutBucketPolicy', { Bucket: name, Policy: text });
  return { ref: name, attributes: {} };
};

export const providers: Providers = {
  'AWS::S3::Bucket': bucket,
  'AWS::S3::BucketPolicy': bucketPolicy,
};
