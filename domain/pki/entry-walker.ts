/**
 * Walks over revokedCertificates in a window of bytes: the one loop that runs a million times. An entry of the usual make
 *
 *     30 len  02 len serial  17 0d YYMMDDHHMMSSZ  [ 30 0c 30 0a 06 03 55 1d 15 04 03 0a 01 reason ]
 *
 * is read in place, without an object. Anything else, wrong or merely unusual, is read again by the strict cursor of `crl-entry.ts`, which says
 * what it is: the fast way never decides that something is in order that the slow way would not.
 */
import { readEntry } from './crl-entry.js';
import { CrlUnreadable, type Refusals } from './crl-refusal.js';
import { readHeader } from './der.js';
import { EntryList, SEGMENT } from './entry-list.js';
import { newSegment, type EntrySegment } from './entry-segment.js';
import type { SerialSet } from './serial-set.js';
import { MAX_SERIAL_OCTETS, SERIAL_WORDS } from './serial-words.js';
import { daysBeforeMonth, daysBeforeYear, daysIn, utcYear } from './time.js';

/** An entry longer than this is not worth its window: a handful of extensions takes some hundred octets. */
export const MAX_ENTRY_OCTETS = 16_384;

/** Numbers outside the range are kept for display; more than this many is no list that anybody should read to its end. */
const MAX_ODD_SERIALS = 1_000;

/** Entries that are looked up together: what a look-up reads fits into the first-level cache for so many. */
const BATCH = 256;

const REASON_CODES = 0b111_0111_1111; // CRLReason 0–6, 8–10
const HOLD = 6;
const REMOVE_FROM_CRL = 8;

/** For each year 1950–2049 of UTCTime, by its two digits: days since 1970 at its first day. */
const YEAR_DAYS = Int32Array.from({ length: 100 }, (_, yy) => daysBeforeYear(utcYear(yy)));
/** Months 1–12 of common and leap years, by `leap * 16 + month`: days of the year before, and days in. */
const MONTH_DAYS = Int32Array.from({ length: 32 }, (_, i) =>
  i % 16 >= 1 && i % 16 <= 12 ? daysBeforeMonth(i < 16 ? 2001 : 2000, i % 16) : 0,
);
const MONTH_LENGTH = Int32Array.from({ length: 32 }, (_, i) => (i % 16 >= 1 && i % 16 <= 12 ? daysIn(i < 16 ? 2001 : 2000, i % 16) : 0));

export class EntryWalker {
  /** Entries that were not in `known`. */
  readonly fresh = new EntryList();
  /** Serials outside 1–20 octets, or not positive: only for the refusal's sake. */
  readonly oddSerials: bigint[] = [];
  count = 0;
  /** Where entries are read into: a part of `fresh` to be, or a batch for `known`. */
  private target: EntrySegment;

  constructor(
    private readonly refusals: Refusals,
    private readonly known: SerialSet | undefined,
    private readonly maxEntries: number,
  ) {
    this.target = newSegment(known === undefined ? SEGMENT : BATCH);
  }

  /**
   * Reads the entries that lie whole in `bytes[from, end)`; returns where the first unread one starts. `listEnd` is where revokedCertificates
   * ends on the same scale (it may lie beyond `end`). Throws DerError, CrlUnreadable.
   */
  walk(bytes: Uint8Array, view: DataView, from: number, end: number, listEnd: number): number {
    let at = from;
    while (at < end) {
      let next = this.usual(bytes, view, at, end);
      if (next < 0 && isCutOff(bytes, at, end, listEnd)) return at;
      if (next < 0) next = this.slow(bytes, at, end, listEnd);
      if (next === at) return at;
      if (this.target.size === this.target.reasons.length) this.flush();
      at = next;
    }
    return at;
  }

  /**
   * Takes the entry at `at` if it is of the usual make and lies whole before `end`: where it ends, or -1. A function of its own, and too large to be
   * drawn into the loop: it is compiled once, early.
   */
  private usual(bytes: Uint8Array, view: DataView, at: number, end: number): number {
    const length = bytes[at + 1]!;
    const next = at + 2 + length;
    if (next > end || bytes[at] !== 0x30 || length >= 0x80 || bytes[at + 2] !== 0x02) return -1;
    const serialLength = bytes[at + 3]!;
    let magnitude = at + 4;
    const date = magnitude + serialLength;
    if (serialLength === 0 || date + 15 > next || bytes[date] !== 0x17 || bytes[date + 1] !== 13) return -1;
    if (bytes[magnitude] === 0 && serialLength > 1 && bytes[magnitude + 1]! >= 0x80) magnitude += 1;
    else if (bytes[magnitude]! >= 0x80 || bytes[magnitude] === 0) return -1;
    const seconds = utcSeconds(view, date + 2);
    const reason = next === date + 15 ? 0 : usualReason(view, date + 15, next);
    if (Number.isNaN(seconds) || reason < 0 || date - magnitude > MAX_SERIAL_OCTETS) return -1;
    const { target } = this;
    const slot = target.size * SERIAL_WORDS;
    if (date - magnitude === 16) {
      target.words[slot] = 0;
      target.words[slot + 1] = view.getUint32(magnitude);
      target.words[slot + 2] = view.getUint32(magnitude + 4);
      target.words[slot + 3] = view.getUint32(magnitude + 8);
      target.words[slot + 4] = view.getUint32(magnitude + 12);
    } else toWords(bytes, magnitude, date, target.words, slot);
    this.take(seconds, reason);
    return next;
  }

  /** Takes the entry whose serial lies in the next slot of the target. */
  private take(seconds: number, reason: number): void {
    const { target } = this;
    target.seconds[target.size] = seconds;
    target.reasons[target.size] = reason;
    target.size += 1;
  }

  /** Brings what has been read to where it belongs. Call it once more at the end of the list. */
  flush(): void {
    const { target, known } = this;
    this.count += target.size;
    if (this.count > this.maxEntries) throw new CrlUnreadable('too-many-entries', `more than ${this.maxEntries}`);
    if (target.size === 0) return;
    if (known !== undefined) return this.lookUp(known);
    this.fresh.adopt(target);
    this.target = newSegment(SEGMENT);
  }

  private lookUp(known: SerialSet): void {
    const { target } = this;
    known.touch(target.words, target.size);
    for (let i = 0; i < target.size; i += 1) {
      const sighting = known.sight(target.words, i * SERIAL_WORDS, target.reasons[i] === HOLD);
      if (sighting === 'duplicate') this.refusals.add('duplicate-serial');
      else if (sighting !== 'known') this.fresh.append(target, i);
    }
    target.size = 0;
  }

  /** Reads one entry by the strict cursor. Returns `at` itself when the entry goes on beyond `end`. */
  private slow(bytes: Uint8Array, at: number, end: number, listEnd: number): number {
    const header = readHeader(bytes, at, end);
    if (header === undefined && end < listEnd) return at;
    const next = header === undefined ? Infinity : header.contentStart + header.contentLength;
    if (next > listEnd) throw new CrlUnreadable('not-der', 'an entry longer than the list');
    if (next - at > MAX_ENTRY_OCTETS) throw new CrlUnreadable('too-large', `an entry of more than ${MAX_ENTRY_OCTETS} octets`);
    if (next > end) return at;
    const entry = readEntry(bytes.subarray(at, next), this.refusals);
    if (entry.magnitude === undefined) {
      this.count += 1;
      this.oddSerials.push(entry.serial);
      if (this.oddSerials.length > MAX_ODD_SERIALS) throw new CrlUnreadable('serial-out-of-range', `more than ${MAX_ODD_SERIALS} of them`);
      return next;
    }
    toWords(entry.magnitude, 0, entry.magnitude.length, this.target.words, this.target.size * SERIAL_WORDS);
    this.take(entry.seconds, entry.reason);
    return next;
  }
}

/** Whether the entry at `at` plainly goes on beyond `end`, where more of the list is still to come. */
function isCutOff(bytes: Uint8Array, at: number, end: number, listEnd: number): boolean {
  if (end >= listEnd) return false;
  return at + 2 > end || (bytes[at + 1]! < 0x80 && at + 2 + bytes[at + 1]! > end);
}

/** Value of two digits, by their two octets as one number; 255 where one of them is no digit. */
const PAIRS = new Uint8Array(65_536).fill(255);
for (let value = 0; value < 100; value += 1) PAIRS[((0x30 + Math.floor(value / 10)) << 8) | (0x30 + (value % 10))] = value;

/** Seconds since 1970 of `YYMMDDHHMMSSZ`, NaN for anything that the strict reader has to judge. */
function utcSeconds(view: DataView, at: number): number {
  const year = PAIRS[view.getUint16(at)]!;
  const month = PAIRS[view.getUint16(at + 2)]!;
  const day = PAIRS[view.getUint16(at + 4)]!;
  const hour = PAIRS[view.getUint16(at + 6)]!;
  const minute = PAIRS[view.getUint16(at + 8)]!;
  const second = PAIRS[view.getUint16(at + 10)]!;
  if (year > 99 || month > 12 || hour > 23 || minute > 59 || second > 59 || view.getUint8(at + 12) !== 0x5a) return Number.NaN;
  const slot = (year & 3) === 0 ? 16 + month : month; // every fourth year of 1950–2049 is a leap year
  if (day < 1 || day > MONTH_LENGTH[slot]!) return Number.NaN;
  return (YEAR_DAYS[year]! + MONTH_DAYS[slot]! + day - 1) * 86_400 + hour * 3600 + minute * 60 + second;
}

/** The reason code, where the extensions are exactly one non-critical reasonCode of the list; -1 otherwise. */
function usualReason(view: DataView, at: number, next: number): number {
  // 30 0c 30 0a 06 03 55 1d 15 04 03 0a 01 reason
  if (next - at !== 14 || view.getUint32(at) !== 0x300c300a || view.getUint32(at + 4) !== 0x0603551d) return -1;
  if (view.getUint32(at + 8) !== 0x1504030a || view.getUint8(at + 12) !== 0x01) return -1;
  const reason = view.getUint8(at + 13);
  return reason <= 10 && reason !== REMOVE_FROM_CRL && (REASON_CODES & (1 << reason)) !== 0 ? reason : -1;
}

function toWords(bytes: Uint8Array, start: number, end: number, words: Uint32Array, at: number): void {
  let position = end;
  for (let k = SERIAL_WORDS - 1; k >= 0; k -= 1) {
    let word = 0;
    for (let shift = 0; shift < 32 && position > start; shift += 8) word |= bytes[--position]! << shift;
    words[at + k] = word;
  }
}
