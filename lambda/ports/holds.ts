import type { HoldState } from '../../domain/protocol/revocation.js';

/** A list over the brake, kept until a person decides. The list itself lies in the state bucket under `listKey`. */
export interface Hold {
  /** Lower-case hex SHA-256 of the canonical list (`heldListHash` in domain/fleet/held-list.ts). The approval is bound to it. */
  readonly hash: string;
  readonly kind: 'revoke' | 'reactivate';
  readonly state: HoldState;
  readonly anchorId: string;
  readonly issuerKeyId: string;
  readonly partition: string;
  readonly crlNumber: string;
  readonly count: number;
  readonly limit: number;
  readonly reason: string;
  readonly listKey: string;
  readonly createdAtMs: number;
  readonly decidedBy?: string;
  readonly decidedAtMs?: number;
  /** How many entries from the beginning of the list are on the revoke queue. Absent: nothing of it, or all at once. */
  readonly handedOver?: number;
}

export interface Holds {
  /** Idempotent by hash: an existing hold keeps its state. `false`: it was there. */
  put(hold: Hold): Promise<boolean>;
  get(hash: string): Promise<Hold | undefined>;
  all(): AsyncIterable<Hold>;
  /** Conditional: `false` when the hold is not in `from`. */
  move(hash: string, from: HoldState, to: HoldState, by: string, atMs: number): Promise<boolean>;
  /** Notes how far an approved list has been handed over. Never goes back; `false` when the hold is not APPROVED or is further already. */
  advance(hash: string, handedOver: number): Promise<boolean>;
}
