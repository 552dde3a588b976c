/** The object in the CRL bucket that holds the CRL of a CA of ours. */
export interface CrlObjects {
  /** ETag of the current object; `undefined`: there is none. */
  etag(key: string): Promise<string | undefined>;
  /** Puts the CRL in the place of that very object, or where `etag` is `undefined`, only if there is none. `false`: somebody else was faster. */
  replace(key: string, etag: string | undefined, der: Uint8Array): Promise<boolean>;
}
