import type { TrustAnchor } from '../../domain/pki/trust-anchor.js';

/** The CAs behind the trust anchors, as far as a machine may ask them. */
export interface IssuingCas {
  /** PEM by the reference that the CA gave; `undefined`: it is being issued, or this CA cannot be asked. */
  fetch(anchor: TrustAnchor, reference: string): Promise<string | undefined>;
  /** Revokes as superseded. Revoked already: success. `false`: this CA cannot be asked, its people revoke there. */
  supersede(anchor: TrustAnchor, serialNumber: string): Promise<boolean>;
}
