/** The one secondary index of the ledger table, for the construct that creates it and the adapter that asks it. Key attributes are strings, all attributes are projected. */
export const LEDGER_INDEXES = {
  /**
   * Which high-water mark was raised from this object? `objectRef` is `<bucket>/<key>`. Only high-water marks have it, so the index is small
   * and a scan of it lists every CRL ever applied. Eventually consistent: it starts a read, the mark itself is then read consistently.
   */
  byObject: { partitionKey: 'objectRef' },
} as const;
