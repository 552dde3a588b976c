/** The CRL numbers of the CAs whose keys we hold, and the CRL published last: one row for each anchor, `SIGNER#<anchorId>` / `CRL`. */
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { CrlPublications, Publication } from '../ports/crl-publications.js';
import type { Ledger } from './ledger.js';
import { conditionFailed } from './retry.js';

const keyOf = (anchorId: string) => ({ pk: `SIGNER#${anchorId}`, sk: 'CRL' });

export function dynamoCrlPublications({ client, table: TableName }: Ledger): CrlPublications {
  return {
    async of(anchorId) {
      const { Item } = await client.send(new GetCommand({ TableName, Key: keyOf(anchorId), ConsistentRead: true }));
      const published = Item?.['published'] as Publication | undefined;
      return { lastNumber: Number(Item?.['lastNumber'] ?? 0), ...(published === undefined ? {} : { published }) };
    },

    async take(anchorId, lastNumber, next) {
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key: keyOf(anchorId),
            UpdateExpression: 'SET lastNumber = :next',
            ConditionExpression: lastNumber === 0 ? 'attribute_not_exists(lastNumber)' : 'lastNumber = :last',
            ExpressionAttributeValues: { ':next': next, ...(lastNumber === 0 ? {} : { ':last': lastNumber }) },
          }),
        );
        return true;
      } catch (error) {
        // Also where our own write arrived and its answer was lost: then the number is left out, which RFC 5280 §5.2.3 allows.
        if (conditionFailed(error)) return false;
        throw error;
      }
    },

    async published(anchorId, publication) {
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key: keyOf(anchorId),
            UpdateExpression: 'SET published = :published',
            ConditionExpression: 'attribute_not_exists(published) OR published.crlNumber < :number',
            ExpressionAttributeValues: { ':published': publication, ':number': publication.crlNumber },
          }),
        );
      } catch (error) {
        if (!conditionFailed(error)) throw error;
      }
    },
  };
}
