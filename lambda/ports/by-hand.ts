import type { SerialNumber } from '../../domain/pki/serial-number.js';

/** A certificate that is out of the fleet, and that only people can revoke at its CA: no machine can ask that CA. */
export interface RevocationByHand {
  readonly anchorId: string;
  readonly serialNumber: SerialNumber;
  readonly certificateId?: string;
  /** The campaign. */
  readonly runId: string;
  readonly sinceMs: number;
}

/** What people have to revoke at their CAs, until they say that they have. */
export interface RevocationsByHand {
  /** `false`: it was there. */
  remember(revocation: RevocationByHand): Promise<boolean>;
  /** In the order of anchor and serial number. */
  all(): AsyncIterable<RevocationByHand>;
  /** `false`: it was not there. */
  done(anchorId: string, serialNumber: SerialNumber): Promise<boolean>;
}
