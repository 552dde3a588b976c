/** CreateTable, DescribeTable, UpdateTable, DeleteTable, ListTables. */
import { AwsError } from '../../models/service.js';
import { present } from './capacity.js';
import type { Database, TableRecord } from './database.js';
import { invalidParameter, notServed, validation } from './errors.js';
import type { KeySchema } from './keys.js';
import type { Index, Projection } from './table.js';

interface KeySchemaElement {
  readonly AttributeName: string;
  readonly KeyType: 'HASH' | 'RANGE';
}
interface AttributeDefinition {
  readonly AttributeName: string;
  readonly AttributeType: 'S' | 'N' | 'B';
}
interface Throughput {
  readonly ReadCapacityUnits: number;
  readonly WriteCapacityUnits: number;
}
interface IndexDefinition {
  readonly IndexName: string;
  readonly KeySchema: readonly KeySchemaElement[];
  readonly Projection: Projection;
}
export interface CreateTableRequest {
  readonly TableName: string;
  readonly KeySchema: readonly KeySchemaElement[];
  readonly AttributeDefinitions: readonly AttributeDefinition[];
  readonly GlobalSecondaryIndexes?: readonly IndexDefinition[];
  readonly LocalSecondaryIndexes?: readonly IndexDefinition[];
  readonly BillingMode?: 'PAY_PER_REQUEST' | 'PROVISIONED';
  readonly ProvisionedThroughput?: Throughput;
  readonly StreamSpecification?: { readonly StreamEnabled: boolean };
  readonly SSESpecification?: { readonly Enabled?: boolean; readonly SSEType?: string; readonly KMSMasterKeyId?: string };
  readonly DeletionProtectionEnabled?: boolean;
  readonly TableClass?: 'STANDARD' | 'STANDARD_INFREQUENT_ACCESS';
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
}

const NO_THROUGHPUT: Throughput = { ReadCapacityUnits: 0, WriteCapacityUnits: 0 };

export function createTable(database: Database, input: CreateTableRequest): Record<string, unknown> {
  const name = database.nameOf(input.TableName);
  if (input.LocalSecondaryIndexes?.length) throw notServed('local secondary indexes');
  refuseStreams(input.StreamSpecification);
  // Optional in the schema since there are tables of other kinds.
  for (const [member, value] of Object.entries({ keySchema: input.KeySchema, attributeDefinitions: input.AttributeDefinitions }))
    if (value === undefined)
      throw validation(`1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`);
  const schema = readSchema(input.KeySchema, input.AttributeDefinitions);
  const indexes = (input.GlobalSecondaryIndexes ?? []).map((index) => ({
    ...index,
    schema: readSchema(index.KeySchema, input.AttributeDefinitions),
  }));
  checkDefinitions(input.AttributeDefinitions, [schema, ...indexes.map((index) => index.schema)]);
  if (new Set(indexes.map((index) => index.IndexName)).size < indexes.length) throw invalidParameter('Duplicate index name');
  const billingMode = input.BillingMode ?? 'PROVISIONED';
  if (billingMode === 'PROVISIONED' && !input.ProvisionedThroughput) {
    throw invalidParameter('ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED');
  }
  if (billingMode === 'PAY_PER_REQUEST' && input.ProvisionedThroughput) {
    throw invalidParameter('Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST');
  }
  if (database.find(name)) throw new AwsError('ResourceInUseException', `Table already exists: ${name}`);
  const record = database.create(name, schema, {
    billingMode,
    provisioned: input.ProvisionedThroughput ?? NO_THROUGHPUT,
    deletionProtection: input.DeletionProtectionEnabled ?? false,
    tableClass: input.TableClass ?? 'STANDARD',
    ...(input.SSESpecification?.Enabled ? { sse: sseOf(input.SSESpecification) } : {}),
    tags: new Map(input.Tags?.map(({ Key, Value }) => [Key, Value])),
  });
  for (const index of indexes) record.table.addIndex(index.IndexName, index.schema, index.Projection);
  // Ready at once on the desk, but never said so in this answer: a caller must wait for ACTIVE as on AWS.
  return { TableDescription: { ...description(record), TableStatus: 'CREATING' } };
}

export const describeTable = (database: Database, input: { readonly TableName: string }): Record<string, unknown> => ({
  Table: description(database.record(input.TableName)),
});

export function deleteTable(database: Database, input: { readonly TableName: string }): Record<string, unknown> {
  const record = database.record(input.TableName);
  if (record.settings.deletionProtection) {
    throw validation('Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.');
  }
  database.tables.delete(record.table.name);
  return { TableDescription: { ...description(record), TableStatus: 'DELETING' } };
}

export function listTables(
  database: Database,
  input: { readonly ExclusiveStartTableName?: string; readonly Limit?: number },
): Record<string, unknown> {
  const start = input.ExclusiveStartTableName;
  const names = [...database.tables.keys()].sort().filter((name) => start === undefined || name > start);
  const page = names.slice(0, input.Limit ?? 100);
  return { TableNames: page, ...present('LastEvaluatedTableName', page.length < names.length ? page.at(-1) : undefined) };
}

interface UpdateTableRequest extends Partial<Omit<CreateTableRequest, 'KeySchema' | 'GlobalSecondaryIndexes' | 'Tags'>> {
  readonly TableName: string;
  readonly GlobalSecondaryIndexUpdates?: readonly {
    readonly Create?: IndexDefinition;
    readonly Delete?: { readonly IndexName: string };
    readonly Update?: unknown;
  }[];
  readonly ReplicaUpdates?: readonly unknown[];
}

export function updateTable(database: Database, input: UpdateTableRequest): Record<string, unknown> {
  const record = database.record(input.TableName);
  const { table, settings } = record;
  refuseStreams(input.StreamSpecification);
  if (input.ReplicaUpdates?.length) throw notServed('replicas');
  const plan = (input.GlobalSecondaryIndexUpdates ?? []).map((update) => {
    if (update.Update) throw notServed('changes of an index');
    if (update.Delete && !table.indexes.has(update.Delete.IndexName)) {
      throw new AwsError('ResourceNotFoundException', `Requested resource not found: Index: ${update.Delete.IndexName} not found`);
    }
    if (update.Create && table.indexes.has(update.Create.IndexName)) throw validation('Attempting to create an index which already exists');
    return { ...update, schema: update.Create && readSchema(update.Create.KeySchema, input.AttributeDefinitions ?? []) };
  });
  settings.billingMode = input.BillingMode ?? settings.billingMode;
  settings.provisioned = settings.billingMode === 'PAY_PER_REQUEST' ? NO_THROUGHPUT : (input.ProvisionedThroughput ?? settings.provisioned);
  settings.deletionProtection = input.DeletionProtectionEnabled ?? settings.deletionProtection;
  settings.tableClass = input.TableClass ?? settings.tableClass;
  if (input.SSESpecification?.Enabled) settings.sse = sseOf(input.SSESpecification);
  else if (input.SSESpecification) delete settings.sse;
  for (const { Create, Delete, schema } of plan) {
    if (Create && schema) table.addIndex(Create.IndexName, schema, Create.Projection);
    if (Delete) table.indexes.delete(Delete.IndexName);
  }
  return { TableDescription: { ...description(record), TableStatus: 'UPDATING' } };
}

function refuseStreams(specification: { readonly StreamEnabled: boolean } | undefined): void {
  if (specification?.StreamEnabled) throw notServed('streams');
}

const sseOf = (specification: { readonly SSEType?: string; readonly KMSMasterKeyId?: string }) => ({
  SSEType: specification.SSEType ?? 'KMS',
  ...present('KMSMasterKeyArn', specification.KMSMasterKeyId),
});

function readSchema(elements: readonly KeySchemaElement[], definitions: readonly AttributeDefinition[]): KeySchema {
  const [hash, range, ...more] = elements;
  if (!hash || hash.KeyType !== 'HASH') throw invalidParameter('The first KeySchemaElement is not a HASH key type');
  if (range && range.KeyType !== 'RANGE') throw invalidParameter('The second KeySchemaElement is not a RANGE key type');
  if (more.length > 0) throw notServed('keys of more than two attributes');
  const attribute = ({ AttributeName }: KeySchemaElement) => {
    const definition = definitions.find((candidate) => candidate.AttributeName === AttributeName);
    if (!definition) {
      throw invalidParameter(
        `Some index key attributes are not defined in AttributeDefinitions. Keys: [${AttributeName}], AttributeDefinitions: [${definitions.map((d) => d.AttributeName).join(', ')}]`,
      );
    }
    return { name: AttributeName, type: definition.AttributeType };
  };
  return { partition: attribute(hash), ...(range ? { sort: attribute(range) } : {}) };
}

function checkDefinitions(definitions: readonly AttributeDefinition[], schemas: readonly KeySchema[]): void {
  const used = new Set(schemas.flatMap(({ partition, sort }) => [partition.name, ...(sort ? [sort.name] : [])]));
  if (definitions.some(({ AttributeName }) => !used.has(AttributeName))) {
    throw invalidParameter('Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions');
  }
}

const elementsOf = ({ partition, sort }: KeySchema): readonly KeySchemaElement[] => [
  { AttributeName: partition.name, KeyType: 'HASH' },
  ...(sort ? [{ AttributeName: sort.name, KeyType: 'RANGE' } as const] : []),
];

function description({ table, settings }: TableRecord): Record<string, unknown> {
  const schemas = [table.schema, ...[...table.indexes.values()].map((index) => index.schema)];
  const definitions = new Map(
    schemas.flatMap(({ partition, sort }) => [partition, ...(sort ? [sort] : [])]).map(({ name, type }) => [name, type]),
  );
  const throughput = { NumberOfDecreasesToday: 0, ...settings.provisioned };
  const indexes = [...table.indexes.keys()].map((name) => table.index(name) as Index);
  return {
    TableName: table.name,
    TableArn: table.arn,
    TableId: table.id,
    TableStatus: 'ACTIVE',
    CreationDateTime: table.createdAt,
    KeySchema: elementsOf(table.schema),
    AttributeDefinitions: [...definitions].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    ProvisionedThroughput: throughput,
    ...(settings.billingMode === 'PAY_PER_REQUEST' ? { BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' } } : {}),
    ItemCount: table.itemCount,
    TableSizeBytes: table.bytes,
    DeletionProtectionEnabled: settings.deletionProtection,
    TableClassSummary: { TableClass: settings.tableClass },
    ...(settings.sse ? { SSEDescription: { Status: 'ENABLED', ...settings.sse } } : {}),
    ...(indexes.length > 0
      ? {
          GlobalSecondaryIndexes: indexes.map((index) => ({
            IndexName: index.name,
            IndexArn: index.arn,
            IndexStatus: 'ACTIVE',
            KeySchema: elementsOf(index.schema),
            Projection: index.projection,
            ProvisionedThroughput: throughput,
            ItemCount: index.entries.size,
            IndexSizeBytes: index.bytes,
          })),
        }
      : {}),
  };
}
