import { createHash, generateKeyPair, sign, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

import { AwsError } from '../../models/service.js';
import { elements, nullValue, oid, sequence, type Der } from './der.js';

const generate = promisify(generateKeyPair);

type Family = 'RSA' | 'ECDSA';
interface KeyKind {
  readonly family: Family;
  readonly create: () => Promise<{ privateKey: KeyObject; publicKey: KeyObject }>;
}
const rsa = (modulusLength: number): KeyKind => ({ family: 'RSA', create: () => generate('rsa', { modulusLength }) });
const ec = (namedCurve: string): KeyKind => ({ family: 'ECDSA', create: () => generate('ec', { namedCurve }) });

/** KeyAlgorithm of the API. ML-DSA and SM2 are not offered: AWS IoT does not take their signatures (FACTS A3). */
const KINDS: Readonly<Record<string, KeyKind>> = {
  RSA_2048: rsa(2048),
  RSA_3072: rsa(3072),
  RSA_4096: rsa(4096),
  EC_prime256v1: ec('prime256v1'),
  EC_secp384r1: ec('secp384r1'),
  EC_secp521r1: ec('secp521r1'),
};

interface SigningAlgorithm {
  readonly family: Family;
  readonly hash: string;
  readonly identifier: Der;
}
/** RFC 4055 §5: the RSA identifiers carry NULL parameters; RFC 5758 §3.2: the ECDSA ones carry none. */
const withRsa = (hash: string, identifier: string): SigningAlgorithm => ({
  family: 'RSA',
  hash,
  identifier: sequence(oid(identifier), nullValue()),
});
const withEcdsa = (hash: string, identifier: string): SigningAlgorithm => ({
  family: 'ECDSA',
  hash,
  identifier: sequence(oid(identifier)),
});

const ALGORITHMS: Readonly<Record<string, SigningAlgorithm>> = {
  SHA256WITHRSA: withRsa('sha256', '1.2.840.113549.1.1.11'),
  SHA384WITHRSA: withRsa('sha384', '1.2.840.113549.1.1.12'),
  SHA512WITHRSA: withRsa('sha512', '1.2.840.113549.1.1.13'),
  SHA256WITHECDSA: withEcdsa('sha256', '1.2.840.10045.4.3.2'),
  SHA384WITHECDSA: withEcdsa('sha384', '1.2.840.10045.4.3.3'),
  SHA512WITHECDSA: withEcdsa('sha512', '1.2.840.10045.4.3.4'),
};

/** A CA's key pair, and what it signs with. */
export interface AuthorityKey {
  readonly family: Family;
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  readonly keyIdentifier: Buffer;
}

export async function createKey(keyAlgorithm: string): Promise<AuthorityKey> {
  const kind = KINDS[keyAlgorithm];
  if (!kind)
    throw new AwsError('InvalidArgsException', `KeyAlgorithm: got '${keyAlgorithm}', the desk has ${Object.keys(KINDS).join(', ')}.`);
  const { privateKey, publicKey } = await kind.create();
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return { family: kind.family, privateKey, publicKey: spki, keyIdentifier: keyIdentifierOf(spki) };
}

/** SHA-1 of the BIT STRING's content (RFC 5280 §4.2.1.2, method 1): a name, not a signature. */
export function keyIdentifierOf(spki: Uint8Array): Buffer {
  const [outer] = elements(spki);
  const bits = outer && elements(outer.content)[1];
  if (!bits) throw new AwsError('MalformedCSRException', 'The public key cannot be read.');
  return createHash('sha1').update(bits.content.subarray(1)).digest();
}

/** Throws where the algorithm does not exist or is not of the key's family (IssueCertificate: "must belong to the CA key's family"). */
export function signingAlgorithm(key: AuthorityKey, name: string): SigningAlgorithm {
  const algorithm = ALGORITHMS[name];
  if (!algorithm || algorithm.family !== key.family) {
    throw new AwsError(
      'InvalidArgsException',
      `The signing algorithm ${name} is not compatible with the key of the certificate authority (${key.family}).`,
    );
  }
  return algorithm;
}

/** Node signs off the main thread when it has a callback; an ECDSA signature is DER, as X.509 wants it. */
export function signDer(key: AuthorityKey, algorithm: SigningAlgorithm, toBeSigned: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign(algorithm.hash, toBeSigned, key.privateKey, (error, signature) => (error ? reject(error) : resolve(signature)));
  });
}
