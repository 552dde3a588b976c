/** BatchGetItem and BatchWriteItem: many requests in one, each on its own; not a transaction. */
import { readItem, type AttributeValue, type Item } from './attribute-value.js';
import { present, readCapacity, writeCapacity } from './capacity.js';
import type { Database } from './database.js';
import { validation } from './errors.js';
import { readOne } from './items.js';
import { positionOf, type KeySchema } from './keys.js';
import { prepareWrite, refuseLegacy, type PreparedWrite } from './write.js';

type Capacity = 'INDEXES' | 'TOTAL' | 'NONE' | undefined;

interface KeysAndAttributes {
  readonly Keys: readonly Item[];
  readonly ConsistentRead?: boolean;
  readonly ProjectionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
}

interface WriteOfBatch {
  readonly PutRequest?: { readonly Item: Item };
  readonly DeleteRequest?: { readonly Key: Item };
}

const MOST_READS = 100;
const MOST_WRITES = 25;
const LARGEST_BATCH = 16 * 1024 * 1024;

export function batchGetItem(
  database: Database,
  input: { readonly RequestItems: Readonly<Record<string, KeysAndAttributes>>; readonly ReturnConsumedCapacity?: Capacity },
): Record<string, unknown> {
  const requests = Object.entries(input.RequestItems);
  const count = requests.reduce((sum, [, { Keys }]) => sum + Keys.length, 0);
  if (count === 0) throw validation('The batch get request list for a table cannot be null or empty');
  if (count > MOST_READS) throw validation('Too many items requested for the BatchGetItem call');
  const responses: Record<string, Record<string, AttributeValue>[]> = {};
  const unprocessed: Record<string, KeysAndAttributes> = {};
  const capacities: (object | undefined)[] = [];
  let total = 0;
  for (const [name, request] of requests) {
    refuseLegacy(request);
    const { schema } = database.table(name);
    refuseDuplicates(
      request.Keys.map((key) => readItem(key)),
      schema,
    );
    const { Keys, ...options } = request;
    const found: Record<string, AttributeValue>[] = [];
    let bytes = 0;
    for (const [at, key] of Keys.entries()) {
      const { item, bytes: size } = readOne(database, { TableName: name, ...options, Key: key });
      // At 16 MB AWS stops and hands the rest back.
      if (total + size > LARGEST_BATCH) {
        unprocessed[name] = { ...request, Keys: Keys.slice(at) };
        break;
      }
      total += size;
      bytes += size;
      if (item) found.push(item);
    }
    responses[name] = found;
    capacities.push(readCapacity(input.ReturnConsumedCapacity, database.table(name), bytes, request.ConsistentRead ? 1 : 0.5));
  }
  return { Responses: responses, UnprocessedKeys: unprocessed, ...present('ConsumedCapacity', allOf(capacities)) };
}

export function batchWriteItem(
  database: Database,
  input: { readonly RequestItems: Readonly<Record<string, readonly WriteOfBatch[]>>; readonly ReturnConsumedCapacity?: Capacity },
): Record<string, unknown> {
  const requests = Object.entries(input.RequestItems);
  const count = requests.reduce((sum, [, writes]) => sum + writes.length, 0);
  if (count === 0) throw validation('The batch write request list for a table cannot be null or empty');
  if (count > MOST_WRITES) throw validation('Too many items requested for the BatchWriteItem call');
  const prepared: PreparedWrite[] = [];
  for (const [name, writes] of requests) {
    const keys: Item[] = [];
    for (const { PutRequest, DeleteRequest } of writes) {
      if ((PutRequest === undefined) === (DeleteRequest === undefined)) {
        throw validation('Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes');
      }
      const write = PutRequest
        ? prepareWrite(database, 'put', { TableName: name, Item: PutRequest.Item })
        : prepareWrite(database, 'delete', { TableName: name, Key: (DeleteRequest as { Key: Item }).Key });
      prepared.push(write);
      keys.push(write.key);
    }
    refuseDuplicates(keys, database.table(name).schema);
  }
  if (prepared.reduce((sum, write) => sum + (write.after?.size ?? 0), 0) > LARGEST_BATCH) {
    throw validation('The total size of the request exceeds the maximum allowed size of 16 MB');
  }
  for (const write of prepared) write.commit();
  const capacities = requests.map(([name]) => {
    const table = database.table(name);
    const bytes = prepared
      .filter((write) => write.table === table)
      .reduce((sum, { before, after }) => sum + Math.max(before?.size ?? 0, after?.size ?? 1), 0);
    return writeCapacity(input.ReturnConsumedCapacity, table, bytes);
  });
  return { UnprocessedItems: {}, ...present('ConsumedCapacity', allOf(capacities)) };
}

const allOf = (capacities: readonly (object | undefined)[]) =>
  capacities.some((capacity) => capacity === undefined) ? undefined : capacities;

function refuseDuplicates(keys: readonly Item[], schema: KeySchema): void {
  const names = [schema.partition, ...(schema.sort ? [schema.sort] : [])];
  const complete = keys.filter((key) => names.every(({ name }) => Object.hasOwn(key, name)));
  const seen = new Set(
    complete.map((key) => {
      const { partition, sort } = positionOf(key, schema);
      return `${partition.length}:${partition}${sort}`;
    }),
  );
  if (seen.size < complete.length) throw validation('Provided list of item keys contains duplicates');
}
