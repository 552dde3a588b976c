/** Violations of the built-in monitor, as it has written them: who notifies something else has made it up. */
import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { SourcedViolation, ViolationSource } from '../ports/violations.js';
import type { Item, Ledger } from './ledger.js';
import { openKey, violationKey } from './violations-standings.js';

/** `profileName`: `securityProfileName` of what the monitor raises. */
export function monitorViolations({ client, table: TableName }: Ledger, profileName: string): ViolationSource {
  async function byId(violationId: string): Promise<SourcedViolation | undefined> {
    const { Item: found } = await client.send(new GetCommand({ TableName, Key: violationKey(violationId), ConsistentRead: true }));
    return found && violationFrom(found);
  }

  return {
    async read({ violationId, thingName, securityProfileName }) {
      if (securityProfileName !== profileName) return undefined;
      const found = await byId(violationId);
      return found?.thingName === thingName ? found : undefined;
    },

    async *openOf(thingName) {
      let ExclusiveStartKey: Record<string, unknown> | undefined;
      do {
        const page = await client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': openKey(thingName, '').pk },
            ConsistentRead: true,
            ExclusiveStartKey,
          }),
        );
        for (const { sk } of page.Items ?? []) {
          const found = await byId(String(sk));
          if (found?.isOpen) yield found;
        }
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey !== undefined);
    },
  };
}

interface StoredViolation extends Omit<SourcedViolation, 'behavior'> {
  readonly behavior: { readonly name: string };
}

function violationFrom(item: Item): SourcedViolation {
  const {
    violationId,
    thingName,
    behavior,
    securityProfileName,
    isOpen,
    lastEventType,
    startedAtMs,
    updatedAtMs,
    metricValue,
    verificationState,
  } = item as unknown as StoredViolation;
  return {
    violationId,
    thingName,
    behavior: behavior.name,
    securityProfileName,
    isOpen,
    lastEventType,
    startedAtMs,
    updatedAtMs,
    ...(metricValue === undefined ? {} : { metricValue }),
    ...(verificationState === undefined ? {} : { verificationState }),
  };
}
