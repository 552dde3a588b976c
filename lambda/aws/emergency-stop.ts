import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { EmergencyStop } from '../ports/emergency-stop.js';
import type { Ledger } from './ledger.js';

const Key = { pk: 'CONTROL', sk: 'STOP' };

/** Read consistently each time: a stop bites at the next run, not when some cache runs out. */
export function dynamoEmergencyStop(ledger: Ledger): EmergencyStop {
  return {
    async state() {
      const { Item } = await ledger.client.send(new GetCommand({ TableName: ledger.table, Key, ConsistentRead: true }));
      if (Item === undefined) return { stopped: false };
      // Anything that is not plainly `false` stops: a row that cannot be understood must not be read as "go on".
      return {
        stopped: Item['stopped'] !== false,
        by: Item['by'] as string,
        reason: Item['reason'] as string,
        atMs: Item['atMs'] as number,
      };
    },
    async set(stopped, by, reason, atMs) {
      await ledger.client.send(new PutCommand({ TableName: ledger.table, Item: { ...Key, stopped, by, reason, atMs } }));
    },
  };
}
