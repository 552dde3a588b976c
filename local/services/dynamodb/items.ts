/** PutItem, GetItem, UpdateItem, DeleteItem. */
import { copyItem, readItem, type AttributeValue, type Item } from './attribute-value.js';
import { present, readCapacity, writeCapacity } from './capacity.js';
import type { Database } from './database.js';
import { validation } from './errors.js';
import { Placeholders } from './expressions/placeholders.js';
import { parseProjection, project } from './expressions/projection.js';
import { checkKey } from './keys.js';
import { prepareWrite, refuseLegacy, type PreparedWrite, type WriteRequest } from './write.js';

type ReturnValues = 'NONE' | 'ALL_OLD' | 'UPDATED_OLD' | 'ALL_NEW' | 'UPDATED_NEW';

interface SingleWrite extends WriteRequest {
  readonly ReturnValues?: ReturnValues;
  readonly ReturnConsumedCapacity?: 'INDEXES' | 'TOTAL' | 'NONE';
}

export interface GetRequest {
  readonly TableName: string;
  readonly Key: Item;
  readonly ConsistentRead?: boolean;
  readonly ProjectionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ReturnConsumedCapacity?: 'INDEXES' | 'TOTAL' | 'NONE';
}

export const putItem = (database: Database, input: SingleWrite) => write(database, 'put', input);
export const deleteItem = (database: Database, input: SingleWrite) => write(database, 'delete', input);
export const updateItem = (database: Database, input: SingleWrite) => write(database, 'update', input);

function write(database: Database, kind: 'put' | 'delete' | 'update', input: SingleWrite): Record<string, unknown> {
  refuseLegacy(input);
  const wanted = input.ReturnValues ?? 'NONE';
  if (kind !== 'update' && wanted !== 'NONE' && wanted !== 'ALL_OLD') throw validation('ReturnValues can only be ALL_OLD or NONE');
  const prepared = prepareWrite(database, kind, input);
  prepared.commit();
  const bytes = Math.max(prepared.before?.size ?? 0, prepared.after?.size ?? 0);
  return {
    ...present('Attributes', returned(wanted, prepared)),
    ...present('ConsumedCapacity', writeCapacity(input.ReturnConsumedCapacity, prepared.table, bytes)),
  };
}

function returned(wanted: ReturnValues, { before, after, touched }: PreparedWrite): Record<string, AttributeValue> | undefined {
  switch (wanted) {
    case 'NONE':
      return undefined;
    case 'ALL_OLD':
      return before && copyItem(before.item);
    case 'ALL_NEW':
      return after && copyItem(after.item);
    case 'UPDATED_OLD':
      return unlessEmpty(project(before?.item ?? {}, touched));
    case 'UPDATED_NEW':
      return unlessEmpty(project(after?.item ?? {}, touched));
  }
}

const unlessEmpty = (item: Record<string, AttributeValue>) => (Object.keys(item).length > 0 ? item : undefined);

/** Reads one item through a request's projection. `bytes` is 0 where there is no such item. */
export function readOne(database: Database, input: GetRequest): { readonly item?: Record<string, AttributeValue>; readonly bytes: number } {
  refuseLegacy(input);
  const table = database.table(input.TableName);
  const placeholders = new Placeholders(input.ExpressionAttributeNames, undefined, { ProjectionExpression: input.ProjectionExpression });
  const paths = input.ProjectionExpression === undefined ? undefined : parseProjection(input.ProjectionExpression, placeholders);
  placeholders.assertAllUsed();
  const key = readItem(input.Key);
  checkKey(key, table.schema);
  const stored = table.get(key);
  if (!stored) return { bytes: 0 };
  return { item: paths ? project(stored.item, paths) : copyItem(stored.item), bytes: stored.size };
}

export function getItem(database: Database, input: GetRequest): Record<string, unknown> {
  const { item, bytes } = readOne(database, input);
  const table = database.table(input.TableName);
  return {
    ...present('Item', item),
    ...present('ConsumedCapacity', readCapacity(input.ReturnConsumedCapacity, table, bytes, input.ConsistentRead ? 1 : 0.5)),
  };
}
