import { DerError, TAG, type DerCursor } from './der.js';

/**
 * Time of RFC 5280 §4.1.2.5 and §5.1.2.4: UTCTime `YYMMDDHHMMSSZ` through 2049, GeneralizedTime `YYYYMMDDHHMMSSZ` from 2050 on, seconds written,
 * Greenwich, no fraction. A year below 50 is 20xx (§4.1.2.5.1).
 *
 * GeneralizedTime before 2050 is *read*: RFC 5280 forbids a CA to write it, but it has only one meaning, DER allows it, and the NIST suite (PKITS
 * 4.4.15) demands that it is processed.
 */
export function readTime(cursor: DerCursor): number {
  const tag = cursor.peekTag();
  if (tag !== TAG.utcTime && tag !== TAG.generalizedTime) throw new DerError('no Time where one is due');
  const content = cursor.content(tag);
  return epochSeconds(content, 0, content.length, tag === TAG.generalizedTime);
}

/** Seconds since 1970 of the digits at `bytes[start, end)`. Throws DerError on any other form, and on a date that no calendar has. */
export function epochSeconds(bytes: Uint8Array, start: number, end: number, generalized: boolean): number {
  const digits = generalized ? 14 : 12;
  if (end - start !== digits + 1 || bytes[end - 1] !== 0x5a) throw new DerError('a Time that is not in seconds and Zulu');
  for (let i = start; i < end - 1; i += 1)
    if (bytes[i]! < 0x30 || bytes[i]! > 0x39) throw new DerError('a Time with something other than digits');
  const two = (at: number): number => (bytes[at]! - 0x30) * 10 + bytes[at + 1]! - 0x30;
  const rest = start + digits - 10;
  const year = generalized ? two(start) * 100 + two(start + 2) : utcYear(two(start));
  return secondsOf(year, two(rest), two(rest + 2), two(rest + 4), two(rest + 6), two(rest + 8));
}

export const utcYear = (twoDigits: number): number => (twoDigits < 50 ? 2000 : 1900) + twoDigits;

function secondsOf(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59)
    throw new DerError('a Time that no calendar has');
  return daysBeforeYear(year) * 86_400 + (daysBeforeMonth(year, month) + day - 1) * 86_400 + hour * 3600 + minute * 60 + second;
}

const DAYS_BEFORE_MONTH = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365] as const;

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

/** Days of the year before the first of `month` (1–13). */
export function daysBeforeMonth(year: number, month: number): number {
  return DAYS_BEFORE_MONTH[month]! + (month > 2 && isLeap(year) ? 1 : 0);
}

export function daysIn(year: number, month: number): number {
  return daysBeforeMonth(year, month + 1) - daysBeforeMonth(year, month);
}

/** Days from 1970-01-01 to January 1 of `year`, by the Gregorian rule. */
export function daysBeforeYear(year: number): number {
  const y = year - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) - 719_162;
}
