import { App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, Billing, ProjectionType, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { BlockPublicAccess, Bucket, BucketEncryption, CfnBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createCloud, type RunningCloud } from '../../local/create-cloud.js';
import { deployAssembly } from '../../local/deploy/deploy-assembly.js';
import { createDynamoDb } from '../../local/services/dynamodb/service.js';
import { createS3 } from '../../local/services/s3/service.js';
import { createWorld } from '../../local/world/world.js';

let cloud: RunningCloud;
let directory: string;
beforeEach(async () => {
  cloud = await createCloud(createWorld());
  cloud.addService(createS3(cloud));
  cloud.addService(createDynamoDb(cloud));
  directory = mkdtempSync(path.join(tmpdir(), 'stores-'));
});
afterEach(async () => {
  await cloud.stop();
  rmSync(directory, { recursive: true });
});

async function deploy(build: (stack: Stack) => void): Promise<Readonly<Record<string, unknown>>> {
  const context = (JSON.parse(readFileSync('cdk.json', 'utf8')) as { context: Record<string, unknown> }).context;
  const app = new App({ outdir: directory, context });
  build(new Stack(app, 'stores'));
  app.synth();
  return (await deployAssembly(cloud, directory))['stores'] ?? {};
}
/** What the operation answers on the bucket or table of that name. */
const ask = (service: string, operation: string, input: Record<string, unknown>) => cloud.call(service, operation, input);

test('buckets as the CDK synthesises them: private, TLS only, versioned, logged, with lifecycle and EventBridge', async () => {
  const outputs = await deploy((stack) => {
    const logs = new Bucket(stack, 'Logs', { objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED, enforceSSL: true });
    const bucket = new Bucket(stack, 'Crl', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
      serverAccessLogsBucket: logs,
      serverAccessLogsPrefix: 'crl/',
      lifecycleRules: [{ noncurrentVersionExpiration: Duration.days(30), abortIncompleteMultipartUploadAfter: Duration.days(7) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    (bucket.node.defaultChild as CfnBucket).notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
    new CfnOutput(stack, 'Name', { value: bucket.bucketName });
    new CfnOutput(stack, 'Arn', { value: bucket.bucketArn });
    new CfnOutput(stack, 'Domain', { value: bucket.bucketRegionalDomainName });
  });
  const Name = String(outputs['Name']);
  expect(outputs).toMatchObject({ Arn: `arn:aws:s3:::${Name}`, Domain: `${Name}.s3.eu-west-1.amazonaws.com` });
  const named = { Bucket: Name };
  expect(await ask('s3', 'GetBucketVersioning', named)).toEqual({ Status: 'Enabled' });
  expect(await ask('s3', 'GetBucketNotificationConfiguration', named)).toEqual({ EventBridgeConfiguration: {} });
  expect(await ask('s3', 'GetBucketOwnershipControls', named)).toMatchObject({
    OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerPreferred' }] },
  });
  expect(await ask('s3', 'GetBucketLogging', named)).toMatchObject({ LoggingEnabled: { TargetPrefix: 'crl/' } });
  expect(await ask('s3', 'GetBucketLifecycleConfiguration', named)).toMatchObject({
    Rules: [
      {
        Status: 'Enabled',
        NoncurrentVersionExpiration: { NoncurrentDays: 30 },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
      },
    ],
  });
  expect((await ask('s3', 'GetBucketPolicy', named))['Policy']).toContain('aws:SecureTransport');
});

test('a table of the CDK (a global table with one replica) has its indexes, its protection, its time to live', async () => {
  const outputs = await deploy((stack) => {
    const table = new TableV2(stack, 'Inventory', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.NUMBER },
      billing: Billing.onDemand(),
      deletionProtection: true,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: 'ttl',
      globalSecondaryIndexes: [
        { indexName: 'byThing', partitionKey: { name: 'thing', type: AttributeType.STRING }, projectionType: ProjectionType.KEYS_ONLY },
      ],
    });
    (table.node.defaultChild as unknown as { replicas: object[] }).replicas = [
      { region: 'eu-west-1', deletionProtectionEnabled: true, pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true } },
    ];
    new CfnOutput(stack, 'Name', { value: table.tableName });
    new CfnOutput(stack, 'Arn', { value: table.tableArn });
  });
  const TableName = String(outputs['Name']);
  expect(outputs['Arn']).toBe(`arn:aws:dynamodb:eu-west-1:000000000000:table/${TableName}`);
  expect(await ask('dynamodb', 'DescribeTable', { TableName })).toMatchObject({
    Table: {
      DeletionProtectionEnabled: true,
      KeySchema: [{ AttributeName: 'pk' }, { AttributeName: 'sk' }],
      GlobalSecondaryIndexes: [{ IndexName: 'byThing', Projection: { ProjectionType: 'KEYS_ONLY' } }],
    },
  });
  expect(await ask('dynamodb', 'DescribeTimeToLive', { TableName })).toMatchObject({ TimeToLiveDescription: { AttributeName: 'ttl' } });
  expect(await ask('dynamodb', 'DescribeContinuousBackups', { TableName })).toMatchObject({
    ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED' } },
  });
});

test('a property that the desk would have to ignore stops the deployment and is named', async () => {
  await expect(
    deploy((stack) => {
      new CfnBucket(stack, 'Web', { websiteConfiguration: { indexDocument: 'index.html' } });
    }),
  ).rejects.toThrow(/WebsiteConfiguration/);
  await expect(
    deploy((stack) => {
      const partitionKey = { name: 'pk', type: AttributeType.STRING };
      new TableV2(stack, 'Streamed', { partitionKey, dynamoStream: StreamViewType.NEW_IMAGE });
    }),
  ).rejects.toThrow(/StreamSpecification/);
});
