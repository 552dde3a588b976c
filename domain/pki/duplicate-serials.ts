/**
 * Finds a serial that is listed twice, in two passes and without sorting. What is slow in this is not the arithmetic but waiting for memory, so the
 * first pass asks no questions: it sets one bit for each serial, and notes those that found their bit set (a few in a hundred, and among them the
 * second of every pair). The second pass looks every serial up among the noted ones. The hash has a random key: no list can be made that turns
 * this into a comparison of everything with everything.
 */
import { randomBytes } from 'node:crypto';
import { SERIAL_WORDS } from './serial-words.js';

interface Listed {
  readonly size: number;
  /** Arrays of SERIAL_WORDS words an entry, each but the last full. */
  readonly segments: readonly Uint32Array[];
}

const MIN_BITS = 10;
const MAX_BITS = 28;

export function hasDuplicateSerials(list: Listed): boolean {
  if (isStrictlyAscending(list)) return false;
  const key = randomKey();
  const noted = note(list, key);
  return noted.length > 0 && anyTwice(list, key, noted);
}

/** Indexes of the serials whose bit was set when they came. */
function note(list: Listed, key: Uint32Array): readonly number[] {
  const noted: number[] = [];
  const bits = Math.min(MAX_BITS, Math.max(MIN_BITS, 37 - Math.clz32(list.size)));
  const seen = new Uint32Array(2 ** (bits - 5));
  let index = 0;
  for (const words of list.segments) {
    const end = Math.min(words.length, (list.size - index) * SERIAL_WORDS);
    for (let at = 0; at < end; at += SERIAL_WORDS) {
      const hash = hashOf(words, at, key) >>> (32 - bits);
      const word = seen[hash >>> 5]!;
      const bit = 1 << (hash & 31);
      if ((word & bit) !== 0) noted.push(index);
      seen[hash >>> 5] = word | bit;
      index += 1;
    }
  }
  return noted;
}

/** Whether any noted serial equals another one of the list. */
function anyTwice(list: Listed, key: Uint32Array, noted: readonly number[]): boolean {
  const perSegment = list.segments[0]!.length / SERIAL_WORDS;
  const bits = 35 - Math.clz32(noted.length);
  const mask = 2 ** bits - 1;
  const table = new Uint32Array(mask + 1); // index + 1
  const startOf = (words: Uint32Array, at: number): number => hashOf(words, at, key) & mask;
  for (const index of noted) {
    const words = list.segments[Math.floor(index / perSegment)]!;
    let slot = startOf(words, (index % perSegment) * SERIAL_WORDS);
    while (table[slot] !== 0) slot = (slot + 1) & mask;
    table[slot] = index + 1;
  }
  let index = 0;
  for (const words of list.segments) {
    const end = Math.min(words.length, (list.size - index) * SERIAL_WORDS);
    for (let at = 0; at < end; at += SERIAL_WORDS) {
      index += 1;
      for (let slot = startOf(words, at); table[slot] !== 0; slot = (slot + 1) & mask) {
        const other = table[slot]! - 1;
        if (other === index - 1) continue;
        if (areEqual(words, at, list.segments[Math.floor(other / perSegment)]!, (other % perSegment) * SERIAL_WORDS)) return true;
      }
    }
  }
  return false;
}

function areEqual(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  for (let k = SERIAL_WORDS - 1; k >= 0; k -= 1) if (a[i + k] !== b[j + k]) return false;
  return true;
}

function randomKey(): Uint32Array {
  const random = randomBytes(SERIAL_WORDS * 4);
  return Uint32Array.from({ length: SERIAL_WORDS }, (_, k) => random.readUInt32LE(k * 4) | 1);
}

function hashOf(words: Uint32Array, at: number, key: Uint32Array): number {
  let hash = Math.imul(words[at]! ^ key[4]!, key[0]!);
  hash = Math.imul(hash ^ (hash >>> 15) ^ words[at + 1]!, key[1]!);
  hash = Math.imul(hash ^ (hash >>> 15) ^ words[at + 2]!, key[2]!);
  hash = Math.imul(hash ^ (hash >>> 15) ^ words[at + 3]!, key[3]!);
  hash = Math.imul(hash ^ (hash >>> 15) ^ words[at + 4]!, key[4]!);
  return hash ^ (hash >>> 16);
}

/** Many CAs list in order: then a neighbour is all that can be equal. */
function isStrictlyAscending(list: Listed): boolean {
  let previous = list.segments[0];
  let before = -1;
  let index = 0;
  for (const words of list.segments) {
    const end = Math.min(words.length, (list.size - index) * SERIAL_WORDS);
    for (let at = 0; at < end; at += SERIAL_WORDS) {
      if (before >= 0 && !isBelow(previous!, before, words, at)) return false;
      previous = words;
      before = at;
      index += 1;
    }
  }
  return true;
}

function isBelow(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  for (let k = 0; k < SERIAL_WORDS; k += 1) if (a[i + k] !== b[j + k]) return a[i + k]! < b[j + k]!;
  return false;
}
