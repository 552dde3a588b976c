/**
 * TransactWriteItems and TransactGetItems. Everything runs within one turn of the event loop, so no other request can come between and
 * TransactionConflict does not arise.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
 */
import { AwsError } from '../../models/service.js';
import { copyItem, type AttributeValue, type Item } from './attribute-value.js';
import { present, readCapacity, writeCapacity } from './capacity.js';
import type { Database } from './database.js';
import { validation } from './errors.js';
import { readOne, type GetRequest } from './items.js';
import { keyAttributes } from './keys.js';
import { ConditionalCheckFailed, prepareWrite, type PreparedWrite, type WriteKind, type WriteRequest } from './write.js';

type Capacity = 'INDEXES' | 'TOTAL' | 'NONE' | undefined;

interface TransactWriteItem {
  readonly ConditionCheck?: WriteRequest;
  readonly Put?: WriteRequest;
  readonly Delete?: WriteRequest;
  readonly Update?: WriteRequest;
}

interface TransactWriteRequest {
  readonly TransactItems: readonly TransactWriteItem[];
  readonly ClientRequestToken?: string;
  readonly ReturnConsumedCapacity?: Capacity;
}

interface CancellationReason {
  readonly Code: string;
  readonly Message?: string;
  readonly Item?: Record<string, AttributeValue>;
}

const MOST_ACTIONS = 100;
const LARGEST_TRANSACTION = 4 * 1024 * 1024;
const NO_REASON: CancellationReason = { Code: 'None' };

/** Which kind of write one action is. Exactly one member must be there. */
export function actionOf(item: TransactWriteItem): { readonly kind: WriteKind; readonly request: WriteRequest } {
  const actions = (
    [
      ['check', item.ConditionCheck],
      ['put', item.Put],
      ['delete', item.Delete],
      ['update', item.Update],
    ] as const
  ).filter(([, request]) => request !== undefined);
  const [kind, request] = actions[0] ?? [];
  if (!kind || !request || actions.length > 1) {
    throw validation('TransactItems can only contain one of Check, Put, Update or Delete');
  }
  return { kind, request };
}

export function transactWriteItems(database: Database, input: TransactWriteRequest): Record<string, unknown> {
  const { ClientRequestToken: token, TransactItems: items } = input;
  const actions = items.map(actionOf);
  if (actions.length === 0 || actions.length > MOST_ACTIONS) {
    throw validation(
      `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to ${MOST_ACTIONS}`,
    );
  }
  if (token !== undefined && database.isRepeated(token, items)) return {};
  refuseDuplicates(
    database,
    actions.map(({ request }) => ({ TableName: request.TableName, key: request.Item ?? request.Key ?? {} })),
  );
  const outcomes = actions.map(({ kind, request }) => attempt(() => prepareWrite(database, kind, request)));
  const writes = outcomes.filter((outcome): outcome is PreparedWrite => 'commit' in outcome);
  if (writes.length < outcomes.length) throw cancelled(outcomes.map((outcome) => ('commit' in outcome ? NO_REASON : outcome)));
  if (writes.reduce((sum, { after }) => sum + (after?.size ?? 0), 0) > LARGEST_TRANSACTION) {
    throw validation('Transaction payload exceeds the maximum allowed size of 4 MB');
  }
  for (const write of writes) write.commit();
  if (token !== undefined) database.remember(token, items);
  return present('ConsumedCapacity', capacities(input.ReturnConsumedCapacity, writes));
}

/** A condition that does not hold, and an update that cannot be applied to this item, cancel the transaction; a malformed request does not get that far. */
function attempt(prepare: () => PreparedWrite): PreparedWrite | CancellationReason {
  try {
    return prepare();
  } catch (error) {
    if (error instanceof ConditionalCheckFailed) {
      return { Code: 'ConditionalCheckFailed', Message: error.message, ...(error.extra as { Item?: Record<string, AttributeValue> }) };
    }
    if (error instanceof AwsError && DEPENDS_ON_ITEM.some((message) => error.message.startsWith(message))) {
      return { Code: 'ValidationError', Message: error.message };
    }
    throw error;
  }
}

/** Complaints that depend on the stored item, not on the request alone. */
const DEPENDS_ON_ITEM = [
  'The document path provided in the update expression is invalid for update',
  'The provided expression refers to an attribute that does not exist in the item',
  'An operand in the update expression has an incorrect data type',
  'Item size to update has exceeded the maximum allowed size',
  'Number overflow',
];

function cancelled(reasons: readonly CancellationReason[]): AwsError {
  const codes = reasons.map((reason) => reason.Code).join(', ');
  return new AwsError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    400,
    {
      CancellationReasons: reasons.map((reason) => ({ ...reason, ...(reason.Item ? { Item: copyItem(reason.Item) } : {}) })),
    },
  );
}

/** Each item at most once in a transaction, whatever is done to it. */
function refuseDuplicates(database: Database, items: readonly { readonly TableName: string; readonly key: Item }[]): void {
  const places = items.map(({ TableName, key }) => {
    const { name, schema } = database.table(TableName);
    const values = keyAttributes(schema).map((attribute) => key[attribute.name]);
    return JSON.stringify([name, ...values.map((value) => value?.S ?? value?.N ?? Buffer.from(value?.B ?? []).toString('base64'))]);
  });
  if (new Set(places).size < places.length) throw validation('Transaction request cannot include multiple operations on one item');
}

function capacities(wanted: Capacity, writes: readonly PreparedWrite[]): readonly object[] | undefined {
  if (wanted === undefined || wanted === 'NONE') return undefined;
  return [...new Set(writes.map((write) => write.table))].flatMap((table) => {
    const bytes = writes
      .filter((write) => write.table === table)
      .reduce((sum, { before, after }) => sum + Math.max(before?.size ?? 0, after?.size ?? 1), 0);
    return writeCapacity(wanted, table, bytes, 2) ?? [];
  });
}

export function transactGetItems(
  database: Database,
  input: { readonly TransactItems: readonly { readonly Get: GetRequest }[]; readonly ReturnConsumedCapacity?: Capacity },
): Record<string, unknown> {
  if (input.TransactItems.length === 0 || input.TransactItems.length > MOST_ACTIONS) {
    throw validation(
      `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to ${MOST_ACTIONS}`,
    );
  }
  refuseDuplicates(
    database,
    input.TransactItems.map(({ Get }) => ({ TableName: Get.TableName, key: Get.Key })),
  );
  const reads = input.TransactItems.map(({ Get }) => ({ table: database.table(Get.TableName), ...readOne(database, Get) }));
  const capacity = [...new Set(reads.map((read) => read.table))].map((table) => {
    const bytes = reads.filter((read) => read.table === table).reduce((sum, read) => sum + read.bytes, 0);
    return readCapacity(input.ReturnConsumedCapacity, table, bytes, 2);
  });
  return {
    Responses: reads.map(({ item }) => (item ? { Item: item } : {})),
    ...(capacity.some((one) => one === undefined) ? {} : { ConsumedCapacity: capacity }),
  };
}
