/**
 * What has been handed over of each CRL, exactly: one immutable S3 object per applied CRL, of at most 17 bytes an entry.
 * Never a DynamoDB item that grows with the list, never a lossy filter (that loses revocations).
 */
export interface SerialState {
  load(key: string): AsyncIterable<Uint8Array>;
  save(key: string, parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>;
}
