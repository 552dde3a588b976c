import type { CrlReason } from '../../domain/pki/crl-reason.js';
import type { SerialNumber } from '../../domain/pki/serial-number.js';

/** One certificate that a CA of ours signs, or has signed. */
export interface SignedCertificate {
  readonly serialNumber: SerialNumber;
  readonly commonName: string;
  /** Lower-case hex SHA-256 of the SubjectPublicKeyInfo. */
  readonly keyId: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly plannedAtMs: number;
  /** Absent: planned, and not signed, or not yet. */
  readonly certificatePem?: string;
  readonly revokedAtMs?: number;
  readonly revocationReason?: CrlReason;
}

/** What its CRL says of a certificate. */
export interface Revocation {
  readonly serialNumber: SerialNumber;
  readonly revokedAtMs: number;
  readonly reason: CrlReason;
  /** When the certificate ends; after that, one more CRL names it (RFC 5280 §3.3). */
  readonly notAfterMs: number;
}

/** The books of the CAs whose keys we hold: what was signed, what was revoked. Every method may be repeated. */
export interface CaRecords {
  /** The secret from which the serial numbers of this anchor are derived: drawn at its first use, the same for ever. */
  serialSecret(anchorId: string): Promise<Uint8Array>;
  /** Writes down what is about to be signed. Resolves to what stands there: this, or what was written down under this serial number before. */
  plan(anchorId: string, certificate: SignedCertificate): Promise<SignedCertificate>;
  /** Of several signatures under one serial number, the first that is kept is the certificate, and no other is ever handed out. */
  keep(anchorId: string, serialNumber: SerialNumber, certificatePem: string): Promise<void>;
  get(anchorId: string, serialNumber: SerialNumber): Promise<SignedCertificate | undefined>;
  /** `false`: revoked before; time and reason of then stand. */
  revoke(anchorId: string, revocation: Revocation): Promise<boolean>;
  /** What the next CRL names, ascending by serial number as a text: always in the same order. */
  revoked(anchorId: string): AsyncIterable<Revocation>;
  /** They have ended, and a CRL has named them since: the next one does not. That they were revoked stays on record. */
  drop(anchorId: string, serialNumbers: readonly SerialNumber[]): Promise<void>;
}
