/** KMS at the desk, by the SDK client that everybody has; OpenSSL (in node:crypto) judges the signatures. */
import { createHash, createPublicKey, verify, constants, type KeyObject } from 'node:crypto';
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  type SigningAlgorithmSpec,
  TagResourceCommand,
  UntagResourceCommand,
  VerifyCommand,
} from '@aws-sdk/client-kms';
import { type RunningCloud, createCloud } from '../../local/create-cloud.js';
import { providers } from '../../local/deploy/providers/kms.js';
import type { PolicyDocument } from '../../local/iam/principal.js';
import { createKms } from '../../local/services/kms/service.js';
import { createWorld } from '../../local/world/world.js';

let cloud: RunningCloud;
let kms: KMSClient;

beforeAll(async () => {
  cloud = await createCloud(createWorld({ startAt: new Date('2026-11-22T08:00:00Z') }));
  cloud.addService(createKms(cloud));
  kms = clientOf(cloud.administratorCredentials);
});
afterAll(() => cloud.stop());

function clientOf(credentials: {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}): KMSClient {
  return new KMSClient({ region: cloud.world.region, endpoint: cloud.endpoint, credentials, maxAttempts: 1 });
}

/** A function of the account, with that policy of its own. */
function as(name: string, ...statements: readonly Record<string, unknown>[]): KMSClient {
  const trust: PolicyDocument = {
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
  };
  const document = { Version: '2012-10-17', Statement: statements } as unknown as PolicyDocument;
  const { arn } = cloud.iam.createRole(name, trust, statements.length === 0 ? [] : [document], []);
  return clientOf(cloud.iam.assume(arn, 'lambda.amazonaws.com', name));
}

async function newKey(KeySpec: 'ECC_NIST_P256' | 'ECC_NIST_P384' | 'RSA_2048' | 'RSA_3072' = 'ECC_NIST_P256', Policy?: string) {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY', Policy }));
  return { id: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' };
}

const publicKeyOf = async (KeyId: string): Promise<KeyObject> => {
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }));
  return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
};
const MESSAGE = Buffer.from('certificate to be signed');
const digest = (bits: string): Buffer => createHash(`sha${bits}`).update(MESSAGE).digest();
const nameOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: Error) => error.name,
  );

describe('signatures', () => {
  test.each([
    ['ECC_NIST_P256', ['ECDSA_SHA_256']],
    ['ECC_NIST_P384', ['ECDSA_SHA_384']],
    ['RSA_2048', ['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_512']],
    ['RSA_3072', ['RSASSA_PKCS1_V1_5_SHA_384', 'RSASSA_PKCS1_V1_5_SHA_512', 'RSASSA_PSS_SHA_384']],
  ] as const)('%s signs message and digest alike, as OpenSSL and KMS itself verify', async (spec, algorithms) => {
    const { id, arn } = await newKey(spec);
    const key = await publicKeyOf(id);
    const other = (await newKey(spec)).id;
    for (const SigningAlgorithm of algorithms) {
      const bits = SigningAlgorithm.slice(-3);
      const padding = SigningAlgorithm.startsWith('RSASSA_PSS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
      const options = spec.startsWith('ECC') ? key : { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
      for (const [MessageType, Message] of [
        ['RAW', MESSAGE],
        ['DIGEST', digest(bits)],
      ] as const) {
        const { Signature = Buffer.of(), KeyId } = await kms.send(new SignCommand({ KeyId: arn, Message, MessageType, SigningAlgorithm }));
        expect(KeyId).toBe(arn);
        expect(verify(`sha${bits}`, MESSAGE, options, Signature)).toBe(true);
        // The other way of saying it, so that neither half can be wrong in the same manner as the other.
        const [crossType, crossMessage] = MessageType === 'RAW' ? (['DIGEST', digest(bits)] as const) : (['RAW', MESSAGE] as const);
        const says = (input: { KeyId?: string; Message?: Uint8Array; Signature?: Uint8Array }) =>
          kms.send(new VerifyCommand({ KeyId: id, Message: crossMessage, MessageType: crossType, SigningAlgorithm, Signature, ...input }));
        expect((await says({})).SignatureValid).toBe(true);
        const altered = Buffer.from(Signature);
        altered[altered.length - 1]! ^= 1;
        for (const wrong of [{ KeyId: other }, { Signature: altered }, { Signature: Buffer.of(0x30, 0) }])
          expect(await nameOf(says(wrong))).toBe('KMSInvalidSignatureException');
      }
    }
  });

  test('an algorithm of another key, a digest of another length, a message that is too long are refused', async () => {
    const { id } = await newKey();
    const sign = (SigningAlgorithm: SigningAlgorithmSpec, Message: Uint8Array, MessageType: 'RAW' | 'DIGEST') =>
      nameOf(kms.send(new SignCommand({ KeyId: id, Message, MessageType, SigningAlgorithm })));
    expect(await sign('ECDSA_SHA_384', MESSAGE, 'RAW')).toBe('InvalidKeyUsageException');
    expect(await sign('RSASSA_PSS_SHA_256', MESSAGE, 'RAW')).toBe('InvalidKeyUsageException');
    expect(await sign('ECDSA_SHA_256', digest('384'), 'DIGEST')).toBe('ValidationException');
    expect(await sign('ECDSA_SHA_256', Buffer.alloc(4097), 'RAW')).toBe('ValidationException');
    expect(await sign('ECDSA_SHA_256', Buffer.alloc(4096), 'RAW')).toBe('done');
  });

  test('what the desk cannot do it does not pretend to do: symmetric keys are refused, encryption is not there', async () => {
    expect(await nameOf(kms.send(new CreateKeyCommand({})))).toBe('UnsupportedOperationException');
    expect(await nameOf(kms.send(new CreateKeyCommand({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })))).toBe('ValidationException');
  });
});

describe('keys', () => {
  test('a key is found by id, ARN, alias and the ARN of its alias, and described', async () => {
    const { id, arn } = await newKey('ECC_NIST_P384');
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/fleet/ca', TargetKeyId: arn }));
    for (const KeyId of [id, arn, 'alias/fleet/ca', arn.replace(/key\/.*/, 'alias/fleet/ca')]) {
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
      expect(KeyMetadata).toMatchObject({
        Arn: arn,
        KeySpec: 'ECC_NIST_P384',
        KeyUsage: 'SIGN_VERIFY',
        KeyState: 'Enabled',
        SigningAlgorithms: ['ECDSA_SHA_384'],
      });
    }
    expect((await kms.send(new ListAliasesCommand({ KeyId: id }))).Aliases).toMatchObject([
      { AliasName: 'alias/fleet/ca', TargetKeyId: id },
    ]);
    expect(await nameOf(kms.send(new CreateAliasCommand({ AliasName: 'alias/fleet/ca', TargetKeyId: id })))).toBe('AlreadyExistsException');
    expect(await nameOf(kms.send(new CreateAliasCommand({ AliasName: 'fleet', TargetKeyId: id })))).toBe('InvalidAliasNameException');
    expect(await nameOf(kms.send(new GetKeyPolicyCommand({ KeyId: 'alias/fleet/ca' })))).toBe('InvalidArnException');
    await kms.send(new DeleteAliasCommand({ AliasName: 'alias/fleet/ca' }));
    expect(await nameOf(kms.send(new DescribeKeyCommand({ KeyId: 'alias/fleet/ca' })))).toBe('NotFoundException');
    expect(await nameOf(kms.send(new DescribeKeyCommand({ KeyId: arn.replace('eu-west-1', 'eu-west-2') })))).toBe('NotFoundException');
  });

  test('keys and tags are listed in pages', async () => {
    const { id } = await newKey();
    const listed: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await kms.send(new ListKeysCommand({ Limit: 2, Marker }));
      listed.push(...(page.Keys ?? []).map(({ KeyId = '' }) => KeyId));
      expect(page.Truncated).toBe(page.NextMarker !== undefined);
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(listed).toContain(id);
    expect(new Set(listed).size).toBe(listed.length);
    await kms.send(
      new TagResourceCommand({
        KeyId: id,
        Tags: [
          { TagKey: 'a', TagValue: '1' },
          { TagKey: 'b', TagValue: '2' },
        ],
      }),
    );
    await kms.send(new UntagResourceCommand({ KeyId: id, TagKeys: ['a'] }));
    expect((await kms.send(new ListResourceTagsCommand({ KeyId: id }))).Tags).toEqual([{ TagKey: 'b', TagValue: '2' }]);
  });

  test('a disabled key does not sign, one that waits for its deletion neither, and then it is gone', async () => {
    const { id } = await newKey();
    const sign = () => nameOf(kms.send(new SignCommand({ KeyId: id, Message: MESSAGE, SigningAlgorithm: 'ECDSA_SHA_256' })));
    await kms.send(new DisableKeyCommand({ KeyId: id }));
    expect(await sign()).toBe('DisabledException');
    expect(await nameOf(publicKeyOf(id))).toBe('DisabledException');
    await kms.send(new EnableKeyCommand({ KeyId: id }));
    expect(await sign()).toBe('done');
    expect(await nameOf(kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 1 })))).toBe('ValidationException');
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }));
    expect(await sign()).toBe('KMSInvalidStateException');
    await kms.send(new CancelKeyDeletionCommand({ KeyId: id }));
    expect(await sign()).toBe('DisabledException');
    await cloud.world.clock.advance(8 * 86_400_000);
    expect(await sign()).toBe('DisabledException');
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }));
    await cloud.world.clock.advance(8 * 86_400_000);
    expect(await sign()).toBe('NotFoundException');
  });

  test('a template makes a key and its alias', async () => {
    const context = { cloud, stackName: 's', logicalId: 'Key', physicalName: () => 'n', assetDirectory: () => '' };
    const KeyPolicy = {
      Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${cloud.world.accountId}:root` }, Action: 'kms:*', Resource: '*' }],
    };
    const key = await providers['AWS::KMS::Key']!(
      { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY', KeyPolicy, Tags: [{ Key: 'k', Value: 'v' }] },
      context,
    );
    await providers['AWS::KMS::Alias']!({ AliasName: 'alias/by-template', TargetKeyId: key.attributes.Arn }, context);
    expect((await kms.send(new DescribeKeyCommand({ KeyId: 'alias/by-template' }))).KeyMetadata).toMatchObject({
      KeyId: key.ref,
      KeySpec: 'RSA_2048',
    });
    await expect(providers['AWS::KMS::Key']!({ KeySpec: 'RSA_2048', RotationPeriodInDays: 90 }, context)).rejects.toThrow(
      'RotationPeriodInDays',
    );
  });
});

describe('who may', () => {
  const signWith = (
    client: KMSClient,
    KeyId: string,
    options: { SigningAlgorithm?: SigningAlgorithmSpec; MessageType?: 'RAW' | 'DIGEST' } = {},
  ) =>
    nameOf(
      client.send(
        new SignCommand({
          KeyId,
          Message: options.MessageType === 'DIGEST' ? digest('256') : MESSAGE,
          SigningAlgorithm: 'ECDSA_SHA_256',
          ...options,
        }),
      ),
    );
  const root = () => `arn:aws:iam::${cloud.world.accountId}:root`;
  const policy = (...Statement: readonly Record<string, unknown>[]): string => JSON.stringify({ Version: '2012-10-17', Statement });
  const manage = () => ({
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${cloud.world.accountId}:user/administrator` },
    Action: 'kms:*',
    Resource: '*',
  });

  test('with the default key policy, IAM policies decide', async () => {
    const { arn } = await newKey();
    const other = (await newKey()).arn;
    const allowed = as('signs', { Effect: 'Allow', Action: 'kms:Sign', Resource: arn });
    expect(await signWith(allowed, arn)).toBe('done');
    expect(await signWith(allowed, other)).toBe('AccessDeniedException');
    expect(await signWith(as('nothing'), arn)).toBe('AccessDeniedException');
    expect(await nameOf(allowed.send(new GetPublicKeyCommand({ KeyId: arn })))).toBe('AccessDeniedException');
  });

  test('a key policy that does not let the account in makes IAM policies void', async () => {
    const { arn } = await newKey('ECC_NIST_P256', policy(manage()));
    expect(await signWith(as('void', { Effect: 'Allow', Action: 'kms:*', Resource: '*' }), arn)).toBe('AccessDeniedException');
    expect(await signWith(kms, arn)).toBe('done');
  });

  test('a key policy that names the caller suffices; a deny of either side wins', async () => {
    const named = as('named');
    const roleArn = `arn:aws:iam::${cloud.world.accountId}:role/named`;
    const lets = { Effect: 'Allow', Principal: { AWS: roleArn }, Action: 'kms:Sign', Resource: '*' };
    const { id, arn } = await newKey('ECC_NIST_P256', policy(manage(), lets));
    expect(await signWith(named, arn)).toBe('done');
    await kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy: policy(manage(), lets, { ...lets, Effect: 'Deny' }) }));
    expect(await signWith(named, arn)).toBe('AccessDeniedException');
    const delegating = policy({ Effect: 'Allow', Principal: { AWS: root() }, Action: 'kms:*', Resource: '*' });
    await kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy: delegating }));
    const barred = as('barred', { Effect: 'Allow', Action: '*', Resource: '*' }, { Effect: 'Deny', Action: 'kms:Sign', Resource: arn });
    expect(await signWith(barred, arn)).toBe('AccessDeniedException');
  });

  test('a deny for everybody but roles of one name keeps those out whom their own policies would let in: docs/signer.md', async () => {
    const { id, arn } = await newKey();
    const statement = { Effect: 'Allow', Action: 'kms:Sign', Resource: arn };
    const [ours, theirs] = [as('fleetwarden-app-Publish', statement), as('somebody', statement)];
    const only = {
      Effect: 'Deny',
      Principal: '*',
      Action: 'kms:Sign',
      Resource: '*',
      Condition: { ArnNotLike: { 'aws:PrincipalArn': `arn:aws:iam::${cloud.world.accountId}:role/fleetwarden-app-*` } },
    };
    const account = { Effect: 'Allow', Principal: { AWS: root() }, Action: 'kms:*', Resource: '*' };
    await kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy: policy(account, only) }));
    expect([await signWith(ours, arn), await signWith(theirs, arn), await signWith(kms, arn)]).toEqual([
      'done',
      'AccessDeniedException',
      'AccessDeniedException',
    ]);
  });

  test('conditions on algorithm and kind of message bind, also where the request leaves the default out', async () => {
    const { arn } = await newKey();
    const Condition = { StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256', 'kms:MessageType': 'DIGEST' } };
    const bound = as('bound', { Effect: 'Allow', Action: 'kms:Sign', Resource: arn, Condition });
    expect(await signWith(bound, arn, { MessageType: 'DIGEST' })).toBe('done');
    expect(await signWith(bound, arn)).toBe('AccessDeniedException');
    const { arn: p384 } = await newKey('ECC_NIST_P384');
    const elsewhere = as('elsewhere', { Effect: 'Allow', Action: 'kms:Sign', Resource: '*', Condition });
    expect(await signWith(elsewhere, p384, { SigningAlgorithm: 'ECDSA_SHA_384', MessageType: 'DIGEST' })).toBe('AccessDeniedException');
  });

  test('by alias, the key is what counts; who makes an alias needs both', async () => {
    const { id, arn } = await newKey();
    const aliasArn = arn.replace(/key\/.*/, 'alias/made');
    const half = as('half', { Effect: 'Allow', Action: 'kms:CreateAlias', Resource: aliasArn });
    const make = (client: KMSClient) => nameOf(client.send(new CreateAliasCommand({ AliasName: 'alias/made', TargetKeyId: id })));
    expect(await make(half)).toBe('AccessDeniedException');
    expect(await make(as('whole', { Effect: 'Allow', Action: 'kms:CreateAlias', Resource: [aliasArn, arn] }))).toBe('done');
    expect(await signWith(as('by-alias', { Effect: 'Allow', Action: 'kms:Sign', Resource: aliasArn }), 'alias/made')).toBe(
      'AccessDeniedException',
    );
    expect(await signWith(as('by-key', { Effect: 'Allow', Action: 'kms:Sign', Resource: arn }), 'alias/made')).toBe('done');
    const Condition = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/made' } };
    expect(await signWith(as('abac', { Effect: 'Allow', Action: 'kms:Sign', Resource: '*', Condition }), arn)).toBe('done');
  });

  test('a key policy after which its author could not change it is refused', async () => {
    const { id } = await newKey();
    const locked = policy({
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${cloud.world.accountId}:role/nobody` },
      Action: 'kms:*',
      Resource: '*',
    });
    expect(await nameOf(kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy: locked })))).toBe('MalformedPolicyDocumentException');
    expect(await nameOf(kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy: '{}' })))).toBe('MalformedPolicyDocumentException');
    await kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy: locked, BypassPolicyLockoutSafetyCheck: true }));
    expect(await nameOf(kms.send(new GetKeyPolicyCommand({ KeyId: id })))).toBe('AccessDeniedException');
  });
});
