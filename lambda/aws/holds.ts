import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Hold, Holds } from '../ports/holds.js';
import type { Item, Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';
import { conditionFailed } from './retry.js';

const toHold = ({ pk: _pk, sk: _sk, ...hold }: Item): Hold => hold as unknown as Hold;

export function dynamoHolds(ledger: Ledger): Holds {
  return {
    async put(hold) {
      try {
        await ledger.client.send(
          new PutCommand({
            TableName: ledger.table,
            Item: { pk: 'HOLD', sk: hold.hash, ...hold },
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        );
        return true;
      } catch (error) {
        if (conditionFailed(error)) return false;
        throw error;
      }
    },

    async get(hash) {
      const { Item } = await ledger.client.send(
        new GetCommand({ TableName: ledger.table, Key: { pk: 'HOLD', sk: hash }, ConsistentRead: true }),
      );
      return Item && toHold(Item);
    },

    async *all() {
      for await (const row of rowsOf(ledger, 'HOLD')) yield toHold(row);
    },

    async move(hash, from, to, by, atMs) {
      // Who approved stays on the row when the list has been applied: that is the name an auditor asks for.
      const who = to === 'APPLIED' ? ['appliedBy', 'appliedAtMs'] : ['decidedBy', 'decidedAtMs'];
      try {
        await ledger.client.send(
          new UpdateCommand({
            TableName: ledger.table,
            Key: { pk: 'HOLD', sk: hash },
            UpdateExpression: 'SET #state = :to, #by = :by, #at = :at',
            ConditionExpression: '#state = :from',
            ExpressionAttributeNames: { '#state': 'state', '#by': who[0]!, '#at': who[1]! },
            ExpressionAttributeValues: { ':from': from, ':to': to, ':by': by, ':at': atMs },
          }),
        );
        return true;
      } catch (error) {
        if (!conditionFailed(error)) throw error;
      }
      // The SDK repeats a write whose answer was lost, and then finds its own state there: that is success, not a race lost.
      const { Item } = await ledger.client.send(
        new GetCommand({ TableName: ledger.table, Key: { pk: 'HOLD', sk: hash }, ConsistentRead: true }),
      );
      return Item?.['state'] === to && Item[who[0]!] === by && Item[who[1]!] === atMs;
    },

    async advance(hash, handedOver) {
      try {
        await ledger.client.send(
          new UpdateCommand({
            TableName: ledger.table,
            Key: { pk: 'HOLD', sk: hash },
            UpdateExpression: 'SET handedOver = :done',
            ConditionExpression: '#state = :approved AND (attribute_not_exists(handedOver) OR handedOver <= :done)',
            ExpressionAttributeNames: { '#state': 'state' },
            ExpressionAttributeValues: { ':approved': 'APPROVED', ':done': handedOver },
          }),
        );
        return true;
      } catch (error) {
        if (conditionFailed(error)) return false;
        throw error;
      }
    },
  };
}
