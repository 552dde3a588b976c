import { QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Item, Ledger } from './ledger.js';

/** Every row of one partition of the ledger in the order of its sort keys, page by page, strongly consistent; with `below`, up to that sort key. */
export async function* rowsOf({ client, table: TableName }: Ledger, pk: string, below?: string): AsyncGenerator<Item> {
  let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey'];
  do {
    const page = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: below === undefined ? 'pk = :pk' : 'pk = :pk AND sk < :below',
        ExpressionAttributeValues: { ':pk': pk, ...(below === undefined ? {} : { ':below': below }) },
        ConsistentRead: true,
        ExclusiveStartKey,
      }),
    );
    yield* page.Items ?? [];
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
}
