/**
 * Sorts entries by serial without moving them: the result is an array of indexes. A list that is sorted already (many CAs write it so) costs one
 * pass. Otherwise: buckets over the first word in which the serials differ, then within each bucket the same again. Whatever the serials, each
 * level narrows the range, so no list can be made that takes quadratic time.
 */
import { SERIAL_WORDS } from './serial-words.js';

interface Sortable {
  readonly size: number;
  word(index: number, k: number): number;
  compare(a: number, b: number, from?: number): number;
}

const INSERTION_LIMIT = 24;
const MAX_BUCKET_BITS = 18;

export function sortBySerial(list: Sortable): Uint32Array {
  const order = new Uint32Array(list.size);
  for (let i = 0; i < order.length; i += 1) order[i] = i;
  if (!isSorted(list)) sortRange(list, order, new Uint32Array(order.length), 0, order.length, 0);
  return order;
}

function isSorted(list: Sortable): boolean {
  for (let i = 1; i < list.size; i += 1) if (list.compare(i - 1, i) > 0) return false;
  return true;
}

function sortRange(list: Sortable, order: Uint32Array, spare: Uint32Array, from: number, to: number, firstWord: number): void {
  if (to - from <= INSERTION_LIMIT) return insertionSort(list, order, from, to, firstWord);
  for (let k = firstWord; k < SERIAL_WORDS; k += 1) {
    let min = 0xffffffff;
    let max = 0;
    for (let i = from; i < to; i += 1) {
      const word = list.word(order[i]!, k);
      if (word < min) min = word;
      if (word > max) max = word;
    }
    if (min === max) continue;
    return distribute(list, order, spare, from, to, k, min, max);
  }
}

function distribute(
  list: Sortable,
  order: Uint32Array,
  spare: Uint32Array,
  from: number,
  to: number,
  k: number,
  min: number,
  max: number,
): void {
  const bits = Math.min(MAX_BUCKET_BITS, 32 - Math.clz32(to - from));
  const shift = Math.max(0, 32 - Math.clz32(max - min) - bits);
  const starts = new Uint32Array(((max - min) >>> shift) + 2);
  for (let i = from; i < to; i += 1) starts[((list.word(order[i]!, k) - min) >>> shift) + 1]! += 1;
  for (let b = 1; b < starts.length; b += 1) starts[b]! += starts[b - 1]!;
  const ends = starts.slice();
  for (let i = from; i < to; i += 1) {
    const index = order[i]!;
    spare[from + ends[(list.word(index, k) - min) >>> shift]!++] = index;
  }
  order.set(spare.subarray(from, to), from);
  for (let b = 0; b + 1 < starts.length; b += 1) {
    if (starts[b + 1]! - starts[b]! > 1) sortRange(list, order, spare, from + starts[b]!, from + starts[b + 1]!, k);
  }
}

function insertionSort(list: Sortable, order: Uint32Array, from: number, to: number, firstWord: number): void {
  for (let i = from + 1; i < to; i += 1) {
    const index = order[i]!;
    let j = i;
    for (; j > from && list.compare(order[j - 1]!, index, firstWord) > 0; j -= 1) order[j] = order[j - 1]!;
    order[j] = index;
  }
}
