/**
 * One write, prepared and then carried out: PutItem, UpdateItem, DeleteItem, and the same inside TransactWriteItems. Preparing checks the
 * request and the condition and changes nothing; so a transaction can prepare all of its writes before it carries out the first.
 */
import { AwsError } from '../../models/service.js';
import { copyItem, readItem, type AttributeValue, type Item } from './attribute-value.js';
import type { Database } from './database.js';
import { invalidParameter, notServed } from './errors.js';
import { parseCondition } from './expressions/condition-parser.js';
import { holds } from './expressions/condition.js';
import type { DocumentPath } from './expressions/document-path.js';
import { Placeholders } from './expressions/placeholders.js';
import { parseUpdate, touchedPaths } from './expressions/update-parser.js';
import { applyUpdate } from './expressions/update.js';
import { checkItemKey, checkKey, keyAttributes } from './keys.js';
import type { StoredItem, Table } from './table.js';

/** The members that the four kinds of write share. */
export interface WriteRequest {
  readonly TableName: string;
  readonly Item?: Item;
  readonly Key?: Item;
  readonly UpdateExpression?: string;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, AttributeValue>>;
  readonly ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE';
}

export type WriteKind = 'put' | 'update' | 'delete' | 'check';

export interface PreparedWrite {
  readonly table: Table;
  /** The key attributes as they were given: the identity of what is written. */
  readonly key: Item;
  readonly before: StoredItem | undefined;
  /** What is stored afterwards; undefined: nothing. */
  readonly after: StoredItem | undefined;
  /** Paths of an update expression, for UPDATED_OLD and UPDATED_NEW. */
  readonly touched: readonly DocumentPath[];
  commit(): void;
}

/** The condition of a write did not hold. `Item` is there where the request asked for it. */
export class ConditionalCheckFailed extends AwsError {
  constructor(item: Item | undefined) {
    super('ConditionalCheckFailedException', 'The conditional request failed', 400, item ? { Item: copyItem(item) } : {});
  }
}

const LEGACY = ['AttributeUpdates', 'Expected', 'ConditionalOperator', 'KeyConditions', 'QueryFilter', 'ScanFilter', 'AttributesToGet'];

/** The parameters that expressions replaced in 2014 would change what an operation does: refused, not ignored. */
export function refuseLegacy(input: object): void {
  const used = LEGACY.find((member) => Object.hasOwn(input, member) && (input as Record<string, unknown>)[member] !== undefined);
  if (used) throw notServed(`the legacy parameter ${used}`);
}

export function prepareWrite(database: Database, kind: WriteKind, request: WriteRequest): PreparedWrite {
  const table = database.table(request.TableName);
  const { schema } = table;
  const expressions = {
    ...(kind === 'update' ? { UpdateExpression: request.UpdateExpression } : {}),
    ConditionExpression: request.ConditionExpression,
  };
  const placeholders = new Placeholders(request.ExpressionAttributeNames, request.ExpressionAttributeValues, expressions);
  const update = request.UpdateExpression === undefined ? undefined : parseUpdate(request.UpdateExpression, placeholders);
  const condition =
    request.ConditionExpression === undefined
      ? undefined
      : parseCondition(request.ConditionExpression, 'ConditionExpression', placeholders);
  placeholders.assertAllUsed();

  const given = readItem(kind === 'put' ? (request.Item ?? {}) : (request.Key ?? {}));
  if (kind === 'put') checkItemKey(given, schema);
  else checkKey(given, schema);
  const touched = update ? touchedPaths(update) : [];
  const keyNames = keyAttributes(schema).map((attribute) => attribute.name);
  const writtenKey = touched.find((path) => keyNames.includes(path[0]));
  if (writtenKey) throw invalidParameter(`Cannot update attribute ${writtenKey[0]}. This attribute is part of the key`);
  const putItem = kind === 'put' ? table.prepare(given) : undefined;

  const before = table.get(given);
  if (condition && !holds(condition, before?.item ?? {})) {
    throw new ConditionalCheckFailed(request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' ? before?.item : undefined);
  }
  const after = kind === 'delete' ? undefined : kind === 'check' ? before : (putItem ?? updated());
  return {
    table,
    key: Object.fromEntries(keyNames.map((name) => [name, given[name] as AttributeValue])),
    before,
    after,
    touched,
    commit: () => {
      if (kind === 'check') return;
      if (after) table.put(after);
      else if (before) table.delete(before);
    },
  };

  function updated(): StoredItem {
    const base = before?.item ?? given;
    return table.prepare(update ? applyUpdate(update, base) : base, 'Item size to update has exceeded the maximum allowed size');
  }
}
