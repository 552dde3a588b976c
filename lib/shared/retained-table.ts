import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, type TableProps } from 'aws-cdk-lib/aws-dynamodb';

/** On demand, recoverable to any second of the last 35 days, protected and retained. TTL is housekeeping only: never the trigger of an act. */
export const RETAINED_TABLE: TableProps = {
  partitionKey: { name: 'pk', type: AttributeType.STRING },
  sortKey: { name: 'sk', type: AttributeType.STRING },
  billingMode: BillingMode.PAY_PER_REQUEST,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  timeToLiveAttribute: 'ttl',
  deletionProtection: true,
  removalPolicy: RemovalPolicy.RETAIN,
};
