/** AWS::Kinesis::* (CloudFormation template reference, Amazon Kinesis Data Streams). */
import { numberOf, onlyServed, present, tagMap, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

const stream: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, [
    'Name',
    'RetentionPeriodHours',
    'ShardCount',
    'StreamModeDetails',
    'StreamEncryption',
    'Tags',
    'MaxRecordSizeInKiB',
  ]);
  const StreamName = textOf(properties, 'Name') ?? physicalName(128);
  const mode = (properties.StreamModeDetails as { StreamMode?: string } | undefined)?.StreamMode;
  await cloud.call(
    'kinesis',
    'CreateStream',
    present({
      StreamName,
      Tags: tagMap(properties),
      StreamModeDetails: properties.StreamModeDetails,
      // Without a mode and a count the stream is provisioned with one shard.
      ShardCount: numberOf(properties, 'ShardCount') ?? (mode === 'ON_DEMAND' ? undefined : 1),
      MaxRecordSizeInKiB: numberOf(properties, 'MaxRecordSizeInKiB'),
    }),
  );
  const RetentionPeriodHours = numberOf(properties, 'RetentionPeriodHours');
  if (RetentionPeriodHours !== undefined)
    await cloud.call('kinesis', 'IncreaseStreamRetentionPeriod', { StreamName, RetentionPeriodHours });
  const encryption = properties.StreamEncryption as Record<string, unknown> | undefined;
  if (encryption) await cloud.call('kinesis', 'StartStreamEncryption', { StreamName, ...encryption });
  const { region, accountId } = cloud.world;
  return { ref: StreamName, attributes: { Arn: `arn:aws:kinesis:${region}:${accountId}:stream/${StreamName}` } };
};

const resourcePolicy: Provider = async (properties, { cloud }) => {
  onlyServed(properties, ['ResourceArn', 'ResourcePolicy']);
  const ResourceARN = String(properties.ResourceArn);
  await cloud.call('kinesis', 'PutResourcePolicy', { ResourceARN, Policy: JSON.stringify(properties.ResourcePolicy) });
  return { ref: ResourceARN, attributes: {} };
};

export const providers: Providers = {
  'AWS::Kinesis::Stream': stream,
  'AWS::Kinesis::ResourcePolicy': resourcePolicy,
};
