import type { CertificateRecord, InventorySource, InventoryStatus } from '../ports/inventory.js';

/**
 * What a record is after `incoming` has told us of the same certificate. Absent fields keep what is there; what is older than what we
 * know changes nothing.
 *
 * Throws when issuer, serial number or validity differ: a certificateId names the content, so one of the two tellers is wrong, and a
 * revocation must not follow the wrong one.
 */
export function mergeRecord(stored: CertificateRecord | undefined, incoming: CertificateRecord): CertificateRecord {
  if (stored === undefined) return incoming;
  for (const field of ['issuerId', 'serialNumber', 'notBeforeMs', 'notAfterMs'] as const) {
    if (stored[field] !== incoming[field])
      throw new Error(`certificate ${incoming.certificateId}: got ${field} ${incoming[field]}, the inventory holds ${stored[field]}`);
  }
  const status = mergeStatus(stored.status, incoming.status);
  const newerSeen = incoming.lastSeenAtMs !== undefined && incoming.lastSeenAtMs > (stored.lastSeenAtMs ?? -Infinity);
  const merged: CertificateRecord = {
    ...stored,
    certificateArn: incoming.certificateArn ?? stored.certificateArn,
    thingName: incoming.thingName ?? stored.thingName,
    clientId: newerSeen || stored.clientId === undefined ? (incoming.clientId ?? stored.clientId) : stored.clientId,
    lastSeenAtMs: newerSeen ? incoming.lastSeenAtMs : stored.lastSeenAtMs,
    status,
    statusReason: status === stored.status ? (stored.statusReason ?? incoming.statusReason) : incoming.statusReason,
  };
  return isSame(stored, merged) ? stored : { ...merged, source: incoming.source };
}

/** The record after a change of its status; the same object when nothing changes. */
export function withStatus(
  stored: CertificateRecord,
  status: InventoryStatus,
  statusReason: string,
  source: InventorySource,
): CertificateRecord {
  return mergeStatus(stored.status, status) === stored.status ? stored : { ...stored, status, statusReason, source };
}

/**
 * REVOKED is for ever, as in AWS IoT: also when the certificate is deleted and registered again, its revocation stands. And NOT_REGISTERED
 * is what an issuance event says that comes late: it never undoes what the registry itself has said.
 */
function mergeStatus(stored: InventoryStatus, incoming: InventoryStatus): InventoryStatus {
  if (stored === 'REVOKED' || incoming === 'NOT_REGISTERED') return stored;
  return incoming;
}

function isSame(one: CertificateRecord, other: CertificateRecord): boolean {
  const fields = ['certificateArn', 'thingName', 'clientId', 'lastSeenAtMs', 'status', 'statusReason'] as const;
  return fields.every((field) => one[field] === other[field]);
}
