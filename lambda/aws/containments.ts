import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Containments } from '../ports/containments.js';
import type { Ledger } from './ledger.js';

/** A thing is contained as long as its row is there, whatever the row says: what cannot be understood must not be read as "released". */
export function dynamoContainments(ledger: Ledger): Containments {
  return {
    async isContained(thing) {
      const { Item } = await ledger.client.send(
        new GetCommand({ TableName: ledger.table, Key: { pk: `CONTAINED#${thing}`, sk: 'CONTAINED' }, ConsistentRead: true }),
      );
      return Item !== undefined;
    },
  };
}
