/** A CRL of ours that was put into the CRL bucket. */
export interface Publication {
  readonly crlNumber: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Before the first revocation was read for it: what was on record then is on it. */
  readonly begunAtMs: number;
  readonly entries: number;
  /** Lower-case hex SHA-256 of what the next CRL would name too, were nothing revoked in between. */
  readonly listDigest: string;
}

export interface CrlNumbering {
  /** The number that was taken last, published or not; 0: none. */
  readonly lastNumber: number;
  readonly published?: Publication;
}

export interface CrlPublications {
  of(anchorId: string): Promise<CrlNumbering>;
  /** Takes `next` if `lastNumber` is still the last one. `false`: somebody else was faster. A number is never taken twice. */
  take(anchorId: string, lastNumber: number, next: number): Promise<boolean>;
  /** Puts it on record, unless a CRL of a higher number is. */
  published(anchorId: string, publication: Publication): Promise<void>;
}
