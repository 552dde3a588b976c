/** Certificates, requests and revocation lists as RFC 5280 and RFC 2986 draw them. */
import { bitString, context, enumerated, integer, octetString, oid, sequence, setOf, time, type Der } from './der.js';
import { basicConstraints, OID, type Extension } from './extensions.js';
import { signDer, signingAlgorithm, type AuthorityKey } from './keys.js';

async function signed(key: AuthorityKey, algorithmName: string, toBeSigned: Der): Promise<Der> {
  const algorithm = signingAlgorithm(key, algorithmName);
  return sequence(toBeSigned, algorithm.identifier, bitString(await signDer(key, algorithm, toBeSigned)));
}

export interface CertificateContent {
  readonly serialNumber: bigint;
  readonly issuer: Der;
  readonly subject: Der;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: Der;
  readonly extensions: readonly Extension[];
}

/** RFC 5280 §4.1. */
export function writeCertificate(key: AuthorityKey, signingAlgorithmName: string, content: CertificateContent): Promise<Der> {
  const version3 = context(0, integer(2));
  const toBeSigned = sequence(
    version3,
    integer(content.serialNumber),
    signingAlgorithm(key, signingAlgorithmName).identifier,
    content.issuer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subject,
    content.publicKey,
    context(3, sequence(...content.extensions.map(({ der }) => der))),
  );
  return signed(key, signingAlgorithmName, toBeSigned);
}

/** RFC 2986, with the request for cA TRUE (RFC 2985 extensionRequest). */
export function writeRequest(key: AuthorityKey, signingAlgorithmName: string, subject: Der): Promise<Der> {
  const extensionRequest = sequence(oid('1.2.840.113549.1.9.14'), setOf(sequence(basicConstraints(true, undefined, true).der)));
  return signed(key, signingAlgorithmName, sequence(integer(0), subject, key.publicKey, context(0, extensionRequest)));
}

export interface RevokedEntry {
  readonly serialNumber: bigint;
  readonly revocationDate: Date;
  /** CRLReason. 0 (unspecified) is left out: RFC 5280 §5.3.1. */
  readonly reason: number;
}

export interface CrlContent {
  readonly issuer: Der;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly entries: readonly RevokedEntry[];
  readonly extensions: readonly Extension[];
}

/** RFC 5280 §5.1, version 2. An empty list is absent, not an empty sequence (§5.1.2.6). */
export function writeCrl(key: AuthorityKey, signingAlgorithmName: string, content: CrlContent): Promise<Der> {
  const toBeSigned = sequence(
    integer(1),
    signingAlgorithm(key, signingAlgorithmName).identifier,
    content.issuer,
    time(content.thisUpdate),
    time(content.nextUpdate),
    // Joined first: a hundred thousand arguments would not fit on the stack.
    ...(content.entries.length > 0 ? [sequence(Buffer.concat(content.entries.map(writeEntry)))] : []),
    context(0, sequence(...content.extensions.map(({ der }) => der))),
  );
  return signed(key, signingAlgorithmName, toBeSigned);
}

function writeEntry(entry: RevokedEntry): Der {
  const head = [integer(entry.serialNumber), time(entry.revocationDate)];
  return entry.reason === 0 ? sequence(...head) : sequence(...head, reasonExtensions(entry.reason));
}

const reasons = new Map<number, Der>();
/** One of ten values, written once. */
function reasonExtensions(reason: number): Der {
  const known = reasons.get(reason) ?? sequence(sequence(oid(OID.reasonCode), octetString(enumerated(reason))));
  reasons.set(reason, known);
  return known;
}
