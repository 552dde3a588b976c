/**
 * Signature algorithms: which AlgorithmIdentifiers are verified, and how. RSA PKCS#1 v1.5 and PSS (RFC 4055), ECDSA on P-256, P-384 and P-521
 * (RFC 5758), each over SHA-256, SHA-384 or SHA-512. What is not in the table is never tried.
 */
import { constants, createVerify, type KeyObject, type Verify } from 'node:crypto';
import { DerCursor, DerError, TAG, contextTag } from './der.js';

export type HashName = 'sha256' | 'sha384' | 'sha512';

export interface SignatureScheme {
  readonly family: 'rsa-pkcs1' | 'rsa-pss' | 'ecdsa';
  readonly hash: HashName;
  /** PSS only: octets of salt. */
  readonly saltLength?: number;
}

export type SchemeReading = { readonly scheme: SignatureScheme } | { readonly refused: 'weak-hash' | 'unsupported-signature-algorithm' };

const RSA = '1.2.840.113549.1.1';
const ECDSA = '1.2.840.10045.4';
const SHA2 = '2.16.840.1.101.3.4.2';

const SCHEMES: Readonly<Record<string, SignatureScheme>> = {
  [`${RSA}.11`]: { family: 'rsa-pkcs1', hash: 'sha256' },
  [`${RSA}.12`]: { family: 'rsa-pkcs1', hash: 'sha384' },
  [`${RSA}.13`]: { family: 'rsa-pkcs1', hash: 'sha512' },
  [`${ECDSA}.3.2`]: { family: 'ecdsa', hash: 'sha256' },
  [`${ECDSA}.3.3`]: { family: 'ecdsa', hash: 'sha384' },
  [`${ECDSA}.3.4`]: { family: 'ecdsa', hash: 'sha512' },
};

/** Over hashes whose collisions can be made: two lists with one signature. (SHA-224 is not broken: it is merely not verified here.) */
const BROKEN = new Set([
  `${RSA}.2`,
  `${RSA}.3`,
  `${RSA}.4`,
  `${RSA}.5`,
  `${ECDSA}.1`,
  '1.3.14.3.2.29',
  '1.3.14.3.2.27',
  '1.2.840.10040.4.3',
]);
const BROKEN_HASHES = new Set(['1.3.14.3.2.26', '1.2.840.113549.2.5']);

/** RFC 4055 §3.1: octets. */
const DEFAULT_SALT = 20;

const PSS_HASHES: Readonly<Record<string, HashName>> = { [`${SHA2}.1`]: 'sha256', [`${SHA2}.2`]: 'sha384', [`${SHA2}.3`]: 'sha512' };

/** Reads a whole DER AlgorithmIdentifier. Throws DerError where it is not one. */
export function readScheme(algorithmIdentifier: Uint8Array): SchemeReading {
  const outer = new DerCursor(algorithmIdentifier);
  const algorithm = outer.enter(TAG.sequence);
  outer.finish();
  const id = algorithm.oid();
  if (BROKEN.has(id)) return { refused: 'weak-hash' };
  if (id === `${RSA}.10`) return readPss(algorithm);
  const scheme = SCHEMES[id];
  // RFC 4055 §5: parameters of RSA are NULL (some CAs leave them out: one meaning all the same). RFC 5758 §3.2: those of ECDSA are absent.
  if (scheme?.family === 'rsa-pkcs1' && algorithm.peekTag() === TAG.null) algorithm.null();
  return scheme !== undefined && algorithm.isAtEnd ? { scheme } : { refused: 'unsupported-signature-algorithm' };
}

/**
 * RSASSA-PSS-params (RFC 4055 §3.1). The defaults are SHA-1, so every part has to be there; the mask hash must equal the message hash, the
 * trailer is the default. The salt length is handed to OpenSSL, which demands exactly that many octets.
 */
function readPss(algorithm: DerCursor): SchemeReading {
  if (algorithm.isAtEnd) return { refused: 'weak-hash' };
  const params = algorithm.enter(TAG.sequence);
  if (params.peekTag() !== contextTag(0, true)) return { refused: 'weak-hash' };
  const hashId = wrapped(params.enter(contextTag(0, true)), readHash);
  if (BROKEN_HASHES.has(hashId)) return { refused: 'weak-hash' };
  const hash = PSS_HASHES[hashId];
  if (hash === undefined || params.peekTag() !== contextTag(1, true)) return { refused: 'unsupported-signature-algorithm' };
  const maskHash = wrapped(params.enter(contextTag(1, true)), (mask) =>
    mask.oid() === `${RSA}.8` ? readHash(mask.enter(TAG.sequence)) : void mask.any(),
  );
  const writtenSalt = params.peekTag() === contextTag(2, true);
  const saltLength = writtenSalt ? smallInteger(params.enter(contextTag(2, true))) : DEFAULT_SALT;
  if (writtenSalt && saltLength === DEFAULT_SALT) throw new DerError('a DEFAULT value that is written out');
  return maskHash === hashId && saltLength !== undefined && params.isAtEnd && algorithm.isAtEnd
    ? { scheme: { family: 'rsa-pss', hash, saltLength } }
    : { refused: 'unsupported-signature-algorithm' };
}

/** The one SEQUENCE inside an explicit tag. */
function wrapped<T>(holder: DerCursor, read: (algorithm: DerCursor) => T): T {
  const algorithm = holder.enter(TAG.sequence);
  const result = read(algorithm);
  algorithm.finish();
  holder.finish();
  return result;
}

function readHash(hash: DerCursor): string {
  const id = hash.oid();
  if (!hash.isAtEnd) hash.null();
  hash.finish();
  return id;
}

/** 0 to 127, else `undefined`: to node:crypto, negative lengths are commands, and no hash here is longer. */
function smallInteger(holder: DerCursor): number | undefined {
  const content = holder.integer();
  holder.finish();
  return content.length === 1 && content[0]! < 0x80 ? content[0]! : undefined;
}

const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** Verifies one signature over a message that arrives in parts. */
export class StreamingVerifier {
  private readonly verifier: Verify;

  constructor(private readonly scheme: SignatureScheme) {
    this.verifier = createVerify(scheme.hash);
  }

  update(part: Uint8Array): void {
    this.verifier.update(part);
  }

  /**
   * Once only. `unsupported`: the pinned key is not of the family that the algorithm names, or on another curve: the certificate decides, not
   * the message.
   */
  verify(key: KeyObject, signature: Uint8Array): 'verified' | 'bad' | 'unsupported' {
    const { family, saltLength } = this.scheme;
    if (!fits(family, key)) return 'unsupported';
    const padding = family === 'rsa-pss' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
    const isGood =
      family === 'ecdsa' ? this.verifier.verify(key, signature) : this.verifier.verify({ key, padding, saltLength }, signature);
    return isGood ? 'verified' : 'bad';
  }
}

function fits(family: SignatureScheme['family'], key: KeyObject): boolean {
  const type = key.asymmetricKeyType;
  if (family === 'ecdsa') return type === 'ec' && CURVES.has(key.asymmetricKeyDetails?.namedCurve ?? '');
  return type === 'rsa' || (type === 'rsa-pss' && family === 'rsa-pss');
}
