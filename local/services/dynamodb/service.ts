/** DynamoDB as the desk serves it. What is served and what differs: README.md beside this file. */
import type { Cloud } from '../../cloud.js';
import type { AwsService, Operation } from '../../models/service.js';
import { accessOf } from './access.js';
import { batchGetItem, batchWriteItem } from './batches.js';
import { Database } from './database.js';
import { deleteItem, getItem, putItem, updateItem } from './items.js';
import { query, scan } from './queries.js';
import {
  describeContinuousBackups,
  describeTimeToLive,
  listTagsOfResource,
  tagResource,
  untagResource,
  updateContinuousBackups,
  updateTimeToLive,
} from './settings.js';
import { createTable, deleteTable, describeTable, listTables, updateTable } from './tables.js';
import { startTimeToLive } from './time-to-live.js';
import { transactGetItems, transactWriteItems } from './transactions.js';

export interface DynamoDb extends AwsService {
  /** Lets global secondary indexes lag behind their table by `ms` of the desk's clock: reads of an index are eventually consistent on AWS. @default 0 */
  setIndexLag(ms: number): void;
}

const OPERATIONS = {
  CreateTable: createTable,
  DescribeTable: describeTable,
  UpdateTable: updateTable,
  DeleteTable: deleteTable,
  ListTables: listTables,
  UpdateTimeToLive: updateTimeToLive,
  DescribeTimeToLive: describeTimeToLive,
  DescribeContinuousBackups: describeContinuousBackups,
  UpdateContinuousBackups: updateContinuousBackups,
  ListTagsOfResource: listTagsOfResource,
  TagResource: tagResource,
  UntagResource: untagResource,
  PutItem: putItem,
  GetItem: getItem,
  UpdateItem: updateItem,
  DeleteItem: deleteItem,
  Query: query,
  Scan: scan,
  BatchGetItem: batchGetItem,
  BatchWriteItem: batchWriteItem,
  TransactGetItems: transactGetItems,
  TransactWriteItems: transactWriteItems,
} as const;

export function createDynamoDb(cloud: Cloud): DynamoDb {
  const database = new Database(cloud.world);
  startTimeToLive(database);
  const operations = Object.fromEntries(
    Object.entries(OPERATIONS).map(([name, run]): [string, Operation] => [name, (input) => run(database, input as never)]),
  );
  return {
    name: 'dynamodb',
    signingNames: ['dynamodb'],
    operations,
    access: (operation, input) => accessOf(database, operation, input),
    setIndexLag: (ms) => {
      database.indexLagMs = ms;
    },
  };
}
