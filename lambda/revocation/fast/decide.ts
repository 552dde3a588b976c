/** Fails to leaving it to the CRL: the fast path may be slow to act, never wrong. What it leaves out comes with the next CRL. */
import type { Reason } from '../../../domain/fleet/reasons.js';
import type { Mode } from '../../../domain/protocol/revocation.js';
import type { Identity } from '../identity.js';

export interface FastFacts {
  readonly result: 'success' | 'failure';
  /** Is the CA of the event a trust anchor, and the certificate's ARN below the CA's? */
  readonly ours: boolean;
  /** What GetCertificate gave under that ARN, compared with the pinned anchor; `undefined`: not asked, or never issued. */
  readonly certificate?: Identity;
  /** Is its revocation on record as done? */
  readonly done: boolean;
  readonly mode: Mode;
  readonly stopped: boolean;
}

export type FastDecision =
  /** Bad input, or nothing for a machine: logged and counted, no retry. */
  | { readonly do: 'leave'; readonly reason: Reason; readonly alarm?: 'ca-certificate' | 'mismatch' }
  /** `observe` or emergency stop: reported. */
  | { readonly do: 'report'; readonly reason: Reason }
  /** Ask the brake for one, and hand it over. */
  | { readonly do: 'hand-over'; readonly reason: Reason };

export function decide({ result, ours, certificate, done, mode, stopped }: FastFacts): FastDecision {
  if (mode === 'off') return { do: 'leave', reason: 'mode-off' };
  if (result === 'failure') return { do: 'leave', reason: 'not-a-success' };
  if (!ours) return { do: 'leave', reason: 'not-our-ca' };
  if (certificate === undefined) return { do: 'leave', reason: 'not-issued-here' };
  if (certificate === 'a-ca') return { do: 'leave', reason: 'ca-certificate-listed', alarm: 'ca-certificate' };
  if (certificate === 'another') return { do: 'leave', reason: 'other-certificate', alarm: 'mismatch' };
  if (done) return { do: 'leave', reason: 'handled-before' };
  if (stopped) return { do: 'report', reason: 'emergency-stop' };
  if (mode === 'observe') return { do: 'report', reason: 'mode-observe' };
  return { do: 'hand-over', reason: 'revocation-event' };
}
