/** The highest CRL ever applied of one (issuer key, partition). */
export interface HighWater {
  readonly issuerKeyId: string;
  readonly partition: string;
  /** Decimal: up to 20 octets, so never a JavaScript number. */
  readonly crlNumber: string;
  readonly thisUpdate: string;
  readonly nextUpdate: string;
  /** Lower-case hex SHA-256 that tells CRLs apart: over all but the entries, for which the signature stands (ADR 2). */
  readonly digest: string;
  readonly stateKey: string;
  /** Lower-case hex SHA-256 over the octets of the state: who can write to the bucket cannot hide a revocation in it. */
  readonly stateDigest: string;
  readonly entries: number;
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
  readonly appliedAtMs: number;
}

export interface HighWaterMarks {
  get(issuerKeyId: string, partition: string): Promise<HighWater | undefined>;
  /** The mark last raised from this object, for the conditional GET of the sweep. */
  ofObject(bucket: string, key: string): Promise<HighWater | undefined>;
  /** Conditional write: only if the stored mark is still `previous` (its digest; `undefined`: none yet). `false`: somebody else was faster. */
  raise(mark: HighWater, previous: HighWater | undefined): Promise<boolean>;
  all(): AsyncIterable<HighWater>;
}
