/**
 * How the inventory lies in its table (docs/adr/0005-inventory-single-table.md):
 *
 *     pk                                    sk                    what
 *     CERT#<certificateId>                  CERT                  the record
 *     CERT#<certificateId>                  RECONCILED            the run of `reconcile` that last found it in the registry
 *     SERIAL#<issuerId>#<serialNumber>      CERT#<certificateId>  from serial number to certificate: a pointer, nothing to fall out of step
 *     SERIAL#<issuerId>#<serialNumber>      REVOCATION            what is known of its revocation, also before it was ever registered
 *     COUNT                                 ACTIVE                how many are ACTIVE
 *     CLIENT#<clientId>                     CERT#<certificateId>  seen under a client id that is not its thing's name; goes after six weeks
 */
import { z } from 'zod';
import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { serialNumberFromHex, type SerialNumber } from '../../domain/pki/serial-number.js';
import { RevokeMessage, REVOKE_OUTCOMES } from '../../domain/protocol/revocation.js';
import { INVENTORY_SOURCES, type CertificateRecord, type RevocationRecord } from '../ports/inventory.js';

export type Key = Readonly<Record<'pk' | 'sk', string>>;

export const certificateKey = (id: CertificateId): Key => ({ pk: `CERT#${id}`, sk: 'CERT' });
export const reconciledKey = (id: CertificateId): Key => ({ pk: `CERT#${id}`, sk: 'RECONCILED' });
export const serialPartition = (issuerId: string, serial: SerialNumber): string => `SERIAL#${issuerId}#${serial}`;
export const revocationKey = (issuerId: string, serial: SerialNumber): Key => ({ pk: serialPartition(issuerId, serial), sk: 'REVOCATION' });
export const clientIdPartition = (clientId: string): string => `CLIENT#${clientId}`;
export const useKey = (clientId: string, id: CertificateId): Key => ({ pk: clientIdPartition(clientId), sk: `CERT#${id}` });
export const pointerKey = (record: CertificateRecord): Key => ({
  pk: serialPartition(record.issuerId, record.serialNumber),
  sk: `CERT#${record.certificateId}`,
});
export const ACTIVE_COUNT_KEY: Key = { pk: 'COUNT', sk: 'ACTIVE' };

export const SHARDS = '0123456789abcdef';

/** Value of the index attribute of `byStatus`. */
export const statusShard = (status: string, shard: string): string => `${status}#${shard}`;

const CertificateItem = z.object({
  certificateId: z.string().transform(certificateId),
  issuerId: z.string(),
  serialNumber: z.string().transform(serialNumberFromHex),
  certificateArn: z.string().optional(),
  thingName: z.string().transform(thingName).optional(),
  clientId: z.string().optional(),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  status: z.enum([
    'ACTIVE',
    'INACTIVE',
    'REVOKED',
    'PENDING_TRANSFER',
    'REGISTER_INACTIVE',
    'PENDING_ACTIVATION',
    'NOT_REGISTERED',
    'DELETED',
  ]),
  statusReason: z.string().optional(),
  source: z.enum(INVENTORY_SOURCES),
  lastSeenAtMs: z.number().optional(),
  version: z.number().int(),
});

export interface StoredCertificate {
  readonly record: CertificateRecord;
  /** Goes up with every write of the item: the condition of the next write. */
  readonly version: number;
}

/** Throws on an item that is none of ours: an unreadable record is an error, never "unknown certificate". */
export function certificateFrom(item: unknown): StoredCertificate {
  const { version, notBefore, notAfter, ...rest } = CertificateItem.parse(item);
  return { version, record: { ...rest, notBeforeMs: Date.parse(notBefore), notAfterMs: Date.parse(notAfter) } };
}

export function certificateItem({ record, version }: StoredCertificate): Record<string, unknown> {
  const { notBeforeMs, notAfterMs, ...rest } = record;
  const notAfter = new Date(notAfterMs).toISOString();
  return {
    ...certificateKey(record.certificateId),
    ...rest,
    notBefore: new Date(notBeforeMs).toISOString(),
    notAfter,
    expiryDay: notAfter.slice(0, 10),
    statusShard: statusShard(record.status, record.certificateId.charAt(0)),
    version,
  };
}

const RevocationItem = z.object({
  issuerId: z.string(),
  serialNumber: z.string().transform(serialNumberFromHex),
  state: z.enum(['acting', 'done']),
  outcome: z.enum(REVOKE_OUTCOMES).optional(),
  message: RevokeMessage,
  updatedAtMs: z.number(),
});

export const revocationFrom = (item: unknown): RevocationRecord => RevocationItem.parse(item);

export const revocationItem = (record: RevocationRecord): Record<string, unknown> => ({
  ...revocationKey(record.issuerId, record.serialNumber),
  ...record,
});
