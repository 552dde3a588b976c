import { AttributeType, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { INVENTORY_INDEXES } from '../../domain/protocol/inventory-table.js';
import { RETAINED_TABLE } from '../shared/retained-table.js';

const string = (name: string) => ({ name, type: AttributeType.STRING });

/** Every certificate of the fleet, by id, by issuer and serial, by thing, by expiry day, by status. */
export function inventoryTable(scope: Construct): Table {
  const table = new Table(scope, 'Inventory', RETAINED_TABLE);
  for (const [indexName, { partitionKey, sortKey }] of Object.entries(INVENTORY_INDEXES)) {
    table.addGlobalSecondaryIndex({
      indexName,
      partitionKey: string(partitionKey),
      sortKey: string(sortKey),
      projectionType: ProjectionType.ALL,
    });
  }
  return table;
}
