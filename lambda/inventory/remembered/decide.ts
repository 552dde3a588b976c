import type { Reason } from '../../../domain/fleet/reasons.js';
import type { Mode, RevokeMessage, RevokeOutcome } from '../../../domain/protocol/revocation.js';

/** What is known of one revocation (a `RevocationRecord`, without its key). */
export interface RememberedRevocation {
  readonly state: 'acting' | 'done';
  readonly outcome?: RevokeOutcome;
  readonly message: RevokeMessage;
  readonly updatedAtMs: number;
}

export type RememberedDecision =
  /** Nothing to do, and nothing to record: not in the registry, REVOKED, settled, or in the hands of the worker. */
  | { readonly kind: 'none' }
  | { readonly kind: 'observe'; readonly reason: Reason }
  | { readonly kind: 'hand-over'; readonly reason: Reason; readonly message: RevokeMessage };

const NONE = { kind: 'none' } as const;

/**
 * Does a revocation that ended like this still ask for something, now that the certificate is in the registry and not REVOKED?
 * `revoked` does: REVOKED cannot be left, so this is the certificate deleted and registered again, or a second one of the same serial number.
 */
const STANDS: Record<RevokeOutcome, boolean> = {
  'not-registered': true,
  deleted: true,
  revoked: true,
  'already-revoked': true,
  observed: true,
  deactivated: false, // a hold, or a first stage whose second one is on its way; who made it ACTIVE again did so on purpose
  'already-inactive': false,
  reactivated: false,
  'is-a-ca': false, // a person decides
  // The worker looked at another certificate: the inventory pointed to the wrong one, or an impostor carries the serial number. It is asked again
  // at each reconciliation, acts once the right one is found, and alarms until then.
  mismatch: true,
  'not-ours': false,
};

/** So long the worker has for one certificate, redeliveries included; after that its message lies in the dead-letter queue. */
const WORKER_HAS_MS = 15 * 60_000;

/**
 * A certificate has been found in the registry for which a revocation is remembered. Fails to not acting: only the outcomes listed above
 * lead to a message, and the worker checks the registry's own certificate again before it changes anything.
 */
export function decide(
  registryStatus: string,
  certificateId: string,
  remembered: RememberedRevocation,
  mode: Mode,
  nowMs: number,
): RememberedDecision {
  if (registryStatus === 'REVOKED' || registryStatus === 'NOT_REGISTERED' || registryStatus === 'DELETED') return NONE;
  const { state, outcome, message } = remembered;
  if (message.action === 'reactivate') return NONE;
  if (state === 'acting' && nowMs - remembered.updatedAtMs < WORKER_HAS_MS) return NONE;
  if (state === 'done' && (outcome === undefined || !STANDS[outcome])) return NONE;
  if (mode === 'off') return NONE;
  if (mode === 'observe') return { kind: 'observe', reason: 'mode-observe' };
  return {
    kind: 'hand-over',
    reason: state === 'acting' ? 'left-half-done' : outcome === 'not-registered' ? 'registered-after-revocation' : 'registered-again',
    message: { ...message, source: 'remembered', runId: `remembered:${certificateId}` },
  };
}
