import type { ReconcileMessage } from '../../domain/protocol/inventory-events.js';
import type { StatusCursor } from './inventory-pages.js';
import type { CertificateStatus } from '../../domain/fleet/certificate-status.js';

/** What one run has found so far; the report of a complete run is its last state. */
export interface ReconcileTally {
  /** Certificates that the registry listed. */
  readonly listed: number;
  /** … of them ACTIVE. */
  readonly active: number;
  /** New, or with another status than the inventory had: looked up and recorded. */
  readonly recorded: number;
  /** The registry's PEM is none that we can read: not in the inventory. */
  readonly unreadable: number;
  /** Revocations remembered for certificates that are registered: handed over to the revoke queue … */
  readonly handedOver: number;
  /** … or kept back by the brake, until the next run. */
  readonly heldBack: number;
  /** In the inventory, gone from the registry. */
  readonly deleted: number;
  /** ACTIVE, attached to no thing. */
  readonly withoutThing: number;
  /** ACTIVE certificates of things that have two or more of them. */
  readonly sharedThing: number;
  /** ACTIVE, of an issuer that is none of our trust anchors. */
  readonly unknownIssuer: number;
}

/** The first few of each kind, so that a person has somewhere to look. */
export interface OrphanExamples {
  readonly withoutThing: readonly string[];
  readonly sharedThing: readonly string[];
  readonly unknownIssuer: readonly string[];
  readonly unreadable: readonly string[];
}

/**
 *     listing ──(last page of the registry)──► sweeping ──(last page of the inventory)──► done
 *
 * `listing` walks through the registry and brings the inventory up to date; `sweeping` walks through the inventory for what the
 * registry did not list, and for orphans.
 */
export type ReconcilePhase =
  | { readonly name: 'listing'; readonly marker?: string }
  | { readonly name: 'sweeping'; readonly status: CertificateStatus; readonly cursor: StatusCursor }
  | { readonly name: 'done' };

export interface ReconcileCheckpoint {
  readonly runId: string;
  /** Goes up by one with each page; the conditional write of the next state names it, so that of two deliveries of one message one stops. */
  readonly sequence: number;
  readonly phase: ReconcilePhase;
  readonly tally: ReconcileTally;
  readonly examples: OrphanExamples;
  /** `InventoryPages.countChanges` when the run began. */
  readonly countChanges: number;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
}

/** The reconciliation's memory of itself, in the ledger. */
export interface Reconciliation {
  checkpoint(): Promise<ReconcileCheckpoint | undefined>;
  /** Conditional: only if the stored checkpoint is still `previous` (run and sequence; `undefined`: none yet). `false`: somebody else was faster. */
  save(checkpoint: ReconcileCheckpoint, previous: ReconcileCheckpoint | undefined): Promise<boolean>;
  /** The report of a complete run, kept. Idempotent by runId. */
  report(checkpoint: ReconcileCheckpoint): Promise<void>;
  /** The report of the last complete run. */
  lastReport(): Promise<ReconcileCheckpoint | undefined>;
}

export interface ReconcileQueue {
  send(message: ReconcileMessage, delaySeconds?: number): Promise<void>;
}
