import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { SettingsRecord } from '../ports/account-settings.js';
import type { Ledger } from './ledger.js';

/** `SETTING` / name of the setting: a set of ARNs that only grows. */
export function dynamoSettingsRecord({ client, table: TableName }: Ledger): SettingsRecord {
  const key = (setting: string) => ({ pk: 'SETTING', sk: setting });
  return {
    async ours(setting) {
      const { Item } = await client.send(new GetCommand({ TableName, Key: key(setting), ConsistentRead: true }));
      return (Item?.['arns'] as ReadonlySet<string> | undefined) ?? new Set();
    },
    async remember(setting, arns) {
      if (arns.length === 0) return; // DynamoDB has no empty set
      await client.send(
        new UpdateCommand({
          TableName,
          Key: key(setting),
          UpdateExpression: 'ADD arns :arns',
          ExpressionAttributeValues: { ':arns': new Set(arns) },
        }),
      );
    },
  };
}
