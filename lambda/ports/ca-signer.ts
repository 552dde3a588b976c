import type { KeyObject } from 'node:crypto';
import type { CaSignature } from '../../domain/pki/ca-signature.js';
import type { Der } from '../../domain/pki/der-writer.js';

/** The private key of a CA of ours, wherever it lies. */
export interface CaSigner {
  /** Throws where the key cannot sign at this moment (disabled, gone, not ours to use), or is not the other half of `publicKey`. Signs nothing. */
  check(publicKey: KeyObject): Promise<void>;
  /**
   * DER of the signed certificate or CRL whose part to be signed `tbs` makes. Throws where the key that signs is not the other half of `publicKey`, the
   * pinned one: what it would sign, nobody would take.
   */
  sign(publicKey: KeyObject, tbs: (algorithm: CaSignature) => Der): Promise<Der>;
}
