/** Query and Scan. */
import { copyItem, readItem, type AttributeValue, type Item } from './attribute-value.js';
import { present, readCapacity } from './capacity.js';
import type { Database } from './database.js';
import { invalidParameter, validation } from './errors.js';
import { parseCondition } from './expressions/condition-parser.js';
import { attributesOf, holds, type Condition } from './expressions/condition.js';
import type { DocumentPath } from './expressions/document-path.js';
import { parseKeyCondition } from './expressions/key-condition.js';
import { Placeholders } from './expressions/placeholders.js';
import { parseProjection, project } from './expressions/projection.js';
import { keyAttributes } from './keys.js';
import { readPage, type PageRequest } from './page.js';
import type { Index, Table } from './table.js';
import { refuseLegacy } from './write.js';

interface ReadRequest {
  readonly TableName: string;
  readonly IndexName?: string;
  readonly Select?: 'ALL_ATTRIBUTES' | 'ALL_PROJECTED_ATTRIBUTES' | 'SPECIFIC_ATTRIBUTES' | 'COUNT';
  readonly Limit?: number;
  readonly ConsistentRead?: boolean;
  readonly ExclusiveStartKey?: Item;
  readonly ReturnConsumedCapacity?: 'INDEXES' | 'TOTAL' | 'NONE';
  readonly ProjectionExpression?: string;
  readonly FilterExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, AttributeValue>>;
}

interface QueryRequest extends ReadRequest {
  readonly KeyConditionExpression?: string;
  readonly ScanIndexForward?: boolean;
}

interface ScanRequest extends ReadRequest {
  readonly Segment?: number;
  readonly TotalSegments?: number;
}

const MOST_SEGMENTS = 1_000_000;

export function query(database: Database, input: QueryRequest): Record<string, unknown> {
  if (input.KeyConditionExpression === undefined) {
    refuseLegacy(input);
    throw validation('Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.');
  }
  const { table, index, placeholders } = open(database, input, { KeyConditionExpression: input.KeyConditionExpression });
  const { partition, sort } = (index ?? table).schema;
  const keyCondition = parseKeyCondition(input.KeyConditionExpression, placeholders, partition, sort);
  const filter = parseFilter(input, placeholders);
  const keyInFilter = filter && keyAttributes((index ?? table).schema).find((key) => attributesOf(filter).has(key.name));
  if (keyInFilter) {
    throw validation(`Filter Expression can only contain non-primary key attributes: Primary key attribute: ${keyInFilter.name}`);
  }
  return answer(input, table, index, placeholders, filter, { keyCondition, forward: input.ScanIndexForward ?? true });
}

export function scan(database: Database, input: ScanRequest): Record<string, unknown> {
  const { table, index, placeholders } = open(database, input, {});
  const { Segment: segment, TotalSegments: total } = input;
  if (segment === undefined && total !== undefined)
    throw validation('The Segment parameter is required but was not present in the request when parameter TotalSegments is present');
  if (segment !== undefined && total === undefined)
    throw validation('The TotalSegments parameter is required but was not present in the request when Segment parameter is present');
  if (total !== undefined && (total < 1 || total > MOST_SEGMENTS)) {
    throw validation(
      `1 validation error detected: Value '${total}' at 'totalSegments' failed to satisfy constraint: Member must have value between 1 and ${MOST_SEGMENTS}`,
    );
  }
  if (segment !== undefined && total !== undefined && segment >= total) {
    throw validation(
      `The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: ${segment} is not less than TotalSegments: ${total}`,
    );
  }
  const filter = parseFilter(input, placeholders);
  const part = segment !== undefined && total !== undefined ? { segment: { segment, total } } : {};
  return answer(input, table, index, placeholders, filter, { forward: true, ...part });
}

function open(database: Database, input: ReadRequest, more: Readonly<Record<string, string | undefined>>) {
  refuseLegacy(input);
  const table = database.table(input.TableName);
  const index = input.IndexName === undefined ? undefined : table.index(input.IndexName);
  if (input.IndexName !== undefined && !index) throw validation(`The table does not have the specified index: ${input.IndexName}`);
  if (index && input.ConsistentRead) throw validation('Consistent reads are not supported on global secondary indexes');
  if (input.Limit !== undefined && input.Limit < 1) {
    throw validation(
      `1 validation error detected: Value '${input.Limit}' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1`,
    );
  }
  const expressions = { ProjectionExpression: input.ProjectionExpression, FilterExpression: input.FilterExpression, ...more };
  return { table, index, placeholders: new Placeholders(input.ExpressionAttributeNames, input.ExpressionAttributeValues, expressions) };
}

const parseFilter = (input: ReadRequest, placeholders: Placeholders): Condition | undefined =>
  input.FilterExpression === undefined ? undefined : parseCondition(input.FilterExpression, 'FilterExpression', placeholders);

function answer(
  input: ReadRequest,
  table: Table,
  index: Index | undefined,
  placeholders: Placeholders,
  filter: Condition | undefined,
  how: Pick<PageRequest, 'keyCondition' | 'forward' | 'segment'>,
): Record<string, unknown> {
  const paths = input.ProjectionExpression === undefined ? undefined : parseProjection(input.ProjectionExpression, placeholders);
  placeholders.assertAllUsed();
  checkSelect(input, index, paths);
  const page = readPage({
    table,
    ...(index ? { index } : {}),
    ...how,
    ...(input.Limit === undefined ? {} : { limit: input.Limit }),
    ...(input.ExclusiveStartKey ? { startKey: readItem(input.ExclusiveStartKey) } : {}),
    accepts: (item) => !filter || holds(filter, item),
  });
  return {
    ...(input.Select === 'COUNT' ? {} : { Items: page.items.map((item) => (paths ? project(item, paths) : copyItem(item))) }),
    Count: page.items.length,
    ScannedCount: page.scanned,
    ...present('LastEvaluatedKey', page.lastKey),
    ...present('ConsumedCapacity', readCapacity(input.ReturnConsumedCapacity, table, page.bytes, input.ConsistentRead ? 1 : 0.5, index)),
  };
}

function checkSelect({ Select }: ReadRequest, index: Index | undefined, paths: readonly DocumentPath[] | undefined): void {
  if (paths && Select !== undefined && Select !== 'SPECIFIC_ATTRIBUTES') {
    throw validation(`Cannot specify the ProjectionExpression when choosing to get ${Select === 'COUNT' ? 'only the Count' : Select}`);
  }
  if (Select === 'SPECIFIC_ATTRIBUTES' && !paths) {
    throw invalidParameter('Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES');
  }
  if (Select === 'ALL_PROJECTED_ATTRIBUTES' && !index) {
    throw invalidParameter('ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName');
  }
  if (!index) return;
  const projected = index.projected();
  if (Select === 'ALL_ATTRIBUTES' && projected) {
    throw invalidParameter(
      `Select type ALL_ATTRIBUTES is not supported for global secondary index ${index.name} because its projection type is not ALL`,
    );
  }
  const missing = [...new Set(paths?.map((path) => path[0]))].filter((name) => projected && !projected.has(name));
  if (missing.length > 0) throw invalidParameter(`Global secondary index ${index.name} does not project [${missing.join(', ')}]`);
}
