import type { RevokeMessage } from '../../domain/protocol/revocation.js';

/** Second stages that wait (two-stage revocation). Read by the regular sweep: no timer can be lost. */
export interface DueRevocations {
  /** Idempotent by (issuer, serial). */
  put(message: RevokeMessage, issuerId: string, dueAtMs: number): Promise<void>;
  dueBy(nowMs: number): AsyncIterable<{ readonly message: RevokeMessage; readonly key: string }>;
  done(key: string): Promise<void>;
}
