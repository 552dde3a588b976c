import { request } from 'node:http';
import { createHash, randomBytes } from 'node:crypto';

import { CloudWatchClient, GetMetricStatisticsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient, GetItemCommand, PutItemCommand, CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { DescribeThingCommand, IoTClient, CreateThingCommand } from '@aws-sdk/client-iot';
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateTopicCommand, GetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

import { startDesk, type Desk } from '../../../local/desk.js';
import { readBucket } from '../../../local/endpoint/s3-address.js';
import { crc32, crc32c, crc64nvme } from '../../../local/endpoint/crc.js';
import { sign } from '../sigv4.js';

let desk: Desk;
const clients: { destroy(): void }[] = [];
function client<T extends { destroy(): void }>(
  Client: new (options: { endpoint: string; region: string; credentials: Desk['adminCredentials']; maxAttempts?: number }) => T,
  maxAttempts = 1,
): T {
  const made = new Client({ endpoint: desk.endpoint, region: 'eu-west-1', credentials: desk.adminCredentials, maxAttempts });
  clients.push(made);
  return made;
}

beforeAll(async () => {
  desk = await startDesk({ seed: 3 });
});
afterEach(() => desk.world.faults.set({ throttle: 0, serverError: 0, lostAnswer: 0, quotas: false, only: undefined }));
afterAll(async () => {
  for (const made of clients) made.destroy();
  await desk.stop();
});

/** A signed request as an older tool sends it. */
function send(
  service: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string | Uint8Array = '',
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  const url = new URL(desk.endpoint);
  const signed = sign({
    service,
    method,
    path,
    headers: { host: url.host, ...headers },
    body,
    credentials: desk.adminCredentials,
    date: desk.world.clock.date(),
  });
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: url.port, method, path, headers: signed }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('restXml: S3', () => {
  let s3: S3Client;
  beforeAll(async () => {
    s3 = client(S3Client);
    await s3.send(new CreateBucketCommand({ Bucket: 'wire', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  });

  it('carries a key of any characters, metadata and headers both ways', async () => {
    const Key = 'ä b/+&?#%41<>"\'/…';
    await s3.send(new PutObjectCommand({ Bucket: 'wire', Key, Body: 'text', ContentType: 'text/plain', Metadata: { colour: 'red' } }));
    const got = await s3.send(new GetObjectCommand({ Bucket: 'wire', Key }));
    expect(await got.Body?.transformToString()).toBe('text');
    expect(got).toMatchObject({
      ContentType: 'text/plain',
      ContentLength: 4,
      Metadata: { colour: 'red' },
      ETag: `"${createHash('md5').update('text').digest('hex')}"`,
    });
    expect(got.LastModified).toBeInstanceOf(Date);
  });

  it.each(['CRC32', 'SHA1', 'SHA256'] as const)(
    'checks the %s that the client computes, and answers with it',
    async (ChecksumAlgorithm) => {
      const Body = randomBytes(100_000);
      const put = await s3.send(new PutObjectCommand({ Bucket: 'wire', Key: 'sum', Body, ChecksumAlgorithm }));
      expect(put[`Checksum${ChecksumAlgorithm}`]).toBeTruthy();
      const got = await s3.send(new GetObjectCommand({ Bucket: 'wire', Key: 'sum', ChecksumMode: 'ENABLED' }));
      expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(Body)).toBe(true);
    },
  );

  it('takes a streaming upload in chunks with a trailing checksum', async () => {
    const content = randomBytes(70_000);
    const sum = createHash('sha256').update(content).digest('base64');
    const chunk = (bytes: Uint8Array): Buffer =>
      Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
    const body = (trailer: string): Buffer =>
      Buffer.concat([
        chunk(content.subarray(0, 65_536)),
        chunk(content.subarray(65_536)),
        Buffer.from(`0\r\nx-amz-checksum-sha256:${trailer}\r\n\r\n`),
      ]);
    const headers = {
      'content-encoding': 'aws-chunked',
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': String(content.length),
      'x-amz-trailer': 'x-amz-checksum-sha256',
    };
    expect((await send('s3', 'PUT', '/wire/chunked', headers, body(sum))).status).toBe(200);
    const got = await s3.send(new GetObjectCommand({ Bucket: 'wire', Key: 'chunked' }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(content)).toBe(true);
    expect(got.ContentEncoding).toBeUndefined();
    const wrong = await send('s3', 'PUT', '/wire/chunked', headers, body(createHash('sha256').digest('base64')));
    expect([wrong.status, wrong.body]).toEqual([400, expect.stringContaining('<Code>BadDigest</Code>')]);
  });

  it('tells operations on the same path apart by query and header', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'wire', Key: 'from', Body: 'x' }));
    expect(
      (await s3.send(new CopyObjectCommand({ Bucket: 'wire', Key: 'to', CopySource: 'wire/from' }))).CopyObjectResult?.ETag,
    ).toBeTruthy();
    expect((await s3.send(new GetBucketLocationCommand({ Bucket: 'wire' }))).LocationConstraint).toBe('eu-west-1');
    const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket: 'wire', Delete: { Objects: [{ Key: 'from' }, { Key: 'to' }] } }));
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['from', 'to']);
  });

  it('answers errors as S3 does, without a body to HEAD', async () => {
    await expect(s3.send(new GetObjectCommand({ Bucket: 'wire', Key: 'none' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
      $metadata: { httpStatusCode: 404 },
    });
    await expect(s3.send(new HeadObjectCommand({ Bucket: 'wire', Key: 'none' }))).rejects.toMatchObject({ name: 'NotFound' });
    const malformed = await send(
      's3',
      'POST',
      '/wire?delete',
      { 'content-type': 'application/xml', 'x-amz-content-sha256': createHash('sha256').update('<no').digest('hex') },
      '<no',
    );
    expect([malformed.status, malformed.body]).toEqual([400, expect.stringContaining('<Code>MalformedXML</Code>')]);
  });

  it('says AccessDenied to a request without a signature', async () => {
    const answer = await fetch(`${desk.endpoint}/wire/sum`);
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('<Code>AccessDenied</Code>')]);
  });

  it.each([
    ['/bucket/a/b', '127.0.0.1:1', { bucket: 'bucket', path: '/a/b' }],
    ['/bucket', 'localhost:1', { bucket: 'bucket', path: '/' }],
    ['/', '127.0.0.1', { path: '/' }],
    ['/a/b', 'bucket.localhost:4566', { bucket: 'bucket', path: '/a/b' }],
    ['/a', 'my.dotted.bucket.s3.eu-west-1.amazonaws.com', { bucket: 'my.dotted.bucket', path: '/a' }],
    ['/bucket/a', 's3.eu-west-1.amazonaws.com', { bucket: 'bucket', path: '/a' }],
  ])('finds the bucket of %s at %s', (path, host, expected) => expect(readBucket(path, host)).toEqual(expected));

  it('computes the published check values of its checksums', () => {
    const check = Buffer.from('123456789');
    expect([crc32(check), crc32c(check), crc64nvme(check)]).toEqual([0xcbf43926, 0xe3069283, 0xae8b14860a799888n]);
  });
});

describe('awsJson', () => {
  it('carries binary values, and errors with their members', async () => {
    const dynamodb = client(DynamoDBClient);
    await dynamodb.send(
      new CreateTableCommand({
        TableName: 'wire',
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    );
    const Item = { pk: { S: 'a' }, b: { B: new Uint8Array([0, 255]) }, l: { L: [{ NULL: true }, { N: '1.5' }] } };
    await dynamodb.send(new PutItemCommand({ TableName: 'wire', Item }));
    expect((await dynamodb.send(new GetItemCommand({ TableName: 'wire', Key: { pk: { S: 'a' } } }))).Item).toEqual(Item);
    await expect(
      dynamodb.send(
        new PutItemCommand({
          TableName: 'wire',
          Item,
          ConditionExpression: 'attribute_not_exists(pk)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      ),
    ).rejects.toMatchObject({ name: 'ConditionalCheckFailedException', Item });
  });

  it('refuses what the schema does not have, what is missing, and what is no JSON', async () => {
    const target = { 'x-amz-target': 'DynamoDB_20120810.GetItem', 'content-type': 'application/x-amz-json-1.0' };
    const ask = async (body: string) =>
      JSON.parse((await send('dynamodb', 'POST', '/', target, body)).body) as { __type: string; message: string };
    expect(await ask('{"TableName":"wire"}')).toMatchObject({
      __type: expect.stringContaining('ValidationException'),
      message: expect.stringContaining('Key: required member is missing'),
    });
    expect(await ask('{"TableName":"wire","Key":{},"Extra":1}')).toMatchObject({ message: expect.stringContaining('Extra: not a member') });
    expect(await ask('{"TableName":7,"Key":{}}')).toMatchObject({
      message: expect.stringContaining('TableName: got a value of type number'),
    });
    expect(await ask('{')).toMatchObject({ __type: 'SerializationException' });
  });

  it('names the code of the older protocol for SQS', async () => {
    await expect(client(SQSClient).send(new GetQueueUrlCommand({ QueueName: 'none' }))).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
      Code: 'AWS.SimpleQueueService.NonExistentQueue',
    });
  });
});

describe('awsQuery', () => {
  it('serves SNS, with its errors', async () => {
    const sns = client(SNSClient);
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'wire', Tags: [{ Key: 'a', Value: '<&>' }] }));
    expect((await sns.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes).toMatchObject({ TopicArn });
    await expect(sns.send(new GetTopicAttributesCommand({ TopicArn: `${TopicArn}-none` }))).rejects.toMatchObject({
      name: 'NotFoundException',
    });
  });

  it('serves SQS to tools that still speak it', async () => {
    const sqs = client(SQSClient);
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'wire' }));
    const form = new URLSearchParams({
      Action: 'SendMessage',
      Version: '2012-11-05',
      QueueUrl,
      MessageBody: 'a <b> & c',
      'MessageAttribute.1.Name': 'kind',
      'MessageAttribute.1.Value.DataType': 'String',
      'MessageAttribute.1.Value.StringValue': 'v',
    });
    const answer = await send('sqs', 'POST', '/', { 'content-type': 'application/x-www-form-urlencoded' }, form.toString());
    expect([answer.status, answer.body]).toEqual([
      200,
      expect.stringMatching(/<SendMessageResponse xmlns=.*<SendMessageResult>.*<MessageId>/s),
    ]);
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ['All'] }));
    expect(Messages[0]).toMatchObject({ Body: 'a <b> & c', MessageAttributes: { kind: { StringValue: 'v' } } });
    const missing = await send(
      'sqs',
      'POST',
      '/',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'Action=GetQueueUrl&QueueName=none&Version=2012-11-05',
    );
    expect(missing.body).toContain('<Code>AWS.SimpleQueueService.NonExistentQueue</Code>');
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'json too' }));
  });

  it('serves CloudWatch in all three of its protocols', async () => {
    const cloudwatch = client(CloudWatchClient);
    const MetricData = [{ MetricName: 'm', Value: 1, Dimensions: [{ Name: 'd', Value: 'v' }] }];
    await cloudwatch.send(new PutMetricDataCommand({ Namespace: 'wire', MetricData }));
    const form =
      'Action=PutMetricData&Version=2010-08-01&Namespace=wire&MetricData.member.1.MetricName=m&MetricData.member.1.Value=2&MetricData.member.1.Dimensions.member.1.Name=d&MetricData.member.1.Dimensions.member.1.Value=v';
    expect((await send('monitoring', 'POST', '/', { 'content-type': 'application/x-www-form-urlencoded' }, form)).status).toBe(200);
    const { cbor } = await import('@smithy/core/cbor');
    const binary = cbor.serialize({
      Namespace: 'wire',
      MetricData: [{ MetricName: 'm', Value: 3.5, Dimensions: [{ Name: 'd', Value: 'v' }] }],
    });
    const path = '/service/GraniteServiceVersion20100801/operation/PutMetricData';
    expect(
      await send('monitoring', 'POST', path, { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' }, binary),
    ).toMatchObject({ status: 200, headers: { 'smithy-protocol': 'rpc-v2-cbor' } });
    const nowMs = desk.world.clock.nowMs();
    const { Datapoints = [] } = await cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace: 'wire',
        MetricName: 'm',
        Dimensions: [{ Name: 'd', Value: 'v' }],
        StartTime: new Date(nowMs - 600_000),
        EndTime: new Date(nowMs + 60_000),
        Period: 3600,
        Statistics: ['Sum'],
      }),
    );
    expect(Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0)).toBe(6.5);
  });
});

describe('restJson1', () => {
  it('carries labels of any characters, and errors by header', async () => {
    const iot = client(IoTClient);
    await iot.send(new CreateThingCommand({ thingName: 'a:b_c-1', attributePayload: { attributes: { k: 'v' } } }));
    expect(await iot.send(new DescribeThingCommand({ thingName: 'a:b_c-1' }))).toMatchObject({ attributes: { k: 'v' }, version: 1 });
    await expect(iot.send(new DescribeThingCommand({ thingName: 'none' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 404 },
    });
    await expect(client(LambdaClient).send(new GetFunctionCommand({ FunctionName: 'none' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('is open to tools that sign for AWS IoT under its former name', async () => {
    expect((await send('execute-api', 'GET', '/things', {})).status).toBe(200);
  });

  it('does not find a path that is not in the model', async () => {
    expect(await send('iot', 'GET', '/no-such-thing', {})).toMatchObject({
      status: 404,
      headers: { 'x-amzn-errortype': 'UnknownOperationException' },
    });
  });
});

describe('trouble on request', () => {
  it('throttles with the service’s own code, before anything happens', async () => {
    desk.world.faults.set({ throttle: 1, only: ['iot:CreateThing'] });
    await expect(client(IoTClient).send(new CreateThingCommand({ thingName: 'throttled' }))).rejects.toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 429 },
    });
    await expect(client(IoTClient).send(new DescribeThingCommand({ thingName: 'throttled' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('loses the answer after the work was done', async () => {
    desk.world.faults.set({ lostAnswer: 1, only: ['iot:CreateThing'] });
    await expect(client(IoTClient).send(new CreateThingCommand({ thingName: 'lost' }))).rejects.toThrow(/socket hang up|ECONNRESET/);
    desk.world.faults.set({ lostAnswer: 0 });
    expect(await client(IoTClient).send(new DescribeThingCommand({ thingName: 'lost' }))).toMatchObject({ thingName: 'lost' });
  });

  it('enforces AWS’s request quotas: ten DescribeCertificate a second, so that a client that does not pace itself is throttled', async () => {
    desk.world.faults.set({ quotas: true });
    const iot = client(IoTClient);
    const { DescribeCertificateCommand } = await import('@aws-sdk/client-iot');
    const names = await Promise.all(
      Array.from({ length: 30 }, () =>
        iot.send(new DescribeCertificateCommand({ certificateId: 'a'.repeat(64) })).catch((error: Error) => error.name),
      ),
    );
    expect(names.filter((name) => name === 'ThrottlingException').length).toBeGreaterThanOrEqual(15);
    expect(names).toContain('ResourceNotFoundException');
  });
});

describe('an answer of the desk that is wrong', () => {
  it('is an internal failure and an entry in the journal, never a valid answer', async () => {
    const silent = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const { createCloud } = await import('../../../local/create-cloud.js');
    const { createWorld } = await import('../../../local/world/world.js');
    const cloud = await createCloud(createWorld({ seed: 1 }));
    cloud.addService({ name: 'iot', signingNames: ['iot'], operations: { DescribeThing: () => ({ thingName: 7 }) }, access: () => [] });
    const iot = new IoTClient({
      endpoint: cloud.endpoint,
      region: 'eu-west-1',
      credentials: cloud.administratorCredentials,
      maxAttempts: 1,
    });
    await expect(iot.send(new DescribeThingCommand({ thingName: 'a' }))).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    expect(cloud.world.journal.entries().at(-1)).toMatchObject({
      ok: false,
      detail: expect.stringContaining('does not fit the model: thingName'),
    });
    iot.destroy();
    await cloud.stop();
    silent.mockRestore();
  });
});
