import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

import { startDesk } from '../../../local/desk.js';

describe('the desk as a whole', () => {
  it('tells its time and its seed, and leaves no open port', async () => {
    const desk = await startDesk({ seed: 42, startAt: new Date('2027-01-01T00:00:00Z') });
    const health = (await (await fetch(`${desk.endpoint}/_desk/health`)).json()) as { time: string; seed: number; services: string[] };
    expect(health).toMatchObject({ status: 'ok', seed: 42, time: expect.stringMatching(/^2027-01-01T00:00/) });
    expect(health.services).toEqual(
      expect.arrayContaining([
        'acm-pca',
        'cloudwatch',
        'dynamodb',
        'events',
        'iot',
        'iotdata',
        'lambda',
        'logs',
        's3',
        'sns',
        'sqs',
        'ssm',
        'sts',
      ]),
    );
    expect(desk.env).toMatchObject({
      AWS_ENDPOINT_URL: desk.endpoint,
      AWS_REGION: 'eu-west-1',
      DESK_MQTT_HOST: 'localhost',
      DESK_MQTT_PORT: expect.stringMatching(/^\d+$/),
    });
    await desk.stop();
    await expect(fetch(`${desk.endpoint}/_desk/health`)).rejects.toThrow('fetch failed');
  });

  it('answers with the simulated time, and sessions of AssumeRole end by it', async () => {
    const desk = await startDesk({ seed: 1 });
    const options = { endpoint: desk.endpoint, region: 'eu-west-1' };
    const sts = new STSClient({ ...options, credentials: desk.adminCredentials });
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: 'arn:aws:iam::000000000000:root' } }],
    } as const;
    const { arn } = desk.cloud.iam.createRole('visitor', trust, [], []);
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: 'me' }));
    const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '', SessionToken: sessionToken = '' } = Credentials ?? {};
    const visitor = new STSClient({ ...options, credentials: { accessKeyId, secretAccessKey, sessionToken } });
    expect(await visitor.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Arn: 'arn:aws:sts::000000000000:assumed-role/visitor/me',
    });
    await desk.world.clock.advance(30 * 86_400_000);
    await expect(visitor.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'ExpiredToken' });
    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: '000000000000' });
    const { headers } = await fetch(`${desk.endpoint}/_desk/health`);
    expect(Math.abs(Date.parse(headers.get('date') ?? '') - desk.world.clock.nowMs())).toBeLessThan(2_000);
    sts.destroy();
    visitor.destroy();
    await desk.stop();
  });
});
