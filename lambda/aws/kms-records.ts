/**
 * The books of the CAs whose keys we hold, in the ledger:
 *
 *     SIGNER#<anchorId>   SERIALS    the secret that serial numbers are derived from
 *     SIGNED#<anchorId>   <serial>   a certificate: planned, then signed, perhaps revoked; kept for ever
 *     REVOKED#<anchorId>  <serial>   what the next CRL names: a list of its own, so that a CRL costs as much as it is long
 */
import { randomBytes } from 'node:crypto';
import { DeleteCommand, GetCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { SerialNumber } from '../../domain/pki/serial-number.js';
import type { CaRecords, Revocation, SignedCertificate } from '../ports/ca-records.js';
import type { Clock } from '../ports/clock.js';
import type { Item, Ledger } from './ledger.js';
import { rowsOf } from './rows-of.js';
import { conditionFailed, passesByItself, patiently } from './retry.js';

const SECRET_OCTETS = 32;
/** Enough to hide the latency, few enough to leave the table to others. */
const DELETES_AT_ONCE = 25;
const signedKey = (anchorId: string, serialNumber: SerialNumber) => ({ pk: `SIGNED#${anchorId}`, sk: serialNumber as string });
const revokedKey = (anchorId: string, serialNumber: SerialNumber) => ({ pk: `REVOKED#${anchorId}`, sk: serialNumber as string });
const withoutKey = ({ pk: _pk, sk, ...rest }: Item): Item => ({ serialNumber: sk, ...rest });

export function dynamoCaRecords({ client, table: TableName }: Ledger, clock: Clock): CaRecords {
  const secrets = new Map<string, Uint8Array>();

  async function item(Key: Record<string, string>): Promise<Item | undefined> {
    return (await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item;
  }

  async function get(anchorId: string, serialNumber: SerialNumber): Promise<SignedCertificate | undefined> {
    const found = await item(signedKey(anchorId, serialNumber));
    // Revoked without having been signed here: known by its serial number only.
    return found?.['plannedAtMs'] === undefined ? undefined : (withoutKey(found) as unknown as SignedCertificate);
  }

  /** Resolves to `false` where something is there already. */
  async function putFirst(Item: Record<string, unknown>): Promise<boolean> {
    try {
      await client.send(new PutCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }));
      return true;
    } catch (error) {
      if (conditionFailed(error)) return false;
      throw error;
    }
  }

  return {
    get,

    async serialSecret(anchorId) {
      const kept = secrets.get(anchorId);
      if (kept !== undefined) return kept;
      const Key = { pk: `SIGNER#${anchorId}`, sk: 'SERIALS' };
      if ((await item(Key)) === undefined) await putFirst({ ...Key, secret: randomBytes(SECRET_OCTETS).toString('hex') });
      const stored = (await item(Key))?.['secret'];
      const secret = Buffer.from(typeof stored === 'string' ? stored : '', 'hex');
      if (secret.length !== SECRET_OCTETS) throw new Error(`signer of ${anchorId}: the secret of its serial numbers cannot be read`);
      secrets.set(anchorId, secret);
      return secret;
    },

    async plan(anchorId, { serialNumber, ...certificate }) {
      await putFirst({ ...signedKey(anchorId, serialNumber), ...certificate });
      const stands = await get(anchorId, serialNumber);
      if (stands === undefined) throw new Error(`signer of ${anchorId}: ${serialNumber} was written a moment ago, and cannot be read`);
      return stands;
    },

    async keep(anchorId, serialNumber, certificatePem) {
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key: signedKey(anchorId, serialNumber),
            UpdateExpression: 'SET certificatePem = :pem',
            ConditionExpression: 'attribute_exists(plannedAtMs) AND attribute_not_exists(certificatePem)',
            ExpressionAttributeValues: { ':pem': certificatePem },
          }),
        );
      } catch (error) {
        if (!conditionFailed(error)) throw error;
      }
    },

    async revoke(anchorId, { serialNumber, ...revocation }) {
      const { revokedAtMs, reason } = revocation;
      const TransactItems = [
        {
          Update: {
            TableName,
            Key: signedKey(anchorId, serialNumber),
            UpdateExpression: 'SET revokedAtMs = :at, revocationReason = :reason',
            ConditionExpression: 'attribute_not_exists(revokedAtMs)',
            ExpressionAttributeValues: { ':at': revokedAtMs, ':reason': reason },
          },
        },
        { Put: { TableName, Item: { ...revokedKey(anchorId, serialNumber), ...revocation } } },
      ];
      try {
        await patiently(clock, passesByItself, () => client.send(new TransactWriteCommand({ TransactItems })));
        return true;
      } catch (error) {
        if (conditionFailed(error)) return false;
        throw error;
      }
    },

    async *revoked(anchorId) {
      // In the order of the sort key, which is the serial number (DynamoDB developer guide, Query).
      for await (const found of rowsOf({ client, table: TableName }, `REVOKED#${anchorId}`))
        yield withoutKey(found) as unknown as Revocation;
    },

    async drop(anchorId, serialNumbers) {
      // The certificates of a campaign end in the same days, so they leave the list together too.
      for (let start = 0; start < serialNumbers.length; start += DELETES_AT_ONCE) {
        const some = serialNumbers.slice(start, start + DELETES_AT_ONCE);
        await Promise.all(
          some.map((serialNumber) => client.send(new DeleteCommand({ TableName, Key: revokedKey(anchorId, serialNumber) }))),
        );
      }
    },
  };
}
