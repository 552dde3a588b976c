import { DerError } from './der.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** X.680 §41: which contents a string type has. Types that are not here take any octets. */
const ALPHABETS: Readonly<Record<number, (content: Buffer) => boolean>> = {
  0x0c: isUtf8,
  0x12: (content) => /^[0-9 ]*$/.test(content.toString('latin1')), // NumericString
  0x13: (content) => /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(content.toString('latin1')), // PrintableString
  0x16: (content) => content.every((octet) => octet < 0x80), // IA5String
  0x1a: (content) => /^[ -~]*$/.test(content.toString('latin1')), // VisibleString
  0x1c: isUtf32,
  0x1e: (content) => content.length % 2 === 0 && !hasSurrogate(content), // BMPString
};

/** Throws DerError where a value of the string type `tag` cannot have this content. */
export function checkAlphabet(tag: number, content: Uint8Array): void {
  if (ALPHABETS[tag]?.(Buffer.from(content)) === false) throw new DerError(`a string of type 0x${tag.toString(16)} with other characters`);
}

function isUtf8(content: Buffer): boolean {
  try {
    utf8.decode(content);
    return true;
  } catch {
    return false;
  }
}

function isUtf32(content: Buffer): boolean {
  if (content.length % 4 !== 0) return false;
  for (let i = 0; i < content.length; i += 4) {
    const point = content.readUInt32BE(i);
    if (point > 0x10ffff || isSurrogate(point)) return false;
  }
  return true;
}

function hasSurrogate(content: Buffer): boolean {
  for (let i = 0; i < content.length; i += 2) if (isSurrogate(content.readUInt16BE(i))) return true;
  return false;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;
