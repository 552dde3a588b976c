import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import {
  GetParameterCommand,
  GetParametersByPathCommand,
  LabelParameterVersionCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';

import { createCloud, type RunningCloud } from '../../../local/create-cloud.js';
import { iotService } from '../../../local/services/iot/service.js';
import { createS3 } from '../../../local/services/s3/service.js';
import { createSsm } from '../../../local/services/ssm/service.js';
import { createSts } from '../../../local/services/sts/service.js';
import { createWorld } from '../../../local/world/world.js';

describe('the endpoint, with the SDK clients as they are', () => {
  let cloud: RunningCloud;
  const options = () => ({ endpoint: cloud.endpoint, region: 'eu-west-1', credentials: cloud.administratorCredentials });

  beforeAll(async () => {
    cloud = await createCloud(createWorld({ seed: 1 }));
    cloud.addService(createSts(cloud));
    cloud.addService(createSsm(cloud));
    cloud.addService(createS3(cloud));
    cloud.addService(iotService(cloud).service);
  });
  afterAll(() => cloud.stop());

  it('answers who the administrator is', async () => {
    const identity = await new STSClient(options()).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({ Account: '000000000000', Arn: 'arn:aws:iam::000000000000:user/administrator' });
  });

  it('keeps a parameter and gives it back', async () => {
    const ssm = new SSMClient(options());
    await ssm.send(new PutParameterCommand({ Name: '/fleet/a', Value: 'x', Type: 'String' }));
    expect((await ssm.send(new GetParameterCommand({ Name: '/fleet/a' }))).Parameter).toMatchObject({
      Value: 'x',
      Version: 1,
      LastModifiedDate: expect.any(Date),
    });
    expect((await ssm.send(new GetParametersByPathCommand({ Path: '/fleet' }))).Parameters).toHaveLength(1);
    await expect(ssm.send(new GetParameterCommand({ Name: '/none' }))).rejects.toMatchObject({ name: 'ParameterNotFound' });
  });

  it('says NotImplemented for what is in the model but not served', async () => {
    await expect(new SSMClient(options()).send(new LabelParameterVersionCommand({ Name: 'a', Labels: ['b'] }))).rejects.toMatchObject({
      name: 'NotImplemented',
      $metadata: { httpStatusCode: 501 },
    });
  });

  it.each([
    ['query', 'rds', { 'content-type': 'application/x-www-form-urlencoded' }, /^<ErrorResponse><Error>.*<Code>NotImplemented<\/Code>/],
    ['EC2', 'ec2', { 'content-type': 'application/x-www-form-urlencoded' }, /^<Response><Errors><Error><Code>NotImplemented<\/Code>/],
    ['JSON', 'kms', { 'x-amz-target': 'TrentService.ListKeys' }, /"__type":"NotImplemented"/],
    ['REST-XML', 'route53', {}, /^<ErrorResponse><Error>.*<Code>NotImplemented<\/Code>/],
    ['REST-JSON', 'eks', {}, /The desk does not serve eks/],
  ])(
    'says NotImplemented in the %s form for a service that it does not have',
    async (_form, service, headers: Record<string, string>, body) => {
      const scope = `${cloud.administratorCredentials.accessKeyId}/20261122/eu-west-1/${service}/aws4_request`;
      const answer = await fetch(cloud.endpoint, {
        method: 'POST',
        headers: { ...headers, authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=00` },
        body: 'Action=Any',
      });
      expect(answer.status).toBe(501);
      expect(await answer.text()).toMatch(body);
      expect(answer.headers.get('x-amzn-errortype')).toBe(service === 'eks' ? 'NotImplemented' : null);
    },
  );

  it('answers a form without a signature in XML, as its clients read it', async () => {
    const answer = await fetch(cloud.endpoint, { method: 'POST', body: new URLSearchParams({ Action: 'GetCallerIdentity' }) });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('<Code>MissingAuthenticationToken</Code>');
  });

  it.each([
    ['JSON', '/', { 'x-amz-target': 'AmazonSSM.GetParameter' }, /"__type":"MissingAuthenticationTokenException"/],
    ['REST-JSON', '/things/a', {}, /^\{"message":"Missing Authentication Token"\}$/],
    ['S3', '/bucket/key', {}, /<Code>AccessDenied<\/Code>/],
  ])('says that a signature is missing in the %s form', async (_form, path, headers: Record<string, string>, body) => {
    expect(await (await fetch(`${cloud.endpoint}${path}`, { headers })).text()).toMatch(body);
  });

  it('takes the absolute form of a request, as clients send it to a proxy, and leaves S3 Control to S3', async () => {
    const { hostname, port } = new URL(cloud.endpoint);
    const scope = `${cloud.administratorCredentials.accessKeyId}/20261122/eu-west-1/s3/aws4_request`;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const path = `http://000000000000.${hostname}:${port}/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Ab`;
      const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=00`;
      get({ hostname, port, path, headers: { authorization, 'x-amz-account-id': '000000000000' } }, resolve).on('error', reject);
    });
    expect(answer.statusCode).toBe(405);
    expect(await text(answer)).toContain('<Code>MethodNotAllowed</Code>');
  });

  it('refuses a wrong secret and an unknown key', async () => {
    const { accessKeyId } = cloud.administratorCredentials;
    const wrong = new STSClient({ ...options(), credentials: { accessKeyId, secretAccessKey: 'wrong' } });
    await expect(wrong.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    const unknown = new SSMClient({ ...options(), credentials: { accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'wrong' } });
    await expect(unknown.send(new GetParameterCommand({ Name: '/fleet/a' }))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
  });
});
