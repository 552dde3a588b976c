/**
 * Writes the state after a CRL (format: serial-state.ts): what the CRL still lists of the state before, and everything fresh. Two sorted runs are
 * merged, so that the work is one pass and the memory one part.
 */
import { createHash } from 'node:crypto';
import type { EntryList } from './entry-list.js';
import type { SerialGroup } from './serial-group.js';
import { SERIAL_SECTIONS, type SectionGroups, type SerialSet } from './serial-set.js';
import { HEADER, MAGIC } from './serial-state.js';
import { MAX_SERIAL_OCTETS, SERIAL_WORDS, octetsOf } from './serial-words.js';

const PART = 65_536;

/** The next state in parts of at most 64 KiB. `known` has been settled: its marks say what the CRL still lists. */
export function* nextSerialState(known: SerialSet, fresh: EntryList): Generator<Uint8Array> {
  const sections = SERIAL_SECTIONS.map((section) => new SectionMerge(known.section(section), fresh, section === 'hold'));
  const header = Buffer.alloc(HEADER);
  MAGIC.copy(header);
  sections.forEach((section, s) =>
    section.counts.forEach((count, i) => header.writeUInt32BE(count, MAGIC.length + (s * MAX_SERIAL_OCTETS + i) * 4)),
  );
  const hash = createHash('sha256').update(header);
  yield header;
  for (const section of sections) {
    for (const part of section.parts()) {
      hash.update(part);
      yield part;
    }
  }
  yield hash.digest();
}

/** Merges the runs of one section: marked serials of the state before, and fresh entries of this section. */
class SectionMerge {
  /** Serials of 1 … 20 octets. */
  readonly counts = new Uint32Array(MAX_SERIAL_OCTETS);
  private readonly fresh: Uint32Array;

  constructor(
    private readonly groups: SectionGroups,
    private readonly entries: EntryList,
    isHold: boolean,
  ) {
    this.fresh = entries.sorted().filter((index) => entries.isHold(index) === isHold);
    for (const group of groups) {
      // the first word of a serial is never zero: that is how it came into the group of this width
      for (let i = 0; i < group.count; i += 1)
        if (group.isSeen(i)) this.counts[group.width * 4 - 1 - (Math.clz32(group.words[i * group.width]!) >> 3)]! += 1;
    }
    for (const index of this.fresh) {
      const { words, at } = entries.wordsOf(index);
      this.counts[octetsOf(words, at) - 1]! += 1;
    }
  }

  *parts(): Generator<Uint8Array> {
    const writer = new PartWriter();
    let next = 0;
    for (const group of this.groups) {
      for (let i = 0; i < group.count; i += 1) {
        if (!group.isSeen(i)) continue;
        for (; next < this.fresh.length && this.isBelow(this.fresh[next]!, group, i); next += 1)
          if (this.putFresh(writer, next)) yield writer.take();
        if (writer.put(group.words, i * group.width, group.width)) yield writer.take();
      }
    }
    for (; next < this.fresh.length; next += 1) if (this.putFresh(writer, next)) yield writer.take();
    yield writer.take();
  }

  private putFresh(writer: PartWriter, next: number): boolean {
    const { words, at } = this.entries.wordsOf(this.fresh[next]!);
    return writer.put(words, at, SERIAL_WORDS);
  }

  /** Whether fresh entry `index` is below serial `i` of `group`. */
  private isBelow(index: number, group: SerialGroup, i: number): boolean {
    const { words, at } = this.entries.wordsOf(index);
    const base = SERIAL_WORDS - group.width;
    for (let k = 0; k < base; k += 1) if (words[at + k] !== 0) return false;
    for (let k = 0; k < group.width; k += 1) {
      const difference = words[at + base + k]! - group.words[i * group.width + k]!;
      if (difference !== 0) return difference < 0;
    }
    return false;
  }
}

/** Serials as octets, big-endian without leading zeros. */
class PartWriter {
  private part = new Uint8Array(PART);
  private view = new DataView(this.part.buffer);
  private end = 0;

  /** Writes the `width` words at `words[at]`; `true`: the part is full, take it. */
  put(words: Uint32Array, at: number, width: number): boolean {
    let k = 0;
    while (words[at + k] === 0) k += 1;
    const first = words[at + k]!;
    for (let shift = 24 - (Math.clz32(first) & 24); shift >= 0; shift -= 8) this.part[this.end++] = first >>> shift;
    for (k += 1; k < width; k += 1) {
      this.view.setUint32(this.end, words[at + k]!);
      this.end += 4;
    }
    return this.end > PART - MAX_SERIAL_OCTETS;
  }

  /** What has been written; a new part begins. The caller may keep it. */
  take(): Uint8Array {
    const full = this.part.subarray(0, this.end);
    this.part = new Uint8Array(PART);
    this.view = new DataView(this.part.buffer);
    this.end = 0;
    return full;
  }
}
