/**
 * CRL entries in bulk, 29 octets each in typed arrays that never move: segments instead of a growing array, so that a million entries do not
 * peak at three times their size. Entries go in as the CRL lists them and come out in ascending order of their serials.
 */
import { CRL_REASONS, actionOf, type CrlReason, type RevocationAction } from './crl-reason.js';
import { hasDuplicateSerials } from './duplicate-serials.js';
import type { SerialNumber } from './serial-number.js';
import { SERIAL_WORDS, wordsToSerial } from './serial-words.js';
import { sortBySerial } from './sort-serials.js';

const SEGMENT_BITS = 14;
const SEGMENT = 1 << SEGMENT_BITS;
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
  private readonly words: Uint32Array[] = [];
  private readonly seconds: Float64Array[] = [];
  private readonly reasons: Uint8Array[] = [];
  private count = 0;
  private order: Uint32Array | undefined;

  get size(): number {
    return this.count;
  }

  /** The words of the serials, five an entry, in the order of the CRL; all but the last array are full. */
  get segments(): readonly Uint32Array[] {
    return this.words;
  }

  /** Takes the serial from the five words at `serial[from]`. `reason` is a CRLReason number. */
  append(serial: Uint32Array, from: number, seconds: number, reason: number): void {
    const index = this.count;
    const segment = index >> SEGMENT_BITS;
    if (segment === this.words.length) this.grow();
    const words = this.words[segment]!;
    const slot = index & (SEGMENT - 1);
    const at = slot * SERIAL_WORDS;
    words[at] = serial[from]!;
    words[at + 1] = serial[from + 1]!;
    words[at + 2] = serial[from + 2]!;
    words[at + 3] = serial[from + 3]!;
    words[at + 4] = serial[from + 4]!;
    this.seconds[segment]![slot] = seconds;
    this.reasons[segment]![slot] = reason;
    this.count = index + 1;
  }

  private grow(): void {
    this.words.push(new Uint32Array(SEGMENT * SERIAL_WORDS));
    this.seconds.push(new Float64Array(SEGMENT));
    this.reasons.push(new Uint8Array(SEGMENT));
    this.order = undefined;
  }

  /** Word `k` of entry `index`. */
  word(index: number, k: number): number {
    return this.words[index >> SEGMENT_BITS]![(index & (SEGMENT - 1)) * SERIAL_WORDS + k]!;
  }

  /** < 0, 0, > 0 as the serial of entry `a` is below, equal to or above that of `b`; words before `from` are known to be equal. */
  compare(a: number, b: number, from = 0): number {
    const left = this.words[a >> SEGMENT_BITS]!;
    const right = this.words[b >> SEGMENT_BITS]!;
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
    if (this.order?.length !== this.count) this.order = sortBySerial(this);
    return this.order;
  }

  /** Whether any serial stands in the list twice. Does not sort. */
  hasDuplicates(): boolean {
    return hasDuplicateSerials(this);
  }

  /** The array that holds the five words of entry `index`, and where in it. */
  wordsOf(index: number): { readonly words: Uint32Array; readonly at: number } {
    return { words: this.words[index >> SEGMENT_BITS]!, at: (index & (SEGMENT - 1)) * SERIAL_WORDS };
  }

  reasonOf(index: number): CrlReason {
    const code = this.reasons[index >> SEGMENT_BITS]![index & (SEGMENT - 1)]!;
    return CRL_REASONS[code as keyof typeof CRL_REASONS];
  }

  /** certificateHold: reversible, so never a revocation. */
  isHold(index: number): boolean {
    return this.reasons[index >> SEGMENT_BITS]![index & (SEGMENT - 1)] === HOLD;
  }

  entry(index: number): CrlEntry {
    const { words, at } = this.wordsOf(index);
    const reason = this.reasonOf(index);
    const seconds = this.seconds[index >> SEGMENT_BITS]![index & (SEGMENT - 1)]!;
    return { serialNumber: wordsToSerial(words, at), revocationDateMs: seconds * 1000, reason, action: actionOf(reason) };
  }

  /**
   * Every entry in the order of the CRL, without an object for any: the serial is the five words at `words[at]`, `reason` a CRLReason number.
   */
  visit(visitor: (words: Uint32Array, at: number, seconds: number, reason: number) => void): void {
    for (let index = 0; index < this.count; index += 1) {
      const segment = index >> SEGMENT_BITS;
      const slot = index & (SEGMENT - 1);
      visitor(this.words[segment]!, slot * SERIAL_WORDS, this.seconds[segment]![slot]!, this.reasons[segment]![slot]!);
    }
  }

  /** In ascending order of the serials. */
  *[Symbol.iterator](): Generator<CrlEntry> {
    for (const index of this.sorted()) yield this.entry(index);
  }
}
