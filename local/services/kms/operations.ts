import { AwsError, type Call, type Operation } from '../../models/service.js';
import { inPages } from '../pages.js';
import { KEY_SPECS, sign, verify } from './key-specs.js';
import { metadataOf, notPendingDeletion, usable, type KmsKey } from './key.js';
import type { CreateKeyInput, Keys, Tag } from './keys.js';

interface OfKey {
  readonly KeyId: string;
}
interface Paged {
  readonly Limit?: number;
  readonly Marker?: string;
}
interface SignInput extends OfKey {
  readonly Message: Uint8Array;
  readonly MessageType?: string;
  readonly SigningAlgorithm: string;
  readonly Signature: Uint8Array;
}

function pageOf<T>(all: readonly T[], { Limit = 100, Marker }: Paged): { page: readonly T[]; rest: Record<string, unknown> } {
  const { page, nextToken } = inPages(all, Limit, Marker, 'InvalidMarkerException');
  return { page, rest: { Truncated: nextToken !== undefined, ...(nextToken === undefined ? {} : { NextMarker: nextToken }) } };
}

/** The key, where it is enabled and has that algorithm. */
function signer(keys: Keys, { KeyId, SigningAlgorithm }: SignInput): KmsKey {
  const key = usable(keys.get(KeyId));
  if (!KEY_SPECS[key.spec]?.algorithms.includes(SigningAlgorithm))
    throw new AwsError('InvalidKeyUsageException', `Algorithm ${SigningAlgorithm} is incompatible with key spec ${key.spec}.`);
  return key;
}

/** The one policy that a key has (API_GetKeyPolicy). */
function onlyDefault(name: string | undefined): void {
  if (name !== undefined && name !== 'default')
    throw new AwsError('NotFoundException', `No such policy exists: got '${name}', expected 'default'.`);
}

export function kmsOperations(keys: Keys): Readonly<Record<string, Operation>> {
  return {
    CreateKey: async (input: CreateKeyInput, { principal }: Call) => ({ KeyMetadata: metadataOf(await keys.create(input, principal)) }),
    DescribeKey: ({ KeyId }: OfKey) => ({ KeyMetadata: metadataOf(keys.get(KeyId)) }),
    ListKeys: (input: Paged) => {
      const { page, rest } = pageOf(keys.all(), input);
      return { Keys: page.map(({ keyId, arn }) => ({ KeyId: keyId, KeyArn: arn })), ...rest };
    },
    GetPublicKey: ({ KeyId }: OfKey) => {
      const key = usable(keys.get(KeyId));
      return {
        KeyId: key.arn,
        PublicKey: new Uint8Array(key.pair.publicKey.export({ type: 'spki', format: 'der' })),
        CustomerMasterKeySpec: key.spec,
        KeySpec: key.spec,
        KeyUsage: 'SIGN_VERIFY',
        SigningAlgorithms: KEY_SPECS[key.spec]?.algorithms,
      };
    },
    Sign: (input: SignInput) => {
      const key = signer(keys, input);
      const Signature = new Uint8Array(sign(key.pair, input.SigningAlgorithm, input.Message, input.MessageType ?? 'RAW'));
      return { KeyId: key.arn, Signature, SigningAlgorithm: input.SigningAlgorithm };
    },
    Verify: (input: SignInput) => {
      const key = signer(keys, input);
      if (!verify(key.pair, input.SigningAlgorithm, input.Message, input.MessageType ?? 'RAW', input.Signature))
        throw new AwsError('KMSInvalidSignatureException', 'The signature is not valid.');
      return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm };
    },
    EnableKey: ({ KeyId }: OfKey) => {
      notPendingDeletion(keys.getByIdOrArn(KeyId)).state = 'Enabled';
      return {};
    },
    DisableKey: ({ KeyId }: OfKey) => {
      notPendingDeletion(keys.getByIdOrArn(KeyId)).state = 'Disabled';
      return {};
    },
    ScheduleKeyDeletion: ({ KeyId, PendingWindowInDays = 30 }: OfKey & { PendingWindowInDays?: number }) => {
      const key = keys.getByIdOrArn(KeyId);
      const DeletionDate = keys.scheduleDeletion(key, PendingWindowInDays);
      return { KeyId: key.arn, DeletionDate, KeyState: key.state, PendingWindowInDays };
    },
    CancelKeyDeletion: ({ KeyId }: OfKey) => {
      const key = keys.getByIdOrArn(KeyId);
      if (key.state !== 'PendingDeletion') throw new AwsError('KMSInvalidStateException', `${key.arn} is not pending deletion.`);
      key.state = 'Disabled';
      delete key.deletionAt;
      return { KeyId: key.arn };
    },
    UpdateKeyDescription: ({ KeyId, Description }: OfKey & { Description: string }) => {
      notPendingDeletion(keys.getByIdOrArn(KeyId)).description = Description;
      return {};
    },
    GetKeyPolicy: ({ KeyId, PolicyName }: OfKey & { PolicyName?: string }) => {
      onlyDefault(PolicyName);
      return { Policy: keys.getByIdOrArn(KeyId).policy.text, PolicyName: 'default' };
    },
    PutKeyPolicy: (
      input: OfKey & { PolicyName?: string; Policy: string; BypassPolicyLockoutSafetyCheck?: boolean },
      { principal }: Call,
    ) => {
      onlyDefault(input.PolicyName);
      keys.putPolicy(keys.getByIdOrArn(input.KeyId), input.Policy, principal, input.BypassPolicyLockoutSafetyCheck ?? false);
      return {};
    },
    ListKeyPolicies: ({ KeyId }: OfKey) => {
      keys.getByIdOrArn(KeyId);
      return { PolicyNames: ['default'], Truncated: false };
    },
    CreateAlias: ({ AliasName, TargetKeyId }: { AliasName: string; TargetKeyId: string }) => {
      keys.createAlias(AliasName, keys.getByIdOrArn(TargetKeyId));
      return {};
    },
    DeleteAlias: ({ AliasName }: { AliasName: string }) => {
      keys.deleteAlias(AliasName);
      return {};
    },
    ListAliases: (input: Paged & { KeyId?: string }) => {
      const only = input.KeyId === undefined ? undefined : keys.getByIdOrArn(input.KeyId).keyId;
      const all = [...keys.aliases].filter(([, { keyId }]) => only === undefined || keyId === only);
      const { page, rest } = pageOf(all, input);
      const listed = page.map(([AliasName, { arn, keyId, createdAt }]) => ({
        AliasName,
        AliasArn: arn,
        TargetKeyId: keyId,
        CreationDate: createdAt,
        LastUpdatedDate: createdAt,
      }));
      return { Aliases: listed, ...rest };
    },
    TagResource: ({ KeyId, Tags }: OfKey & { Tags: readonly Tag[] }) => {
      const key = notPendingDeletion(keys.getByIdOrArn(KeyId));
      for (const { TagKey, TagValue } of Tags) key.tags.set(TagKey, TagValue);
      return {};
    },
    UntagResource: ({ KeyId, TagKeys }: OfKey & { TagKeys: readonly string[] }) => {
      const key = notPendingDeletion(keys.getByIdOrArn(KeyId));
      for (const name of TagKeys) key.tags.delete(name);
      return {};
    },
    ListResourceTags: (input: OfKey & Paged) => {
      const { page, rest } = pageOf([...keys.getByIdOrArn(input.KeyId).tags], input);
      return { Tags: page.map(([TagKey, TagValue]) => ({ TagKey, TagValue })), ...rest };
    },
  };
}
