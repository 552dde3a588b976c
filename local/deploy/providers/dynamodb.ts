/**
 * AWS::DynamoDB::Table and AWS::DynamoDB::GlobalTable (the CDK's TableV2) with one replica. Ref and GetAtt as in the resource reference
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_DynamoDB.html). There is no StreamArn: streams are not served.
 */
import { booleanOf, numberOf, onlyServed, present, textOf } from '../properties.js';
import type { Created, Provider, ProviderContext, Providers } from '../provider.js';

type Properties = Readonly<Record<string, unknown>>;

const LONGEST_NAME = 255;
/** Beside the table's own; contributor insights are metrics about hot keys, which change nothing. */
const SHARED = [
  'AttributeDefinitions',
  'BillingMode',
  'GlobalSecondaryIndexes',
  'KeySchema',
  'SSESpecification',
  'TableName',
  'TimeToLiveSpecification',
];
const OF_REPLICA = [
  'ContributorInsightsSpecification',
  'DeletionProtectionEnabled',
  'PointInTimeRecoverySpecification',
  'TableClass',
  'Tags',
];

const table: Provider = (properties, context) => {
  onlyServed(properties, [...SHARED, ...OF_REPLICA, 'ProvisionedThroughput']);
  return create(properties, properties, context);
};

const globalTable: Provider = (properties, context) => {
  onlyServed(properties, [...SHARED, 'Replicas']);
  const replicas = (properties['Replicas'] ?? []) as readonly Properties[];
  const { region } = context.cloud.world;
  const [replica, ...others] = replicas;
  if (!replica || others.length > 0 || replica['Region'] !== region) {
    throw new Error(`Replicas: got ${replicas.map((one) => String(one['Region'])).join(', ')}, expected ${region} alone`);
  }
  onlyServed(replica, [...OF_REPLICA, 'Region', 'GlobalSecondaryIndexes']);
  for (const index of (replica['GlobalSecondaryIndexes'] ?? []) as readonly Properties[]) {
    onlyServed(index, ['IndexName', 'ContributorInsightsSpecification']);
  }
  return create(properties, replica, context);
};

async function create(shared: Properties, own: Properties, context: ProviderContext): Promise<Created> {
  const name = textOf(shared, 'TableName') ?? context.physicalName(LONGEST_NAME);
  const call = <T>(operation: string, input: Record<string, unknown>) =>
    context.cloud.call<T>('dynamodb', operation, { TableName: name, ...input });
  const { TableDescription: description } = await call<{ readonly TableDescription: Readonly<Record<string, unknown>> }>(
    'CreateTable',
    present({
      AttributeDefinitions: shared['AttributeDefinitions'],
      KeySchema: shared['KeySchema'],
      BillingMode: textOf(shared, 'BillingMode'),
      ProvisionedThroughput: throughputOf(shared['ProvisionedThroughput'] as Properties | undefined),
      GlobalSecondaryIndexes: (shared['GlobalSecondaryIndexes'] as readonly Properties[] | undefined)?.map(indexOf),
      SSESpecification: encryptionOf(shared['SSESpecification'] as Properties | undefined),
      DeletionProtectionEnabled: booleanOf(own, 'DeletionProtectionEnabled'),
      TableClass: textOf(own, 'TableClass'),
      Tags: own['Tags'],
    }),
  );
  const ttl = shared['TimeToLiveSpecification'] as Properties | undefined;
  if (ttl && booleanOf(ttl, 'Enabled')) {
    await call('UpdateTimeToLive', { TimeToLiveSpecification: { Enabled: true, AttributeName: textOf(ttl, 'AttributeName') } });
  }
  const recovery = own['PointInTimeRecoverySpecification'] as Properties | undefined;
  if (recovery && booleanOf(recovery, 'PointInTimeRecoveryEnabled')) {
    onlyServed(recovery, ['PointInTimeRecoveryEnabled', 'RecoveryPeriodInDays']);
    await call('UpdateContinuousBackups', {
      PointInTimeRecoverySpecification: present({
        PointInTimeRecoveryEnabled: true,
        RecoveryPeriodInDays: numberOf(recovery, 'RecoveryPeriodInDays'),
      }),
    });
  }
  return { ref: name, attributes: { Arn: description['TableArn'], TableId: description['TableId'] } };
}

function throughputOf(section: Properties | undefined): Record<string, unknown> | undefined {
  if (!section) return undefined;
  return { ReadCapacityUnits: numberOf(section, 'ReadCapacityUnits'), WriteCapacityUnits: numberOf(section, 'WriteCapacityUnits') };
}

function indexOf(index: Properties): Record<string, unknown> {
  onlyServed(index, ['ContributorInsightsSpecification', 'IndexName', 'KeySchema', 'Projection', 'ProvisionedThroughput']);
  return present({
    IndexName: textOf(index, 'IndexName'),
    KeySchema: index['KeySchema'],
    Projection: index['Projection'],
    ProvisionedThroughput: throughputOf(index['ProvisionedThroughput'] as Properties | undefined),
  });
}

function encryptionOf(section: Properties | undefined): Record<string, unknown> | undefined {
  if (!section) return undefined;
  onlyServed(section, ['SSEEnabled', 'SSEType', 'KMSMasterKeyId']);
  return present({
    Enabled: booleanOf(section, 'SSEEnabled'),
    SSEType: textOf(section, 'SSEType'),
    KMSMasterKeyId: textOf(section, 'KMSMasterKeyId'),
  });
}

export const providers: Providers = {
  'AWS::DynamoDB::Table': table,
  'AWS::DynamoDB::GlobalTable': globalTable,
};
