import { serialNumberFromHex, type SerialNumber } from './serial-number.js';

/**
 * How serial numbers are held in bulk: five 32-bit words, big-endian, right-aligned; word 0 is the most significant. A million of them are one
 * typed array: no object, no string and no allocation for each.
 */
export const SERIAL_WORDS = 5;
export const MAX_SERIAL_OCTETS = 20;

/** Canonical hex of the `count` words at `words[at]`. */
export function wordsToSerial(words: Uint32Array, at: number, count = SERIAL_WORDS): SerialNumber {
  let hex = '';
  for (let i = 0; i < count; i += 1) {
    const word = words[at + i]!;
    if (hex === '' && word === 0) continue;
    hex += hex === '' ? word.toString(16) : word.toString(16).padStart(8, '0');
  }
  return serialNumberFromHex(hex === '' ? '0' : hex);
}

/** Writes a serial number as five words at `words[at]`. */
export function serialToWords(serial: SerialNumber, words: Uint32Array, at = 0): void {
  const hex = serial.padStart(SERIAL_WORDS * 8, '0');
  for (let i = 0; i < SERIAL_WORDS; i += 1) words[at + i] = Number.parseInt(hex.slice(i * 8, i * 8 + 8), 16);
}

/** How many octets the number in the five words at `words[at]` takes; 0 for zero. */
export function octetsOf(words: Uint32Array, at: number): number {
  for (let i = 0; i < SERIAL_WORDS; i += 1) {
    const word = words[at + i]!;
    if (word !== 0) return (SERIAL_WORDS - i) * 4 - (Math.clz32(word) >> 3);
  }
  return 0;
}
