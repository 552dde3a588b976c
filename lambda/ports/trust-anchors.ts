import type { TrustAnchor } from '../../domain/pki/trust-anchor.js';

/** The pinned CAs of this fleet. Throws when there is none, or when one cannot be read: an unknown anchor is an error, never "no anchor". */
export interface TrustAnchors {
  all(): Promise<readonly TrustAnchor[]>;
}
