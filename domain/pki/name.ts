import { createHash } from 'node:crypto';
import { DerCursor, DerError, TAG } from './der.js';
import { checkAlphabet } from './string-alphabets.js';

/** Short names of RFC 4514 §3; every other attribute type is written as its OID. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.6': 'C',
  '2.5.4.9': 'STREET',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
};

const STRING_TAGS: Readonly<Record<number, BufferEncoding | 'utf16be' | 'utf32be'>> = {
  0x0c: 'utf8', // UTF8String
  0x12: 'latin1', // NumericString
  0x13: 'latin1', // PrintableString
  0x14: 'latin1', // TeletexString: T.61 in theory, Latin-1 in every CA seen
  0x16: 'latin1', // IA5String
  0x1a: 'latin1', // VisibleString
  0x1c: 'utf32be', // UniversalString
  0x1e: 'utf16be', // BMPString
};

/**
 * Id of an issuer: lower-case hex SHA-256 of the DER of its Name. Names are compared as DER, octet by octet: RFC 5280 §4.1.2.6 makes a CA write
 * its name in the same encoding everywhere, and a comparison that folds case or spaces is one more way for two CAs to look alike.
 */
export function issuerId(nameDer: Uint8Array): string {
  return createHash('sha256').update(nameDer).digest('hex');
}

/**
 * DER of a Name → text in the manner of RFC 4514: last RDN first, `,` between RDNs, `+` inside one. Values of types without a short name are
 * shown as text too, not as `#hex`: it is for people to read and never parsed back. Throws DerError.
 */
export function nameText(nameDer: Uint8Array): string {
  const outer = new DerCursor(nameDer);
  const text = rdnsOf(outer.enter(TAG.sequence))
    .reverse()
    .map((attributes) => attributes.map(attributeText).join('+'))
    .join(',');
  outer.finish();
  return text;
}

/**
 * Throws DerError where the content of a Name is none, alphabets of its strings included. For names in CRLs: those in certificates are only shown
 * and compared, and a device whose firmware wrote `_` into a PrintableString has to be revocable all the same.
 */
export function checkName(rdns: DerCursor): void {
  for (const attribute of rdnsOf(rdns).flat()) checkAttribute(attribute);
}

/** The same for one RelativeDistinguishedName. */
export function checkRdn(rdn: DerCursor): void {
  attributesOf(rdn).forEach(checkAttribute);
}

interface Attribute {
  readonly type: string;
  /** The whole TLV. */
  readonly value: Uint8Array;
}

function rdnsOf(rdns: DerCursor): Attribute[][] {
  const found: Attribute[][] = [];
  while (!rdns.isAtEnd) found.push(attributesOf(rdns.enter(TAG.set)));
  return found;
}

function attributesOf(rdn: DerCursor): Attribute[] {
  const attributes: Attribute[] = [];
  let previous: Uint8Array | undefined;
  do {
    const der = rdn.any();
    // X.690 §11.6: the members of a SET OF stand in ascending order; X.501 §9.3: no attribute twice
    if (previous !== undefined && Buffer.compare(previous, der) >= 0) throw new DerError('a SET OF that is not sorted');
    previous = der;
    const attribute = new DerCursor(der).enter(TAG.sequence);
    attributes.push({ type: attribute.oid(), value: attribute.any() });
    attribute.finish();
  } while (!rdn.isAtEnd);
  return attributes;
}

function checkAttribute({ value }: Attribute): void {
  checkAlphabet(value[0]!, new DerCursor(value).content(value[0]!));
}

function attributeText({ type, value }: Attribute): string {
  return `${SHORT_NAMES[type] ?? type}=${valueText(value)}`;
}

function valueText(der: Uint8Array): string {
  const encoding = STRING_TAGS[der[0]!];
  if (encoding === undefined) return `#${Buffer.from(der).toString('hex')}`;
  return escapeText(decodeText(new DerCursor(der).content(der[0]!), encoding));
}

function decodeText(content: Uint8Array, encoding: BufferEncoding | 'utf16be' | 'utf32be'): string {
  if (encoding === 'utf16be')
    return content.length % 2 === 0 ? Buffer.from(content).swap16().toString('utf16le') : Buffer.from(content).toString('hex');
  if (encoding !== 'utf32be') return Buffer.from(content).toString(encoding);
  const points: number[] = [];
  for (let i = 0; i + 3 < content.length; i += 4) points.push(Math.min(0x10ffff, Buffer.from(content).readUInt32BE(i)));
  return String.fromCodePoint(...points);
}

/** RFC 4514 §2.4. */
function escapeText(text: string): string {
  return text
    .replaceAll(/["+,;<>\\]/g, '\\$&')
    .replaceAll('\0', '\\00')
    .replace(/^[# ]/, '\\$&')
    .replace(/ $/, '\\ ');
}
