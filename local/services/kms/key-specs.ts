/** What each KeySpec is and signs with (KMS developer guide, "Key spec reference"). */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { AwsError } from '../../models/service.js';
import * as ecdsa from './ecdsa.js';
import * as rsa from './rsa.js';

const generate = promisify(generateKeyPair);

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

interface KeySpec {
  readonly create: () => Promise<KeyPair>;
  readonly algorithms: readonly string[];
}

const RSA_ALGORITHMS = ['RSASSA_PSS', 'RSASSA_PKCS1_V1_5'].flatMap((padding) => [256, 384, 512].map((bits) => `${padding}_SHA_${bits}`));
const rsaSpec = (modulusLength: number): KeySpec => ({ create: () => generate('rsa', { modulusLength }), algorithms: RSA_ALGORITHMS });
const ecSpec = (namedCurve: string, algorithm: string): KeySpec => ({
  create: () => generate('ec', { namedCurve }),
  algorithms: [algorithm],
});

export const KEY_SPECS: Readonly<Record<string, KeySpec>> = {
  RSA_2048: rsaSpec(2048),
  RSA_3072: rsaSpec(3072),
  RSA_4096: rsaSpec(4096),
  ECC_NIST_P256: ecSpec('prime256v1', 'ECDSA_SHA_256'),
  ECC_NIST_P384: ecSpec('secp384r1', 'ECDSA_SHA_384'),
};

export function pairOf(privateKeyPem: string): KeyPair {
  const privateKey = createPrivateKey(privateKeyPem);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

const SPEC_OF_CURVE: Readonly<Record<string, string>> = { prime256v1: 'ECC_NIST_P256', secp384r1: 'ECC_NIST_P384' };

/** Throws for a key that the desk does not have. */
export function specOf({ asymmetricKeyDetails: details }: KeyObject): string {
  const spec = SPEC_OF_CURVE[details?.namedCurve ?? ''] ?? `RSA_${details?.modulusLength}`;
  if (!KEY_SPECS[spec]) throw new Error(`key of KMS: got ${spec}, expected one of ${Object.keys(KEY_SPECS).join(', ')}`);
  return spec;
}

interface Signing {
  readonly hash: rsa.HashName;
  readonly sign: (key: KeyObject, digest: Uint8Array) => Buffer;
  readonly verify: (key: KeyObject, digest: Uint8Array, signature: Uint8Array) => boolean;
}

/** The SigningAlgorithm of the API. */
function signingOf(algorithm: string): Signing {
  const hash = `sha${algorithm.slice(-3)}` as rsa.HashName;
  if (algorithm.startsWith('ECDSA')) return { hash, sign: ecdsa.signDigest, verify: ecdsa.verifyDigest };
  const [sign, verify] = algorithm.startsWith('RSASSA_PSS') ? [rsa.signPss, rsa.verifyPss] : [rsa.signPkcs1, rsa.verifyPkcs1];
  return {
    hash,
    sign: (key, digest) => sign(key, hash, digest),
    verify: (key, digest, signature) => verify(key, hash, digest, signature),
  };
}

/** 4096 octets (API_Sign, Message). */
const LONGEST_MESSAGE = 4096;

/** What is signed: the digest of a message, or the digest that was given in its place. */
function digestOf(hash: string, algorithm: string, message: Uint8Array, messageType: string): Uint8Array {
  if (message.length > LONGEST_MESSAGE)
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length less than or equal to ${LONGEST_MESSAGE}`,
    );
  if (messageType === 'RAW') return createHash(hash).update(message).digest();
  if (messageType !== 'DIGEST') throw new AwsError('ValidationException', `MessageType: got ${messageType}, the desk has RAW and DIGEST`);
  if (message.length !== Number(hash.slice(3)) / 8)
    throw new AwsError('ValidationException', `Digest is invalid length for algorithm ${algorithm}.`);
  return message;
}

export function sign(pair: KeyPair, algorithm: string, message: Uint8Array, messageType: string): Buffer {
  const signing = signingOf(algorithm);
  return signing.sign(pair.privateKey, digestOf(signing.hash, algorithm, message, messageType));
}

export function verify(pair: KeyPair, algorithm: string, message: Uint8Array, messageType: string, signature: Uint8Array): boolean {
  const signing = signingOf(algorithm);
  return signing.verify(pair.publicKey, digestOf(signing.hash, algorithm, message, messageType), signature);
}
