/** AWS::Logs::* (CloudFormation template reference, CloudWatch Logs). */
import { numberOf, onlyServed, present, tagMap, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

const logGroup: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, ['LogGroupName', 'RetentionInDays', 'KmsKeyId', 'LogGroupClass', 'DeletionProtectionEnabled', 'Tags']);
  const logGroupName = textOf(properties, 'LogGroupName') ?? physicalName(512);
  await cloud.call(
    'logs',
    'CreateLogGroup',
    present({ logGroupName, kmsKeyId: properties.KmsKeyId, logGroupClass: properties.LogGroupClass, tags: tagMap(properties) }),
  );
  const retentionInDays = numberOf(properties, 'RetentionInDays');
  if (retentionInDays !== undefined) await cloud.call('logs', 'PutRetentionPolicy', { logGroupName, retentionInDays });
  return {
    ref: logGroupName,
    attributes: { Arn: `arn:aws:logs:${cloud.world.region}:${cloud.world.accountId}:log-group:${logGroupName}:*` },
  };
};

interface Transformation {
  readonly MetricName: string;
  readonly MetricNamespace: string;
  readonly MetricValue: string;
  readonly DefaultValue?: number | string;
  readonly Unit?: string;
  readonly Dimensions?: readonly { readonly Key: string; readonly Value: string }[];
}

const metricFilter: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, ['FilterName', 'FilterPattern', 'LogGroupName', 'MetricTransformations']);
  const filterName = textOf(properties, 'FilterName') ?? physicalName(512);
  const metricTransformations = (properties.MetricTransformations as readonly Transformation[]).map((given) =>
    present({
      metricName: given.MetricName,
      metricNamespace: given.MetricNamespace,
      metricValue: String(given.MetricValue),
      defaultValue: given.DefaultValue === undefined ? undefined : Number(given.DefaultValue),
      unit: given.Unit,
      dimensions: given.Dimensions && (Object.fromEntries(given.Dimensions.map(({ Key, Value }) => [Key, Value])) as unknown),
    }),
  );
  await cloud.call('logs', 'PutMetricFilter', {
    logGroupName: properties.LogGroupName,
    filterName,
    filterPattern: properties.FilterPattern ?? '',
    metricTransformations,
  });
  return { ref: filterName, attributes: {} };
};

const subscriptionFilter: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, ['FilterName', 'FilterPattern', 'LogGroupName', 'DestinationArn', 'RoleArn', 'Distribution']);
  const filterName = textOf(properties, 'FilterName') ?? physicalName(512);
  await cloud.call(
    'logs',
    'PutSubscriptionFilter',
    present({
      logGroupName: properties.LogGroupName,
      filterName,
      filterPattern: properties.FilterPattern ?? '',
      destinationArn: properties.DestinationArn,
      roleArn: properties.RoleArn,
      distribution: properties.Distribution,
    }),
  );
  return { ref: filterName, attributes: {} };
};

const queryDefinition: Provider = async (properties, { cloud }) => {
  onlyServed(properties, ['Name', 'QueryString', 'LogGroupNames', 'QueryLanguage']);
  const { Name: name, QueryString: queryString, LogGroupNames: logGroupNames } = properties;
  const { queryDefinitionId } = await cloud.call<{ queryDefinitionId: string }>(
    'logs',
    'PutQueryDefinition',
    present({ name, queryString, logGroupNames }),
  );
  return { ref: queryDefinitionId, attributes: { QueryDefinitionId: queryDefinitionId } };
};

const resourcePolicy: Provider = async (properties, { cloud }) => {
  onlyServed(properties, ['PolicyName', 'PolicyDocument']);
  const policyName = String(properties.PolicyName);
  const document = properties.PolicyDocument;
  await cloud.call('logs', 'PutResourcePolicy', {
    policyName,
    policyDocument: typeof document === 'string' ? document : JSON.stringify(document),
  });
  return { ref: policyName, attributes: {} };
};

export const providers: Providers = {
  'AWS::Logs::LogGroup': logGroup,
  'AWS::Logs::MetricFilter': metricFilter,
  'AWS::Logs::SubscriptionFilter': subscriptionFilter,
  'AWS::Logs::QueryDefinition': queryDefinition,
  'AWS::Logs::ResourcePolicy': resourcePolicy,
};
