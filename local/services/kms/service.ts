/** AWS KMS: asymmetric keys that sign, with the authorisation that is its own. What differs from AWS: README.md beside this file. */
import type { Cloud } from '../../cloud.js';
import type { AccessRequest } from '../../iam/principal.js';
import type { AwsService } from '../../models/service.js';
import type { KmsKey } from './key.js';
import { type ExistingKey, Keys } from './keys.js';
import { kmsOperations } from './operations.js';

type Input = Readonly<Record<string, unknown>>;

/** Their resource is not a key (KMS developer guide, "Permissions reference"). */
const OF_THE_ACCOUNT = new Set(['ListKeys', 'ListAliases', 'CreateKey']);

export interface KmsOptions {
  /** Keys that are there from the beginning. @default none */
  readonly keys?: readonly ExistingKey[];
}

export function createKms(cloud: Cloud, options: KmsOptions = {}): AwsService {
  const keys = new Keys(cloud);
  for (const key of options.keys ?? []) keys.adopt(key);
  return {
    name: 'kms',
    signingNames: ['kms'],
    operations: kmsOperations(keys),
    access: (operation, input) => accessOf(keys, operation, input),
    resourcePolicies: (arn) => {
      const key = keys.find(arn);
      return key && key.arn === arn ? [key.policy.document] : [];
    },
  };
}

function accessOf(keys: Keys, operation: string, input: Input): readonly AccessRequest[] {
  const action = `kms:${operation}`;
  if (OF_THE_ACCOUNT.has(operation)) return [{ action, resource: '*', context: contextOfRequest(input) }];
  const text = (name: string): string => (typeof input[name] === 'string' ? input[name] : '');
  // Who changes an alias changes the key too: both must be allowed ("Controlling access to aliases").
  if (operation === 'CreateAlias' || operation === 'DeleteAlias') {
    const alias = text('AliasName');
    const key = keys.find(operation === 'CreateAlias' ? text('TargetKeyId') : alias);
    return [{ action, resource: keys.aliasArn(alias) }, ...(key ? [ofKey(keys, action, key, input)] : [])];
  }
  const id = text('KeyId');
  const key = keys.find(id);
  // A key that is not there has no policy: who may do it anywhere is told that it is not there, others are denied.
  return [key ? ofKey(keys, action, key, input) : { action, resource: id.startsWith('arn:') ? id : keys.aliasArn(`key/${id}`) }];
}

/** "Unless the key policy explicitly allows it, you cannot use IAM policies to allow access" (developer guide, "Key policies"). */
function ofKey(keys: Keys, action: string, key: KmsKey, input: Input): AccessRequest {
  const id = typeof input['KeyId'] === 'string' ? input['KeyId'] : '';
  const [alias] = /alias\/.+$/.exec(id) ?? [];
  return {
    action,
    resource: key.arn,
    resourcePolicyDelegates: true,
    context: {
      ...contextOfRequest(input),
      'kms:CallerAccount': key.accountId,
      'kms:KeySpec': key.spec,
      'kms:KeyUsage': 'SIGN_VERIFY',
      'kms:KeyOrigin': 'AWS_KMS',
      'kms:MultiRegion': String(key.multiRegion),
      'kms:ResourceAliases': keys.aliasesOf(key),
      ...(alias === undefined ? {} : { 'kms:RequestAlias': alias }),
      ...Object.fromEntries([...key.tags].map(([name, value]) => [`aws:ResourceTag/${name}`, value])),
    },
  };
}

/** Condition keys that come from members of the request (developer guide, "AWS KMS condition keys"); a default counts as given. */
function contextOfRequest(input: Input): Record<string, string> {
  const pairs: [string, unknown][] = [
    ['kms:SigningAlgorithm', input['SigningAlgorithm']],
    ['kms:MessageType', input['SigningAlgorithm'] === undefined ? undefined : (input['MessageType'] ?? 'RAW')],
    ['kms:KeySpec', input['KeySpec'] ?? input['CustomerMasterKeySpec']],
    ['kms:KeyUsage', input['KeyUsage']],
    ['kms:BypassPolicyLockoutSafetyCheck', input['BypassPolicyLockoutSafetyCheck']],
    ['kms:ScheduleKeyDeletionPendingWindowInDays', input['PendingWindowInDays']],
  ];
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]));
}
