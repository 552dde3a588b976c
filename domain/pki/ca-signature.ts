/**
 * With which algorithm a CA of ours signs: one for each key, so that a policy can name it and nothing is left to choose. RFC 5758 for ECDSA, RFC 4055
 * for RSA; the words are those of AWS KMS (API_Sign, SigningAlgorithm).
 */
import { createVerify, type KeyObject } from 'node:crypto';
import { bitString, nullValue, oid, sequence, type Der } from './der-writer.js';
import type { HashName } from './signature.js';

export interface CaSignature {
  readonly kmsAlgorithm: 'ECDSA_SHA_256' | 'ECDSA_SHA_384' | 'RSASSA_PKCS1_V1_5_SHA_256';
  readonly hash: HashName;
  /** AlgorithmIdentifier. */
  readonly identifier: Der;
}

const MIN_RSA_BITS = 2048;

const P256: CaSignature = { kmsAlgorithm: 'ECDSA_SHA_256', hash: 'sha256', identifier: sequence(oid('1.2.840.10045.4.3.2')) };
const P384: CaSignature = { kmsAlgorithm: 'ECDSA_SHA_384', hash: 'sha384', identifier: sequence(oid('1.2.840.10045.4.3.3')) };
/** RFC 4055 §5: the parameters are NULL. Not PSS: devices and tools that do not know it are many. */
const RSA: CaSignature = {
  kmsAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256',
  hash: 'sha256',
  identifier: sequence(oid('1.2.840.113549.1.1.11'), nullValue()),
};

/** `undefined`: a CA with such a key does not sign here. */
export function caSignatureOf({ asymmetricKeyType, asymmetricKeyDetails: details }: KeyObject): CaSignature | undefined {
  if (asymmetricKeyType === 'rsa') return (details?.modulusLength ?? 0) >= MIN_RSA_BITS ? RSA : undefined;
  if (asymmetricKeyType !== 'ec') return undefined;
  return details?.namedCurve === 'prime256v1' ? P256 : details?.namedCurve === 'secp384r1' ? P384 : undefined;
}

/** Did that key sign this? */
export function isSignedBy(key: KeyObject, { hash }: CaSignature, tbs: Uint8Array, signature: Uint8Array): boolean {
  return createVerify(hash).update(tbs).verify(key, signature);
}

/** What a certificate and a CRL have in common (RFC 5280 §4.1.1, §5.1.1): the part that is signed, the algorithm, the signature. */
export function signedDer(tbs: Der, { identifier }: CaSignature, signature: Uint8Array): Der {
  return sequence(tbs, identifier, bitString(signature));
}
