/**
 * CRL entries in bulk, 29 octets each in typed arrays that never move: segments instead of a growing array, so that a million entries do not
 * peak at three times their size. Entries go in as the CRL lists them and come out in ascending order of their serials.
 */
import { CRL_REASONS, actionOf, type CrlReason, type RevocationAction } from './crl-reason.js';
import { hasDuplicateSerials } from './duplicate-serials.js';
import { newSegment, type EntrySegment } from './entry-segment.js';
import type { SerialNumber } from './serial-number.js';
import { SERIAL_WORDS, wordsToSerial } from './serial-words.js';
import { sortBySerial } from './sort-serials.js';

const SEGMENT_BITS = 14;
export const SEGMENT = 1 << SEGMENT_BITS;
/** CRLReason certificateHold. */
const HOLD = 6;

/** One revoked certificate as its CRL states it. */
export interface CrlEntry {
  readonly serialNumber: SerialNumber;
  readonly revocationDateMs: number;
  /** An absent reason code means `unspecified` (RFC 5280 §5.3.1). */
  readonly reason: CrlReason;
  readonly action: RevocationAction;
}

export class EntryList implements Iterable<CrlEntry> {
  /** In the order of the CRL. All but the last hold SEGMENT entries. */
  readonly segments: EntrySegment[] = [];
  private order: Uint32Array | undefined;

  get size(): number {
    const last = this.segments.at(-1);
    return last === undefined ? 0 : (this.segments.length - 1) * SEGMENT + last.size;
  }

  /** Takes over a segment of SEGMENT capacity. It must be full, or the last one. */
  adopt(segment: EntrySegment): void {
    this.segments.push(segment);
    this.order = undefined;
  }

  /** Copies entry `i` of `from`. */
  append(from: EntrySegment, i: number): void {
    let last = this.segments.at(-1);
    if (last === undefined || last.size === SEGMENT) {
      last = newSegment(SEGMENT);
      this.adopt(last);
    }
    for (let k = 0; k < SERIAL_WORDS; k += 1) last.words[last.size * SERIAL_WORDS + k] = from.words[i * SERIAL_WORDS + k]!;
    last.seconds[last.size] = from.seconds[i]!;
    last.reasons[last.size] = from.reasons[i]!;
    last.size += 1;
  }

  /** Word `k` of entry `index`. */
  word(index: number, k: number): number {
    return this.segments[index >> SEGMENT_BITS]!.words[(index & (SEGMENT - 1)) * SERIAL_WORDS + k]!;
  }

  /** < 0, 0, > 0 as the serial of entry `a` is below, equal to or above that of `b`; words before `from` are known to be equal. */
  compare(a: number, b: number, from = 0): number {
    const left = this.segments[a >> SEGMENT_BITS]!.words;
    const right = this.segments[b >> SEGMENT_BITS]!.words;
    const i = (a & (SEGMENT - 1)) * SERIAL_WORDS;
    const j = (b & (SEGMENT - 1)) * SERIAL_WORDS;
    for (let k = from; k < SERIAL_WORDS; k += 1) {
      const difference = left[i + k]! - right[j + k]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** Indexes in ascending order of the serials. Sorted once. */
  sorted(): Uint32Array {
    if (this.order?.length !== this.size) this.order = sortBySerial(this);
    return this.order;
  }

  /** Whether any serial stands in the list twice. Does not sort. */
  hasDuplicates(): boolean {
    return hasDuplicateSerials(this.segments);
  }

  /** The array that holds the five words of entry `index`, and where in it. */
  wordsOf(index: number): { readonly words: Uint32Array; readonly at: number } {
    return { words: this.segments[index >> SEGMENT_BITS]!.words, at: (index & (SEGMENT - 1)) * SERIAL_WORDS };
  }

  reasonOf(index: number): CrlReason {
    const code = this.segments[index >> SEGMENT_BITS]!.reasons[index & (SEGMENT - 1)]!;
    return CRL_REASONS[code as keyof typeof CRL_REASONS];
  }

  /** certificateHold: reversible, so never a revocation. */
  isHold(index: number): boolean {
    return this.segments[index >> SEGMENT_BITS]!.reasons[index & (SEGMENT - 1)] === HOLD;
  }

  entry(index: number): CrlEntry {
    const { words, at } = this.wordsOf(index);
    const reason = this.reasonOf(index);
    const seconds = this.segments[index >> SEGMENT_BITS]!.seconds[index & (SEGMENT - 1)]!;
    return { serialNumber: wordsToSerial(words, at), revocationDateMs: seconds * 1000, reason, action: actionOf(reason) };
  }

  /**
   * Every entry in the order of the CRL, without an object for any: the serial is the five words at `words[at]`, `reason` a CRLReason number.
   */
  visit(visitor: (words: Uint32Array, at: number, seconds: number, reason: number) => void): void {
    for (const { words, seconds, reasons, size } of this.segments) {
      for (let i = 0; i < size; i += 1) visitor(words, i * SERIAL_WORDS, seconds[i]!, reasons[i]!);
    }
  }

  /** In ascending order of the serials. */
  *[Symbol.iterator](): Generator<CrlEntry> {
    for (const index of this.sorted()) yield this.entry(index);
  }
}
