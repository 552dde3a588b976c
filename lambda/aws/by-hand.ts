import { DeleteCommand, PutCommand, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import type { RevocationsByHand } from '../ports/by-hand.js';
import type { Ledger } from './ledger.js';
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
      let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey'];
      do {
        const page = await client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': PARTITION },
            ConsistentRead: true,
            ExclusiveStartKey,
          }),
        );
        for (const { anchorId, serialNumber, certificateId, runId, sinceMs } of page.Items ?? [])
          yield {
            anchorId: String(anchorId),
            serialNumber: serialNumberFromHex(String(serialNumber)),
            ...(certificateId === undefined ? {} : { certificateId: String(certificateId) }),
            runId: String(runId),
            sinceMs: Number(sinceMs),
          };
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey !== undefined);
    },
    async done(anchorId, serialNumber) {
      const { Attributes } = await client.send(
        new DeleteCommand({ TableName, Key: keyOf(anchorId, serialNumber), ReturnValues: 'ALL_OLD' }),
      );
      return Attributes !== undefined;
    },
  };
}
