/**
 * Finds a serial that is listed twice, in two passes and without sorting. What is slow in this is not the arithmetic but waiting for memory, so the
 * first pass asks no questions: it sets one bit for each serial, and notes those that found their bit set (a few in a hundred, and among them the
 * second of every pair). The second pass looks every serial up among the noted ones. The hash has a random key: no list can be made that turns
 * this into a comparison of everything with everything.
 */
import { randomBytes } from 'node:crypto';
import type { EntrySegment } from './entry-list.js';
import { SERIAL_WORDS } from './serial-words.js';

const MIN_BITS = 10;
const MAX_BITS = 28; // 32 MiB

export function hasDuplicateSerials(segments: readonly EntrySegment[]): boolean {
  if (segments.length === 0 || isStrictlyAscending(segments)) return false;
  const total = segments.reduce((sum, { size }) => sum + size, 0);
  const key = randomKey();
  const bits = Math.min(MAX_BITS, Math.max(MIN_BITS, 36 - Math.clz32(total)));
  const seen = new Uint32Array(2 ** (bits - 5));
  const noted = segments.map(({ words, size }) => note(words, size, key, seen, 32 - bits));
  const table = tableOf(segments, noted, key);
  return table !== undefined && segments.some(({ words, size }) => standsTwice(words, size, key, table));
}

/** Where the serials stand whose bit was set when they came. */
function note(words: Uint32Array, size: number, key: Uint32Array, seen: Uint32Array, shift: number): Uint32Array {
  const noted = new Uint32Array(size);
  return noted.slice(0, setBits(words, size, key, seen, shift, noted));
}

/** Sets one bit for each serial. Nothing but the loop: what follows a loop is not yet known to the compiler when the loop is hot, and would cost it twice. */
function setBits(words: Uint32Array, size: number, key: Uint32Array, seen: Uint32Array, shift: number, noted: Uint32Array): number {
  let count = 0;
  for (let at = 0; at < size * SERIAL_WORDS; at += SERIAL_WORDS) {
    const hash = hashOf(words, at, key) >>> shift;
    const word = seen[hash >>> 5]!;
    noted[count] = at;
    count += (word >>> (hash & 31)) & 1;
    seen[hash >>> 5] = word | (1 << (hash & 31));
  }
  return count;
}

/** The noted serials by hash, open addressing: an entry of `slots` is a position in `words` and `ats`, + 1. */
interface NotedTable {
  /** One bit for each hash of a noted serial, by its top bits: small enough for the processor's nearest memory, it answers for nearly all others. */
  readonly filter: Uint32Array;
  readonly filterShift: number;
  readonly slots: Uint32Array;
  readonly words: readonly Uint32Array[];
  readonly ats: readonly number[];
}

function tableOf(segments: readonly EntrySegment[], noted: readonly Uint32Array[], key: Uint32Array): NotedTable | undefined {
  const words = segments.flatMap((segment, i) => Array.from(noted[i]!, () => segment.words));
  const ats = noted.flatMap((one) => [...one]);
  if (ats.length === 0) return undefined;
  const slots = new Uint32Array(2 ** (34 - Math.clz32(ats.length)));
  const filterBits = 37 - Math.clz32(ats.length);
  const filter = new Uint32Array(2 ** (filterBits - 5));
  const filterShift = 32 - filterBits;
  ats.forEach((at, position) => {
    const hash = hashOf(words[position]!, at, key);
    filter[(hash >>> filterShift) >>> 5]! |= 1 << ((hash >>> filterShift) & 31);
    let slot = hash & (slots.length - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = position + 1;
  });
  return { filter, filterShift, slots, words, ats };
}

/** Whether any of these serials equals a noted one in another place. */
function standsTwice(words: Uint32Array, size: number, key: Uint32Array, table: NotedTable): boolean {
  const { filter, filterShift, slots } = table;
  const mask = slots.length - 1;
  for (let at = 0; at < size * SERIAL_WORDS; at += SERIAL_WORDS) {
    const hash = hashOf(words, at, key);
    if ((filter[(hash >>> filterShift) >>> 5]! & (1 << ((hash >>> filterShift) & 31))) === 0) continue;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const other = table.words[slots[slot]! - 1]!;
      const otherAt = table.ats[slots[slot]! - 1]!;
      if (areEqual(words, at, other, otherAt) && (otherAt !== at || other !== words)) return true;
    }
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
