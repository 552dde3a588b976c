import type { Refusals } from './crl-refusal.js';
import { type DerCursor, TAG } from './der.js';

export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  /** What the OCTET STRING holds. */
  readonly value: Uint8Array;
}

/**
 * The extensions of a CRL or of one of its entries, one by one, strictly. One that stands there twice is refused (RFC 5280 §4.2) and handed out all
 * the same. Throws DerError where the structure is wrong.
 */
export function* strictExtensions(extensions: DerCursor, refusals: Refusals): Generator<Extension> {
  const seen = new Set<string>();
  while (!extensions.isAtEnd) {
    const extension = extensions.enter(TAG.sequence);
    const id = extension.oid();
    const critical = extension.defaultFalse();
    const value = extension.content(TAG.octetString);
    extension.finish();
    if (seen.has(id)) refusals.add('duplicate-extension', id);
    seen.add(id);
    yield { id, critical, value };
  }
}
