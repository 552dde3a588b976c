/**
 * Fails towards not acting: a certificate is touched only when the registry's own PEM is the certificate that was named.
 * Decides from the present state of the registry and never from the history of messages, so that duplicates and reordering are harmless.
 */
import type { Reason } from '../../../domain/fleet/reasons.js';
import type { Identity } from '../identity.js';
import type { RevokeAction, RevokeMessage, RevokeOutcome } from '../../../domain/protocol/revocation.js';

/** CertificateStatus of AWS IoT, as far as it matters here: everything else can still connect, or come to. */
export type Standing = 'REVOKED' | 'INACTIVE' | 'ACTIVE' | 'other';

export interface RevokeFacts {
  readonly action: RevokeAction;
  readonly registry:
    | { readonly found: 'no'; /** Was it ever registered, as far as we know? */ readonly known: boolean }
    | { readonly found: 'yes'; readonly standing: Standing; readonly identity: Identity };
  /** What was on record for this serial number when the registry was read, or later. */
  readonly before?: {
    readonly state: 'acting' | 'done';
    readonly action: RevokeAction;
    readonly runId: string;
    readonly outcome?: RevokeOutcome;
  };
}

export interface RevokePolicy {
  /** 0: REVOKED at once. */
  readonly secondStageDelayMs: number;
}

export type RevokeDecision =
  /** Set the status, then drop the connection, then record. `dueAtMs`: when the second stage follows. */
  | {
      readonly do: 'set';
      readonly status: 'REVOKED' | 'INACTIVE' | 'ACTIVE';
      readonly outcome: RevokeOutcome;
      readonly reason: Reason;
      readonly dueAtMs?: number;
    }
  /** The status is right, and we set it: drop the connection (again), then record. */
  | { readonly do: 'finish'; readonly outcome: RevokeOutcome; readonly reason: Reason; readonly dueAtMs?: number }
  /** Record the outcome. */
  | { readonly do: 'record'; readonly outcome: RevokeOutcome; readonly reason: Reason }
  /** Leave even the record as it is. */
  | { readonly do: 'nothing'; readonly outcome: RevokeOutcome; readonly reason: Reason };

/**
 * Is this message a repetition of work that is done, so that the registry need not be asked? REVOKED is for ever; a lesser end is final only for
 * the very run that brought it about. A certificate that has just turned up (`remembered`) is always looked at: it may have been deleted
 * and registered again since.
 */
export function isSettled(message: Pick<RevokeMessage, 'action' | 'runId' | 'source'>, before: RevokeFacts['before']): boolean {
  if (before?.state !== 'done' || message.source === 'remembered') return false;
  if (before.outcome === 'revoked' || before.outcome === 'already-revoked') return true;
  const isFinal = before.outcome === 'deactivated' || before.outcome === 'already-inactive' || before.outcome === 'reactivated';
  return isFinal && before.action === message.action && before.runId === message.runId;
}

export function decide({ action, registry, before }: RevokeFacts, { secondStageDelayMs }: RevokePolicy, nowMs: number): RevokeDecision {
  // RFC 5280 §5.3.1: what is revoked neither goes on hold nor comes off it. Whatever says so must not weaken a revocation on record, one
  // that waits for its certificate to be registered or for its second stage among them.
  if ((action === 'hold' || action === 'reactivate') && (before?.action === 'revoke' || before?.action === 'complete')) {
    return {
      do: 'nothing',
      outcome: action === 'reactivate' ? 'not-ours' : (before.outcome ?? 'already-revoked'),
      reason: 'revocation-stands',
    };
  }
  if (registry.found === 'no') {
    return registry.known
      ? { do: 'record', outcome: 'deleted', reason: 'gone-from-registry' }
      : { do: 'record', outcome: 'not-registered', reason: 'never-registered' };
  }
  if (registry.identity === 'a-ca') return { do: 'record', outcome: 'is-a-ca', reason: 'ca-certificate-listed' };
  if (registry.identity === 'another') return { do: 'record', outcome: 'mismatch', reason: 'other-certificate' };

  // `acting` is written before the status is set: with it on record, a status that is right already was set by us, and then we died.
  const resumed = before?.state === 'acting' && before.action === action;
  const { standing } = registry;
  switch (action) {
    case 'revoke':
    case 'complete': {
      if (standing === 'REVOKED') {
        if (resumed) return { do: 'finish', outcome: 'revoked', reason: 'resumed' };
        // Ours, done by a message that was handled beside this one: the record says so already, and must go on saying so.
        if (before?.state === 'done' && before.outcome === 'revoked')
          return { do: 'nothing', outcome: 'revoked', reason: 'handled-before' };
        return { do: 'record', outcome: 'already-revoked', reason: 'registry-says-so' };
      }
      if (action === 'complete') return { do: 'set', status: 'REVOKED', outcome: 'revoked', reason: 'second-stage' };
      if (secondStageDelayMs === 0) return { do: 'set', status: 'REVOKED', outcome: 'revoked', reason: 'as-asked' };
      const firstStage = { outcome: 'deactivated', reason: 'first-stage', dueAtMs: nowMs + secondStageDelayMs } as const;
      return standing === 'INACTIVE' ? { do: 'finish', ...firstStage } : { do: 'set', status: 'INACTIVE', ...firstStage };
    }
    case 'hold': {
      if (standing === 'REVOKED') return { do: 'record', outcome: 'already-revoked', reason: 'registry-says-so' };
      if (standing !== 'INACTIVE') return { do: 'set', status: 'INACTIVE', outcome: 'deactivated', reason: 'as-asked' };
      if (resumed) return { do: 'finish', outcome: 'deactivated', reason: 'resumed' };
      // Ours from an earlier run: it must stay on record as ours, or its way back is lost.
      if (before?.action === 'hold' && before.outcome === 'deactivated')
        return { do: 'nothing', outcome: 'deactivated', reason: 'handled-before' };
      return { do: 'record', outcome: 'already-inactive', reason: 'registry-says-so' };
    }
    case 'reactivate': {
      const ours = before?.action === 'hold' && before.state === 'done' && before.outcome === 'deactivated';
      if (!ours) {
        // That the hold is over is on record all the same: whoever else keeps it INACTIVE (a containment) would wait for a hold that is gone.
        const wasIdle = before?.action === 'hold' && before.state === 'done' && before.outcome === 'already-inactive';
        return { do: wasIdle && standing !== 'REVOKED' ? 'record' : 'nothing', outcome: 'not-ours', reason: 'not-deactivated-by-us' };
      }
      if (standing === 'INACTIVE') return { do: 'set', status: 'ACTIVE', outcome: 'reactivated', reason: 'as-asked' };
      // ACTIVE: no `acting` is written for a reactivation (it would hide that the hold was ours), so this is a retry, or a person was faster.
      if (standing === 'ACTIVE') return { do: 'record', outcome: 'reactivated', reason: 'registry-says-so' };
      return { do: 'record', outcome: standing === 'REVOKED' ? 'already-revoked' : 'not-ours', reason: 'registry-says-so' };
    }
  }
}
