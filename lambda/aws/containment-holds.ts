import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ContainmentHold, ContainmentHolds } from '../ports/containment-work.js';
import type { Item, Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';
import { conditionFailed } from './retry.js';

/** A partition of its own: the sync takes up every approved list of revocations, and must not meet these. */
const PARTITION = 'HOLD-CONTAIN';

const holdFrom = ({ pk: _pk, sk: _sk, ...hold }: Item): ContainmentHold => hold as unknown as ContainmentHold;

export function dynamoContainmentHolds(ledger: Ledger): ContainmentHolds {
  const { client, table: TableName } = ledger;
  const item = async (hash: string): Promise<Item | undefined> =>
    (await client.send(new GetCommand({ TableName, Key: { pk: PARTITION, sk: hash }, ConsistentRead: true }))).Item;

  return {
    async put(hold) {
      try {
        const Item = { pk: PARTITION, sk: hold.hash, ...hold };
        await client.send(new PutCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }));
        return true;
      } catch (error) {
        if (conditionFailed(error)) return false;
        throw error;
      }
    },

    async get(hash) {
      const found = await item(hash);
      return found && holdFrom(found);
    },

    async *all() {
      for await (const row of rowsOf(ledger, PARTITION)) yield holdFrom(row);
    },

    async move(hash, from, to, by, atMs) {
      // Who approved stays on the row when the list has been applied: that is the name an auditor asks for.
      const [who, when] = to === 'APPLIED' ? ['appliedBy', 'appliedAtMs'] : ['decidedBy', 'decidedAtMs'];
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key: { pk: PARTITION, sk: hash },
            UpdateExpression: 'SET #state = :to, #by = :by, #at = :at',
            ConditionExpression: '#state = :from',
            ExpressionAttributeNames: { '#state': 'state', '#by': who ?? '', '#at': when ?? '' },
            ExpressionAttributeValues: { ':from': from, ':to': to, ':by': by, ':at': atMs },
          }),
        );
        return true;
      } catch (error) {
        if (!conditionFailed(error)) throw error;
      }
      // The SDK repeats a write whose answer was lost, and then finds its own state there: that is success, not a race lost.
      const now = await item(hash);
      return now?.['state'] === to && now[who ?? ''] === by && now[when ?? ''] === atMs;
    },
  };
}
