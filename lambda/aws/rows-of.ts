import { QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Item, Ledger } from './ledger.js';

export interface RowsWanted {
  /** Only rows whose sort key is below this. @default all */
  readonly below?: string;
  /** @default true */
  readonly consistent?: boolean;
  /** Most rows of a page. @default as many as DynamoDB reads at once, a megabyte */
  readonly limit?: number;
}

/** Every row of one partition of the ledger in the order of its sort keys. */
export async function* rowsOf(ledger: Ledger, pk: string, wanted: RowsWanted = {}): AsyncGenerator<Item> {
  for await (const page of pagesOf(ledger, pk, wanted)) yield* page;
}

/** The same, page by page. */
export async function* pagesOf(
  { client, table: TableName }: Ledger,
  pk: string,
  { below, consistent = true, limit }: RowsWanted = {},
): AsyncGenerator<readonly Item[]> {
  let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey'];
  do {
    const page = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: below === undefined ? 'pk = :pk' : 'pk = :pk AND sk < :below',
        ExpressionAttributeValues: { ':pk': pk, ...(below === undefined ? {} : { ':below': below }) },
        ConsistentRead: consistent,
        Limit: limit,
        ExclusiveStartKey,
      }),
    );
    yield page.Items ?? [];
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
}
