import type { SerialNumber } from '../../domain/pki/serial-number.js';

/** certificateHold on record for certificates that were INACTIVE already when they were put on hold. */
export interface RevocationHolds {
  /**
   * From now on the hold is what keeps the certificate INACTIVE: when it is lifted, the revocation makes it ACTIVE (RFC 5280 §5.3.1, removal from hold).
   * `false`: the record has changed, so the certificate must be judged again.
   */
  takeOver(issuerId: string, serialNumber: SerialNumber): Promise<boolean>;
}
