/**
 * What IAM is asked before an operation: action and ARN of the table (or of the index), with dynamodb:LeadingKeys where the request names keys.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
 */
import type { AccessRequest } from '../../iam/principal.js';
import { attributeOf, type Item } from './attribute-value.js';
import type { Database } from './database.js';
import { parseKeyCondition } from './expressions/key-condition.js';
import { Placeholders } from './expressions/placeholders.js';
import { actionOf } from './transactions.js';

type Input = Readonly<Record<string, unknown>>;

/** A member that the schema says is a string. */
const text = (input: Input, member: string): string => input[member] as string;

/** Operations that are about no one table. */
const OF_ACCOUNT: readonly string[] = ['ListTables', 'DescribeLimits', 'DescribeEndpoints'];

export function accessOf(database: Database, operation: string, input: Input): readonly AccessRequest[] {
  switch (operation) {
    case 'BatchGetItem':
    case 'BatchWriteItem':
      return Object.entries(input['RequestItems'] as Record<string, unknown>).map(([name, requests]) =>
        onItems(database, operation, name, keysOfBatch(requests)),
      );
    case 'TransactGetItems':
      return (input['TransactItems'] as readonly { readonly Get: { readonly TableName: string; readonly Key: Item } }[]).map(({ Get }) =>
        onItems(database, 'GetItem', Get.TableName, [Get.Key]),
      );
    case 'TransactWriteItems':
      return (input['TransactItems'] as readonly Parameters<typeof actionOf>[0][]).map((item) => {
        const { kind, request } = actionOf(item);
        return onItems(database, ACTIONS[kind], request.TableName, [request.Item ?? request.Key ?? {}]);
      });
    case 'Query':
      return [{ ...onReadable(database, operation, input), ...leadingKeys(queriedKeys(database, input)) }];
    case 'Scan':
      return [onReadable(database, operation, input)];
    case 'GetItem':
    case 'PutItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return [onItems(database, operation, text(input, 'TableName'), [(input['Item'] ?? input['Key'] ?? {}) as Item])];
    default: {
      const resource = OF_ACCOUNT.includes(operation)
        ? '*'
        : ((input['ResourceArn'] as string | undefined) ?? arnOf(database, text(input, 'TableName')));
      return [{ action: `dynamodb:${operation}`, resource }];
    }
  }
}

const ACTIONS = { put: 'PutItem', update: 'UpdateItem', delete: 'DeleteItem', check: 'ConditionCheckItem' } as const;

const arnOf = (database: Database, nameOrArn: string) => database.arnOf(database.nameOf(nameOrArn));

function onReadable(database: Database, operation: string, input: Input): AccessRequest {
  const table = arnOf(database, text(input, 'TableName'));
  const index = input['IndexName'] as string | undefined;
  return { action: `dynamodb:${operation}`, resource: index === undefined ? table : `${table}/index/${index}` };
}

function onItems(database: Database, operation: string, tableName: string, keys: readonly Item[]): AccessRequest {
  const partition = database.find(tableName)?.table.schema.partition.name;
  const values = partition === undefined ? [] : keys.flatMap((key) => printable(key, partition));
  return { action: `dynamodb:${operation}`, resource: arnOf(database, tableName), ...leadingKeys(values) };
}

const leadingKeys = (values: readonly string[]) => (values.length > 0 ? { context: { 'dynamodb:LeadingKeys': [...new Set(values)] } } : {});

function printable(key: Item, partition: string): readonly string[] {
  const value = attributeOf(key, partition);
  const text = value?.S ?? value?.N ?? (value?.B && Buffer.from(value.B).toString('base64'));
  return text === undefined ? [] : [text];
}

function keysOfBatch(requests: unknown): readonly Item[] {
  if (Array.isArray(requests)) {
    return (requests as readonly { PutRequest?: { Item: Item }; DeleteRequest?: { Key: Item } }[]).map(
      ({ PutRequest, DeleteRequest }) => PutRequest?.Item ?? DeleteRequest?.Key ?? {},
    );
  }
  return (requests as { readonly Keys: readonly Item[] }).Keys;
}

/** The partition key of a Query on the table itself. A request that cannot be read is refused later, by the operation. */
function queriedKeys(database: Database, input: Input): readonly string[] {
  const table = database.find(text(input, 'TableName'))?.table;
  const source = input['KeyConditionExpression'];
  if (!table || typeof source !== 'string' || input['IndexName'] !== undefined) return [];
  try {
    const placeholders = new Placeholders(
      input['ExpressionAttributeNames'] as Readonly<Record<string, string>> | undefined,
      input['ExpressionAttributeValues'] as Item | undefined,
      { KeyConditionExpression: source },
    );
    const { partition } = parseKeyCondition(source, placeholders, table.schema.partition, table.schema.sort);
    return printable({ [table.schema.partition.name]: partition }, table.schema.partition.name);
  } catch {
    return [];
  }
}
