import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  IdempotentParameterMismatchException,
  ListTablesCommand,
  ListTagsOfResourceCommand,
  TransactionCanceledException,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  type DynamoDBClientConfig,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  paginateScan,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';

import { createCloud, type RunningCloud } from '../../local/create-cloud.js';
import { createDynamoDb, type DynamoDb } from '../../local/services/dynamodb/service.js';
import { createWorld } from '../../local/world/world.js';

let cloud: RunningCloud;
let service: DynamoDb;
let client: DynamoDBClient;
let db: DynamoDBDocumentClient;
const clients: DynamoDBClient[] = [];

function clientFor(credentials: NonNullable<DynamoDBClientConfig['credentials']>): DynamoDBClient {
  const made = new DynamoDBClient({ region: 'eu-west-1', endpoint: cloud.endpoint, credentials, maxAttempts: 1 });
  clients.push(made);
  return made;
}

beforeAll(async () => {
  cloud = await createCloud(createWorld({ startAt: new Date('2026-03-01T10:00:00Z') }));
  service = createDynamoDb(cloud);
  cloud.addService(service);
  client = clientFor(cloud.administratorCredentials);
  db = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
});
afterAll(async () => {
  for (const made of clients) made.destroy();
  await cloud.stop();
});

let count = 0;
async function newTable(sortType: 'S' | 'N' | 'B' = 'S'): Promise<string> {
  const TableName = `table-${++count}`;
  const attribute = (AttributeName: string, AttributeType: 'S' | 'N' | 'B' = 'S') => ({ AttributeName, AttributeType });
  const key = (hash: string, range?: string) => [
    { AttributeName: hash, KeyType: 'HASH' as const },
    ...(range ? [{ AttributeName: range, KeyType: 'RANGE' as const }] : []),
  ];
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [attribute('pk'), attribute('sk', sortType), attribute('owner'), attribute('day', 'N')],
      KeySchema: key('pk', 'sk'),
      GlobalSecondaryIndexes: [
        { IndexName: 'byOwner', KeySchema: key('owner', 'day'), Projection: { ProjectionType: 'ALL' } },
        { IndexName: 'keysOnly', KeySchema: key('owner'), Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['kept'] } },
      ],
    }),
  );
  return TableName;
}
const refused = (name: string, message: string | RegExp) => ({
  name,
  message: typeof message === 'string' ? message : expect.stringMatching(message),
});
const invalid = (message: string | RegExp) => refused('ValidationException', message);

describe('tables', () => {
  test('a table is described as it was made, and protected while deletion protection is on', async () => {
    const TableName = await newTable();
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    expect(Table).toMatchObject({
      TableStatus: 'ACTIVE',
      TableArn: `arn:aws:dynamodb:eu-west-1:000000000000:table/${TableName}`,
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      ItemCount: 0,
    });
    expect(Table?.GlobalSecondaryIndexes?.map((index) => index.IndexName)).toEqual(['byOwner', 'keysOnly']);
    expect((await client.send(new ListTablesCommand({}))).TableNames).toContain(TableName);
    await client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: true }));
    await expect(client.send(new DeleteTableCommand({ TableName }))).rejects.toMatchObject(invalid(/protected against deletion/));
    await client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
    await client.send(new DeleteTableCommand({ TableName }));
    await expect(client.send(new DescribeTableCommand({ TableName }))).rejects.toMatchObject(
      refused('ResourceNotFoundException', `Requested resource not found: Table: ${TableName} not found`),
    );
  });

  test('a table without a key is a bad request', async () => {
    const creating = client.send(new CreateTableCommand({ TableName: 'keyless' } as CreateTableCommandInput));
    await expect(creating).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('what is not served is refused: streams, local indexes, legacy parameters', async () => {
    const table = { BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }] } as const;
    const AttributeDefinitions = [{ AttributeName: 'pk', AttributeType: 'S' }] as const;
    await expect(
      client.send(
        new CreateTableCommand({
          ...table,
          KeySchema: [...table.KeySchema],
          AttributeDefinitions: [...AttributeDefinitions],
          TableName: 'streams',
          StreamSpecification: { StreamEnabled: true },
        }),
      ),
    ).rejects.toMatchObject(refused('NotImplemented', /streams/));
    const TableName = await newTable();
    await expect(db.send(new GetCommand({ TableName, Key: { pk: 'a', sk: 'b' }, AttributesToGet: ['pk'] }))).rejects.toMatchObject(
      refused('NotImplemented', /AttributesToGet/),
    );
  });

  test('settings that tools read: backups, tags, time to live', async () => {
    const TableName = await newTable();
    const { ContinuousBackupsDescription } = await client.send(new DescribeContinuousBackupsCommand({ TableName }));
    expect(ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus).toBe('DISABLED');
    const ResourceArn = `arn:aws:dynamodb:eu-west-1:000000000000:table/${TableName}`;
    expect((await client.send(new ListTagsOfResourceCommand({ ResourceArn }))).Tags).toEqual([]);
    const ttl = { TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' } };
    await client.send(new UpdateTimeToLiveCommand(ttl));
    expect((await client.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription).toEqual({
      TimeToLiveStatus: 'ENABLED',
      AttributeName: 'ttl',
    });
    await expect(client.send(new UpdateTimeToLiveCommand(ttl))).rejects.toMatchObject(invalid('TimeToLive is already enabled'));
  });
});

describe('items', () => {
  let TableName: string;
  beforeAll(async () => {
    TableName = await newTable();
  });
  const Key = (pk: string) => ({ pk, sk: 'x' });
  const put = (pk: string, attributes: object = {}) => db.send(new PutCommand({ TableName, Item: { ...Key(pk), ...attributes } }));
  const get = async (pk: string) => (await db.send(new GetCommand({ TableName, Key: Key(pk), ConsistentRead: true }))).Item;

  test('every type comes back as it was put, numbers to 38 digits', async () => {
    const item = {
      s: '',
      n: 1.5,
      b: new Uint8Array([0, 255]),
      t: true,
      z: null,
      l: [1, [{}]],
      m: { a: { b: [] } },
      ss: new Set(['a', 'b']),
    };
    await put('types', item);
    expect(await get('types')).toEqual({ ...Key('types'), ...item });
    const wide = DynamoDBDocumentClient.from(clientFor(cloud.administratorCredentials), { unmarshallOptions: { wrapNumbers: true } });
    const digits = '12345678901234567890123456789012345678';
    await cloud.call('dynamodb', 'PutItem', { TableName, Item: { pk: { S: 'wide' }, sk: { S: 'x' }, n: { N: digits } } });
    expect((await wide.send(new GetCommand({ TableName, Key: Key('wide') }))).Item?.n.toString()).toBe(digits);
  });

  test('keys are checked: missing, of another type, empty', async () => {
    await expect(db.send(new PutCommand({ TableName, Item: { pk: 'a' } }))).rejects.toMatchObject(
      invalid('One or more parameter values were invalid: Missing the key sk in the item'),
    );
    await expect(db.send(new PutCommand({ TableName, Item: { pk: 1, sk: 'x' } }))).rejects.toMatchObject(
      invalid('One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N'),
    );
    await expect(put('')).rejects.toMatchObject(invalid(/cannot contain an empty string value. Key: pk/));
    await expect(db.send(new GetCommand({ TableName, Key: { pk: 'a' } }))).rejects.toMatchObject(
      invalid('The provided key element does not match the schema'),
    );
    await expect(put('index', { owner: 7 })).rejects.toMatchObject(
      invalid(/Type mismatch for Index Key owner Expected: S Actual: N IndexName: byOwner/),
    );
    await expect(put('index', { owner: '' })).rejects.toMatchObject(invalid(/IndexName: byOwner, IndexKey: owner/));
  });

  test('an item of 400 KB is stored, one byte more is refused', async () => {
    const rest = 'pk'.length + 'size'.length + 'sk'.length + 'x'.length + 'v'.length;
    await put('size', { v: 'a'.repeat(400 * 1024 - rest) });
    await expect(put('size', { v: 'a'.repeat(400 * 1024 - rest + 1) })).rejects.toMatchObject(
      invalid('Item size has exceeded the maximum allowed size'),
    );
  });

  test('a condition that does not hold changes nothing and gives the item when asked', async () => {
    await put('cond', { v: 1 });
    const error: unknown = await db
      .send(
        new PutCommand({
          TableName,
          Item: { ...Key('cond'), v: 2 },
          ConditionExpression: 'attribute_not_exists(pk)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      )
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConditionalCheckFailedException);
    expect(error).toMatchObject({ message: 'The conditional request failed', Item: { v: { N: '1' } } });
    expect(await get('cond')).toEqual({ ...Key('cond'), v: 1 });
    await db.send(
      new DeleteCommand({ TableName, Key: Key('cond'), ConditionExpression: 'v = :one', ExpressionAttributeValues: { ':one': 1 } }),
    );
    expect(await get('cond')).toBeUndefined();
  });

  test('an update reads everything from before it, and creates an item that is not there', async () => {
    const update = (UpdateExpression: string, values?: object, extra: object = {}) =>
      db.send(
        new UpdateCommand({
          TableName,
          Key: Key('upd'),
          UpdateExpression,
          ExpressionAttributeValues: values as never,
          ReturnValues: 'ALL_NEW',
          ...extra,
        }),
      );
    expect(
      (await update('SET n = if_not_exists(n, :zero) + :one, l = :l', { ':zero': 0, ':one': 1, ':l': ['a', 'b', 'c'] })).Attributes,
    ).toEqual({
      ...Key('upd'),
      n: 1,
      l: ['a', 'b', 'c'],
    });
    await update('SET a = n, n = n - :two, m = :m ADD hits :two REMOVE l[0], l[1]', { ':two': 2, ':m': { x: { y: 1 } } });
    expect(await get('upd')).toEqual({ ...Key('upd'), a: 1, n: -1, l: ['c'], m: { x: { y: 1 } }, hits: 2 });
    await update(
      'SET l = list_append(l, :more), l2 = list_append(:more, l), m.x.#z = :v',
      { ':more': ['d'], ':v': 's' },
      { ExpressionAttributeNames: { '#z': 'z' } },
    );
    expect(await get('upd')).toMatchObject({ l: ['c', 'd'], l2: ['d', 'c'], m: { x: { y: 1, z: 's' } } });
    await update('SET l[9] = :e, l[7] = :f', { ':e': 'last', ':f': 'first' });
    expect((await get('upd'))?.l).toEqual(['c', 'd', 'first', 'last']);
    await update('ADD tags :ab', { ':ab': new Set(['a', 'b']) });
    await update('ADD tags :bc', { ':bc': new Set(['b', 'c']) });
    await update('DELETE tags :a', { ':a': new Set(['a', 'zz']) });
    expect((await get('upd'))?.tags).toEqual(new Set(['b', 'c']));
    await update('DELETE tags :bc', { ':bc': new Set(['b', 'c']) });
    expect(await get('upd')).not.toHaveProperty('tags');
    expect((await update('SET n = :n', { ':n': 5 }, { ReturnValues: 'UPDATED_OLD' })).Attributes).toEqual({ n: -1 });
    expect((await update('SET m.x.y = :n', { ':n': 5 }, { ReturnValues: 'UPDATED_NEW' })).Attributes).toEqual({ m: { x: { y: 5 } } });
  });

  test.each([
    ['SET pk = :v', /Cannot update attribute pk. This attribute is part of the key/],
    ['SET nowhere.deep = :v', 'The document path provided in the update expression is invalid for update'],
    ['SET a = b + :v', 'The provided expression refers to an attribute that does not exist in the item'],
    ['ADD s :v', 'An operand in the update expression has an incorrect data type'],
    ['SET a = :v, a.b = :v', /Two document paths overlap/],
    ['SET a = :v SET b = :v', /"SET" section can only be used once/],
    ['SET status = :v', 'Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: status'],
    ['SET a = :v, b = :w', /value used in expression is not defined; attribute value: :w/],
    ['SET a = :v, #b = :v', /name used in the document path is not defined; attribute name: #b/],
    ['REMOVE a', 'Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}'],
    ['SET a = upper(:v)', /Invalid function name; function: upper/],
    ['SET a :v', /Syntax error; token: ":v", near: "a :v"/],
    ['', 'Invalid UpdateExpression: The expression can not be empty;'],
  ])('the update %s is refused', async (UpdateExpression, message) => {
    await put('refused', { s: 'text' });
    await expect(
      db.send(new UpdateCommand({ TableName, Key: Key('refused'), UpdateExpression, ExpressionAttributeValues: { ':v': 1 } })),
    ).rejects.toMatchObject(invalid(message));
    expect(await get('refused')).toEqual({ ...Key('refused'), s: 'text' });
  });

  test('a projection gives the parts that were asked for', async () => {
    await put('proj', { l: [0, 1, { a: 2 }], m: { x: 1, y: { z: 3 } } });
    const { Item } = await db.send(
      new GetCommand({
        TableName,
        Key: Key('proj'),
        ProjectionExpression: 'l[2].a, l[0], m.#y.z, nothing.there',
        ExpressionAttributeNames: { '#y': 'y' },
      }),
    );
    expect(Item).toEqual({ l: [0, { a: 2 }], m: { y: { z: 3 } } });
  });

  test('nobody shares memory with what is stored', async () => {
    const B = new Uint8Array([1, 2, 3]);
    const Item = { pk: { S: 'alias' }, sk: { S: 'x' }, b: { B }, m: { M: { a: { S: 'kept' } } } };
    await cloud.call('dynamodb', 'PutItem', { TableName, Item });
    B[0] = 9;
    Item.m.M.a.S = 'changed';
    const read = () => cloud.call<{ Item: typeof Item }>('dynamodb', 'GetItem', { TableName, Key: { pk: Item.pk, sk: Item.sk } });
    const first = await read();
    first.Item.b.B[0] = 8;
    first.Item.m.M.a.S = 'changed';
    expect(await read()).toEqual({ Item: { ...Item, b: { B: new Uint8Array([1, 2, 3]) }, m: { M: { a: { S: 'kept' } } } } });
  });
});

describe('queries', () => {
  test('sort keys are ordered as AWS does: strings by UTF-8 bytes, numbers by value, and limited by every operator', async () => {
    const strings = await newTable('S');
    for (const sk of ['b', 'a', 'ab', '\uffee', '😀', 'B']) await db.send(new PutCommand({ TableName: strings, Item: { pk: 'p', sk } }));
    const sorted = async (extra: object, TableName = strings, values: object = {}) => {
      const { KeyConditionExpression = 'pk = :p', ...rest } = extra as { KeyConditionExpression?: string };
      const answer = await db.send(
        new QueryCommand({ TableName, KeyConditionExpression, ExpressionAttributeValues: { ':p': 'p', ...values }, ...rest }),
      );
      return answer.Items?.map((item) => item.sk as unknown);
    };
    expect(await sorted({})).toEqual(['B', 'a', 'ab', 'b', '\uffee', '😀']);
    expect(await sorted({ ScanIndexForward: false })).toEqual(['😀', '\uffee', 'b', 'ab', 'a', 'B']);
    const where = (condition: string, values: object, extra: object = {}) =>
      sorted({ KeyConditionExpression: `pk = :p AND ${condition}`, ...extra }, strings, values);
    expect(await where('begins_with(sk, :a)', { ':a': 'a' })).toEqual(['a', 'ab']);
    expect(await where('begins_with(sk, :a)', { ':a': 'a' }, { ScanIndexForward: false })).toEqual(['ab', 'a']);
    expect(await where('sk BETWEEN :a AND :b', { ':a': 'a', ':b': 'b' })).toEqual(['a', 'ab', 'b']);
    expect(await where('sk < :b', { ':b': 'b' })).toEqual(['B', 'a', 'ab']);
    expect(await where(':b >= sk', { ':b': 'b' }, { ScanIndexForward: false })).toEqual(['b', 'ab', 'a', 'B']);
    expect(await where('sk > :b', { ':b': 'b' })).toEqual(['\uffee', '😀']);
    expect(await where('sk = :b', { ':b': 'b' })).toEqual(['b']);
    const numbers = await newTable('N');
    for (const sk of [10, 9, -1, 0.5, -20, 0]) await db.send(new PutCommand({ TableName: numbers, Item: { pk: 'p', sk } }));
    expect(await sorted({}, numbers)).toEqual([-20, -1, 0, 0.5, 9, 10]);
  });

  test('an index is sparse, follows every change, and has no consistent reads', async () => {
    const TableName = await newTable();
    const owned = async (IndexName = 'byOwner', extra: object = {}) =>
      (
        await db.send(
          new QueryCommand({
            TableName,
            IndexName,
            KeyConditionExpression: '#o = :o',
            ExpressionAttributeNames: { '#o': 'owner' },
            ExpressionAttributeValues: { ':o': 'me' },
            ...extra,
          }),
        )
      ).Items;
    await db.send(new PutCommand({ TableName, Item: { pk: 'a', sk: 'x', owner: 'me', day: 2, kept: 1, dropped: 2 } }));
    await db.send(new PutCommand({ TableName, Item: { pk: 'b', sk: 'x', owner: 'me', day: 1 } }));
    await db.send(new PutCommand({ TableName, Item: { pk: 'c', sk: 'x', owner: 'me' } }));
    expect((await owned())?.map((item) => item.pk as unknown)).toEqual(['b', 'a']);
    expect((await owned('keysOnly'))?.find((item) => item.pk === 'a')).toEqual({ pk: 'a', sk: 'x', owner: 'me', kept: 1 });
    await db.send(
      new UpdateCommand({
        TableName,
        Key: { pk: 'a', sk: 'x' },
        UpdateExpression: 'REMOVE #o',
        ExpressionAttributeNames: { '#o': 'owner' },
      }),
    );
    expect((await owned())?.map((item) => item.pk as unknown)).toEqual(['b']);
    await expect(owned('byOwner', { ConsistentRead: true })).rejects.toMatchObject(
      invalid('Consistent reads are not supported on global secondary indexes'),
    );
    await expect(owned('none')).rejects.toMatchObject(invalid('The table does not have the specified index: none'));
    await expect(owned('keysOnly', { Select: 'ALL_ATTRIBUTES' })).rejects.toMatchObject(invalid(/projection type is not ALL/));
    await expect(owned('keysOnly', { ProjectionExpression: 'dropped' })).rejects.toMatchObject(invalid(/does not project \[dropped\]/));
    expect(await owned('byOwner', { Select: 'COUNT' })).toBeUndefined();
  });

  test('with a lag set, an index shows a write only later', async () => {
    const TableName = await newTable();
    const owned = async () =>
      (
        await db.send(
          new QueryCommand({
            TableName,
            IndexName: 'keysOnly',
            KeyConditionExpression: '#o = :o',
            ExpressionAttributeNames: { '#o': 'owner' },
            ExpressionAttributeValues: { ':o': 'me' },
          }),
        )
      ).Count;
    service.setIndexLag(60_000);
    await db.send(new PutCommand({ TableName, Item: { pk: 'a', sk: 'x', owner: 'me' } }));
    service.setIndexLag(0);
    expect(await owned()).toBe(0);
    await cloud.world.clock.advance(60_000);
    expect(await owned()).toBe(1);
  });

  test('a page ends at 1 MB, and a filter works after that', async () => {
    const TableName = await newTable();
    for (let i = 0; i < 6; i++)
      await db.send(new PutCommand({ TableName, Item: { pk: 'p', sk: `${i}`, v: 'a'.repeat(300_000), even: i % 2 === 0 } }));
    const ask = {
      TableName,
      KeyConditionExpression: 'pk = :p',
      FilterExpression: 'even = :t',
      ExpressionAttributeValues: { ':p': 'p', ':t': true },
    };
    const first = await db.send(new QueryCommand(ask));
    expect(first).toMatchObject({ ScannedCount: 3, Count: 2, LastEvaluatedKey: { pk: 'p', sk: '2' } });
    const second = await db.send(new QueryCommand({ ...ask, ExclusiveStartKey: first.LastEvaluatedKey }));
    expect(second).toMatchObject({ ScannedCount: 3, Count: 1 });
    expect(second.LastEvaluatedKey).toBeUndefined();
  });

  test.each([
    ['sk = :p', 'Query condition missed key schema element: pk'],
    ['pk > :p', 'Query key condition not supported'],
    ['pk = :p OR sk = :p', 'Invalid operator used in KeyConditionExpression: OR'],
    ['pk = :p AND third = :p', 'Query condition missed key schema element: sk'],
    ['pk = :n', 'One or more parameter values were invalid: Condition parameter type does not match schema type'],
  ])('the key condition %s is refused', async (KeyConditionExpression, message) => {
    const TableName = await newTable();
    const value = KeyConditionExpression.includes(':n') ? { ':n': 1 } : { ':p': 'p' };
    await expect(db.send(new QueryCommand({ TableName, KeyConditionExpression, ExpressionAttributeValues: value }))).rejects.toMatchObject(
      invalid(message),
    );
  });

  test('law: pages of any limit, in either direction, and scans in any number of segments give every item exactly once', async () => {
    const TableName = await newTable();
    const all: string[] = [];
    for (let i = 0; i < 40; i++) {
      const Item = { pk: `p${i % 3}`, sk: `s${i}`, owner: 'me', day: i % 5 };
      await db.send(new PutCommand({ TableName, Item }));
      all.push(`${Item.pk}/${Item.sk}`);
    }
    const name = (item: Record<string, unknown>) => `${String(item.pk)}/${String(item.sk)}`;
    const paginator = { client: db };
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 45 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 4 }),
        async (Limit, ScanIndexForward, TotalSegments) => {
          const queried: string[] = [];
          const ask = {
            TableName,
            IndexName: 'byOwner',
            KeyConditionExpression: '#o = :o',
            ExpressionAttributeNames: { '#o': 'owner' },
            ExpressionAttributeValues: { ':o': 'me' },
          };
          for await (const page of paginateQuery(paginator, { ...ask, Limit, ScanIndexForward }))
            queried.push(...(page.Items ?? []).map(name));
          expect([...queried].sort()).toEqual([...all].sort());
          const scanned: string[] = [];
          for (let Segment = 0; Segment < TotalSegments; Segment++) {
            for await (const page of paginateScan(paginator, { TableName, Limit, Segment, TotalSegments }))
              scanned.push(...(page.Items ?? []).map(name));
          }
          expect(scanned.sort()).toEqual([...all].sort());
        },
      ),
      { numRuns: 15 },
    );
    const page = await db.send(new ScanCommand({ TableName, Limit: 40 }));
    expect(page.LastEvaluatedKey).toBeDefined();
  });

  test('a page goes on where it stood, also when the item it ended at is gone', async () => {
    const TableName = await newTable();
    for (const sk of ['1', '2', '3']) await db.send(new PutCommand({ TableName, Item: { pk: 'p', sk } }));
    const { LastEvaluatedKey } = await db.send(new ScanCommand({ TableName, Limit: 2 }));
    await db.send(new DeleteCommand({ TableName, Key: LastEvaluatedKey }));
    expect((await db.send(new ScanCommand({ TableName, ExclusiveStartKey: LastEvaluatedKey }))).Items).toEqual([{ pk: 'p', sk: '3' }]);
  });
});

describe('many at once', () => {
  test('batches: 25 writes, 100 reads, no duplicates', async () => {
    const TableName = await newTable();
    const puts = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => ({ PutRequest: { Item: { pk: `p${from + i}`, sk: 'x' } } }));
    const writeBatch = (requests: object[]) => db.send(new BatchWriteCommand({ RequestItems: { [TableName]: requests } }));
    await writeBatch(puts(0, 25));
    await writeBatch([{ DeleteRequest: { Key: { pk: 'p0', sk: 'x' } } }]);
    await expect(writeBatch(puts(0, 26))).rejects.toMatchObject(invalid(/25|Too many items/));
    await expect(writeBatch([...puts(0, 1), ...puts(0, 1)])).rejects.toMatchObject(
      invalid('Provided list of item keys contains duplicates'),
    );
    const Keys = Array.from({ length: 25 }, (_, i) => ({ pk: `p${i}`, sk: 'x' }));
    const { Responses } = await db.send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys, ProjectionExpression: 'pk' } } }));
    expect(Responses?.[TableName]).toHaveLength(24);
    expect(Responses?.[TableName]?.[0]).toEqual({ pk: 'p1' });
  });

  test('a transaction does everything or nothing, and says for each action why not', async () => {
    const TableName = await newTable();
    await db.send(new PutCommand({ TableName, Item: { pk: 'b', sk: 'x', v: 1 } }));
    const Put = { TableName, Item: { pk: 'a', sk: 'x' }, ConditionExpression: 'attribute_not_exists(pk)' };
    const Update = (expected: number) => ({
      TableName,
      Key: { pk: 'b', sk: 'x' },
      UpdateExpression: 'SET v = v + :one',
      ConditionExpression: 'v = :v',
      ExpressionAttributeValues: { ':one': 1, ':v': expected },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    });
    const error: unknown = await db
      .send(new TransactWriteCommand({ TransactItems: [{ Put }, { Update: Update(7) }] }))
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TransactionCanceledException);
    expect(error).toMatchObject({
      message: 'Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]',
      CancellationReasons: [
        { Code: 'None' },
        { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed', Item: { v: { N: '1' } } },
      ],
    });
    expect((await db.send(new GetCommand({ TableName, Key: Put.Item }))).Item).toBeUndefined();
    const ConditionCheck = { TableName, Key: { pk: 'c', sk: 'x' }, ConditionExpression: 'attribute_not_exists(pk)' };
    await db.send(new TransactWriteCommand({ TransactItems: [{ Put }, { Update: Update(1) }, { ConditionCheck }] }));
    const { Responses } = await db.send(
      new TransactGetCommand({ TransactItems: ['a', 'b', 'c'].map((pk) => ({ Get: { TableName, Key: { pk, sk: 'x' } } })) }),
    );
    expect(Responses?.map((response) => response.Item)).toEqual([{ pk: 'a', sk: 'x' }, { pk: 'b', sk: 'x', v: 2 }, undefined]);
    await expect(
      db.send(new TransactWriteCommand({ TransactItems: [{ Update: Update(2) }, { Delete: { TableName, Key: { pk: 'b', sk: 'x' } } }] })),
    ).rejects.toMatchObject(invalid('Transaction request cannot include multiple operations on one item'));
  });

  test('the same token carries a transaction out once; with other content it is refused; after ten minutes it is forgotten', async () => {
    const TableName = await newTable();
    const add = (by: number) =>
      db.send(
        new TransactWriteCommand({
          ClientRequestToken: 'token-1',
          TransactItems: [
            { Update: { TableName, Key: { pk: 'n', sk: 'x' }, UpdateExpression: 'ADD n :by', ExpressionAttributeValues: { ':by': by } } },
          ],
        }),
      );
    const value = async () => (await db.send(new GetCommand({ TableName, Key: { pk: 'n', sk: 'x' } }))).Item?.n as unknown;
    await add(1);
    await add(1);
    expect(await value()).toBe(1);
    await expect(add(2)).rejects.toBeInstanceOf(IdempotentParameterMismatchException);
    await cloud.world.clock.advance(10 * 60_000 + 1);
    await add(1);
    expect(await value()).toBe(2);
  });
});

test('time to live: an expired item is still read for two days, then it is gone, from the indexes too', async () => {
  const TableName = await newTable();
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' } }));
  const nowS = Math.floor(cloud.world.clock.nowMs() / 1000);
  await db.send(new PutCommand({ TableName, Item: { pk: 'old', sk: 'x', owner: 'me', ttl: nowS - 60 } }));
  await db.send(new PutCommand({ TableName, Item: { pk: 'young', sk: 'x', ttl: nowS + 30 * 86_400 } }));
  await db.send(new PutCommand({ TableName, Item: { pk: 'ancient', sk: 'x', ttl: nowS - 6 * 365 * 86_400 } }));
  const left = async () => {
    const { Items } = await cloud.call<{ Items: { pk: { S: string } }[] }>('dynamodb', 'Scan', { TableName });
    return Items.map((item) => item.pk.S).sort();
  };
  await cloud.world.clock.advance(40 * 3_600_000);
  expect(await left()).toEqual(['ancient', 'old', 'young']);
  for (let i = 0; i < 4; i++) await cloud.world.clock.advance(6 * 3_600_000);
  expect(await left()).toEqual(['ancient', 'young']);
  expect(await cloud.call('dynamodb', 'Scan', { TableName, IndexName: 'keysOnly' })).toMatchObject({ Count: 0 });
});

describe('who may do what', () => {
  test('a role needs the right on the table, on the index for its queries, and for each action of a transaction', async () => {
    const TableName = await newTable();
    const arn = `arn:aws:dynamodb:eu-west-1:000000000000:table/${TableName}`;
    const trust = { Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] } as const;
    const Statement = [
      { Effect: 'Allow' as const, Action: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'], Resource: arn },
      {
        Effect: 'Allow' as const,
        Action: 'dynamodb:DeleteItem',
        Resource: arn,
        Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['mine#*'] } },
      },
    ];
    const role = cloud.iam.createRole('table-role', trust, [{ Version: '2012-10-17', Statement }], []);
    const mine = DynamoDBDocumentClient.from(clientFor({ ...cloud.iam.assume(role.arn, 'lambda.amazonaws.com', 's') }));
    const denied = { name: 'AccessDeniedException' };
    // The clock of the desk has moved on; requests must be dated by it.
    mine.config.systemClockOffset = cloud.world.clock.offsetMs;
    await mine.send(new PutCommand({ TableName, Item: { pk: 'a', sk: 'x' } }));
    const ask = { TableName, ExpressionAttributeValues: { ':p': 'a' } };
    expect((await mine.send(new QueryCommand({ ...ask, KeyConditionExpression: 'pk = :p' }))).Count).toBe(1);
    await expect(
      mine.send(
        new QueryCommand({ ...ask, IndexName: 'keysOnly', KeyConditionExpression: '#o = :p', ExpressionAttributeNames: { '#o': 'owner' } }),
      ),
    ).rejects.toMatchObject(denied);
    await expect(mine.send(new ScanCommand({ TableName }))).rejects.toMatchObject(denied);
    const Update = { TableName, Key: { pk: 'a', sk: 'x' }, UpdateExpression: 'REMOVE b' };
    await expect(
      mine.send(new TransactWriteCommand({ TransactItems: [{ Put: { TableName, Item: { pk: 'b', sk: 'x' } } }, { Update }] })),
    ).rejects.toMatchObject(denied);
    await mine.send(new DeleteCommand({ TableName, Key: { pk: 'mine#1', sk: 'x' } }));
    await expect(mine.send(new DeleteCommand({ TableName, Key: { pk: 'other', sk: 'x' } }))).rejects.toMatchObject(denied);
  });
});
