/**
 * SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), as far as a device may have it. Read strictly, in one form only: a key that could be written in two
 * ways (a compressed point, spelled-out curve parameters, a missing NULL) would have two identifiers, and a reused key would pass for a new one.
 */
import { createPublicKey } from 'node:crypto';
import { DerCursor, TAG, integerValue } from './der.js';

export type PublicKeyReading =
  | { readonly kind: 'ec'; readonly curve: 'P-256' | 'P-384' }
  | { readonly kind: 'rsa'; readonly bits: number; readonly exponent: bigint }
  /** Another algorithm, another curve, or another form of writing. */
  | { readonly kind: 'other' };

const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';
const CURVES: Readonly<Record<string, { readonly curve: 'P-256' | 'P-384'; readonly octets: number }>> = {
  '1.2.840.10045.3.1.7': { curve: 'P-256', octets: 32 },
  '1.3.132.0.34': { curve: 'P-384', octets: 48 },
};
const UNCOMPRESSED = 0x04;
const OTHER = { kind: 'other' } as const;

/** Throws DerError where it is no SubjectPublicKeyInfo at all. */
export function readPublicKey(spkiDer: Uint8Array): PublicKeyReading {
  const outer = new DerCursor(spkiDer);
  const spki = outer.enter(TAG.sequence);
  outer.finish();
  const algorithm = spki.enter(TAG.sequence);
  const key = spki.octetBitString();
  spki.finish();
  const id = algorithm.oid();
  const reading = id === EC_PUBLIC_KEY ? readEc(algorithm, key) : id === RSA_ENCRYPTION ? readRsa(algorithm, key) : OTHER;
  return reading.kind === 'other' || isUsable(spkiDer) ? reading : OTHER;
}

/** RFC 5480 §2.1.1: the parameters are the OID of a named curve. */
function readEc(algorithm: DerCursor, point: Uint8Array): PublicKeyReading {
  if (algorithm.peekTag() !== TAG.oid) return OTHER;
  const known = CURVES[algorithm.oid()];
  algorithm.finish();
  if (known === undefined || point[0] !== UNCOMPRESSED || point.length !== 1 + 2 * known.octets) return OTHER;
  return { kind: 'ec', curve: known.curve };
}

/** RFC 8017 appendix A.1: the parameters are NULL, the key is modulus and exponent. */
function readRsa(algorithm: DerCursor, content: Uint8Array): PublicKeyReading {
  if (algorithm.isAtEnd) return OTHER;
  algorithm.null();
  algorithm.finish();
  const outer = new DerCursor(content);
  const numbers = outer.enter(TAG.sequence);
  outer.finish();
  const modulus = integerValue(numbers.integer());
  const exponent = integerValue(numbers.integer());
  numbers.finish();
  return modulus > 0n && exponent > 0n ? { kind: 'rsa', bits: modulus.toString(2).length, exponent } : OTHER;
}

/** node:crypto refuses a point that is not on its curve. */
function isUsable(spkiDer: Uint8Array): boolean {
  try {
    createPublicKey({ key: Buffer.from(spkiDer), format: 'der', type: 'spki' });
    return true;
  } catch {
    return false;
  }
}

const MIN_RSA_BITS = 2048;
/** More than any device has; verifying with such a key costs us, not the one who sends it. */
const MAX_RSA_BITS = 4096;
/** NIST SP 800-56B §6.2: an odd exponent above 2^16. */
const MIN_RSA_EXPONENT = 65_537n;

/** May a device have this key: P-256, P-384, or RSA of 2048 to 4096 bits? */
export function isAcceptedKey(key: PublicKeyReading): boolean {
  if (key.kind !== 'rsa') return key.kind === 'ec';
  return key.bits >= MIN_RSA_BITS && key.bits <= MAX_RSA_BITS && key.exponent >= MIN_RSA_EXPONENT && key.exponent % 2n === 1n;
}
