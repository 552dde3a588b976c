/**
 * CRL entries in bulk, 29 octets each in typed arrays that never move: segments instead of a growing array, so that a million entries do not
 * peak at three times their size. Entries go in as the CRL lists them and come out in ascending order of their serials.
 */
import { CRL_REASONS, actionOf, type CrlReason, type RevocationAction } from './crl-reason.js';
import type { SerialNumber } from './serial-number.js';
import { SERIAL_WORDS, wordsToSerial } from './serial-words.js';
import { sortBySerial } from './sort-serials.js';

const SEGMENT_BITS = 14;
const SEGMENT = 1 << SEGMENT_BITS;

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

  /** Takes the serial from `serial[0..4]`. `reason` is a CRLReason number. */
  append(serial: Uint32Array, seconds: number, reason: number): void {
    const index = this.count;
    const segment = index >> SEGMENT_BITS;
    if (segment === this.words.length) this.grow();
    const words = this.words[segment]!;
    const slot = index & (SEGMENT - 1);
    const at = slot * SERIAL_WORDS;
    words[at] = serial[0]!;
    words[at + 1] = serial[1]!;
    words[at + 2] = serial[2]!;
    words[at + 3] = serial[3]!;
    words[at + 4] = serial[4]!;
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

  /** Whether any serial stands in the list twice. */
  hasDuplicates(): boolean {
    const order = this.sorted();
    for (let i = 1; i < order.length; i += 1) if (this.compare(order[i - 1]!, order[i]!) === 0) return true;
    return false;
  }

  /** The array that holds the five words of entry `index`, and where in it. */
  wordsOf(index: number): { readonly words: Uint32Array; readonly at: number } {
    return { words: this.words[index >> SEGMENT_BITS]!, at: (index & (SEGMENT - 1)) * SERIAL_WORDS };
  }

  reasonOf(index: number): CrlReason {
    const code = this.reasons[index >> SEGMENT_BITS]![index & (SEGMENT - 1)]!;
    return CRL_REASONS[code as keyof typeof CRL_REASONS];
  }

  entry(index: number): CrlEntry {
    const { words, at } = this.wordsOf(index);
    const reason = this.reasonOf(index);
    const seconds = this.seconds[index >> SEGMENT_BITS]![index & (SEGMENT - 1)]!;
    return { serialNumber: wordsToSerial(words, at), revocationDateMs: seconds * 1000, reason, action: actionOf(reason) };
  }

  /** In ascending order of the serials. */
  *[Symbol.iterator](): Generator<CrlEntry> {
    for (const index of this.sorted()) yield this.entry(index);
  }
}
