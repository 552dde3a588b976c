/** Fails towards not applying: a CRL counts only when the reader accepted it and its number is above everything that was ever applied. */
import type { Reason } from '../../../domain/fleet/reasons.js';
import type { Mode, SyncOutcome } from '../../../domain/protocol/revocation.js';

export interface SyncFacts {
  readonly crl:
    | { readonly accepted: false; /** The reader knows no pinned CA of this name here. */ readonly foreign: boolean }
    | {
        readonly accepted: true;
        readonly crlNumber: bigint;
        readonly digest: string;
        /** Entries that were never handed over. */ readonly fresh: number;
      };
  /** The highest CRL ever applied of this issuer key and partition. */
  readonly mark?: { readonly crlNumber: string; readonly digest: string };
  /**
   * Would this CRL, if its number is too low, stand where the fleet looks? Yes: it has just been put and is the current version, or it has
   * replaced the object that the mark was raised from. No: an old version, or an old file that was left lying.
   */
  readonly displaces: boolean;
  readonly mode: Mode;
  readonly stopped: boolean;
}

export type SyncDecision =
  /** Reported on an alarm; nothing applied. */
  | {
      readonly do: 'alarm';
      readonly outcome: Extract<SyncOutcome, 'refused' | 'no-anchor' | 'rollback' | 'equivocation'>;
      readonly reason: Reason;
    }
  /** Nothing to do. */
  | { readonly do: 'leave'; readonly outcome: Extract<SyncOutcome, 'unchanged' | 'stale'>; readonly reason: Reason }
  /** The plan is reported; nothing is changed, and the high-water mark stays where it is, so that it is done when it may be done. */
  | { readonly do: 'report'; readonly outcome: Extract<SyncOutcome, 'observed' | 'stopped'>; readonly reason: Reason }
  /** Hand over what is fresh, as far as the brake allows, and raise the mark. */
  | { readonly do: 'advance'; readonly reason: Reason };

export function decide({ crl, mark, displaces, mode, stopped }: SyncFacts): SyncDecision {
  if (!crl.accepted)
    return crl.foreign
      ? { do: 'alarm', outcome: 'no-anchor', reason: 'no-trust-anchor' }
      : { do: 'alarm', outcome: 'refused', reason: 'reader-refused' };
  if (mark !== undefined) {
    const highest = BigInt(mark.crlNumber);
    // RFC 5280 §5.2.3: CRL numbers of one issuer and scope increase, so an older list cannot be passed off as the current one.
    if (crl.crlNumber < highest) {
      return displaces
        ? { do: 'alarm', outcome: 'rollback', reason: 'number-below-mark' }
        : { do: 'leave', outcome: 'stale', reason: 'older-version' };
    }
    if (crl.crlNumber === highest) {
      return crl.digest === mark.digest
        ? { do: 'leave', outcome: 'unchanged', reason: 'same-crl' }
        : { do: 'alarm', outcome: 'equivocation', reason: 'same-number-other-content' };
    }
  }
  if (stopped) return { do: 'report', outcome: 'stopped', reason: 'emergency-stop' };
  if (mode !== 'enforce') return { do: 'report', outcome: 'observed', reason: mode === 'off' ? 'mode-off' : 'mode-observe' };
  return { do: 'advance', reason: crl.fresh === 0 ? 'nothing-new' : 'new-revocations' };
}
