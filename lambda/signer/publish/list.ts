import { createHash } from 'node:crypto';
import type { CaRecords, Revocation } from '../../ports/ca-records.js';

/** Everything that the next CRL names, ascending by serial number, so that one list has one digest. */
export async function listRevoked(records: Pick<CaRecords, 'revoked'>, anchorId: string): Promise<readonly Revocation[]> {
  const all: Revocation[] = [];
  for await (const revocation of records.revoked(anchorId)) all.push(revocation);
  return all.sort((a, b) => (a.serialNumber < b.serialNumber ? -1 : 1));
}

export function digestOf(revoked: readonly Revocation[]): string {
  const digest = createHash('sha256');
  for (const { serialNumber, revokedAtMs, reason } of revoked) digest.update(`${serialNumber}/${revokedAtMs}/${reason}\n`);
  return digest.digest('hex');
}
