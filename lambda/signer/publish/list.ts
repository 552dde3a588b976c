import { createHash } from 'node:crypto';
import type { CaRecords, Revocation } from '../../ports/ca-records.js';

/** Everything that the next CRL names. */
export async function listRevoked(records: Pick<CaRecords, 'revoked'>, anchorId: string): Promise<readonly Revocation[]> {
  const all: Revocation[] = [];
  for await (const revocation of records.revoked(anchorId)) all.push(revocation);
  return all;
}

/** One list, in the order of its serial numbers, has one digest. */
export function digestOf(revoked: readonly Revocation[]): string {
  const digest = createHash('sha256');
  for (const { serialNumber, revokedAtMs, reason } of revoked) digest.update(`${serialNumber}/${revokedAtMs}/${reason}\n`);
  return digest.digest('hex');
}
