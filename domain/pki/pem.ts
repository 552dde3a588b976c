/**
 * PEM (RFC 7468), strictly: one block and nothing else. Text around a block is how one file comes to mean two things to two readers.
 */
import { DerError } from './der.js';

const INVALID = 255;
const SKIP = 254;
const PAD = 253;

const BASE64 = (() => {
  const table = new Uint8Array(256).fill(INVALID);
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    .split('')
    .forEach((letter, value) => (table[letter.charCodeAt(0)] = value));
  table[0x0a] = SKIP;
  table[0x0d] = SKIP;
  table[0x3d] = PAD;
  return table;
})();

/**
 * Turns PEM text, in chunks of any size, into DER chunks. Wants exactly `-----BEGIN <label>-----`, base64 with line ends, `-----END <label>-----`,
 * and line ends at most after it. Throws DerError on anything else.
 */
export class PemDecoder {
  private readonly begin: Uint8Array;
  private readonly end: Uint8Array;
  private phase: 'begin' | 'body' | 'end' | 'after' = 'begin';
  private matched = 0;
  private bits = 0;
  private bitCount = 0;
  private pads = 0;

  constructor(private readonly label: string) {
    this.begin = Buffer.from(`-----BEGIN ${label}-----`, 'latin1');
    this.end = Buffer.from(`-----END ${label}-----`, 'latin1');
  }

  /** DER octets that `chunk` completes. */
  decode(chunk: Uint8Array): Uint8Array {
    const out = new Uint8Array(Math.ceil((chunk.length * 3) / 4) + 3);
    let length = 0;
    let i = 0;
    while (i < chunk.length) {
      if (this.phase === 'body') {
        const before = i;
        ({ i, length } = this.decodeBody(chunk, i, out, length));
        if (i === before) throw this.wrong();
      } else this.matchBoundary(chunk[i++]!);
    }
    return out.subarray(0, length);
  }

  /** Throws DerError unless the END line has been seen. */
  finish(): void {
    if (this.phase !== 'after') throw new DerError(`PEM without an end line "-----END ${this.label}-----"`);
  }

  private wrong(): DerError {
    return new DerError(`PEM that is not exactly one ${this.label} block`);
  }

  private matchBoundary(octet: number): void {
    if (this.phase === 'after') {
      if (BASE64[octet] !== SKIP) throw this.wrong();
      return;
    }
    const wanted = this.phase === 'begin' ? this.begin : this.end;
    if (this.matched === wanted.length) {
      // behind the BEGIN line: a line end, then base64
      if (BASE64[octet] !== SKIP) throw this.wrong();
      this.phase = 'body';
      this.matched = 0;
      return;
    }
    if (octet !== wanted[this.matched]) throw this.wrong();
    this.matched += 1;
    if (this.phase === 'end' && this.matched === wanted.length) this.phase = 'after';
  }

  private decodeBody(chunk: Uint8Array, from: number, out: Uint8Array, start: number): { i: number; length: number } {
    let i = from;
    let length = start;
    let bits = this.bits;
    let bitCount = this.bitCount;
    for (; i < chunk.length; i += 1) {
      const value = BASE64[chunk[i]!]!;
      if (value < 64) {
        if (this.pads > 0) throw this.wrong();
        bits = ((bits << 6) | value) & 0xffffff;
        bitCount += 6;
        if (bitCount >= 8) {
          bitCount -= 8;
          out[length++] = (bits >> bitCount) & 0xff;
        }
      } else if (value === PAD) this.pads += 1;
      else if (value === INVALID) {
        this.endBody(chunk[i]!, bits, bitCount);
        i += 1;
        break;
      }
    }
    this.bits = bits;
    this.bitCount = bitCount;
    return { i, length };
  }

  /** RFC 4648 §3.5: unused bits are zero, and the padding fits, so that one content has one text. */
  private endBody(octet: number, bits: number, bitCount: number): void {
    const wantedPads = bitCount === 0 ? 0 : bitCount === 4 ? 2 : 1;
    if (octet !== 0x2d || bitCount === 6 || this.pads !== wantedPads || (bits & ((1 << bitCount) - 1)) !== 0) throw this.wrong();
    this.phase = 'end';
    this.matched = 1;
  }
}

/**
 * The DER of a PEM text that holds exactly one block of `label`; text before and after it is allowed (RFC 7468 §2: tools print a certificate's
 * contents above it), a second block is not. Throws DerError.
 */
export function pemToDer(text: string, label: string): Uint8Array {
  const start = text.indexOf('-----BEGIN ');
  const last = text.lastIndexOf('-----END ');
  if (start < 0 || text.indexOf('-----BEGIN ', start + 1) >= 0) throw new DerError(`PEM that is not exactly one ${label} block`);
  const decoder = new PemDecoder(label);
  const der = decoder.decode(Buffer.from(text.slice(start, last < 0 ? undefined : last + `-----END ${label}-----`.length), 'latin1'));
  decoder.finish();
  return der;
}

/** DER → PEM, 64 characters a line. */
export function derToPem(der: Uint8Array, label: string): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  return `-----BEGIN ${label}-----\n${base64.replaceAll(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
}
