import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  paginateListObjectsV2,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  type CompletedPart,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { createHash, randomBytes } from 'node:crypto';

import type { BusEvent } from '../../local/cloud.js';
import { createCloud, type RunningCloud } from '../../local/create-cloud.js';
import type { PolicyDocument } from '../../local/iam/principal.js';
import { createS3 } from '../../local/services/s3/service.js';
import { createWorld } from '../../local/world/world.js';

let cloud: RunningCloud;
let s3: S3Client;
let events: BusEvent[];
const clients: S3Client[] = [];

const clientFor = (credentials: NonNullable<S3ClientConfig['credentials']>): S3Client => {
  const client = new S3Client({ region: 'eu-west-1', endpoint: cloud.endpoint, credentials, forcePathStyle: true, maxAttempts: 1 });
  clients.push(client);
  return client;
};

beforeAll(async () => {
  cloud = await createCloud(createWorld({ startAt: new Date('2026-03-01T10:00:00Z') }));
  cloud.addService(createS3(cloud));
  cloud.parts.putEvent = (event) => events.push(event);
  s3 = clientFor(cloud.administratorCredentials);
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await cloud.stop();
});
beforeEach(() => {
  events = [];
});

let count = 0;
async function newBucket(versioning?: 'Enabled' | 'Suspended'): Promise<string> {
  const Bucket = `bucket-${++count}`;
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  if (versioning) await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: versioning } }));
  return Bucket;
}
const put = (Bucket: string, Key: string, Body: string | Uint8Array = Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
const text = async (Bucket: string, Key: string, VersionId?: string) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body?.transformToString();
const refused = (name: string, httpStatusCode: number) => ({ name, $metadata: expect.objectContaining({ httpStatusCode }) });

describe('buckets', () => {
  test('a new bucket blocks public access, enforces the owner and keeps no versions', async () => {
    const Bucket = await newBucket();
    expect((await s3.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    });
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
    expect((await s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBe('eu-west-1');
    expect((await s3.send(new GetBucketAclCommand({ Bucket }))).Grants).toHaveLength(1);
    expect((await s3.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe('eu-west-1');
    expect((await s3.send(new ListBucketsCommand({}))).Buckets?.map((bucket) => bucket.Name)).toContain(Bucket);
  });

  test('a name that is taken, a name that is not allowed and a bucket that is not there are refused', async () => {
    const Bucket = await newBucket();
    const CreateBucketConfiguration = { LocationConstraint: 'eu-west-1' } as const;
    await expect(s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }))).rejects.toMatchObject(
      refused('BucketAlreadyOwnedByYou', 409),
    );
    await expect(s3.send(new CreateBucketCommand({ Bucket: 'Upper_Case', CreateBucketConfiguration }))).rejects.toMatchObject(
      refused('InvalidBucketName', 400),
    );
    await expect(s3.send(new ListObjectsV2Command({ Bucket: 'not-there' }))).rejects.toMatchObject(refused('NoSuchBucket', 404));
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'not-there' }))).rejects.toMatchObject(refused('NotFound', 404));
  });

  test('only an empty bucket can be deleted, and old versions count', async () => {
    const Bucket = await newBucket('Enabled');
    const { VersionId } = await put(Bucket, 'a');
    const { VersionId: marker } = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await expect(s3.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject(refused('BucketNotEmpty', 409));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId: marker }));
    await s3.send(new DeleteBucketCommand({ Bucket }));
    await expect(s3.send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject(refused('NotFound', 404));
  });
});

describe('objects', () => {
  test('what is put comes back, with its metadata, type, MD5 as ETag and checksum', async () => {
    const Bucket = await newBucket();
    const Body = randomBytes(100_000);
    const ChecksumSHA256 = createHash('sha256').update(Body).digest('base64');
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'crl/a b+ü.crl',
        Body,
        ContentType: 'application/pkix-crl',
        Metadata: { source: 'ca-1' },
        ChecksumSHA256,
      }),
    );
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'crl/a b+ü.crl', ChecksumMode: 'ENABLED' }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(Body)).toBe(true);
    expect(got).toMatchObject({
      ContentType: 'application/pkix-crl',
      ContentLength: Body.length,
      Metadata: { source: 'ca-1' },
      ETag: `"${createHash('md5').update(Body).digest('hex')}"`,
      ChecksumSHA256,
    });
    const attributes = await s3.send(
      new GetObjectAttributesCommand({ Bucket, Key: 'crl/a b+ü.crl', ObjectAttributes: ['ETag', 'ObjectSize', 'Checksum'] }),
    );
    expect(attributes).toMatchObject({ ObjectSize: Body.length, Checksum: { ChecksumSHA256 } });
  });

  test('a body that does not fit its checksum is not stored', async () => {
    const Bucket = await newBucket();
    await expect(s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'hello', ChecksumCRC32: 'AAAAAA==' }))).rejects.toMatchObject(
      refused('BadDigest', 400),
    );
    await expect(text(Bucket, 'a')).rejects.toMatchObject(refused('NoSuchKey', 404));
  });

  test('a part of an object comes with 206 and its place; a part beyond the end is a 416', async () => {
    const Bucket = await newBucket();
    await put(Bucket, 'a', '0123456789');
    const range = (Range: string) => s3.send(new GetObjectCommand({ Bucket, Key: 'a', Range }));
    const middle = await range('bytes=2-4');
    expect(await middle.Body?.transformToString()).toBe('234');
    expect(middle).toMatchObject({ ContentRange: 'bytes 2-4/10', ContentLength: 3, $metadata: { httpStatusCode: 206 } });
    expect(await (await range('bytes=7-')).Body?.transformToString()).toBe('789');
    expect(await (await range('bytes=-3')).Body?.transformToString()).toBe('789');
    expect(await (await range('bytes=8-100')).Body?.transformToString()).toBe('89');
    await expect(range('bytes=10-')).rejects.toMatchObject(refused('InvalidRange', 416));
  });

  test('conditional reads: 304 for what the client has, 412 for what it does not expect', async () => {
    const Bucket = await newBucket();
    const { ETag } = await put(Bucket, 'a');
    const get = (conditions: object) => s3.send(new GetObjectCommand({ Bucket, Key: 'a', ...conditions }));
    await expect(get({ IfNoneMatch: ETag })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    await expect(get({ IfModifiedSince: new Date('2030-01-01') })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    await expect(get({ IfMatch: '"other"' })).rejects.toMatchObject(refused('PreconditionFailed', 412));
    await expect(get({ IfUnmodifiedSince: new Date('2020-01-01') })).rejects.toMatchObject(refused('PreconditionFailed', 412));
    expect((await get({ IfMatch: ETag })).$metadata.httpStatusCode).toBe(200);
    expect((await get({ IfNoneMatch: '"other"' })).$metadata.httpStatusCode).toBe(200);
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'a', IfNoneMatch: ETag }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
  });

  test('conditional writes: only where nothing is there, or only over known content', async () => {
    const Bucket = await newBucket();
    const write = (conditions: object) => s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x', ...conditions }));
    await expect(write({ IfMatch: '"x"' })).rejects.toMatchObject(refused('NoSuchKey', 404));
    const { ETag } = await write({ IfNoneMatch: '*' });
    await expect(write({ IfNoneMatch: '*' })).rejects.toMatchObject(refused('PreconditionFailed', 412));
    await expect(write({ IfMatch: '"other"' })).rejects.toMatchObject(refused('PreconditionFailed', 412));
    await write({ IfMatch: ETag });
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await write({ IfNoneMatch: '*' });
  });

  test('a copy takes body and metadata along, or replaces the metadata', async () => {
    const Bucket = await newBucket('Enabled');
    await s3.send(new PutObjectCommand({ Bucket, Key: 'from', Body: 'one', Metadata: { n: '1' }, Tagging: 'k=v' }));
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `${Bucket}/from` }));
    expect(await text(Bucket, 'to')).toBe('one');
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'to' }))).Metadata).toEqual({ n: '1' });
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'to' }))).TagSet).toEqual([{ Key: 'k', Value: 'v' }]);
    await s3.send(
      new CopyObjectCommand({ Bucket, Key: 'from', CopySource: `${Bucket}/from`, MetadataDirective: 'REPLACE', Metadata: { n: '2' } }),
    );
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'from' }))).Metadata).toEqual({ n: '2' });
    await expect(s3.send(new CopyObjectCommand({ Bucket, Key: 'from', CopySource: `${Bucket}/from` }))).rejects.toMatchObject(
      refused('InvalidRequest', 400),
    );
    await expect(s3.send(new CopyObjectCommand({ Bucket, Key: 'x', CopySource: `${Bucket}/none` }))).rejects.toMatchObject(
      refused('NoSuchKey', 404),
    );
  });

  test('47 MB go in and out unchanged', async () => {
    const Bucket = await newBucket();
    const Body = randomBytes(47 * 1024 * 1024);
    await put(Bucket, 'big.crl', Body);
    const got = await (await s3.send(new GetObjectCommand({ Bucket, Key: 'big.crl' }))).Body?.transformToByteArray();
    expect(
      createHash('sha256')
        .update(got ?? '')
        .digest('hex'),
    ).toBe(createHash('sha256').update(Body).digest('hex'));
  });
});

describe('versions', () => {
  test('each put is a version of its own; a delete puts a marker on top; taking the marker away brings the object back', async () => {
    const Bucket = await newBucket('Enabled');
    const one = await put(Bucket, 'a', 'one');
    const two = await put(Bucket, 'a', 'two');
    expect(await text(Bucket, 'a')).toBe('two');
    expect(await text(Bucket, 'a', one.VersionId)).toBe('one');
    const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    expect(marker.DeleteMarker).toBe(true);
    await expect(text(Bucket, 'a')).rejects.toMatchObject(refused('NoSuchKey', 404));
    await expect(text(Bucket, 'a', marker.VersionId)).rejects.toMatchObject(refused('MethodNotAllowed', 405));
    await expect(text(Bucket, 'a', 'nonsense')).rejects.toMatchObject(refused('NoSuchVersion', 404));
    const listed = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect(listed.Versions?.map((version) => [version.VersionId, version.IsLatest])).toEqual([
      [two.VersionId, false],
      [one.VersionId, false],
    ]);
    expect(listed.DeleteMarkers?.map((entry) => [entry.VersionId, entry.IsLatest])).toEqual([[marker.VersionId, true]]);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId: marker.VersionId }));
    expect(await text(Bucket, 'a')).toBe('two');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId: two.VersionId }));
    expect(await text(Bucket, 'a')).toBe('one');
  });

  test('with versioning suspended the version called null is overwritten and the others stay', async () => {
    const Bucket = await newBucket();
    await put(Bucket, 'a', 'before');
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const kept = await put(Bucket, 'a', 'versioned');
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } }));
    await put(Bucket, 'a', 'after');
    expect(await text(Bucket, 'a', 'null')).toBe('after');
    const listed = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect(listed.Versions?.map((version) => version.VersionId)).toEqual(['null', kept.VersionId]);
  });

  test('without versioning a delete is final, and deleting what is not there succeeds', async () => {
    const Bucket = await newBucket();
    await put(Bucket, 'a');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    expect((await s3.send(new ListObjectVersionsCommand({ Bucket }))).Versions).toBeUndefined();
  });

  test('many objects are deleted in one request', async () => {
    const Bucket = await newBucket();
    for (const key of ['a', 'b', 'c']) await put(Bucket, key);
    const { Deleted } = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a' }, { Key: 'c' }, { Key: 'z' }] } }),
    );
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['a', 'c', 'z']);
    expect((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key)).toEqual(['b']);
  });
});

describe('listing', () => {
  const keys = ['a/1', 'a/2', 'a/b/3', 'b', 'c/4', 'd & e', 'é', '😀', '\uffee'];
  let Bucket: string;
  beforeAll(async () => {
    events = [];
    Bucket = await newBucket();
    for (const key of keys) await put(Bucket, key);
  });

  test('keys come in the order of their UTF-8 bytes, grouped by the delimiter', async () => {
    const all = await s3.send(new ListObjectsV2Command({ Bucket }));
    const byBytes = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(all.Contents?.map(({ Key }) => Key)).toEqual(byBytes);
    const top = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: '/' }));
    expect(top.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(['a/', 'c/']);
    expect(top).toMatchObject({ KeyCount: 7 });
    const below = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: '/', Prefix: 'a/' }));
    expect(below.Contents?.map(({ Key }) => Key)).toEqual(['a/1', 'a/2']);
    expect(below.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(['a/b/']);
    const old = await s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 1 }));
    expect(old).toMatchObject({ IsTruncated: true, NextMarker: 'a/' });
    expect((await s3.send(new ListObjectsV2Command({ Bucket, StartAfter: 'c/4', MaxKeys: 1 }))).Contents?.[0]?.Key).toBe('d & e');
  });

  test('law: pages of any size, with and without delimiter, give every line exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 9 }), fc.constantFrom(undefined, '/', 'b'), async (MaxKeys, Delimiter) => {
        const seen: (string | undefined)[] = [];
        const whole = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter }));
        for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket, MaxKeys, Delimiter })) {
          seen.push(...(page.Contents ?? []).map(({ Key }) => Key), ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
        }
        const expected = [...(whole.Contents ?? []).map(({ Key }) => Key), ...(whole.CommonPrefixes ?? []).map(({ Prefix }) => Prefix)];
        expect(seen).toHaveLength(expected.length);
        expect(new Set(seen)).toEqual(new Set(expected));
      }),
      { numRuns: 25 },
    );
  });

  test('versions are paged too, also in the middle of one key', async () => {
    const Versioned = await newBucket('Enabled');
    for (const key of ['a', 'a', 'a', 'b']) await put(Versioned, key);
    const seen: (string | undefined)[] = [];
    for (let marker: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {}; marker;) {
      const page: Awaited<ReturnType<typeof nextPage>> = await nextPage(marker);
      seen.push(...(page.Versions ?? []).map(({ VersionId }) => VersionId));
      marker = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker } : undefined;
    }
    expect(seen).toHaveLength(4);
    expect(new Set(seen).size).toBe(4);
    function nextPage(marker: { KeyMarker?: string; VersionIdMarker?: string }) {
      return s3.send(new ListObjectVersionsCommand({ Bucket: Versioned, MaxKeys: 2, ...marker }));
    }
  });
});

describe('multipart upload', () => {
  test('parts become one object whose ETag says how many they were; an aborted upload leaves nothing', async () => {
    const Bucket = await newBucket();
    const parts = [randomBytes(5 * 1024 * 1024), randomBytes(1000)];
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'big' }));
    const Parts: CompletedPart[] = [];
    for (const [i, Body] of parts.entries()) {
      const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key: 'big', UploadId, PartNumber: i + 1, Body }));
      Parts.push({ ETag, PartNumber: i + 1 });
    }
    expect((await s3.send(new ListPartsCommand({ Bucket, Key: 'big', UploadId }))).Parts?.map(({ Size }) => Size)).toEqual([
      5 * 1024 * 1024,
      1000,
    ]);
    const complete = (list: typeof Parts) =>
      s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'big', UploadId, MultipartUpload: { Parts: list } }));
    await expect(complete([...Parts].reverse())).rejects.toMatchObject(refused('InvalidPartOrder', 400));
    const { ETag } = await complete(Parts);
    const digests = Buffer.concat(parts.map((part) => createHash('md5').update(part).digest()));
    expect(ETag).toBe(`"${createHash('md5').update(digests).digest('hex')}-2"`);
    const got = await (await s3.send(new GetObjectCommand({ Bucket, Key: 'big' }))).Body?.transformToByteArray();
    expect(Buffer.concat(parts).equals(got ?? new Uint8Array())).toBe(true);
    const other = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'other' }));
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'other', UploadId: other.UploadId }));
    await expect(s3.send(new ListPartsCommand({ Bucket, Key: 'other', UploadId: other.UploadId }))).rejects.toMatchObject(
      refused('NoSuchUpload', 404),
    );
  });
});

describe('events to EventBridge', () => {
  const on = (Bucket: string) =>
    s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { EventBridgeConfiguration: {} } }));

  test('a put says Object Created in the documented shape, a delete Object Deleted; sequencers of a key only grow', async () => {
    const Bucket = await newBucket('Enabled');
    await put(Bucket, 'crl/a.crl');
    expect(events).toEqual([]);
    await on(Bucket);
    const { VersionId, ETag } = await put(Bucket, 'crl/a.crl', 'new');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'crl/a.crl' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'crl/a.crl', VersionId }));
    expect(events[0]).toEqual({
      source: 'aws.s3',
      'detail-type': 'Object Created',
      resources: [`arn:aws:s3:::${Bucket}`],
      detail: {
        version: '0',
        bucket: { name: Bucket, 'aws-generated-tags': {} },
        object: {
          key: 'crl/a.crl',
          size: 3,
          etag: ETag?.replaceAll('"', ''),
          'version-id': VersionId,
          sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
        },
        'request-id': expect.any(String),
        requester: '000000000000',
        'source-ip-address': '127.0.0.1',
        reason: 'PutObject',
        'event-version': '1.2',
      },
    });
    const details = events.map((event) => event.detail as { reason: string; 'deletion-type'?: string; object: { sequencer: string } });
    expect(details.map((detail) => [detail.reason, detail['deletion-type']])).toEqual([
      ['PutObject', undefined],
      ['DeleteObject', 'Delete Marker Created'],
      ['DeleteObject', 'Permanently Deleted'],
    ]);
    const sequencers = details.map((detail) => detail.object.sequencer);
    expect([...sequencers].sort()).toEqual(sequencers);
    expect(new Set(sequencers).size).toBe(3);
  });

  test('other destinations are refused, not ignored', async () => {
    const Bucket = await newBucket();
    const QueueConfigurations = [{ QueueArn: 'arn:aws:sqs:eu-west-1:000000000000:q', Events: ['s3:ObjectCreated:*' as const] }];
    await expect(
      s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { QueueConfigurations } })),
    ).rejects.toMatchObject(refused('NotImplemented', 501));
  });
});

describe('who may do what', () => {
  const statement = (Effect: 'Allow' | 'Deny', Action: string | string[], Resource: string) => ({ Effect, Action, Resource });
  function role(name: string, ...Statement: PolicyDocument['Statement'] & object[]): S3Client {
    const trust = { Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] } as const;
    const { arn } = cloud.iam.createRole(name, trust, [{ Version: '2012-10-17', Statement }], []);
    return clientFor(cloud.iam.assume(arn, 'lambda.amazonaws.com', name));
  }

  test('a role reads what it was granted, by version only with the right for versions, and learns of a missing key only if it may list', async () => {
    const Bucket = await newBucket('Enabled');
    const { VersionId } = await put(Bucket, 'in/a');
    await put(Bucket, 'out/a');
    const reader = role('reader', statement('Allow', 's3:GetObject', `arn:aws:s3:::${Bucket}/in/*`));
    const get = (client: S3Client, Key: string, version?: string) => client.send(new GetObjectCommand({ Bucket, Key, VersionId: version }));
    expect((await get(reader, 'in/a')).$metadata.httpStatusCode).toBe(200);
    await expect(get(reader, 'out/a')).rejects.toMatchObject(refused('AccessDenied', 403));
    await expect(get(reader, 'in/a', VersionId)).rejects.toMatchObject(refused('AccessDenied', 403));
    await expect(get(reader, 'in/none')).rejects.toMatchObject(refused('AccessDenied', 403));
    const lister = role(
      'lister',
      statement('Allow', ['s3:GetObject', 's3:GetObjectVersion'], `arn:aws:s3:::${Bucket}/in/*`),
      statement('Allow', 's3:ListBucket', `arn:aws:s3:::${Bucket}`),
    );
    expect((await get(lister, 'in/a', VersionId)).$metadata.httpStatusCode).toBe(200);
    await expect(get(lister, 'in/none')).rejects.toMatchObject(refused('NoSuchKey', 404));
  });

  test('a bucket policy denies what the role allows, and loopback counts as secure transport', async () => {
    const Bucket = await newBucket();
    await put(Bucket, 'a');
    const reader = role('denied', statement('Allow', 's3:*', '*'));
    const arn = `arn:aws:s3:::${Bucket}`;
    const TlsOnly = {
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:*',
      Resource: [arn, `${arn}/*`],
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    };
    const setPolicy = (...Statement: object[]) =>
      s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
    await setPolicy(TlsOnly);
    expect((await reader.send(new GetObjectCommand({ Bucket, Key: 'a' }))).$metadata.httpStatusCode).toBe(200);
    await setPolicy(TlsOnly, { Effect: 'Deny', Principal: { AWS: '*' }, Action: 's3:GetObject', Resource: `${arn}/*` });
    await expect(reader.send(new GetObjectCommand({ Bucket, Key: 'a' }))).rejects.toMatchObject(refused('AccessDenied', 403));
    expect((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toContain('SecureTransport');
    await expect(setPolicy({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${arn}/*` })).rejects.toMatchObject(
      refused('AccessDenied', 403),
    );
    await expect(
      setPolicy({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::other/*' }),
    ).rejects.toMatchObject(refused('MalformedPolicy', 400));
  });

  test('of many objects only those that may be deleted are deleted', async () => {
    const Bucket = await newBucket();
    for (const key of ['mine/a', 'other/a']) await put(Bucket, key);
    const cleaner = role('cleaner', statement('Allow', 's3:DeleteObject', `arn:aws:s3:::${Bucket}/mine/*`));
    const done = await cleaner.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'mine/a' }, { Key: 'other/a' }] } }));
    expect(done.Deleted?.map(({ Key }) => Key)).toEqual(['mine/a']);
    expect(done.Errors?.map(({ Key, Code }) => [Key, Code])).toEqual([['other/a', 'AccessDenied']]);
  });

  test('ACLs: the owner-enforced bucket takes bucket-owner-full-control alone; public ones are blocked', async () => {
    const Bucket = await newBucket();
    const write = (ACL: 'private' | 'public-read' | 'bucket-owner-full-control') =>
      s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x', ACL }));
    await write('bucket-owner-full-control');
    await expect(write('private')).rejects.toMatchObject(refused('AccessControlListNotSupported', 400));
    await expect(write('public-read')).rejects.toMatchObject(refused('AccessDenied', 403));
    await s3.send(
      new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerPreferred' }] } }),
    );
    await write('private');
    await expect(write('public-read')).rejects.toMatchObject(refused('AccessDenied', 403));
  });
});

test('lifecycle: noncurrent versions go after their days, current ones become delete markers, by the clock of the desk', async () => {
  const Bucket = await newBucket('Enabled');
  await put(Bucket, 'state/a', 'old');
  await put(Bucket, 'state/a', 'new');
  await put(Bucket, 'tmp/b');
  const Rules = [
    { ID: 'old', Status: 'Enabled' as const, Filter: { Prefix: '' }, NoncurrentVersionExpiration: { NoncurrentDays: 30 } },
    { ID: 'tmp', Status: 'Enabled' as const, Filter: { Prefix: 'tmp/' }, Expiration: { Days: 60 } },
  ];
  await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
  expect((await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules).toEqual(Rules);
  const state = async () => {
    const { Versions, DeleteMarkers } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    return { versions: Versions?.map(({ Key }) => Key), markers: DeleteMarkers?.map(({ Key }) => Key) };
  };
  const days = async (count: number) => {
    for (let i = 0; i < count; i++) await cloud.world.clock.advance(86_400_000);
    // Credentials and request dates follow the desk's clock only on the desk's side.
    s3.config.systemClockOffset = cloud.world.clock.offsetMs;
  };
  await days(29);
  expect(await state()).toEqual({ versions: ['state/a', 'state/a', 'tmp/b'], markers: undefined });
  await days(3);
  expect(await state()).toEqual({ versions: ['state/a', 'tmp/b'], markers: undefined });
  expect(await text(Bucket, 'state/a')).toBe('new');
  await days(31);
  expect(await state()).toEqual({ versions: ['state/a', 'tmp/b'], markers: ['tmp/b'] });
});
