/** A complete CRL of a CA of ours (RFC 5280 §5), up to its signature. */
import type { CaSignature } from './ca-signature.js';
import type { Certificate } from './certificate.js';
import { authorityKeyIdentifier } from './certificate-writer.js';
import { CRL_REASONS, type CrlReason } from './crl-reason.js';
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
    // Joined first: a hundred thousand arguments would not fit on the stack.
    ...(revoked.length > 0 ? [sequence(Buffer.concat(revoked.map(entryDer)))] : []),
    context(0, sequence(authorityKeyIdentifier(issuer.keyIdentifier), extension(OID.crlNumber, integer(crlNumber)))),
  );
}

function entryDer({ serialNumber, revokedAtMs, reason }: RevokedCertificate): Der {
  return sequence(integer(BigInt(`0x${serialNumber}`)), time(revokedAtMs), REASON_EXTENSIONS.get(reason) ?? Buffer.alloc(0));
}
