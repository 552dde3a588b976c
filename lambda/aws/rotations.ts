/**
 * Rotations on DynamoDB. Writers do not lock: each names the version of the rotation that it has read, and reads again when somebody was
 * faster. So of two functions that want to bring one rotation forward at once, one does, and the other sees where it then stands.
 */
import { GetCommand, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import type { Clock } from '../ports/clock.js';
import type { Rotation, Rotations } from '../ports/rotations.js';
import { batchGet } from './dynamo-batch.js';
import type { Item, Ledger } from './ledger.js';
import { pagesOf } from './rows-of.js';
import { conditionFailed, passesByItself, patiently } from './retry.js';
import {
  LISTS,
  aliasKey,
  isOpen,
  stands,
  oldCertificateOf,
  publicKeyKey,
  rotationFrom,
  rotationKey,
  rotationWrites,
  type StoredRotation,
  type TransactItems,
} from './rotation-items.js';

const MAX_ATTEMPTS = 10;
/** Rotations read by one call while a list is walked. */
const CHUNK = 100;

/** What is to be written (`after` absent: nothing), and what to answer then. */
interface Step<T> {
  readonly result: T;
  readonly after?: Rotation;
  readonly also?: TransactItems;
}

export function dynamoRotations(ledger: Ledger, clock: Clock): Rotations {
  const { client, table: TableName } = ledger;

  async function item(Key: Record<string, string>): Promise<Item | undefined> {
    return (await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item;
  }

  async function stored(old: CertificateId): Promise<StoredRotation | undefined> {
    const found = await item(rotationKey(old));
    return found && rotationFrom(found);
  }

  /** `false`: somebody was faster. Throttled or met by another transaction: again, a little later. */
  async function write(TransactItems: TransactItems): Promise<boolean> {
    try {
      await patiently(clock, passesByItself, () => client.send(new TransactWriteCommand({ TransactItems })));
      return true;
    } catch (error) {
      if (conditionFailed(error)) return false;
      throw error;
    }
  }

  /** Reads, asks what is to be written, writes; reads again when somebody was faster. */
  async function change<T>(old: CertificateId, next: (before: StoredRotation | undefined) => Step<T> | Promise<Step<T>>): Promise<T> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const before = await stored(old);
      const { result, after, also = [] } = await next(before);
      if (after === undefined || (await write([...rotationWrites(TableName, before, after), ...also]))) return result;
    }
    throw new Error(`rotation of ${old}: lost ${MAX_ATTEMPTS} times to other writers`);
  }

  /** All rows of one partition up to `below`, in pages; the rotations that they lead to, as these are now. */
  async function* listed(pk: string, below?: string): AsyncGenerator<Rotation> {
    for await (const page of pagesOf(ledger, pk, { ...(below === undefined ? {} : { below }), limit: CHUNK })) {
      const ids = [...new Set(page.map(oldCertificateOf))];
      const found = new Map(
        (await batchGet(client, clock, TableName, ids.map(rotationKey))).map((one) => [oldCertificateOf(one), rotationFrom(one).rotation]),
      );
      for (const id of ids) {
        const rotation = found.get(id);
        if (rotation !== undefined) yield rotation;
      }
    }
  }

  return {
    async byOld(old) {
      return (await stored(old))?.rotation;
    },

    async byNew(fresh) {
      const alias = await item(aliasKey(fresh));
      if (alias === undefined) return undefined;
      const rotation = (await stored(oldCertificateOf(alias)))?.rotation;
      // Withdrawn, and opened anew since: then this certificate is no longer the new one of anything.
      return rotation?.newCertificateId === fresh ? rotation : undefined;
    },

    async *ofCampaign(campaignId) {
      for await (const rotation of listed(`CAMPAIGN#${campaignId}`)) if (rotation.campaignId === campaignId) yield rotation;
    },

    open: (rotation) =>
      change(rotation.oldCertificateId, (before) =>
        before !== undefined && stands(before.rotation) ? { result: false } : { after: rotation, result: true },
      ),

    reserve: (old, { csrSha256, newKeyId, atMs }) =>
      change<'reserved' | 'taken' | 'key-known' | 'not-open'>(old, async (before) => {
        if (before === undefined || !isOpen(before.rotation)) return { result: 'not-open' };
        if (before.rotation.csrSha256 !== undefined) return { result: 'taken' };
        if ((await item(publicKeyKey(newKeyId))) !== undefined) return { result: 'key-known' };
        return {
          after: { ...before.rotation, state: 'requested', csrSha256, newKeyId, updatedAtMs: atMs },
          also: [
            {
              Put: {
                TableName,
                Item: { ...publicKeyKey(newKeyId), rotationOf: old, atMs },
                ConditionExpression: 'attribute_not_exists(pk)',
              },
            },
          ],
          result: 'reserved',
        };
      }),

    move: (old, from, next) =>
      change<Rotation | undefined>(old, (before) => {
        if (before === undefined || !from.includes(before.rotation.state)) return { result: undefined };
        const after = { ...before.rotation, ...next };
        return { after, result: after };
      }),

    async *toRetire(nowMs) {
      for await (const rotation of listed(LISTS.retire, new Date(nowMs + 1).toISOString())) if (rotation.state === 'proved') yield rotation;
    },

    async *dueBefore(atMs) {
      for await (const rotation of listed(LISTS.deadline, new Date(atMs).toISOString())) if (isOpen(rotation)) yield rotation;
    },

    async keyIsKnown(keyId) {
      return (await item(publicKeyKey(keyId))) !== undefined;
    },

    async claimantOf(keyId) {
      const claim = (await item(publicKeyKey(keyId)))?.['rotationOf'];
      return typeof claim === 'string' ? certificateId(claim) : undefined;
    },

    async rememberKey(keyId, id) {
      try {
        await client.send(
          new PutCommand({
            TableName,
            Item: { ...publicKeyKey(keyId), certificateId: id },
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        );
      } catch (error) {
        if (!conditionFailed(error)) throw error;
      }
    },
  };
}
