/** The desk with the two tables and nothing deployed: real SDK clients for the real adapters. */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { INVENTORY_INDEXES } from '../../domain/protocol/inventory-table.js';
import { LEDGER_INDEXES } from '../../domain/protocol/ledger-table.js';
import { startDesk, type Desk } from '../../local/desk.js';

export interface TestDesk {
  readonly desk: Desk;
  readonly documents: DynamoDBDocumentClient;
  readonly iot: IoTClient;
  readonly iotData: IoTDataPlaneClient;
  /** A fresh, empty table; `kind` says which indexes it has. */
  table(kind: 'inventory' | 'ledger'): Promise<string>;
  stop(): Promise<void>;
}

type Indexes = Readonly<Record<string, { readonly partitionKey: string; readonly sortKey?: string }>>;

export async function startTestDesk(): Promise<TestDesk> {
  const desk = await startDesk();
  const settings = { region: desk.env.AWS_REGION, endpoint: desk.endpoint, credentials: desk.adminCredentials, maxAttempts: 2 };
  const dynamodb = new DynamoDBClient(settings);
  const iot = new IoTClient(settings);
  const iotData = new IoTDataPlaneClient(settings);
  let tables = 0;
  return {
    desk,
    documents: DynamoDBDocumentClient.from(dynamodb, { marshallOptions: { removeUndefinedValues: true } }),
    iot,
    iotData,
    async table(kind) {
      const TableName = `${kind}-${(tables += 1)}`;
      await dynamodb.send(new CreateTableCommand({ TableName, ...tableOf(kind === 'inventory' ? INVENTORY_INDEXES : LEDGER_INDEXES) }));
      return TableName;
    },
    async stop() {
      for (const client of [dynamodb, iot, iotData]) client.destroy();
      await desk.stop();
    },
  };
}

function tableOf(indexes: Indexes) {
  const keyOf = (partitionKey: string, sortKey?: string) => [
    { AttributeName: partitionKey, KeyType: 'HASH' as const },
    ...(sortKey === undefined ? [] : [{ AttributeName: sortKey, KeyType: 'RANGE' as const }]),
  ];
  const attributes = new Set([
    'pk',
    'sk',
    ...Object.values(indexes).flatMap(({ partitionKey, sortKey }) => [partitionKey, ...(sortKey ? [sortKey] : [])]),
  ]);
  return {
    BillingMode: 'PAY_PER_REQUEST' as const,
    KeySchema: keyOf('pk', 'sk'),
    AttributeDefinitions: [...attributes].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
    GlobalSecondaryIndexes: Object.entries(indexes).map(([IndexName, { partitionKey, sortKey }]) => ({
      IndexName,
      KeySchema: keyOf(partitionKey, sortKey),
      Projection: { ProjectionType: 'ALL' as const },
    })),
  };
}
