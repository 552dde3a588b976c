import type { CertificateId } from '../../domain/fleet/certificate-id.js';

/** A certificate that a CA issued over the key of a rotation, and for its thing, as the CA's own event told. */
export interface IssuedCertificate {
  /** The rotation that claimed the key. */
  readonly oldCertificateId: CertificateId;
  /** The id that AWS IoT gives it when it is registered. */
  readonly newCertificateId: CertificateId;
  readonly certificateArn: string;
  /** When it was told. */
  readonly toldAtMs: number;
}

/** What the CAs issued for rotations, until it has been compared with what the rotations say they got. */
export interface IssuedCertificates {
  remember(issued: IssuedCertificate): Promise<void>;
  /** Told before then, the oldest first. */
  toldBefore(atMs: number): AsyncIterable<IssuedCertificate>;
  forget(issued: IssuedCertificate): Promise<void>;
}
