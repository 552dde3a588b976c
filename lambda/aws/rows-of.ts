import { QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Item, Ledger } from './ledger.js';

export interface RowsWanted {
  /** Only rows whose sort key is below this. @default all */
  readonly below?: string;
  /** @default true */
  readonly consistent?: boolean;
}

/** Every row of one partition of the ledger in the order of its sort keys, page by page. */
export async function* rowsOf(
  { client, table: TableName }: Ledger,
  pk: string,
  { below, consistent = true }: RowsWanted = {},
): AsyncGenerator<Item> {
  let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey'];
  do {
    const page = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: below === undefined ? 'pk = :pk' : 'pk = :pk AND sk < :below',
        ExpressionAttributeValues: { ':pk': pk, ...(below === undefined ? {} : { ':below': below }) },
        ConsistentRead: consistent,
        ExclusiveStartKey,
      }),
    );
    yield* page.Items ?? [];
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
}
