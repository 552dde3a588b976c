import type { InventoryMessage } from './event.js';

export type RecordDecision =
  | { readonly kind: 'rejected'; readonly reason: 'the issuance failed' | 'the principal is no X.509 certificate' }
  /** Note that the device was there. */
  | { readonly kind: 'seen'; readonly reason: 'known'; readonly certificateId: string }
  /** Ask the registry: it is the truth, an event only says when to look. */
  | {
      readonly kind: 'look-up';
      readonly reason: 'just registered' | 'not in the inventory' | 'connected, but not ACTIVE in the inventory';
      readonly certificateId: string;
    }
  | { readonly kind: 'fetch'; readonly reason: 'issued'; readonly certificateAuthorityArn: string; readonly certificateArn: string };

const CERTIFICATE_ID = /^[0-9a-f]{64}$/i;

/** The certificate that a message is about, before anything is looked up; `undefined` where it names none by id. */
export function certificateIdOf(message: InventoryMessage): string | undefined {
  if (!('kind' in message)) return undefined;
  const id = message.kind === 'presence' ? message.principalIdentifier : message.certificateId;
  return CERTIFICATE_ID.test(id) ? id.toLowerCase() : undefined;
}

const WEEK_MS = 7 * 86_400_000;

export interface ClientIdSeen {
  readonly clientId: string;
  /** Of an exclusive attachment. */
  readonly thingName?: string;
  readonly lastSeenAtMs: number;
}

/**
 * Is it to be remembered that a certificate has used this client id? Not where it is known to be the name of its own thing, as in most fleets: there it is one
 * write in the life of a certificate. Fails to noting: when it is new, and once a week while it goes on.
 */
export function isUseToNote(
  known: Partial<ClientIdSeen> | undefined,
  { clientId, thingName = known?.thingName, lastSeenAtMs }: ClientIdSeen,
): boolean {
  if (clientId === thingName) return false;
  if (known?.lastSeenAtMs === undefined || known.clientId !== clientId) return true;
  return Math.floor(known.lastSeenAtMs / WEEK_MS) !== Math.floor(lastSeenAtMs / WEEK_MS);
}

/**
 * Fails to looking up: what the inventory does not know, or what contradicts it, is read from the registry. Nothing in a message is
 * recorded as a fact about a certificate but the time at which it was seen.
 */
export function decide(message: InventoryMessage, known: { readonly status: string } | undefined): RecordDecision {
  if (!('kind' in message)) {
    if (message.detail.result !== 'success') return { kind: 'rejected', reason: 'the issuance failed' };
    const [certificateAuthorityArn, certificateArn] = message.resources;
    return { kind: 'fetch', reason: 'issued', certificateAuthorityArn, certificateArn };
  }
  const certificateId = certificateIdOf(message);
  if (certificateId === undefined) return { kind: 'rejected', reason: 'the principal is no X.509 certificate' };
  if (message.kind === 'registered') return { kind: 'look-up', reason: 'just registered', certificateId };
  if (known === undefined) return { kind: 'look-up', reason: 'not in the inventory', certificateId };
  // A disconnection proves nothing about the status: a certificate that we have just put out of the fleet says goodbye too.
  if (message.eventType === 'connected' && known.status !== 'ACTIVE') {
    return { kind: 'look-up', reason: 'connected, but not ACTIVE in the inventory', certificateId };
  }
  return { kind: 'seen', reason: 'known', certificateId };
}
