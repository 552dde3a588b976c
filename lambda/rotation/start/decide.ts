/** Fails towards not rotating: only what is plainly a living certificate of ours, on a thing, goes into a campaign. What is left out says why. */
import { DAY_MS, dueFromMs, type RotationWindow } from '../../../domain/fleet/rotation-window.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import type { RotationReason } from '../../../domain/protocol/rotation.js';

export interface StartFacts {
  readonly reason: RotationReason;
  /** As the inventory has it; `undefined`: it does not know it. */
  readonly certificate?: {
    readonly status: string;
    readonly thingName?: string;
    readonly notBeforeMs: number;
    readonly notAfterMs: number;
    /** Is its issuer one of the trust anchors? */
    readonly ours: boolean;
  };
  /** Is a rotation of it open, or proved and waiting for the end of its grace? */
  readonly open: boolean;
  /** Is the thing contained, and not being given a new key? */
  readonly contained: boolean;
}

export type StartDecision =
  { readonly do: 'open'; readonly reason: RotationReason; readonly deadlineMs: number } | { readonly do: 'leave'; readonly reason: Reason };

/** What an operator or an audit asks for need not end soon: it has so long, or until the certificate ends. */
const ASKED_FOR_MS = 30 * DAY_MS;

export function decide({ reason, certificate, open, contained }: StartFacts, window: RotationWindow, nowMs: number): StartDecision {
  if (certificate === undefined) return { do: 'leave', reason: 'not-in-inventory' };
  if (certificate.status !== 'ACTIVE') return { do: 'leave', reason: 'not-active' };
  if (!certificate.ours) return { do: 'leave', reason: 'not-our-issuer' };
  if (certificate.thingName === undefined) return { do: 'leave', reason: 'no-thing' };
  if (contained) return { do: 'leave', reason: 'thing-contained' };
  if (open) return { do: 'leave', reason: 'rotation-open' };
  // AWS IoT refuses a certificate past its notAfter (IG x509-client-certs.html): no job reaches that device. Its way back is recovery.
  if (certificate.notAfterMs <= nowMs) return { do: 'leave', reason: 'expired' };
  if (reason !== 'expires-soon') return { do: 'open', reason, deadlineMs: Math.min(certificate.notAfterMs, nowMs + ASKED_FOR_MS) };
  if (dueFromMs(window, certificate) > nowMs) return { do: 'leave', reason: 'not-due-yet' };
  return { do: 'open', reason, deadlineMs: certificate.notAfterMs };
}
