import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import type { RevocationsByHand } from '../ports/by-hand.js';
import type { Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';
import { conditionFailed } from './retry.js';

const PARTITION = 'BY-HAND';
const keyOf = (anchorId: string, serialNumber: string) => ({ pk: PARTITION, sk: `${anchorId}#${serialNumber}` });

export function dynamoRevocationsByHand({ client, table: TableName }: Ledger): RevocationsByHand {
  return {
    async remember(revocation) {
      const Item = { ...keyOf(revocation.anchorId, revocation.serialNumber), ...revocation };
      try {
        await client.send(new PutCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }));
        return true;
      } catch (error) {
        if (conditionFailed(error)) return false;
        throw error;
      }
    },
    async *all() {
      for await (const { anchorId, serialNumber, certificateId, runId, sinceMs } of rowsOf({ client, table: TableName }, PARTITION))
        yield {
          anchorId: String(anchorId),
          serialNumber: serialNumberFromHex(String(serialNumber)),
          ...(typeof certificateId === 'string' ? { certificateId } : {}),
          runId: String(runId),
          sinceMs: Number(sinceMs),
        };
    },
    async done(anchorId, serialNumber) {
      const { Attributes } = await client.send(
        new DeleteCommand({ TableName, Key: keyOf(anchorId, serialNumber), ReturnValues: 'ALL_OLD' }),
      );
      return Attributes !== undefined;
    },
  };
}
