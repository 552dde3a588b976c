import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { ThingName } from '../../domain/fleet/thing-name.js';
import type { Containments } from '../ports/containments.js';
import type { Item, Ledger } from './ledger.js';

/** A thing is contained as long as its row is there, whatever the row says: what cannot be understood must not be read as "released". */
export function dynamoContainments(ledger: Ledger): Containments {
  const row = async (thing: ThingName): Promise<Item | undefined> => {
    const { Item } = await ledger.client.send(
      new GetCommand({ TableName: ledger.table, Key: { pk: `CONTAINED#${thing}`, sk: 'CONTAINED' }, ConsistentRead: true }),
    );
    return Item;
  };
  return {
    isContained: async (thing) => (await row(thing)) !== undefined,
    mayRekey: async (thing) => (await row(thing))?.['rekeying'] === true,
  };
}
