/** AWS::KMS::Key and AWS::KMS::Alias (CloudFormation template reference, AWS KMS). */
import { booleanOf, numberOf, onlyServed, present, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

const key: Provider = async (properties, { cloud }) => {
  onlyServed(properties, [
    'BypassPolicyLockoutSafetyCheck',
    'Description',
    'EnableKeyRotation',
    'Enabled',
    'KeyPolicy',
    'KeySpec',
    'KeyUsage',
    'MultiRegion',
    'Origin',
    'PendingWindowInDays',
    'Tags',
  ]);
  // KMS rotates symmetric keys only (AWS::KMS::Key, EnableKeyRotation).
  if (booleanOf(properties, 'EnableKeyRotation'))
    throw new Error('EnableKeyRotation: got true, expected false: asymmetric keys are not rotated');
  const policy = properties.KeyPolicy;
  numberOf(properties, 'PendingWindowInDays'); // of the deletion, which the desk does not do
  const { KeyMetadata } = await cloud.call<{ KeyMetadata: { readonly KeyId: string; readonly Arn: string } }>(
    'kms',
    'CreateKey',
    present({
      Description: textOf(properties, 'Description'),
      KeySpec: textOf(properties, 'KeySpec'),
      KeyUsage: textOf(properties, 'KeyUsage'),
      Origin: textOf(properties, 'Origin'),
      MultiRegion: booleanOf(properties, 'MultiRegion'),
      BypassPolicyLockoutSafetyCheck: booleanOf(properties, 'BypassPolicyLockoutSafetyCheck'),
      Policy: policy === undefined ? undefined : typeof policy === 'string' ? policy : JSON.stringify(policy),
      Tags: ((properties.Tags ?? []) as readonly { Key: string; Value: string }[]).map(({ Key, Value }) => ({
        TagKey: Key,
        TagValue: Value,
      })),
    }),
  );
  const { KeyId, Arn } = KeyMetadata;
  if (booleanOf(properties, 'Enabled') === false) await cloud.call('kms', 'DisableKey', { KeyId });
  return { ref: KeyId, attributes: { Arn, KeyId } };
};

const alias: Provider = async (properties, { cloud }) => {
  onlyServed(properties, ['AliasName', 'TargetKeyId']);
  const { AliasName, TargetKeyId } = properties;
  await cloud.call('kms', 'CreateAlias', { AliasName, TargetKeyId });
  return { ref: String(AliasName), attributes: { AliasName } };
};

export const providers: Providers = { 'AWS::KMS::Key': key, 'AWS::KMS::Alias': alias };
