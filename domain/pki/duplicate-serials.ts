/**
 * Finds a serial that is listed twice, in two passes and without sorting. What is slow in this is not the arithmetic but waiting for memory, so the
 * first pass asks no questions: it sets one bit for each serial, and notes those that found their bit set (one or two in a hundred, and among them
 * the second of every pair). The second pass looks every hash up among the noted ones, and reads a serial only where its hash is there. The hash has
 * a random key: no list can be made that turns this into a comparison of everything with everything.
 */
import { randomBytes } from 'node:crypto';
import type { EntrySegment } from './entry-segment.js';
import { SERIAL_WORDS } from './serial-words.js';

const MIN_BITS = 10;
const MAX_BITS = 28; // 32 MiB

/** A segment with what the first pass found out about it. */
interface HashedSegment {
  readonly words: Uint32Array;
  /** One for each entry. */
  readonly hashes: Uint32Array;
  /** Entries whose bit was set when they came. */
  readonly noted: Uint32Array;
}

/** All segments but the last have the same size. */
export function hasDuplicateSerials(segments: readonly EntrySegment[]): boolean {
  if (segments.length === 0 || isStrictlyAscending(segments)) return false;
  const total = segments.reduce((sum, { size }) => sum + size, 0);
  const key = randomKey();
  const bits = Math.min(MAX_BITS, Math.max(MIN_BITS, 37 - Math.clz32(total)));
  const seen = new Uint32Array(2 ** (bits - 5));
  const hashed = segments.map((segment) => hashSegment(segment, key, seen, 32 - bits));
  const table = tableOf(hashed);
  return table !== undefined && hashed.some((_, segment) => standsTwice(hashed, segment, table));
}

function hashSegment({ words, size }: EntrySegment, key: Uint32Array, seen: Uint32Array, shift: number): HashedSegment {
  const hashes = new Uint32Array(size);
  const noted = new Uint32Array(size);
  const count = setBits(words, key, seen, shift, hashes, noted);
  return { words, hashes, noted: noted.slice(0, count) };
}

/** Sets one bit for each serial. Nothing but the loop: what follows a loop is not yet known to the compiler when the loop is hot, and would cost it twice. */
function setBits(words: Uint32Array, key: Uint32Array, seen: Uint32Array, shift: number, hashes: Uint32Array, noted: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < hashes.length; i += 1) {
    const hash = hashOf(words, i * SERIAL_WORDS, key);
    hashes[i] = hash;
    const word = seen[(hash >>> shift) >>> 5]!;
    noted[count] = i;
    count += (word >>> ((hash >>> shift) & 31)) & 1;
    seen[(hash >>> shift) >>> 5] = word | (1 << ((hash >>> shift) & 31));
  }
  return count;
}

/** The noted serials by hash, open addressing: an entry of `slots` is the entry's place in the whole list, + 1. */
interface NotedTable {
  /** One bit for each hash of a noted serial, by its top bits: small enough for the processor's nearest memory, it answers for nearly all others. */
  readonly filter: Uint32Array;
  readonly filterShift: number;
  readonly slots: Uint32Array;
  /** Entries of a segment that is not the last. */
  readonly stride: number;
}

function tableOf(segments: readonly HashedSegment[]): NotedTable | undefined {
  const total = segments.reduce((sum, { noted }) => sum + noted.length, 0);
  if (total === 0) return undefined;
  const slots = new Uint32Array(2 ** (34 - Math.clz32(total)));
  const filterBits = 37 - Math.clz32(total);
  const filter = new Uint32Array(2 ** (filterBits - 5));
  const table = { filter, filterShift: 32 - filterBits, slots, stride: segments[0]!.hashes.length };
  segments.forEach(({ hashes, noted }, segment) => addNoted(table, hashes, noted, segment * table.stride));
  return table;
}

function addNoted({ filter, filterShift, slots }: NotedTable, hashes: Uint32Array, noted: Uint32Array, base: number): void {
  for (let n = 0; n < noted.length; n += 1) {
    const hash = hashes[noted[n]!]!;
    filter[(hash >>> filterShift) >>> 5]! |= 1 << ((hash >>> filterShift) & 31);
    let slot = hash & (slots.length - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = base + noted[n]! + 1;
  }
}

/** Whether any serial of this segment equals a noted one in another place. */
function standsTwice(segments: readonly HashedSegment[], segment: number, table: NotedTable): boolean {
  const { filter, filterShift } = table;
  const { hashes } = segments[segment]!;
  for (let i = 0; i < hashes.length; i += 1) {
    const top = hashes[i]! >>> filterShift;
    if (((filter[top >>> 5]! >>> (top & 31)) & 1) !== 0 && equalsNoted(segments, segment, i, table)) return true;
  }
  return false;
}

function equalsNoted(segments: readonly HashedSegment[], segment: number, i: number, { slots, stride }: NotedTable): boolean {
  const { words, hashes } = segments[segment]!;
  const mask = slots.length - 1;
  for (let slot = hashes[i]! & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
    const place = slots[slot]! - 1;
    const other = Math.floor(place / stride);
    const isItself = other === segment && place % stride === i;
    if (!isItself && areEqual(words, i * SERIAL_WORDS, segments[other]!.words, (place % stride) * SERIAL_WORDS)) return true;
  }
  return false;
}

function areEqual(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  for (let k = SERIAL_WORDS - 1; k >= 0; k -= 1) if (a[i + k] !== b[j + k]) return false;
  return true;
}

function randomKey(): Uint32Array {
  const random = randomBytes((SERIAL_WORDS + 1) * 4);
  return Uint32Array.from({ length: SERIAL_WORDS + 1 }, (_, k) => random.readUInt32LE(k * 4) | 1);
}

/** Multilinear in the words, then mixed: two serials that differ collide for few keys. */
function hashOf(words: Uint32Array, at: number, key: Uint32Array): number {
  const low = Math.imul(words[at + 4]!, key[4]!) + Math.imul(words[at + 3]!, key[3]!);
  const high = Math.imul(words[at + 2]! ^ (low >>> 15), key[2]!) + Math.imul(words[at + 1]!, key[1]!) + Math.imul(words[at]!, key[0]!);
  const sum = (low ^ high) | 0;
  return Math.imul(sum ^ (sum >>> 16), key[5]!);
}

/** Many CAs list in order: then a neighbour is all that can be equal. */
function isStrictlyAscending(segments: readonly EntrySegment[]): boolean {
  let previous = segments[0]!.words;
  let before = -1;
  for (const { words, size } of segments) {
    for (let at = 0; at < size * SERIAL_WORDS; at += SERIAL_WORDS) {
      if (before >= 0 && !isBelow(previous, before, words, at)) return false;
      previous = words;
      before = at;
    }
  }
  return true;
}

function isBelow(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  for (let k = 0; k < SERIAL_WORDS; k += 1) if (a[i + k] !== b[j + k]) return a[i + k]! < b[j + k]!;
  return false;
}
