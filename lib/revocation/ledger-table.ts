import { AttributeType, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { RETAINED_TABLE } from '../shared/retained-table.js';

/** High-water marks, holds, the brake, the pace, the emergency stop, second stages that wait, and the append-only trail of decisions. */
export function ledgerTable(scope: Construct): Table {
  const table = new Table(scope, 'Ledger', RETAINED_TABLE);
  // Which mark was last raised from this object? For the conditional GET of the sweep. `<bucket>/<key>`.
  table.addGlobalSecondaryIndex({
    indexName: 'byObject',
    partitionKey: { name: 'objectRef', type: AttributeType.STRING },
    projectionType: ProjectionType.ALL,
  });
  return table;
}
