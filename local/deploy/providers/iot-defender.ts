/** AWS::IoT::SecurityProfile, ::CustomMetric, ::Dimension (CloudFormation template reference, AWS IoT). */
import { onlyServed, present, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

type Properties = Readonly<Record<string, unknown>>;

/** Members in the spelling of the API, `ComparisonOperator` → `comparisonOperator`. A count is a text in templates, a number in the API. */
function apiSpelling(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(apiSpelling);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name[0]!.toLowerCase() + name.slice(1),
      NUMBERS.has(name) ? Number(item) : SWITCHES.has(name) ? item === true || item === 'true' : apiSpelling(item),
    ]),
  );
}
const NUMBERS = new Set(['Count', 'Number', 'DurationSeconds', 'ConsecutiveDatapointsToAlarm', 'ConsecutiveDatapointsToClear']);
const SWITCHES = new Set(['SuppressAlerts', 'ExportMetric']);

const securityProfile: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, [
    'SecurityProfileName',
    'SecurityProfileDescription',
    'Behaviors',
    'AlertTargets',
    'AdditionalMetricsToRetainV2',
    'MetricsExportConfig',
    'TargetArns',
    'Tags',
  ]);
  const securityProfileName = textOf(properties, 'SecurityProfileName') ?? physicalName(128);
  const alertTargets = properties.AlertTargets as Readonly<Record<string, Properties>> | undefined;
  const { securityProfileArn } = await cloud.call<{ securityProfileArn: string }>(
    'iot',
    'CreateSecurityProfile',
    present({
      securityProfileName,
      securityProfileDescription: properties.SecurityProfileDescription,
      behaviors: apiSpelling(properties.Behaviors),
      // The keys are kinds of targets, `SNS`, and no members.
      alertTargets: alertTargets && Object.fromEntries(Object.entries(alertTargets).map(([kind, target]) => [kind, apiSpelling(target)])),
      additionalMetricsToRetainV2: apiSpelling(properties.AdditionalMetricsToRetainV2),
      metricsExportConfig: apiSpelling(properties.MetricsExportConfig),
      tags: properties.Tags,
    }),
  );
  for (const securityProfileTargetArn of (properties.TargetArns ?? []) as readonly string[])
    await cloud.call('iot', 'AttachSecurityProfile', { securityProfileName, securityProfileTargetArn });
  return { ref: securityProfileName, attributes: { SecurityProfileArn: securityProfileArn } };
};

const customMetric: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, ['MetricName', 'DisplayName', 'MetricType', 'Tags']);
  const metricName = textOf(properties, 'MetricName') ?? physicalName(128);
  const { DisplayName: displayName, MetricType: metricType, Tags: tags } = properties;
  const clientRequestToken = physicalName(64);
  const { metricArn } = await cloud.call<{ metricArn: string }>(
    'iot',
    'CreateCustomMetric',
    present({ metricName, displayName, metricType, tags, clientRequestToken }),
  );
  return { ref: metricName, attributes: { MetricArn: metricArn } };
};

const dimension: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, ['Name', 'Type', 'StringValues', 'Tags']);
  const name = textOf(properties, 'Name') ?? physicalName(128);
  const { Type: type, StringValues: stringValues, Tags: tags } = properties;
  const { arn } = await cloud.call<{ arn: string }>(
    'iot',
    'CreateDimension',
    present({ name, type, stringValues, tags, clientRequestToken: physicalName(64) }),
  );
  return { ref: name, attributes: { Arn: arn } };
};

export const providers: Providers = {
  'AWS::IoT::SecurityProfile': securityProfile,
  'AWS::IoT::CustomMetric': customMetric,
  'AWS::IoT::Dimension': dimension,
};
