import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import type { SerialNumber } from '../../domain/pki/serial-number.js';
import type { CertificateRecord, InventoryStatus, RevocationRecord } from './inventory.js';

/** Where a walk through the records of one status stands: shard by shard, in the order of the certificateId. */
export interface StatusCursor {
  /** First hexadecimal digit of the certificateId. */
  readonly shard: string;
  /** The last certificate seen in this shard; absent: none yet. */
  readonly after?: CertificateId;
}

export interface StatusPage {
  readonly certificates: readonly CertificateRecord[];
  /** Absent on the last page of the last shard. */
  readonly next?: StatusCursor;
}

/** The inventory as `reconcile` works on it: in pages, never record by record, so that a million certificates cost thousands of calls. */
export interface InventoryPages {
  /** Strongly consistent. Ids that the inventory does not know are absent from the answer. */
  byIds(ids: readonly CertificateId[]): Promise<ReadonlyMap<CertificateId, CertificateRecord>>;
  /** Strongly consistent: the revocations known of these certificates; only those that have one. */
  revocationsOf(
    certificates: readonly { readonly issuerId: string; readonly serialNumber: SerialNumber }[],
  ): Promise<readonly RevocationRecord[]>;
  /** One page of a status; eventually consistent. */
  statusPage(status: InventoryStatus, cursor: StatusCursor): Promise<StatusPage>;
  /** Notes that the registry listed these certificates in run `runId`. Idempotent. */
  mark(ids: readonly CertificateId[], runId: string, nowMs: number): Promise<void>;
  /** How many times the ACTIVE count has changed so far: a run notes it when it begins. */
  countChanges(): Promise<number>;
  /**
   * After a complete run: from now on the ACTIVE count is known. It is set to what the run listed if nothing has changed it since the run began
   * (`changesBefore`); otherwise it stays, because it has gone with every change of status in its transaction, and what was listed is older.
   */
  settleActiveCount(listed: number, changesBefore: number): Promise<void>;
  /** Which of these were marked in run `runId`. Strongly consistent. */
  marked(ids: readonly CertificateId[], runId: string): Promise<ReadonlySet<CertificateId>>;
}
