import { randomBytes, randomUUID } from 'node:crypto';
import type { Cloud } from '../../cloud.js';
import { parsePolicy } from '../../iam/policy.js';
import type { PolicyDocument, Principal } from '../../iam/principal.js';
import { AwsError } from '../../models/service.js';
import { KEY_SPECS, pairOf, specOf } from './key-specs.js';
import { notPendingDeletion, type KmsKey } from './key.js';

export interface Tag {
  readonly TagKey: string;
  readonly TagValue: string;
}

export interface CreateKeyInput {
  readonly Policy?: string;
  readonly Description?: string;
  readonly KeyUsage?: string;
  readonly KeySpec?: string;
  readonly CustomerMasterKeySpec?: string;
  readonly Origin?: string;
  readonly MultiRegion?: boolean;
  readonly BypassPolicyLockoutSafetyCheck?: boolean;
  readonly Tags?: readonly Tag[];
}

/** A key that is there when the desk starts. */
export interface ExistingKey {
  /** UUID. */
  readonly keyId: string;
  /** PKCS #8. */
  readonly privateKeyPem: string;
}

interface Alias {
  readonly arn: string;
  readonly keyId: string;
  readonly createdAt: Date;
}

const ALIAS_NAME = /^alias\/[a-zA-Z0-9/_-]{1,250}$/;
const LONGEST_POLICY = 32_768;

/** The keys of the account and their aliases. */
export class Keys {
  private readonly keys = new Map<string, KmsKey>();
  readonly aliases = new Map<string, Alias>();

  constructor(private readonly cloud: Cloud) {}

  private arn(resource: string): string {
    const { partition, region, accountId } = this.cloud.world;
    return `arn:${partition}:kms:${region}:${accountId}:${resource}`;
  }

  aliasArn(name: string): string {
    return this.arn(name);
  }

  all(): readonly KmsKey[] {
    return [...this.keys.values()];
  }

  aliasesOf({ keyId }: KmsKey): readonly string[] {
    return [...this.aliases].filter(([, alias]) => alias.keyId === keyId).map(([name]) => name);
  }

  /** By id, ARN, alias or ARN of an alias. */
  find(id: string): KmsKey | undefined {
    const name = id.startsWith('arn:') ? id.split(':').slice(5).join(':') : id;
    if (name.startsWith('alias/')) return this.keys.get(this.aliases.get(name)?.keyId ?? '');
    const key = this.keys.get(name.replace(/^key\//, ''));
    return key && (!id.startsWith('arn:') || key.arn === id) ? key : undefined;
  }

  get(id: string): KmsKey {
    const key = this.find(id);
    if (key) return key;
    if (/(^|:)alias\//.test(id))
      throw new AwsError('NotFoundException', `Alias ${id.startsWith('arn:') ? id : this.arn(id)} is not found.`);
    throw new AwsError('NotFoundException', `Key '${id.startsWith('arn:') ? id : this.arn(`key/${id}`)}' does not exist`);
  }

  /** For operations that take no alias: PutKeyPolicy, TagResource, CreateAlias … (their API reference, KeyId). */
  getByIdOrArn(id: string): KmsKey {
    if (/(^|:)alias\//.test(id)) throw new AwsError('InvalidArnException', `Invalid keyId ${id}`);
    return this.get(id);
  }

  async create(input: CreateKeyInput, principal: Principal): Promise<KmsKey> {
    const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
    const known = KEY_SPECS[spec];
    // Refused, not imitated: nothing at the desk encrypts, and a key that would not decrypt on AWS is worse than none.
    if (!known)
      throw new AwsError('UnsupportedOperationException', `KeySpec: got ${spec}, the desk has ${Object.keys(KEY_SPECS).join(', ')}.`);
    if (input.KeyUsage !== 'SIGN_VERIFY')
      throw new AwsError('ValidationException', `KeyUsage: got ${input.KeyUsage ?? 'ENCRYPT_DECRYPT'}, the desk has SIGN_VERIFY.`);
    if (input.Origin !== undefined && input.Origin !== 'AWS_KMS')
      throw new AwsError('UnsupportedOperationException', `Origin: got ${input.Origin}, the desk has AWS_KMS.`);
    const multiRegion = input.MultiRegion ?? false;
    const keyId = multiRegion ? `mrk-${randomBytes(16).toString('hex')}` : randomUUID();
    const arn = this.arn(`key/${keyId}`);
    const policy = this.readPolicy(input.Policy ?? this.defaultPolicy(), arn, principal, input.BypassPolicyLockoutSafetyCheck ?? false);
    const key: KmsKey = {
      keyId,
      arn,
      accountId: this.cloud.world.accountId,
      spec,
      multiRegion,
      createdAt: this.cloud.world.clock.date(),
      pair: await known.create(),
      description: input.Description ?? '',
      state: 'Enabled',
      policy,
      tags: new Map((input.Tags ?? []).map(({ TagKey, TagValue }) => [TagKey, TagValue])),
    };
    this.keys.set(keyId, key);
    return key;
  }

  /** A key of this account from before the desk was started: its certificate may be in what is deployed. With the default policy. */
  adopt({ keyId, privateKeyPem }: ExistingKey): void {
    const pair = pairOf(privateKeyPem);
    const text = this.defaultPolicy();
    this.keys.set(keyId, {
      keyId,
      arn: this.arn(`key/${keyId}`),
      accountId: this.cloud.world.accountId,
      spec: specOf(pair.publicKey),
      multiRegion: false,
      createdAt: this.cloud.world.clock.date(),
      pair,
      description: '',
      state: 'Enabled',
      policy: { text, document: JSON.parse(text) as PolicyDocument },
      tags: new Map(),
    });
  }

  /** "Gives the AWS account full access and enables IAM policies" (developer guide, "Default key policy"), of a key that was made by the API. */
  private defaultPolicy(): string {
    const { partition, accountId } = this.cloud.world;
    return JSON.stringify({
      Version: '2012-10-17',
      Id: 'key-default-1',
      Statement: [
        {
          Sid: 'Enable IAM User Permissions',
          Effect: 'Allow',
          Principal: { AWS: `arn:${partition}:iam::${accountId}:root` },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    });
  }

  /** Throws MalformedPolicyDocumentException, also where the caller could not change the policy again (the lock-out safety check). */
  private readPolicy(text: string, arn: string, principal: Principal, bypass: boolean): KmsKey['policy'] {
    if (text.length > LONGEST_POLICY)
      throw new AwsError('LimitExceededException', `Policy: got ${text.length} characters, expected 32768.`);
    let document: PolicyDocument;
    try {
      document = JSON.parse(text) as PolicyDocument;
      parsePolicy(document, 'resource');
    } catch (error) {
      throw new AwsError('MalformedPolicyDocumentException', (error as Error).message);
    }
    const request = { action: 'kms:PutKeyPolicy', resource: arn, resourcePolicyDelegates: true } as const;
    if (!bypass && !this.cloud.iam.decide(principal, request, [document]).allowed)
      throw new AwsError(
        'MalformedPolicyDocumentException',
        'The new key policy will not allow you to update the key policy in the future.',
      );
    return { text, document };
  }

  putPolicy(key: KmsKey, text: string, principal: Principal, bypass: boolean): void {
    key.policy = this.readPolicy(text, key.arn, principal, bypass);
  }

  createAlias(name: string, key: KmsKey): void {
    if (!ALIAS_NAME.test(name)) throw new AwsError('InvalidAliasNameException', 'Alias must start with the prefix "alias/".');
    if (name.startsWith('alias/aws/')) throw new AwsError('NotAuthorizedException', 'Aliases with the prefix alias/aws/ are reserved.');
    const arn = this.arn(name);
    if (this.aliases.has(name)) throw new AwsError('AlreadyExistsException', `An alias with the name ${arn} already exists`);
    this.aliases.set(name, { arn, keyId: notPendingDeletion(key).keyId, createdAt: this.cloud.world.clock.date() });
  }

  deleteAlias(name: string): void {
    if (!this.aliases.delete(name)) throw new AwsError('NotFoundException', `Alias ${this.arn(name)} is not found.`);
  }

  scheduleDeletion(key: KmsKey, days: number): Date {
    if (days < 7 || days > 30) throw new AwsError('ValidationException', `PendingWindowInDays: got ${days}, expected 7 to 30`);
    const { clock } = this.cloud.world;
    const deletionAt = new Date(clock.nowMs() + days * 86_400_000);
    notPendingDeletion(key).state = 'PendingDeletion';
    key.deletionAt = deletionAt;
    clock.after(days * 86_400_000, () => {
      if (key.deletionAt !== deletionAt) return;
      for (const alias of this.aliasesOf(key)) this.aliases.delete(alias);
      this.keys.delete(key.keyId);
    });
    return deletionAt;
  }
}
