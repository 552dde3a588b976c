import type { PolicyDocument } from '../../iam/principal.js';
import { AwsError } from '../../models/service.js';
import { KEY_SPECS, type KeyPair } from './key-specs.js';

export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';

/** A KMS key: an asymmetric key pair for signing, which never leaves this object. */
export interface KmsKey {
  readonly keyId: string;
  readonly arn: string;
  readonly accountId: string;
  readonly spec: string;
  readonly multiRegion: boolean;
  readonly createdAt: Date;
  readonly pair: KeyPair;
  description: string;
  state: KeyState;
  deletionAt?: Date;
  /** As it was given, and read. */
  policy: { readonly text: string; readonly document: PolicyDocument };
  readonly tags: Map<string, string>;
}

export function metadataOf(key: KmsKey): Record<string, unknown> {
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: key.createdAt,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: 'SIGN_VERIFY',
    KeyState: key.state,
    ...(key.deletionAt ? { DeletionDate: key.deletionAt } : {}),
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    SigningAlgorithms: KEY_SPECS[key.spec]?.algorithms,
    MultiRegion: key.multiRegion,
  };
}

/** For what uses the key (developer guide, "Key states": errors 1 and 3). */
export function usable(key: KmsKey): KmsKey {
  if (key.state === 'Disabled') throw new AwsError('DisabledException', `${key.arn} is disabled.`);
  return notPendingDeletion(key);
}

/** For what manages it. */
export function notPendingDeletion(key: KmsKey): KmsKey {
  if (key.state === 'PendingDeletion') throw new AwsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
  return key;
}
