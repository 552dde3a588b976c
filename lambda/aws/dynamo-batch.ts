import { BatchGetCommand, BatchWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../ports/clock.js';
import { backOffMs } from './retry.js';

const GET_LIMIT = 100;
const WRITE_LIMIT = 25;
const AT_ONCE = 4;
const MAX_ROUNDS = 12;

/** The requests of one call that DynamoDB did not take are asked again, up to this many times, each time after a longer pause. */
async function untilAllTaken<T>(
  clock: Clock,
  what: string,
  requests: readonly T[],
  send: (rest: readonly T[]) => Promise<readonly T[]>,
): Promise<void> {
  let rest = requests;
  for (let round = 0; rest.length > 0; round += 1) {
    if (round === MAX_ROUNDS) throw new Error(`${what}: ${rest.length} of ${requests.length} still not taken after ${MAX_ROUNDS} calls`);
    if (round > 0) await clock.sleepUntil(clock.nowMs() + backOffMs(round));
    rest = await send(rest);
  }
}

/** Four calls in flight: enough to hide the latency, few enough to leave the table to others. */
async function inChunks<T>(all: readonly T[], limit: number, send: (chunk: readonly T[]) => Promise<void>): Promise<void> {
  const chunks = Array.from({ length: Math.ceil(all.length / limit) }, (_, index) => all.slice(index * limit, (index + 1) * limit));
  for (let start = 0; start < chunks.length; start += AT_ONCE) await Promise.all(chunks.slice(start, start + AT_ONCE).map(send));
}

type Item = Record<string, unknown>;

/**
 * BatchGetItem, strongly consistent, in calls of 100; UnprocessedKeys are asked for again, because an item that was not read is not an item
 * that does not exist. Items in no order; absent ones are absent. Keys must be distinct.
 */
export async function batchGet(
  client: DynamoDBDocumentClient,
  clock: Clock,
  table: string,
  keys: readonly Item[],
  attributes?: readonly string[],
): Promise<Item[]> {
  const found: Item[] = [];
  const projection =
    attributes === undefined
      ? {}
      : {
          ProjectionExpression: attributes.map((_, index) => `#a${index}`).join(', '),
          ExpressionAttributeNames: Object.fromEntries(attributes.map((name, index) => [`#a${index}`, name])),
        };
  await inChunks(keys, GET_LIMIT, (chunk) =>
    untilAllTaken(clock, 'BatchGetItem', chunk, async (rest) => {
      const answer = await client.send(
        new BatchGetCommand({ RequestItems: { [table]: { Keys: [...rest], ConsistentRead: true, ...projection } } }),
      );
      found.push(...(answer.Responses?.[table] ?? []));
      return answer.UnprocessedKeys?.[table]?.Keys ?? [];
    }),
  );
  return found;
}

/** BatchWriteItem (puts) in calls of 25; UnprocessedItems are sent again. Keys must be distinct. */
export async function batchPut(client: DynamoDBDocumentClient, clock: Clock, table: string, items: readonly Item[]): Promise<void> {
  await inChunks(items, WRITE_LIMIT, (chunk) =>
    untilAllTaken(clock, 'BatchWriteItem', chunk, async (rest) => {
      const answer = await client.send(
        new BatchWriteCommand({ RequestItems: { [table]: rest.map((Item) => ({ PutRequest: { Item } })) } }),
      );
      return (answer.UnprocessedItems?.[table] ?? []).flatMap(({ PutRequest }) =>
        PutRequest?.Item === undefined ? [] : [PutRequest.Item],
      );
    }),
  );
}
