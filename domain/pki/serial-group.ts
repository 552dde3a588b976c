/**
 * Serial numbers of one width (1–5 words), sorted, with a table of buckets over the first word: a look-up touches one bucket, and allocates
 * nothing. Exact: a filter that answers "probably there" loses revocations.
 */
import { SERIAL_WORDS } from './serial-words.js';

const MAX_BUCKET_BITS = 18;

export class SerialGroup {
  private readonly min: number;
  private readonly max: number;
  private readonly shift: number;
  private readonly buckets: Uint32Array;
  /** One bit each: found again in the CRL that is being read. */
  private readonly seen: Uint8Array;

  /** `words`: `count` serials of `width` words each, strictly ascending. The array is taken over. */
  constructor(
    readonly width: number,
    readonly words: Uint32Array,
    readonly count: number,
  ) {
    this.min = count === 0 ? 0 : words[0]!;
    this.max = count === 0 ? 0 : words[(count - 1) * width]!;
    const bits = Math.min(MAX_BUCKET_BITS, 32 - Math.clz32(count));
    this.shift = Math.max(0, 32 - Math.clz32(this.max - this.min) - bits);
    this.buckets = new Uint32Array(((this.max - this.min) >>> this.shift) + 2);
    for (let i = 0; i < count; i += 1) this.buckets[((words[i * width]! - this.min) >>> this.shift) + 1]! += 1;
    for (let b = 1; b < this.buckets.length; b += 1) this.buckets[b]! += this.buckets[b - 1]!;
    this.seen = new Uint8Array((count + 7) >> 3);
  }

  /**
   * Reads what a look-up of the serial at `serial[from]` will read first, and returns it: asked for many serials in a row, the processor waits for
   * memory once and not for each.
   */
  touch(serial: Uint32Array, from: number): number {
    const first = serial[from + SERIAL_WORDS - this.width]!;
    if (this.count === 0 || first < this.min || first > this.max) return 0;
    const start = this.buckets[(first - this.min) >>> this.shift]!;
    return start < this.count ? this.words[start * this.width]! : 0;
  }

  /** Position of the serial in the five right-aligned words at `serial[from]`, or -1. */
  find(serial: Uint32Array, from = 0): number {
    const { width, words } = this;
    const base = from + SERIAL_WORDS - width;
    const first = serial[base]!;
    if (this.count === 0 || first < this.min || first > this.max) return -1;
    const bucket = (first - this.min) >>> this.shift;
    let low = this.buckets[bucket]!;
    let high = this.buckets[bucket + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = middle * width;
      let k = 0;
      while (k < width && words[at + k] === serial[base + k]) k += 1;
      if (k === width) return middle;
      if (words[at + k]! < serial[base + k]!) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  isSeen(position: number): boolean {
    return (this.seen[position >> 3]! & (1 << (position & 7))) !== 0;
  }

  /** Marks a position; `false`: it was marked before. */
  mark(position: number): boolean {
    const bit = 1 << (position & 7);
    const octet = this.seen[position >> 3]!;
    this.seen[position >> 3] = octet | bit;
    return (octet & bit) === 0;
  }

  unmark(position: number): void {
    this.seen[position >> 3]! &= ~(1 << (position & 7));
  }

  forgetMarks(): void {
    this.seen.fill(0);
  }
}
