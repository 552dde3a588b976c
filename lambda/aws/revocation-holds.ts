import { UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { RevocationHolds } from '../ports/revocation-holds.js';
import { revocationKey } from './inventory-items.js';
import { conditionFailed } from './retry.js';

/** In one conditional write: a revocation that comes at this very moment must not be weakened to a hold. */
export function dynamoRevocationHolds(client: DynamoDBDocumentClient, table: string): RevocationHolds {
  return {
    async takeOver(issuerId, serialNumber) {
      try {
        await client.send(
          new UpdateCommand({
            TableName: table,
            Key: revocationKey(issuerId, serialNumber),
            UpdateExpression: 'SET outcome = :deactivated',
            ConditionExpression: '#state = :done AND message.#action = :hold AND outcome IN (:idle, :deactivated)',
            ExpressionAttributeNames: { '#state': 'state', '#action': 'action' },
            ExpressionAttributeValues: { ':deactivated': 'deactivated', ':idle': 'already-inactive', ':done': 'done', ':hold': 'hold' },
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
