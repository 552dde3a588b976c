/** The adapters of this capability against the desk: real SDK clients, real HTTP, an empty account with the tables, buckets and queues that they need. */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, DeleteObjectCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { INVENTORY_INDEXES } from '../../domain/protocol/inventory-table.js';
import { LEDGER_INDEXES } from '../../domain/protocol/ledger-table.js';
import { dynamoBrake } from '../../lambda/aws/brake.js';
import { documentClient, s3Client, sqsClient } from '../../lambda/aws/clients.js';
import { s3CrlStore } from '../../lambda/aws/crl-store.js';
import { dynamoDecisionLog } from '../../lambda/aws/decision-log.js';
import { dynamoDueRevocations } from '../../lambda/aws/due.js';
import { dynamoEmergencyStop } from '../../lambda/aws/emergency-stop.js';
import { dynamoHighWaterMarks } from '../../lambda/aws/high-water.js';
import { dynamoHolds } from '../../lambda/aws/holds.js';
import { dynamoPace } from '../../lambda/aws/pace.js';
import { sqsRevokeQueue, sqsSyncQueue } from '../../lambda/aws/queues.js';
import { reconcileRequests } from '../../lambda/aws/reconcile-requests.js';
import { s3SerialState } from '../../lambda/aws/serial-state.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import { startDesk, type Desk } from '../../local/desk.js';

export const TABLES = { ledger: 'ledger', inventory: 'inventory' } as const;
export const BUCKETS = { crls: 'crls', states: 'states' } as const;
const WINDOW_MINUTES = 60;

/** Starts a desk and points every SDK client of this process at it. */
export async function deskWithStores(): Promise<Desk> {
  const desk = await startDesk({ seed: 7 });
  Object.assign(process.env, desk.env);
  const dynamo = new DynamoDBClient({});
  const key = (name: string, KeyType: 'HASH' | 'RANGE') => ({ AttributeName: name, KeyType });
  const create = (TableName: string, indexes: Readonly<Record<string, { readonly partitionKey: string; readonly sortKey?: string }>>) => {
    const attributes = new Set([
      'pk',
      'sk',
      ...Object.values(indexes).flatMap(({ partitionKey, sortKey }) => [partitionKey, ...(sortKey ? [sortKey] : [])]),
    ]);
    return dynamo.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [...attributes].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
        KeySchema: [key('pk', 'HASH'), key('sk', 'RANGE')],
        GlobalSecondaryIndexes: Object.entries(indexes).map(([IndexName, { partitionKey, sortKey }]) => ({
          IndexName,
          KeySchema: [key(partitionKey, 'HASH'), ...(sortKey === undefined ? [] : [key(sortKey, 'RANGE')])],
          Projection: { ProjectionType: 'ALL' },
        })),
      }),
    );
  };
  await create(TABLES.ledger, LEDGER_INDEXES);
  await create(TABLES.inventory, INVENTORY_INDEXES);
  const s3 = s3Client();
  for (const Bucket of Object.values(BUCKETS)) {
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  }
  return desk;
}

export async function createQueue(QueueName: string): Promise<string> {
  const { QueueUrl = '' } = await sqsClient().send(new CreateQueueCommand({ QueueName }));
  return QueueUrl;
}

/** Takes everything that is on a queue now. */
export async function takeAll(queueUrl: string): Promise<unknown[]> {
  const sqs = sqsClient();
  const bodies: unknown[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return bodies;
    for (const { Body = '', ReceiptHandle } of Messages) {
      bodies.push(JSON.parse(Body));
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    }
  }
}

/** Fresh adapters; the names in `prefix` keep one test's rows apart from another's where a row has a fixed name. */
export async function deskPorts() {
  const ledger = { client: documentClient(), table: TABLES.ledger };
  const s3 = s3Client();
  const [revokeUrl, syncUrl, reconcileUrl] = [await createQueue('revoke'), await createQueue('sync'), await createQueue('reconcile')];
  return {
    brake: dynamoBrake(ledger, WINDOW_MINUTES, wallClock),
    pace: dynamoPace(ledger),
    holds: dynamoHolds(ledger),
    marks: dynamoHighWaterMarks(ledger),
    decisions: dynamoDecisionLog(ledger),
    stop: dynamoEmergencyStop(ledger),
    due: dynamoDueRevocations(ledger, wallClock),
    crls: s3CrlStore(s3),
    states: s3SerialState(s3, BUCKETS.states),
    revokeQueue: sqsRevokeQueue(sqsClient(), revokeUrl),
    syncQueue: sqsSyncQueue(sqsClient(), syncUrl),
    reconcile: reconcileRequests(ledger, sqsClient(), reconcileUrl),
    putCrl: async (key: string, octets: Uint8Array) => {
      const { VersionId = '' } = await s3.send(new PutObjectCommand({ Bucket: BUCKETS.crls, Key: key, Body: octets }));
      return { bucket: BUCKETS.crls, key, versionId: VersionId };
    },
    deleteCrl: async (key: string) => void (await s3.send(new DeleteObjectCommand({ Bucket: BUCKETS.crls, Key: key }))),
    sentToRevoke: () => takeAll(revokeUrl),
    sentToSync: () => takeAll(syncUrl),
  };
}
