import type { Certificate } from './certificate.js';
import type { CrlRefusal } from './crl-refusal.js';
import type { EntryList } from './entry-list.js';
import type { SerialNumber } from './serial-number.js';
import type { SerialSet } from './serial-set.js';

/** A pinned CA that may have signed the CRL. */
export interface CrlIssuer {
  readonly certificate: Certificate;
  /** Whether a CRL found where this one was may say that it is published under `uri`. @default every URI */
  readonly acceptDistributionPoint?: (uri: string) => boolean;
}

export interface CrlLimits {
  /** Octets of the DER form. @default 128 MiB (a million entries take 47 MB) */
  readonly maxBytes: number;
  /** @default 2,500,000 */
  readonly maxEntries: number;
  /** Octets before the first entry, and behind the last. @default 64 KiB */
  readonly maxHeaderBytes: number;
  /** @default 120,000 */
  readonly maxMilliseconds: number;
}

export const DEFAULT_LIMITS: CrlLimits = {
  maxBytes: 128 * 1024 * 1024,
  maxEntries: 2_500_000,
  maxHeaderBytes: 65_536,
  maxMilliseconds: 120_000,
};

export interface CrlReadOptions {
  /** The time at which it is judged, in milliseconds since 1970. */
  readonly atMs: number;
  /** By how much thisUpdate may lie ahead. @default 300,000 */
  readonly skewMs?: number;
  /**
   * The pinned CAs. **Absent: nobody's signature is checked**, which only a display may do. An empty list refuses everything.
   */
  readonly issuers?: readonly CrlIssuer[];
  /** What was handed over before. Its marks belong to this reading. @default nothing: every entry is fresh */
  readonly known?: SerialSet;
  readonly limits?: Partial<CrlLimits>;
  /** A steady count of milliseconds for the time limit. @default process.hrtime */
  readonly stopwatch?: () => number;
}

/** What the CRL says of itself. Of a refused CRL: for display only. */
export interface CrlFacts {
  /** RFC 4514-like text, for people. */
  readonly issuer: string;
  readonly issuerDer: Uint8Array;
  readonly crlNumber: bigint | undefined;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number | undefined;
  readonly authorityKeyIdentifier: Uint8Array | undefined;
  /** The URI of the issuingDistributionPoint (the accepted one, where it names several). */
  readonly distributionPoint: string | undefined;
  readonly entries: number;
  /**
   * Tells one accepted CRL from another: lower-case hex SHA-256 of its DER without the entries. The signature is in it, and stands for them: two lists
   * under one verified signature would be a collision of its hash. So a million entries are hashed once and not twice. Of a refused CRL it says
   * nothing about the entries.
   */
  readonly digest: string;
}

export interface AcceptedCrl {
  readonly accepted: true;
  readonly refusals: readonly [];
  readonly facts: CrlFacts & { readonly crlNumber: bigint; readonly nextUpdateMs: number; readonly authorityKeyIdentifier: Uint8Array };
  /** Past nextUpdate: what it revokes is revoked all the same, but its CA has stopped talking. */
  readonly expired: boolean;
  /** Position in `issuers` of the CA whose key verified the signature; `undefined` only where no issuers were given. */
  readonly issuerIndex: number | undefined;
  /** Entries that are new against `known`, ascending by serial; a hold that became a revocation is among them. */
  readonly fresh: EntryList;
  /** Serials that `known` has on hold and the CRL lists no longer. */
  vanishedHolds(): Iterable<SerialNumber>;
  /** The state to store once `fresh` has been handed over: parts for `readSerialSet`. */
  nextState(): Generator<Uint8Array>;
}

export interface RefusedCrl {
  readonly accepted: false;
  /** One at least; all that apply where the CRL could be read to its end. */
  readonly refusals: readonly CrlRefusal[];
  /** Absent where it could not be read. */
  readonly facts?: CrlFacts;
  /** For display only, and only where no `known` was given: its entries, and serials that are none. */
  readonly listed?: EntryList;
  readonly oddSerials?: readonly bigint[];
}

export type CrlReading = AcceptedCrl | RefusedCrl;
