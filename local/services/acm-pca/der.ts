/**
 * Writes DER (X.690), nothing more than X.509 needs. Written here because a CRL of a hundred thousand entries goes through it, and the libraries build
 * an object tree for every entry.
 */
export type Der = Buffer;

/** Octets of a length: one below 128, else their count and the number itself (X.690 §8.1.3). */
const lengthOctets = (size: number): number => (size < 0x80 ? 0 : Math.ceil((32 - Math.clz32(size)) / 8));

export function tlv(tag: number, ...contents: readonly Uint8Array[]): Der {
  let size = 0;
  for (const content of contents) size += content.length;
  const long = lengthOctets(size);
  const der = Buffer.allocUnsafe(2 + long + size);
  der[0] = tag;
  der[1] = long === 0 ? size : 0x80 | long;
  if (long > 0) der.writeUIntBE(size, 2, long);
  let at = 2 + long;
  for (const content of contents) {
    der.set(content, at);
    at += content.length;
  }
  return der;
}

export const sequence = (...contents: readonly Uint8Array[]): Der => tlv(0x30, ...contents);
export const octetString = (content: Uint8Array): Der => tlv(0x04, content);
export const bitString = (content: Uint8Array, unusedBits = 0): Der => tlv(0x03, Buffer.from([unusedBits]), content);
export const boolean = (value: boolean): Der => tlv(0x01, Buffer.from([value ? 0xff : 0]));
export const enumerated = (value: number): Der => tlv(0x0a, Buffer.from([value]));
export const utf8String = (text: string): Der => tlv(0x0c, Buffer.from(text, 'utf8'));
export const printableString = (text: string): Der => tlv(0x13, Buffer.from(text, 'latin1'));
export const ia5String = (text: string): Der => tlv(0x16, Buffer.from(text, 'latin1'));
export const nullValue = (): Der => tlv(0x05);
/** `[n] EXPLICIT` and constructed `[n] IMPLICIT` have the same tag. */
export const context = (number: number, ...contents: readonly Uint8Array[]): Der => tlv(0xa0 | number, ...contents);
export const contextPrimitive = (number: number, content: Uint8Array): Der => tlv(0x80 | number, content);

/** SET OF: the encodings in ascending order (X.690 §11.6). */
export const setOf = (...contents: readonly Uint8Array[]): Der => tlv(0x31, ...[...contents].sort((a, b) => Buffer.compare(a, b)));

/** A non-negative INTEGER in the fewest octets, with the leading zero that keeps it positive. */
export function integer(value: bigint | number): Der {
  const hex = value.toString(16);
  const octets = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return (octets[0] ?? 0) & 0x80 ? tlv(0x02, Buffer.from([0]), octets) : tlv(0x02, octets);
}

const oids = new Map<string, Der>();
export function oid(dotted: string): Der {
  const known = oids.get(dotted);
  if (known) return known;
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  const encoded = tlv(0x06, Buffer.from(octets));
  oids.set(dotted, encoded);
  return encoded;
}

/** UTCTime until 2049, GeneralizedTime after (RFC 5280 §4.1.2.5, §5.1.2.4), whole seconds. */
export function time(date: Date): Der {
  const digits = `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050 ? tlv(0x17, Buffer.from(digits.slice(2), 'latin1')) : tlv(0x18, Buffer.from(digits, 'latin1'));
}

/** A BIT STRING of named bits, trailing zero bits dropped (X.690 §11.2.2). */
export function namedBits(bits: readonly boolean[]): Der {
  const last = bits.lastIndexOf(true);
  const octets = Buffer.alloc(Math.ceil((last + 1) / 8));
  bits.slice(0, last + 1).forEach((bit, index) => {
    if (bit) octets[index >> 3] = (octets[index >> 3] ?? 0) | (0x80 >> (index & 7));
  });
  return bitString(octets, last < 0 ? 0 : 7 - (last % 8));
}

export interface Tlv {
  readonly tag: number;
  readonly content: Buffer;
  /** With tag and length. */
  readonly whole: Buffer;
}

/** The elements that lie next to each other in `der`. For DER that a library or Node has accepted already. */
export function elements(der: Uint8Array): readonly Tlv[] {
  const buffer = Buffer.from(der.buffer, der.byteOffset, der.byteLength);
  const found: Tlv[] = [];
  for (let at = 0; at < buffer.length;) {
    const first = buffer[at + 1] ?? 0;
    const longForm = first & 0x80 ? first & 0x7f : 0;
    const header = 2 + longForm;
    const size = longForm ? buffer.readUIntBE(at + 2, longForm) : first;
    const end = at + header + size;
    if (end > buffer.length) throw new RangeError('DER: element is longer than its surroundings');
    found.push({ tag: buffer[at] ?? 0, content: buffer.subarray(at + header, end), whole: buffer.subarray(at, end) });
    at = end;
  }
  return found;
}
