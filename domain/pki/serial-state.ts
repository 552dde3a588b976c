/**
 * Reads the stored form of a SerialSet (`next-serial-state.ts` writes it): at most 17 octets an entry for serials of up to 16 octets.
 *
 *     magic "FWSERIAL", u8 version = 1
 *     u32 × 20  revoked: how many serials of 1, 2 … 20 octets
 *     u32 × 20  hold: likewise
 *     serials, big-endian without leading zeros, ascending: revoked by length, then hold by length
 *     32 octets SHA-256 of all before
 *
 * Whatever is wrong with it throws: a damaged state that read as "nothing applied" would send the whole list again, one that read as
 * "applied" would lose revocations.
 */
import { createHash } from 'node:crypto';
import { SerialGroup } from './serial-group.js';
import { SERIAL_SECTIONS, SerialSet, type SectionGroups, type SerialSection } from './serial-set.js';
import { MAX_SERIAL_OCTETS, SERIAL_WORDS } from './serial-words.js';

export const MAGIC = Buffer.from('FWSERIAL\x01', 'latin1');
export const HEADER = MAGIC.length + 2 * MAX_SERIAL_OCTETS * 4;
const DIGEST = 32;
const MAX_SERIALS = 50_000_000;

/** The stored state is damaged, truncated or of another make. */
export class SerialStateError extends Error {
  constructor(detail: string) {
    super(`serial state: ${detail}`);
    this.name = 'SerialStateError';
  }
}

/**
 * Reads a stored state. Throws SerialStateError for any deviation, an empty source included, and where `digest` (lower-case hex, as
 * `serialStateDigest` gave it) is that of another state.
 */
export async function readSerialSet(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, digest?: string): Promise<SerialSet> {
  const reader = new StateReader();
  for await (const part of source) reader.push(part);
  const set = reader.finish();
  if (digest !== undefined && digest !== reader.digest) throw new SerialStateError(`got ${reader.digest}, expected ${digest}`);
  return set;
}

/** What tells a stored state from every other: the SHA-256 at its end. Lower-case hex. */
export function serialStateDigest(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts.slice(-2)).subarray(-DIGEST).toString('hex');
}

class StateReader {
  private readonly header = Buffer.alloc(HEADER);
  private readonly trailer = Buffer.alloc(DIGEST);
  private readonly hash = createHash('sha256');
  private body: Uint8Array | undefined;
  private received = 0;

  get digest(): string {
    return this.trailer.toString('hex');
  }

  push(part: Uint8Array): void {
    let rest = part;
    while (rest.length > 0) {
      const { target, at } = this.target();
      const taken = Math.min(rest.length, target.length - at);
      if (taken === 0) throw new SerialStateError('octets behind its end');
      target.set(rest.subarray(0, taken), at);
      if (target !== this.trailer) this.hash.update(rest.subarray(0, taken));
      this.received += taken;
      rest = rest.subarray(taken);
      if (this.received === HEADER) this.body = new Uint8Array(this.bodyLength());
    }
  }

  private target(): { target: Uint8Array; at: number } {
    if (this.body === undefined) return { target: this.header, at: this.received };
    const at = this.received - HEADER;
    return at < this.body.length ? { target: this.body, at } : { target: this.trailer, at: at - this.body.length };
  }

  private counts(section: SerialSection): readonly number[] {
    const start = MAGIC.length + SERIAL_SECTIONS.indexOf(section) * MAX_SERIAL_OCTETS * 4;
    return Array.from({ length: MAX_SERIAL_OCTETS }, (_, i) => this.header.readUInt32BE(start + i * 4));
  }

  private bodyLength(): number {
    if (!this.header.subarray(0, MAGIC.length).equals(MAGIC)) throw new SerialStateError('not of this format');
    const counts = SERIAL_SECTIONS.flatMap((section) => this.counts(section));
    if (counts.reduce((sum, count) => sum + count, 0) > MAX_SERIALS) throw new SerialStateError('too many serials');
    return counts.reduce((sum, count, i) => sum + count * ((i % MAX_SERIAL_OCTETS) + 1), 0);
  }

  finish(): SerialSet {
    if (this.body === undefined || this.received !== HEADER + this.body.length + DIGEST) throw new SerialStateError('truncated');
    if (!this.hash.digest().equals(this.trailer)) throw new SerialStateError('its digest does not fit');
    const revoked = sectionGroups(this.body, 0, this.counts('revoked'));
    const hold = sectionGroups(this.body, revoked.end, this.counts('hold'));
    return new SerialSet(revoked.groups, hold.groups);
  }
}

function sectionGroups(body: Uint8Array, start: number, counts: readonly number[]): { groups: SectionGroups; end: number } {
  const groups: SerialGroup[] = [new SerialGroup(0, new Uint32Array(0), 0)];
  let at = start;
  for (let width = 1; width <= SERIAL_WORDS; width += 1) {
    const lengths = counts.slice((width - 1) * 4, width * 4);
    const total = lengths.reduce((sum, count) => sum + count, 0);
    const words = new Uint32Array(total * width);
    let slot = 0;
    lengths.forEach((count, i) => {
      const octets = (width - 1) * 4 + i + 1;
      readSerials(body, at, words, slot, count, octets, width);
      at += count * octets;
      slot += count * width;
    });
    checkAscending(words, total, width);
    groups.push(new SerialGroup(width, words, total));
  }
  return { groups, end: at };
}

function readSerials(body: Uint8Array, from: number, words: Uint32Array, slot: number, count: number, octets: number, width: number): void {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const lead = octets - (width - 1) * 4;
  let at = from;
  let out = slot;
  for (let i = 0; i < count; i += 1) {
    let first = 0;
    for (let k = 0; k < lead; k += 1) first = first * 256 + body[at + k]!;
    if (body[at] === 0) throw new SerialStateError('a serial with a leading zero');
    words[out++] = first;
    for (let k = lead; k < octets; k += 4) words[out++] = view.getUint32(at + k);
    at += octets;
  }
}

function checkAscending(words: Uint32Array, count: number, width: number): void {
  for (let i = width; i < count * width; i += width) {
    let k = 0;
    while (k < width && words[i + k] === words[i - width + k]) k += 1;
    if (k === width || words[i + k]! < words[i - width + k]!) throw new SerialStateError('serials out of order');
  }
}
