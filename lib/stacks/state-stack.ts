import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { AuditIdentity } from '../audit/audit-identity.js';
import type { Configuration } from '../config/configuration.js';
import { inventoryTable } from '../inventory/inventory-table.js';
import { ledgerTable } from '../revocation/ledger-table.js';
import { privateBucket } from '../shared/private-bucket.js';
import { Trust } from '../trust/trust.js';

export interface StateStackProps extends StackProps {
  readonly configuration: Configuration;
}

/**
 * What must outlive a deployment: CAs, buckets, tables, pinned certificates (docs/adr/0001-two-stacks.md). Everything here is retained, and
 * construct ids are a contract: a changed id is a new, empty resource beside the old one.
 */
export class StateStack extends Stack {
  readonly trust: Trust;
  readonly inventory: Table;
  readonly ledger: Table;
  /** `state/…`: exact serial states; `holds/…`: held lists. */
  readonly stateBucket: Bucket;
  /** What the account’s audit configuration points to. Absent: the audit is off. */
  readonly audit?: AuditIdentity;

  constructor(scope: Construct, id: string, { configuration, ...props }: StateStackProps) {
    super(scope, id, { ...props, description: 'Fleetwarden: CAs, CRL bucket, inventory, ledger' });
    const accessLogs = privateBucket(this, 'AccessLogs', { noncurrentVersionDays: 30 });
    this.trust = new Trust(this, 'Trust', { configuration, accessLogs });
    this.inventory = inventoryTable(this);
    this.ledger = ledgerTable(this);
    this.stateBucket = privateBucket(this, 'State', { accessLogs: { bucket: accessLogs, prefix: 'state/' }, noncurrentVersionDays: 30 });
    if (configuration.audit.mode === 'on') this.audit = new AuditIdentity(this, 'Audit', configuration.audit);
  }
}
