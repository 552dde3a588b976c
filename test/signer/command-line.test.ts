/** `fleetwarden ca` as a person types it: a child process against the desk. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Certificate } from '../../domain/pki/certificate.js';
import { applicationParameterName, DEFAULT_PREFIX } from '../../domain/protocol/application-parameters.js';
import { parseConfiguration } from '../../lib/config/read-configuration.js';
import { startInstallation, type Installation } from '../operations/installation.js';
import { hasOpenssl, openssl } from './openssl.js';

let installation: Installation;
let kms: KMSClient;
const folder = mkdtempSync(path.join(tmpdir(), 'fleetwarden-ca-'));

beforeAll(async () => {
  installation = await startInstallation();
  kms = new KMSClient(settings());
}, 60_000);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await installation.stop();
});

const settings = () => ({
  region: 'eu-west-1',
  endpoint: installation.environment['AWS_ENDPOINT_URL'],
  credentials: {
    accessKeyId: installation.environment['AWS_ACCESS_KEY_ID']!,
    secretAccessKey: installation.environment['AWS_SECRET_ACCESS_KEY']!,
  },
});
async function newKey(KeySpec: 'ECC_NIST_P256' | 'ECC_NIST_P384' | 'RSA_2048' = 'ECC_NIST_P256'): Promise<string> {
  return (await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY' }))).KeyMetadata?.Arn ?? '';
}

describe('fleetwarden ca create', () => {
  test.each(['ECC_NIST_P256', 'ECC_NIST_P384', 'RSA_2048'] as const)(
    'prints the certificate of a CA on %s, which OpenSSL and the configuration take',
    async (spec) => {
      const keyArn = await newKey(spec);
      const { code, out, err } = await installation.run('ca', 'create', '--key', keyArn, '--common-name', 'Plant 7 CA');
      expect({ code, err }).toEqual({ code: 0, err: '' });
      const certificate = Certificate.read(out);
      expect(certificate).toMatchObject({ subject: 'CN=Plant 7 CA', isCa: true, maySignCrls: true });
      expect(certificate.notAfterMs - Date.now()).toBeGreaterThan(3649 * 86_400_000);
      if (hasOpenssl)
        expect(openssl({ 'ca.pem': out }, 'verify', '-x509_strict', '-CAfile', 'ca.pem', 'ca.pem').stdout).toBe('ca.pem: OK\n');
      const anchor = {
        id: 'plant',
        type: 'external',
        certificatePem: out,
        signer: { type: 'kms', keyArn: keyArn.replace('000000000000', '111122223333') },
        crl: {},
      };
      expect(parseConfiguration({ trustAnchors: [anchor] }, 'test').trustAnchors).toHaveLength(1);
    },
  );

  test('writes a file, and never over one', async () => {
    const file = path.join(folder, 'ca.pem');
    const [keyArn, given] = [await newKey(), ['--common-name', 'Own CA', '--days', '30', '--out', file]];
    const { code, json } = await installation.run('ca', 'create', '--key', keyArn, ...given, '--json');
    expect(code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(json<{ certificatePem: string }>().certificatePem);
    expect(json()).toMatchObject({ keyArn, subject: 'CN=Own CA', file });
    writeFileSync(file, 'mine');
    const again = await installation.run('ca', 'create', '--key', keyArn, ...given);
    expect([again.code, again.err]).toEqual([1, `refused: ${file} is there already, and is not written over\n`]);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  test('says what is wrong, and what it expected', async () => {
    const keyArn = await newKey();
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/ca', TargetKeyId: keyArn }));
    const create = async (...given: readonly string[]) => {
      const { code, err } = await installation.run('ca', 'create', ...given);
      return `${code} ${err.split('\n')[0]}`;
    };
    expect(await create('--key', 'alias/ca', '--common-name', 'CA')).toContain('2 not understood: --key: got "alias/ca", expected arn:');
    expect(await create('--key', keyArn, '--common-name', 'x'.repeat(65))).toContain('2 not understood: --common-name: got 65 characters');
    expect(await create('--key', keyArn, '--common-name', 'CA', '--days', '0')).toContain('2 not understood: --days: got "0"');
    expect(await create('--key', keyArn.replace(/.{4}$/, '0000'), '--common-name', 'CA')).toContain('2 failed: NotFoundException');
    expect(await create('--common-name', 'CA')).toContain("2 error: required option '--key <arn>'");
  });
});

describe('fleetwarden ca revoke', () => {
  let queueUrl: string;
  beforeAll(async () => {
    const keyArn = await newKey();
    const { out } = await installation.run('ca', 'create', '--key', keyArn, '--common-name', 'Own CA');
    const ssm = new SSMClient(settings());
    const put = (Name: string, Value: string) => ssm.send(new PutParameterCommand({ Name, Value, Type: 'String' }));
    const anchor = {
      type: 'external',
      signer: { type: 'kms', keyArn, crlValidityDays: 7 },
      crl: { type: 'COMPLETE', prefix: 'external/own/', distributionPoints: [] },
    };
    await put(`/${DEFAULT_PREFIX}/trust/own/certificate`, out);
    await put(`/${DEFAULT_PREFIX}/trust/own/settings`, JSON.stringify(anchor));
    queueUrl = (await new SQSClient(settings()).send(new CreateQueueCommand({ QueueName: 'publish' }))).QueueUrl!;
    for (const name of ['publishQueueUrl', 'publishDeadLetterQueueUrl'] as const)
      await put(applicationParameterName(DEFAULT_PREFIX, name), queueUrl);
  });

  test('puts a certificate on the next CRL, asks for it, and leaves who did it on record', async () => {
    const revoke = (serial: string) => installation.run('ca', 'revoke', serial, '--anchor', 'own', '--reason', 'keyCompromise', '--json');
    expect((await revoke('00:BE:EF')).json()).toEqual({
      anchorId: 'own',
      serialNumber: 'beef',
      crlReason: 'keyCompromise',
      revoked: 'now',
    });
    expect((await revoke('beef')).json()).toMatchObject({ revoked: 'before' });
    await installation.desk.desk.world.clock.advance(61_000);
    const { Messages = [] } = await new SQSClient(settings()).send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
    );
    // And no time: by the clock of this computer, which may be behind, a CRL from before could pass for one that names it.
    expect(Messages.map(({ Body }) => JSON.parse(Body ?? '') as unknown)).toEqual([
      { kind: 'publish', anchorId: 'own' },
      { kind: 'publish', anchorId: 'own' },
    ]);
    const { out } = await installation.run('status');
    expect(out).toContain('publish');
  });

  test('refuses what is not ours to revoke, and reasons that nobody here could stand by', async () => {
    const revoke = async (...given: readonly string[]) => {
      const { code, err } = await installation.run('ca', 'revoke', ...given);
      return `${code} ${err.trim()}`;
    };
    expect(await revoke('beef', '--anchor', 'factory', '--reason', 'superseded')).toBe(
      '1 refused: trust anchor "factory" has no signer here: revoke at the CA itself',
    );
    expect(await revoke('beef', '--anchor', 'own', '--reason', 'certificateHold')).toContain(
      '2 not understood: --reason: got "certificateHold"',
    );
    expect(await revoke('no serial', '--anchor', 'own', '--reason', 'superseded')).toContain(
      '2 not understood: serial number: got "no serial"',
    );
  });
});
