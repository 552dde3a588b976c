/**
 * Fails to refusing: a certificate is granted only when everything that must be so is known to be so. The order is that of cost and of blame:
 * first who asks, then whether anybody may ask now, then what is asked for.
 */
import type { RotationRefusal, RotationState } from '../../../domain/protocol/rotation.js';
import type { RequestFacts } from './request-facts.js';

export interface IssueFacts {
  /** The rotation that is open for the certificate of the connection; `undefined`: none is. Nothing else is looked up then. */
  readonly rotation?: { readonly state: RotationState; readonly jobId: string; readonly csrSha256?: string };
  /** Is the certificate of the connection ACTIVE, and attached to exactly the thing under whose name the message came? */
  readonly principal: 'active-and-theirs' | 'not-theirs' | 'not-asked';
  readonly stopped: boolean;
  readonly contained: boolean;
  /** Job that the message names. */
  readonly jobId: string;
  /** Status of that job's execution for this thing; `undefined`: there is none. */
  readonly execution?: string;
  readonly request: RequestFacts;
  /** Does any certificate, or any other rotation, have this key? Not asked (`undefined`) for a request that has been granted before. */
  readonly keyIsKnown?: boolean;
  /** Has the thing an ACTIVE certificate beside this one? Not asked for a request that has been granted before. */
  readonly hasAnother?: boolean;
}

export type IssueDecision =
  | { readonly do: 'refuse'; readonly reason: RotationRefusal }
  /** Reserve the rotation for this request, then go on. */
  | { readonly do: 'grant'; readonly reason: 'in-order' }
  /** This very request was granted before: bring it to its end, or answer again. */
  | { readonly do: 'go-on'; readonly reason: 'granted-before' };

const refuse = (reason: RotationRefusal): IssueDecision => ({ do: 'refuse', reason });

export function decide({
  rotation,
  principal,
  stopped,
  contained,
  jobId,
  execution,
  request,
  keyIsKnown,
  hasAnother,
}: IssueFacts): IssueDecision {
  if (rotation === undefined) return refuse('not-due');
  if (principal !== 'active-and-theirs') return refuse('not-your-certificate');
  if (stopped) return refuse('stopped');
  if (contained) return refuse('contained');
  if (rotation.jobId !== jobId || execution !== 'IN_PROGRESS') return refuse('no-open-job');

  if (!request.readable) return refuse('bad-request');
  // Before the signature: with a kind of key that is not accepted none is verified, and the device should hear why.
  if (!request.keyIsAccepted) return refuse('weak-key');
  if (request.signature !== 'verified') return refuse('bad-request');
  if (!request.namesThing || request.asksForNames) return refuse('foreign-name');
  if (request.asksForExtensions) return refuse('asks-for-ca');

  if (rotation.csrSha256 !== undefined)
    return rotation.csrSha256 === request.sha256 ? { do: 'go-on', reason: 'granted-before' } : refuse('another-request');
  if (keyIsKnown !== false) return refuse('key-reused');
  if (hasAnother !== false) return refuse('two-already');
  return { do: 'grant', reason: 'in-order' };
}
