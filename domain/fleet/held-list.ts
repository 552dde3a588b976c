/**
 * A list of revocations that waits for a person, in the one form in which it is hashed, stored and approved. It is JSON, one entry a line,
 * in ascending order of the serial numbers:
 *
 *     {"version":1,"kind":"revoke","anchorId":"fleet-ca","issuerKeyId":"…","partition":"COMPLETE","crlNumber":"7","digest":"…","entries":[
 *     ["b7c2","keyCompromise","2026-11-22T10:00:00.000Z"],
 *     ["b7c3","certificateHold","2026-11-22T10:00:00.000Z"]
 *     ]}
 *
 * The hash is SHA-256 over these very octets. An approval names the hash, so it holds for this list and for no other; the octets are
 * hashed again after loading, so that a list which somebody touched in the bucket is never applied. The same CRL against the same state
 * always gives the same octets: a run that is repeated after a crash finds its own hold and does not make a second one.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CRL_REASONS, type CrlReason } from '../pki/crl-reason.js';
import { type SerialNumber, serialNumberFromHex } from '../pki/serial-number.js';

export const HeldListHeader = z.object({
  version: z.literal(1),
  /** `revoke`: new entries, certificateHold among them. `reactivate`: entries on hold that have left the CRL. */
  kind: z.enum(['revoke', 'reactivate']),
  anchorId: z.string().min(1),
  issuerKeyId: z.string().min(1),
  partition: z.string().min(1),
  /** Decimal. */
  crlNumber: z.string().regex(/^\d+$/),
  /** Lower-case hex SHA-256 of the CRL. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});
export type HeldListHeader = z.infer<typeof HeldListHeader>;

export interface HeldEntry {
  readonly serialNumber: SerialNumber;
  readonly reason: CrlReason;
  /** RFC 3339. */
  readonly revocationDate: string;
}

export interface HeldList {
  readonly hash: string;
  readonly count: number;
  /** The octets, in parts. */
  readonly parts: readonly Uint8Array[];
}

const PART_CHARACTERS = 65_536;
const OPEN = ',"entries":[\n';
const CLOSE = '\n]}\n';

/** Writes the list once, hashing as it goes: about 80 octets an entry. */
export async function writeHeldList(header: HeldListHeader, entries: AsyncIterable<HeldEntry> | Iterable<HeldEntry>): Promise<HeldList> {
  const hash = createHash('sha256');
  const parts: Uint8Array[] = [];
  let pending = JSON.stringify(HeldListHeader.parse(header)).slice(0, -1) + OPEN;
  let count = 0;
  const flush = (): void => {
    const part = Buffer.from(pending);
    hash.update(part);
    parts.push(part);
    pending = '';
  };
  for await (const { serialNumber, reason, revocationDate } of entries) {
    pending += `${count === 0 ? '' : ',\n'}${JSON.stringify([serialNumber, reason, revocationDate])}`;
    count += 1;
    if (pending.length > PART_CHARACTERS) flush();
  }
  pending += CLOSE;
  flush();
  return { hash: hash.digest('hex'), count, parts };
}

/** Lower-case hex SHA-256 of the octets of a list. */
export function heldListHash(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('hex');
}

const Entry = z.tuple([z.string(), z.enum(Object.values(CRL_REASONS)), z.iso.datetime()]);

/** Reads a list whose hash has been checked. Throws on anything that `writeHeldList` does not write. */
export function readHeldList(octets: Uint8Array): { readonly header: HeldListHeader; readonly entries: Iterable<HeldEntry> } {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  const open = text.indexOf(OPEN);
  if (open < 0 || !text.subarray(-CLOSE.length).equals(Buffer.from(CLOSE)))
    throw new Error('held list: not in the form that it is written in');
  const header = HeldListHeader.parse(JSON.parse(`${text.toString('utf8', 0, open)}}`));
  return { header, entries: entriesOf(text.subarray(open + OPEN.length, -CLOSE.length)) };
}

function* entriesOf(lines: Buffer): Iterable<HeldEntry> {
  for (let start = 0; start < lines.length;) {
    const newline = lines.indexOf(0x0a, start);
    const end = newline < 0 ? lines.length : newline;
    const line = lines.toString('utf8', start, newline < 0 ? end : end - 1); // without the comma
    const [serialNumber, reason, revocationDate] = Entry.parse(JSON.parse(line));
    yield { serialNumber: serialNumberFromHex(serialNumber), reason, revocationDate };
    start = end + 1;
  }
}
