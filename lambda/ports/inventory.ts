import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';
import type { SerialNumber } from '../../domain/pki/serial-number.js';
import type { RevokeMessage, RevokeOutcome } from '../../domain/protocol/revocation.js';
import type { CertificateStatus } from '../../domain/fleet/certificate-status.js';

/** `NOT_REGISTERED`: issued by our CA, not (yet, or no longer) in the AWS IoT registry. */
export type InventoryStatus = CertificateStatus | 'NOT_REGISTERED' | 'DELETED';

/** What told us of a certificate, or of its last change. */
export const INVENTORY_SOURCES = ['issuance', 'registration', 'presence', 'reconciliation', 'revocation', 'containment'] as const;
export type InventorySource = (typeof INVENTORY_SOURCES)[number];

/** One certificate. `issuerId` is the lower-case hex SHA-256 of the DER of the issuer Name: RFC 5280 §5.2.3 names a certificate by issuer name and serial. */
export interface CertificateRecord {
  readonly certificateId: CertificateId;
  readonly issuerId: string;
  readonly serialNumber: SerialNumber;
  /** ARN at the Private CA, where one issued it. */
  readonly certificateArn?: string;
  readonly thingName?: ThingName;
  /** MQTT client id last seen with this certificate. */
  readonly clientId?: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly status: InventoryStatus;
  readonly statusReason?: string;
  readonly source: InventorySource;
  readonly lastSeenAtMs?: number;
}

/** A certificate that was seen under a client id. */
export interface ClientIdUse {
  readonly certificateId: CertificateId;
  /** At the earliest: an unchanged use is noted once a week (lambda/inventory/record/decide.ts). */
  readonly seenAtMs: number;
}

/** What is known of one revocation: the natural key of all of it is (issuerId, serialNumber). */
export interface RevocationRecord {
  readonly issuerId: string;
  readonly serialNumber: SerialNumber;
  readonly state: 'acting' | 'done';
  readonly outcome?: RevokeOutcome;
  readonly message: RevokeMessage;
  readonly updatedAtMs: number;
}

/** The table of every certificate. All reads by key are strongly consistent; the by-thing, by-status and by-expiry queries are eventually so. */
export interface Inventory {
  bySerial(
    issuerId: string,
    serialNumber: SerialNumber,
  ): Promise<{ readonly certificate?: CertificateRecord; readonly revocation?: RevocationRecord }>;
  byId(id: CertificateId): Promise<CertificateRecord | undefined>;
  byThing(name: ThingName): AsyncIterable<CertificateRecord>;
  byStatus(status: InventoryStatus): AsyncIterable<CertificateRecord>;
  /** `day` is `YYYY-MM-DD` (UTC) of notAfter. */
  byExpiryDay(day: string): AsyncIterable<CertificateRecord>;
  /**
   * Which of these serials have a revocation that is done, whatever its outcome: 100 a call. A certificateHold that is done does not count:
   * the revocation that follows it is still to be done.
   */
  alreadyDone(issuerId: string, serials: readonly SerialNumber[]): Promise<ReadonlySet<SerialNumber>>;

  /**
   * Creates or merges a record (absent optional fields keep what is there) and keeps the ACTIVE count, in one transaction.
   * Never moves a status out of REVOKED. Returns the revocation remembered for this serial, if any: the caller must then queue it
   * (this read comes after the write, and `rememberRevocation` is followed by a read of the certificate: one of the two sees the other).
   */
  record(certificate: CertificateRecord): Promise<{ readonly remembered?: RevocationRecord; readonly created: boolean }>;
  setStatus(id: CertificateId, status: InventoryStatus, statusReason: string, source: InventorySource): Promise<void>;
  seen(id: CertificateId, clientId: string, thing: ThingName | undefined, atMs: number): Promise<boolean>;
  /** Remembers for six weeks that the certificate was seen under this client id. An older time changes nothing. */
  noteUse(clientId: string, id: CertificateId, atMs: number): Promise<void>;
  /** The certificates that were noted under a client id, a hundred at most. Strongly consistent. */
  usersOf(clientId: string): Promise<readonly ClientIdUse[]>;
  rememberRevocation(record: RevocationRecord): Promise<void>;
  /** How many certificates are ACTIVE; `undefined` until the first complete reconciliation: then the brake uses its floor. */
  activeCount(): Promise<number | undefined>;
  /** Sets the exact count at the end of a complete reconciliation. */
  setActiveCount(count: number): Promise<void>;
}
