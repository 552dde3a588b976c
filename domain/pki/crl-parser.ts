/**
 * One pass over a CertificateList that arrives in chunks:
 *
 *     header ──► entries ──► tail ──► done
 *     version, algorithm,    one by     crlExtensions, algorithm, signature
 *     issuer, dates          one
 *
 * Only the header, one entry and the tail are ever needed as a whole. Both digests are taken on the way: over the raw tbsCertList for the
 * signature, and over header and tail to tell one CRL from another.
 */
import { createHash } from 'node:crypto';
import { readListExtensions, type ListExtensions } from './crl-extensions.js';
import type { CrlLimits } from './crl-reading.js';
import { CrlUnreadable, type Refusals } from './crl-refusal.js';
import { ByteWindow } from './byte-window.js';
import { DerCursor, DerError, TAG, contextTag, readHeader } from './der.js';
import { EntryWalker } from './entry-walker.js';
import { checkName, nameText } from './name.js';
import type { SerialSet } from './serial-set.js';
import { StreamingVerifier, readScheme, type SchemeReading } from './signature.js';
import { readTime } from './time.js';

const WINDOW = 160 * 1024;

export interface ParsedCrl {
  readonly scheme: SchemeReading;
  /** Has seen the tbsCertList; absent where the scheme is refused. */
  readonly verifier: StreamingVerifier | undefined;
  readonly signature: Uint8Array;
  readonly issuerDer: Uint8Array;
  readonly issuer: string;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  readonly extensions: ListExtensions;
  readonly entries: EntryWalker;
  readonly digest: string;
}

interface Header {
  readonly algorithm: Uint8Array;
  readonly scheme: SchemeReading;
  readonly issuerDer: Uint8Array;
  readonly issuer: string;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  readonly isVersion1: boolean;
}

/** The structure needs octets that have not arrived. */
class NeedsMore extends Error {}

export class CrlParser {
  private readonly window = new ByteWindow(WINDOW);
  private readonly digest = createHash('sha256');
  private readonly walker: EntryWalker;
  private phase: 'header' | 'entries' | 'tail' | 'done' = 'header';
  private header: Header | undefined;
  private verifier: StreamingVerifier | undefined;
  private tail: { extensions: ListExtensions; signature: Uint8Array } | undefined;
  /** Offsets in the stream. */
  private tbsStart = 0;
  private tbsEnd = Infinity;
  private listEnd = 0;
  private total = Infinity;
  private verifiedTo = 0;

  constructor(
    private readonly refusals: Refusals,
    private readonly limits: CrlLimits,
    known: SerialSet | undefined,
    private readonly verifies: boolean,
  ) {
    this.walker = new EntryWalker(refusals, known, limits.maxEntries);
  }

  /** Takes the next octets of the DER form, in chunks of at most 64 KiB. Throws DerError, CrlUnreadable. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.window.push(chunk);
    if (this.window.received > this.total) throw new CrlUnreadable('trailing-bytes');
    if (this.phase === 'header') this.readHeader();
    this.verifyUpTo();
    if (this.phase === 'entries') this.readEntries();
    if (this.phase === 'tail') this.readTail();
  }

  /** Throws CrlUnreadable unless all has arrived. */
  finish(): ParsedCrl {
    const { header, tail } = this;
    if (header === undefined || tail === undefined) throw new CrlUnreadable('truncated');
    const { scheme, issuerDer, issuer, thisUpdate, nextUpdate } = header;
    const { extensions, signature } = tail;
    const { verifier, walker } = this;
    return {
      scheme,
      verifier,
      signature,
      issuerDer,
      issuer,
      thisUpdate,
      nextUpdate,
      extensions,
      entries: walker,
      digest: this.digest.digest('hex'),
    };
  }

  private readHeader(): void {
    const { window } = this;
    try {
      this.parseHeader(window.bytes, window.end);
    } catch (error) {
      if (!(error instanceof NeedsMore)) throw error;
      if (window.end - window.start > this.limits.maxHeaderBytes) throw new CrlUnreadable('too-large', 'what comes before the entries');
    }
  }

  private parseHeader(bytes: Uint8Array, end: number): void {
    const outer = open(bytes, 0, end, TAG.sequence);
    this.total = outer.contentEnd;
    if (this.total > this.limits.maxBytes) throw new CrlUnreadable('too-large', `${this.total} octets`);
    if (this.window.received > this.total) throw new CrlUnreadable('trailing-bytes');
    const tbs = open(bytes, outer.contentStart, end, TAG.sequence);
    if (tbs.contentEnd > this.total) throw new DerError('a tbsCertList longer than what holds it');
    let at = tbs.contentStart;
    /** The next whole element of tbsCertList. */
    const next = (): Uint8Array => {
      const { contentEnd } = open(bytes, at, end);
      if (contentEnd > tbs.contentEnd) throw new DerError('a value longer than what holds it');
      if (contentEnd > end) throw new NeedsMore();
      const element = bytes.slice(at, contentEnd);
      at = contentEnd;
      return element;
    };
    const isVersion1 = open(bytes, at, end).tag !== TAG.integer;
    if (!isVersion1) checkVersion2(next());
    const algorithm = next();
    const scheme = readScheme(algorithm);
    const issuerDer = next();
    const issuer = nameText(issuerDer);
    checkName(new DerCursor(issuerDer).enter(TAG.sequence));
    const thisUpdate = wholeTime(next());
    let tag = at < tbs.contentEnd ? open(bytes, at, end).tag : undefined;
    let nextUpdate: number | undefined;
    if (tag === TAG.utcTime || tag === TAG.generalizedTime) {
      nextUpdate = wholeTime(next());
      tag = at < tbs.contentEnd ? open(bytes, at, end).tag : undefined;
    }
    this.listEnd = at;
    if (tag === TAG.sequence) {
      const list = open(bytes, at, end);
      if (list.contentEnd > tbs.contentEnd) throw new DerError('revokedCertificates longer than what holds it');
      this.listEnd = list.contentEnd;
      at = list.contentStart;
    }
    this.tbsStart = outer.contentStart;
    this.tbsEnd = tbs.contentEnd;
    this.verifiedTo = this.tbsStart;
    this.header = { algorithm, scheme, issuerDer, issuer, thisUpdate, nextUpdate, isVersion1 };
    if (this.verifies && 'scheme' in scheme) this.verifier = new StreamingVerifier(scheme.scheme);
    this.digest.update(bytes.subarray(0, at));
    this.window.start = at;
    this.phase = 'entries';
  }

  /** Feeds what has arrived of tbsCertList to the verifier. Nothing drops out of the window before the header is read. */
  private verifyUpTo(): void {
    if (this.phase === 'header' || this.verifier === undefined) return;
    const { window } = this;
    const to = Math.min(window.received, this.tbsEnd);
    if (to <= this.verifiedTo) return;
    this.verifier.update(window.bytes.subarray(this.verifiedTo - window.base, to - window.base));
    this.verifiedTo = to;
  }

  private readEntries(): void {
    const { window } = this;
    const listEnd = this.listEnd - window.base;
    window.start = this.walker.walk(window.bytes, window.view, window.start, Math.min(window.end, listEnd), listEnd);
    if (window.start !== listEnd) return;
    this.walker.flush();
    this.phase = 'tail';
  }

  private readTail(): void {
    const { window } = this;
    if (this.total - this.listEnd > this.limits.maxHeaderBytes) throw new CrlUnreadable('too-large', 'what comes behind the entries');
    if (window.received < this.total) return;
    const tail = window.bytes.slice(window.start, window.end);
    this.digest.update(tail);
    const tbsEnd = this.tbsEnd - this.listEnd;
    const tbs = new DerCursor(tail, 0, tbsEnd);
    const hasExtensions = !tbs.isAtEnd;
    const extensions = hasExtensions ? readExtensionsOf(tbs, this.refusals) : {};
    tbs.finish();
    if (this.header!.isVersion1) this.refusals.add('version-1', hasExtensions ? 'and yet with extensions' : undefined);
    const outside = new DerCursor(tail, tbsEnd);
    if (!Buffer.from(outside.any()).equals(this.header!.algorithm)) this.refusals.add('algorithm-mismatch');
    const { octets: signature, unused } = outside.bitString();
    outside.finish();
    if (unused !== 0) this.refusals.add('bad-signature', 'not of whole octets');
    this.tail = { extensions, signature };
    this.phase = 'done';
  }
}

function readExtensionsOf(tbs: DerCursor, refusals: Refusals): ListExtensions {
  const holder = tbs.enter(contextTag(0, true));
  const extensions = readListExtensions(holder.enter(TAG.sequence), refusals);
  holder.finish();
  return extensions;
}

/** Header of the TLV at `at`, whose content may still be under way. Throws NeedsMore, DerError. */
function open(bytes: Uint8Array, at: number, end: number, tag?: number): { tag: number; contentStart: number; contentEnd: number } {
  const header = readHeader(bytes, at, end);
  if (tag !== undefined && at < end && bytes[at] !== tag)
    throw new DerError(`tag 0x${bytes[at]!.toString(16)} where 0x${tag.toString(16)} is due`);
  if (header === undefined) throw new NeedsMore();
  return { tag: header.tag, contentStart: header.contentStart, contentEnd: header.contentStart + header.contentLength };
}

/** RFC 5280 §5.1.2.1: where the version is written, it is v2 (1). */
function checkVersion2(der: Uint8Array): void {
  const content = new DerCursor(der).integer();
  if (content.length !== 1 || content[0] !== 1) throw new DerError('a version that is neither 1 nor 2');
}

function wholeTime(der: Uint8Array): number {
  return readTime(new DerCursor(der));
}
