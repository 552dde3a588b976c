export interface CrlObjectRef {
  readonly bucket: string;
  readonly key: string;
  /** Absent: the current version. */
  readonly versionId?: string;
}

export type CrlObject =
  | {
      readonly found: 'yes';
      readonly versionId: string;
      readonly etag: string;
      readonly sizeBytes: number;
      readonly body: AsyncIterable<Uint8Array>;
    }
  | { readonly found: 'unchanged' } // 304 to If-None-Match
  | { readonly found: 'no' }; // NoSuchKey, NoSuchVersion, or a delete marker

/** The CRL bucket: read only. */
export interface CrlStore {
  open(ref: CrlObjectRef, ifNoneMatch?: string): Promise<CrlObject>;
  /** Version id of the current object, `undefined` when it is gone. */
  currentVersion(ref: CrlObjectRef): Promise<string | undefined>;
  /** Keys below a prefix. */
  list(bucket: string, prefix: string): AsyncIterable<string>;
}
