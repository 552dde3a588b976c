/** Violations of the built-in monitor, as it has written them: who notifies something else has made it up. */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { SourcedViolation, WholeViolationSource } from '../ports/violations.js';
import type { Item, Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';
import { notBenign } from './violations-benign.js';
import { openKey, standingKey, violationKey } from './violations-standings.js';

/** `profileName`: `securityProfileName` of what the monitor raises. */
export function monitorViolations({ client, table: TableName }: Ledger, profileName: string): WholeViolationSource {
  const item = async (Key: Record<string, string>): Promise<Item | undefined> =>
    (await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item;

  async function byId(violationId: string): Promise<SourcedViolation | undefined> {
    const found = await item(violationKey(violationId));
    return found && violationFrom(found);
  }

  /** The violation is written when it begins and when it ends; what came in between stands where it is counted. */
  async function openById(violationId: string): Promise<SourcedViolation | undefined> {
    const found = await item(violationKey(violationId));
    if (found?.['isOpen'] !== true) return undefined;
    const violation = violationFrom(found);
    const standing = await item(standingKey(String(found['clientId']), violation.behavior));
    const isOfIt = standing?.['violationId'] === violationId;
    return isOfIt ? { ...violation, seenAtMs: Math.max(violation.updatedAtMs, Number(standing['updatedAtMs'])) } : violation;
  }

  async function* allOpenOf(thingName: string): AsyncGenerator<SourcedViolation> {
    for await (const { sk } of rowsOf({ client, table: TableName }, openKey(thingName, '').pk)) {
      const found = await openById(String(sk));
      if (found !== undefined) yield found;
    }
  }

  return {
    async read({ violationId, thingName, securityProfileName }) {
      if (securityProfileName !== profileName) return undefined;
      const found = await byId(violationId);
      return found?.thingName === thingName ? found : undefined;
    },

    allOpenOf,
    openOf: (thingName) => notBenign(allOpenOf(thingName)),
  };
}

interface StoredViolation extends Omit<SourcedViolation, 'behavior' | 'metric' | 'seenAtMs'> {
  readonly behavior: { readonly name: string; readonly metric?: string };
}

function violationFrom(item: Item): SourcedViolation {
  const {
    violationId,
    thingName,
    clientId,
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
    ...(clientId === undefined ? {} : { clientId }),
    behavior: behavior.name,
    ...(behavior.metric === undefined ? {} : { metric: behavior.metric }),
    securityProfileName,
    isOpen,
    lastEventType,
    startedAtMs,
    updatedAtMs,
    ...(metricValue === undefined ? {} : { metricValue }),
    ...(verificationState === undefined ? {} : { verificationState }),
  };
}
