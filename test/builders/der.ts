/**
 * Writes DER, and on purpose also what is not quite DER: a builder that shared the product's own encoder could not show its mistakes.
 * Every function returns one whole TLV.
 */

export function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = contents.length === 1 ? contents[0]! : Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOctets(content.length), content]);
}

export function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => tlv(0x31, ...parts);
export const octetString = (content: Uint8Array): Buffer => tlv(0x04, content);
export const bitString = (content: Uint8Array, unusedBits = 0): Buffer => tlv(0x03, Buffer.from([unusedBits]), content);
export const boolean = (value: boolean): Buffer => tlv(0x01, Buffer.from([value ? 0xff : 0]));
export const nullValue = (): Buffer => tlv(0x05, Buffer.alloc(0));
export const enumerated = (value: number): Buffer => tlv(0x0a, Buffer.from([value]));
export const utf8String = (text: string): Buffer => tlv(0x0c, Buffer.from(text, 'utf8'));
export const printableString = (text: string): Buffer => tlv(0x13, Buffer.from(text, 'latin1'));
/** `[n] IMPLICIT`, primitive. */
export const contextPrimitive = (n: number, content: Uint8Array): Buffer => tlv(0x80 | n, content);
/** `[n]` constructed: EXPLICIT, or IMPLICIT over a constructed type. */
export const context = (n: number, ...parts: readonly Uint8Array[]): Buffer => tlv(0xa0 | n, ...parts);

/** Two's complement, minimal. */
export function integer(value: bigint | number): Buffer {
  return tlv(0x02, integerContent(BigInt(value)));
}

export function integerContent(value: bigint): Buffer {
  let octets = 1;
  while (value < -(1n << BigInt(8 * octets - 1)) || value >= 1n << BigInt(8 * octets - 1)) octets += 1;
  return Buffer.from(
    BigInt.asUintN(8 * octets, value)
      .toString(16)
      .padStart(2 * octets, '0'),
    'hex',
  );
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc % 128];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) groups.unshift(0x80 | (high % 128));
    octets.push(...groups);
  }
  return tlv(0x06, Buffer.from(octets));
}

/** UTCTime through 2049, GeneralizedTime from 2050 on (RFC 5280 §5.1.2.4). */
export function time(date: Date): Buffer {
  return date.getUTCFullYear() >= 1950 && date.getUTCFullYear() < 2050 ? utcTime(date) : generalizedTime(date);
}
const digitsOf = (date: Date): string =>
  date
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:T]/g, '');
export const utcTime = (date: Date): Buffer => tlv(0x17, Buffer.from(digitsOf(date).slice(2), 'latin1'));
export const generalizedTime = (date: Date): Buffer => tlv(0x18, Buffer.from(digitsOf(date), 'latin1'));

/** Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue OCTET STRING }; `value` is the DER inside the octet string. */
export function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return critical ? sequence(oid(id), boolean(true), octetString(value)) : sequence(oid(id), octetString(value));
}

const ATTRIBUTE_OIDS: Readonly<Record<string, string>> = {
  C: '2.5.4.6',
  ST: '2.5.4.8',
  L: '2.5.4.7',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  CN: '2.5.4.3',
};

/** `[['C','DE'],['CN','A CA']]` → Name, in that (encoding) order. */
export function name(attributes: readonly (readonly [string, string])[]): Buffer {
  return sequence(
    ...attributes.map(([type, value]) =>
      set(sequence(oid(ATTRIBUTE_OIDS[type] ?? type), type === 'C' ? printableString(value) : utf8String(value))),
    ),
  );
}
