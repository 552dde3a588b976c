/**
 * The part of a stream that is still needed: chunks go in behind, read octets drop out in front. Its capacity follows the longest thing that has
 * to be seen whole, not the length of the stream. Offsets that leave this class count from the start of the stream.
 */
export class ByteWindow {
  bytes: Uint8Array;
  view: DataView;
  /** Offset in the stream of `bytes[0]`. */
  base = 0;
  /** First octet that is still needed, and the end of what has arrived: indexes into `bytes`. */
  start = 0;
  end = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Octets of the stream that have arrived. */
  get received(): number {
    return this.base + this.end;
  }

  push(chunk: Uint8Array): void {
    if (this.end + chunk.length > this.bytes.length) this.makeRoom(chunk.length);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
  }

  private makeRoom(length: number): void {
    const kept = this.end - this.start;
    if (kept + length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, kept + length));
      larger.set(this.bytes.subarray(this.start, this.end));
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    } else this.bytes.copyWithin(0, this.start, this.end);
    this.base += this.start;
    this.start = 0;
    this.end = kept;
  }
}
