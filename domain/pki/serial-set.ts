/**
 * What has been handed over of one CRL series, exactly, in two sections: `revoked`, and `hold` (certificateHold, which alone may be undone).
 * While a CRL is read, every entry is looked up here: found ones are marked, so that at its end the set knows what the list still holds, what
 * stood in it twice, and what is gone.
 *
 *     old state ──► SerialSet ◄── look-ups and marks ── CRL entries ──► fresh
 *                       └─────────── still marked ───────────┬───────────┘
 *                                                        new state
 */
import type { SerialNumber } from './serial-number.js';
import { SerialGroup } from './serial-group.js';
import { SERIAL_WORDS, serialToWords, wordsToSerial } from './serial-words.js';

export type SerialSection = 'revoked' | 'hold';
export const SERIAL_SECTIONS = ['revoked', 'hold'] as const;

/** What a look-up found. `moved`: a hold that has become a revocation: fresh, and no longer a hold. */
export type Sighting = 'fresh' | 'known' | 'moved' | 'duplicate';

/** Groups of one section by width; `groups[w]` has `w` words, index 0 is empty. */
export type SectionGroups = readonly SerialGroup[];

export class SerialSet {
  /** One run of marks at a time: two CRLs read against one set would mix what they saw. */
  private moved = new Set<number>();
  /** Where `touch` leaves what it has read: a read without a use would be optimised away. */
  private readonly touched = new Int32Array(1);

  constructor(
    private readonly revoked: SectionGroups,
    private readonly hold: SectionGroups,
  ) {}

  /** From serials in any order; a serial in both sections is a revocation. For small sets: states are read with `readSerialSet`. */
  static of(revoked: Iterable<SerialNumber> = [], hold: Iterable<SerialNumber> = []): SerialSet {
    const all = new Set(revoked);
    return new SerialSet(groupsOf(all), groupsOf(new Set([...hold].filter((serial) => !all.has(serial)))));
  }

  /** Serials in both sections. */
  get size(): number {
    return [...this.revoked, ...this.hold].reduce((sum, group) => sum + group.count, 0);
  }

  section(name: SerialSection): SectionGroups {
    return name === 'revoked' ? this.revoked : this.hold;
  }

  has(serial: SerialNumber, section: SerialSection): boolean {
    const words = new Uint32Array(SERIAL_WORDS);
    serialToWords(serial, words);
    return this.section(section)[widthOf(words)]!.find(words) >= 0;
  }

  /** Makes ready for `sight` of the `count` serials in `serials`, see SerialGroup.touch. */
  touch(serials: Uint32Array, count: number): void {
    let read = 0;
    for (let from = 0; from < count * SERIAL_WORDS; from += SERIAL_WORDS)
      read ^= this.revoked[widthOf(serials, from)]!.touch(serials, from);
    this.touched[0] = read;
  }

  /**
   * Looks up and marks the serial in the five words at `serial[from]`. What is revoked stays revoked, even where a CRL says `certificateHold` later:
   * REVOKED cannot be undone.
   */
  sight(serial: Uint32Array, from: number, isHold: boolean): Sighting {
    const width = widthOf(serial, from);
    const revoked = this.revoked[width]!;
    const position = revoked.find(serial, from);
    if (position >= 0) return revoked.mark(position) ? 'known' : 'duplicate';
    const hold = this.hold[width]!;
    if (hold.count === 0) return 'fresh';
    const held = hold.find(serial, from);
    if (held < 0) return 'fresh';
    if (!hold.mark(held)) return 'duplicate';
    if (isHold) return 'known';
    this.moved.add(held * 8 + width);
    return 'moved';
  }

  /** Ends the run of marks: moved holds no longer count as holds. */
  settle(): void {
    for (const key of this.moved) this.hold[key % 8]!.unmark(Math.floor(key / 8));
  }

  isMoved(width: number, position: number): boolean {
    return this.moved.has(position * 8 + width);
  }

  /** Forgets every mark, for a next CRL. */
  forgetMarks(): void {
    for (const group of [...this.revoked, ...this.hold]) group.forgetMarks();
    this.moved = new Set();
  }

  /** Ascending. */
  *serials(section: SerialSection): Generator<SerialNumber> {
    for (const group of this.section(section))
      for (let i = 0; i < group.count; i += 1) yield wordsToSerial(group.words, i * group.width, group.width);
  }

  /** Holds that the CRL just read no longer lists, and that did not become revocations. Ascending. After `settle`. */
  *vanishedHolds(): Generator<SerialNumber> {
    for (const group of this.hold) {
      for (let i = 0; i < group.count; i += 1) {
        if (!group.isSeen(i) && !this.isMoved(group.width, i)) yield wordsToSerial(group.words, i * group.width, group.width);
      }
    }
  }
}

/** Words that a serial needs; at least 1. */
export function widthOf(serial: Uint32Array, at = 0): number {
  if (serial[at] !== 0) return 5;
  if (serial[at + 1] !== 0) return 4;
  return serial[at + 2] !== 0 ? 3 : serial[at + 3] !== 0 ? 2 : 1;
}

function groupsOf(serials: ReadonlySet<SerialNumber>): SectionGroups {
  const sorted = [...serials].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const five = new Uint32Array(SERIAL_WORDS);
  const byWidth: number[][] = [[], [], [], [], [], []];
  for (const serial of sorted) {
    serialToWords(serial, five);
    const width = widthOf(five);
    byWidth[width]!.push(...five.subarray(SERIAL_WORDS - width));
  }
  return byWidth.map((words, width) => new SerialGroup(width, Uint32Array.from(words), width === 0 ? 0 : words.length / width));
}
