/** A complete CRL of a CA of ours (RFC 5280 §5), up to its signature. */
import type { CaSignature } from './ca-signature.js';
import type { Certificate } from './certificate.js';
import { authorityKeyIdentifier } from './certificate-writer.js';
import { CRL_REASONS, type CrlReason } from './crl-reason.js';
import { TAG } from './der.js';
import { context, enumerated, extension, integer, sequence, time, type Der } from './der-writer.js';
import type { SerialNumber } from './serial-number.js';

const OID = { crlNumber: '2.5.29.20', reasonCode: '2.5.29.21' } as const;

export interface RevokedCertificate {
  readonly serialNumber: SerialNumber;
  readonly revokedAtMs: number;
  readonly reason: CrlReason;
}

export interface CrlContent {
  readonly crlNumber: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  readonly revoked: readonly RevokedCertificate[];
}

const NUMBERS = new Map(Object.entries(CRL_REASONS).map(([number, reason]) => [reason, Number(number)]));

/** The extensions of an entry, by reason: ten values, written once. `unspecified` is said by leaving the reason out (§5.3.1). */
const REASON_EXTENSIONS = new Map(
  [...NUMBERS].map(([reason, number]) => [
    reason,
    number === 0 ? Buffer.alloc(0) : sequence(extension(OID.reasonCode, enumerated(number))),
  ]),
);

/** TBSCertList. An empty list is absent, not an empty sequence (§5.1.2.6). */
export function crlTbs({ crlNumber, thisUpdateMs, nextUpdateMs, revoked }: CrlContent, issuer: Certificate, algorithm: CaSignature): Der {
  return sequence(
    integer(1), // v2
    algorithm.identifier,
    issuer.subjectDer,
    time(thisUpdateMs),
    time(nextUpdateMs),
    ...(revoked.length > 0 ? [sequence(entriesDer(revoked))] : []),
    context(0, sequence(authorityKeyIdentifier(issuer.keyIdentifier), extension(OID.crlNumber, integer(crlNumber)))),
  );
}

/** A serial of 20 octets, a time, a reason: no entry is longer. */
const LONGEST_ENTRY = 64;

/** All entries one behind the other, in one buffer: a list may have a million, and an object for each would be more than the list. */
function entriesDer(revoked: readonly RevokedCertificate[]): Uint8Array {
  const written = Buffer.allocUnsafe(revoked.length * LONGEST_ENTRY);
  const times = new Map<number, Der>();
  let length = 0;
  for (const { serialNumber, revokedAtMs, reason } of revoked) {
    // The certificates of a campaign are revoked within minutes: many share a second.
    const second = Math.floor(revokedAtMs / 1000);
    const revocationDate = times.get(second) ?? time(revokedAtMs);
    if (times.size < 10_000) times.set(second, revocationDate);
    const start = length;
    length += 2;
    length += writeSerial(written, length, serialNumber);
    written.set(revocationDate, length);
    length += revocationDate.length;
    const reasonDer = REASON_EXTENSIONS.get(reason)!;
    written.set(reasonDer, length);
    length += reasonDer.length;
    written[start] = TAG.sequence;
    written[start + 1] = length - start - 2; // below 128
  }
  return written.subarray(0, length);
}

/** An INTEGER, positive, in the fewest octets. Returns how many. */
function writeSerial(into: Buffer, at: number, serialNumber: SerialNumber): number {
  const hex = serialNumber.length % 2 === 0 ? serialNumber : `0${serialNumber}`;
  const sign = Number.parseInt(hex.slice(0, 2), 16) >= 0x80 ? 1 : 0;
  const octets = hex.length / 2 + sign;
  into[at] = TAG.integer;
  into[at + 1] = octets;
  into[at + 2] = 0;
  into.write(hex, at + 2 + sign, 'hex');
  return octets + 2;
}
