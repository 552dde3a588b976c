/**
 * Writes DER (X.690), as much as a certificate or a CRL needs. Every function answers one whole TLV, in the only encoding that DER allows, so that
 * what is written is what the strict reader (`der.ts`) takes.
 */
import { contextTag, TAG } from './der.js';

export type Der = Uint8Array;

const UTF8_STRING = 0x0c;

/** Octets of a length: one below 128, else their count and the number itself (X.690 §8.1.3, §10.1: the fewest). */
function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) octets.unshift(left % 256);
  return [0x80 | octets.length, ...octets];
}

export function tlv(tag: number, ...contents: readonly Uint8Array[]): Der {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  return Buffer.concat([Buffer.of(tag, ...lengthOctets(length)), ...contents]);
}

export const sequence = (...contents: readonly Uint8Array[]): Der => tlv(TAG.sequence, ...contents);
/** A SET of one: of more, DER would sort them (X.690 §11.6). */
export const setOfOne = (content: Uint8Array): Der => tlv(TAG.set, content);
export const octetString = (content: Uint8Array): Der => tlv(TAG.octetString, content);
/** Of whole octets. */
export const bitString = (content: Uint8Array): Der => tlv(TAG.bitString, Buffer.of(0), content);
export const utf8String = (text: string): Der => tlv(UTF8_STRING, Buffer.from(text, 'utf8'));
export const enumerated = (value: number): Der => tlv(TAG.enumerated, Buffer.of(value));
export const nullValue = (): Der => tlv(TAG.null);
/** BOOLEAN TRUE; FALSE is a default wherever it could stand here, and DER leaves defaults out. */
export const booleanTrue = (): Der => tlv(TAG.boolean, Buffer.of(0xff));
/** `[n]`, explicit or implicit and constructed. */
export const context = (n: number, ...contents: readonly Uint8Array[]): Der => tlv(contextTag(n, true), ...contents);
export const contextPrimitive = (n: number, content: Uint8Array): Der => tlv(contextTag(n, false), content);

/** A non-negative INTEGER in the fewest octets. */
export function integer(value: bigint | number): Der {
  const hex = value.toString(16);
  const octets = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return octets[0]! < 0x80 ? tlv(TAG.integer, octets) : tlv(TAG.integer, Buffer.of(0), octets);
}

export function oid(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tlv(TAG.oid, Buffer.from(octets));
}

/** A named BIT STRING: trailing zero bits are left out (X.690 §11.2.2). Bit 0 is the first; one bit at least. */
export function namedBits(...bits: readonly number[]): Der {
  const last = Math.max(...bits);
  const octets = Buffer.alloc((last >> 3) + 1);
  for (const bit of bits) octets[bit >> 3]! |= 0x80 >> (bit & 7);
  return tlv(TAG.bitString, Buffer.of(7 - (last & 7)), octets);
}

/** In whole seconds: UTCTime through 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5, §5.1.2.4). */
export function time(atMs: number): Der {
  const date = new Date(atMs);
  const digits = Buffer.from(`${date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`, 'latin1');
  return date.getUTCFullYear() < 2050 ? tlv(TAG.utcTime, digits.subarray(2)) : tlv(TAG.generalizedTime, digits);
}

/** Extension (RFC 5280 §4.1): `value` is the DER inside. */
export function extension(id: string, value: Der, isCritical = false): Der {
  return isCritical ? sequence(oid(id), booleanTrue(), octetString(value)) : sequence(oid(id), octetString(value));
}
