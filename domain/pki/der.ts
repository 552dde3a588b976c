/**
 * Strict DER (X.690 §10–11) for small structures that lie in memory as a whole: a certificate, an extension, an AlgorithmIdentifier.
 * A cursor walks over one level; `enter` opens the next. Everything that DER forbids throws `DerError`: nothing is repaired, because
 * two encodings of one meaning are two ways to be misunderstood.
 */

/** The bytes are not DER, or not the structure that was expected. `detail` is fit for a log line. */
export class DerError extends Error {
  constructor(readonly detail: string) {
    super(detail);
    this.name = 'DerError';
  }
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag of `[n]`, primitive or constructed. */
export const contextTag = (n: number, constructed: boolean): number => (constructed ? 0xa0 : 0x80) | n;

/** How deep structures of unknown make may nest. RFC 5280 needs 8 at most. */
export const MAX_DEPTH = 16;

/** The header of one TLV. Lengths above 2^32 are refused with the forms that DER forbids. */
export interface TlvHeader {
  readonly tag: number;
  readonly contentStart: number;
  readonly contentLength: number;
}

/**
 * Reads a TLV header at `at`. `undefined`: the header goes on beyond `end`. Throws DerError for indefinite and non-minimal lengths and for tag
 * numbers above 30, which no structure of RFC 5280 uses.
 */
export function readHeader(bytes: Uint8Array, at: number, end: number): TlvHeader | undefined {
  if (at + 2 > end) return undefined;
  const tag = bytes[at]!;
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag number above 30');
  const first = bytes[at + 1]!;
  if (first < 0x80) return { tag, contentStart: at + 2, contentLength: first };
  if (first === 0x80) throw new DerError('an indefinite length');
  const octets = first & 0x7f;
  if (octets > 4) throw new DerError('a length of more than four octets');
  if (at + 2 + octets > end) return undefined;
  let contentLength = 0;
  for (let i = 0; i < octets; i += 1) contentLength = contentLength * 256 + bytes[at + 2 + i]!;
  if (bytes[at + 2] === 0 || contentLength < 0x80) throw new DerError('a length that is not minimal');
  return { tag, contentStart: at + 2 + octets, contentLength };
}

export class DerCursor {
  private at: number;

  constructor(
    private readonly bytes: Uint8Array,
    start = 0,
    private readonly end: number = bytes.length,
    private readonly depth = 0,
  ) {
    if (depth > MAX_DEPTH) throw new DerError(`a nesting deeper than ${MAX_DEPTH}`);
    this.at = start;
  }

  /** Offset of the next TLV in the bytes that the outermost cursor was made of. */
  get offset(): number {
    return this.at;
  }

  get isAtEnd(): boolean {
    return this.at === this.end;
  }

  /** The next tag, or `undefined` at the end. */
  peekTag(): number | undefined {
    return this.at < this.end ? this.bytes[this.at] : undefined;
  }

  private header(): TlvHeader {
    const header = readHeader(this.bytes, this.at, this.end);
    if (header === undefined || header.contentStart + header.contentLength > this.end)
      throw new DerError('a value longer than what holds it');
    return header;
  }

  /** Content octets of the next TLV, which must carry `tag`. A view, not a copy. */
  content(tag: number): Uint8Array {
    const header = this.header();
    if (header.tag !== tag) throw new DerError(`tag 0x${header.tag.toString(16)} where 0x${tag.toString(16)} is due`);
    this.at = header.contentStart + header.contentLength;
    return this.bytes.subarray(header.contentStart, this.at);
  }

  /** Opens a constructed value and steps over it. */
  enter(tag: number): DerCursor {
    const content = this.content(tag);
    return new DerCursor(this.bytes, this.at - content.length, this.at, this.depth + 1);
  }

  /** The whole next TLV, whatever it is, with everything inside it checked for strict DER. */
  any(): Uint8Array {
    const start = this.at;
    const header = this.header();
    this.at = header.contentStart + header.contentLength;
    if ((header.tag & 0x20) !== 0) {
      const inside = new DerCursor(this.bytes, header.contentStart, this.at, this.depth + 1);
      while (!inside.isAtEnd) inside.any();
    }
    return this.bytes.subarray(start, this.at);
  }

  /** Throws unless everything was read. */
  finish(): void {
    if (!this.isAtEnd) throw new DerError('something behind the last expected value');
  }

  /** Content of an INTEGER, checked to be minimal: two's complement, big-endian. */
  integer(tag: number = TAG.integer): Uint8Array {
    const content = this.content(tag);
    checkMinimalInteger(content);
    return content;
  }

  boolean(tag: number = TAG.boolean): boolean {
    const content = this.content(tag);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new DerError('a BOOLEAN that is neither 00 nor FF');
    return content[0] === 0xff;
  }

  /** A BOOLEAN DEFAULT FALSE: absent, or present and TRUE (DER leaves defaults out). */
  defaultFalse(tag: number = TAG.boolean): boolean {
    if (this.peekTag() !== tag) return false;
    if (!this.boolean(tag)) throw new DerError('a DEFAULT value that is written out');
    return true;
  }

  /** The same, where FALSE may be written out: against DER, and what some CAs put into certificates that are in use. */
  falseUnlessTrue(tag: number = TAG.boolean): boolean {
    return this.peekTag() === tag && this.boolean(tag);
  }

  /** A BIT STRING of whole octets. */
  octetBitString(): Uint8Array {
    const { octets, unused } = this.bitString();
    if (unused !== 0) throw new DerError('a BIT STRING that does not end on an octet');
    return octets;
  }

  /** Any BIT STRING: unused bits are zero in DER. */
  bitString(): { readonly octets: Uint8Array; readonly unused: number } {
    const content = this.content(TAG.bitString);
    const unused = content[0];
    if (unused === undefined || unused > 7 || (content.length === 1 && unused !== 0))
      throw new DerError('a BIT STRING with a wrong count of unused bits');
    if ((content[content.length - 1]! & ((1 << unused) - 1)) !== 0 && content.length > 1)
      throw new DerError('a BIT STRING whose unused bits are not zero');
    return { octets: content.subarray(1), unused };
  }

  /** A named BIT STRING (KeyUsage, ReasonFlags): trailing zero bits are left out in DER. Bit 0 is the first. */
  namedBits(tag: number = TAG.bitString): ReadonlySet<number> {
    const content = this.content(tag);
    const unused = content[0];
    if (unused === undefined || unused > 7 || (content.length === 1 && unused !== 0))
      throw new DerError('a BIT STRING with a wrong count of unused bits');
    const last = content[content.length - 1]!;
    if (content.length > 1 && (last & ((1 << (unused + 1)) - 1)) !== 1 << unused)
      throw new DerError('a named BIT STRING with trailing zero bits');
    const set = new Set<number>();
    for (let bit = 0; bit < (content.length - 1) * 8; bit += 1) if ((content[1 + (bit >> 3)]! & (0x80 >> (bit & 7))) !== 0) set.add(bit);
    return set;
  }

  null(): void {
    if (this.content(TAG.null).length !== 0) throw new DerError('a NULL with content');
  }

  /** Dotted form. */
  oid(): string {
    return dottedOid(this.content(TAG.oid));
  }
}

export function checkMinimalInteger(content: Uint8Array): void {
  if (content.length === 0) throw new DerError('an INTEGER without content');
  const sign = content[0]!;
  if (content.length > 1 && ((sign === 0 && content[1]! < 0x80) || (sign === 0xff && content[1]! >= 0x80)))
    throw new DerError('an INTEGER that is not minimal');
}

/** Content of an INTEGER → its value. */
export function integerValue(content: Uint8Array): bigint {
  const unsigned = BigInt(`0x${Buffer.from(content).toString('hex')}`);
  return content[0]! < 0x80 ? unsigned : unsigned - (1n << BigInt(8 * content.length));
}

function dottedOid(content: Uint8Array): string {
  if (content.length === 0 || content[content.length - 1]! >= 0x80) throw new DerError('an OBJECT IDENTIFIER that does not end');
  const arcs: bigint[] = [];
  let arc = 0n;
  let starts = true;
  for (const octet of content) {
    if (starts && octet === 0x80) throw new DerError('an OBJECT IDENTIFIER that is not minimal');
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    starts = octet < 0x80;
    if (!starts) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [first = 0n, ...rest] = arcs;
  const root = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [root, first - root * 40n, ...rest].join('.');
}
