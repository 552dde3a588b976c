import { constants, sign, type KeyObject } from 'node:crypto';
import { context, integer, nullValue, oid, sequence } from './der.js';

/** Every way in which a test can sign. The weak and the foreign ones are there to be refused. */
export type SignatureName =
  | 'ecdsa-with-SHA1'
  | 'ecdsa-with-SHA224'
  | 'ecdsa-with-SHA256'
  | 'ecdsa-with-SHA384'
  | 'ecdsa-with-SHA512'
  | 'md5WithRSAEncryption'
  | 'sha1WithRSAEncryption'
  | 'sha224WithRSAEncryption'
  | 'sha256WithRSAEncryption'
  | 'sha384WithRSAEncryption'
  | 'sha512WithRSAEncryption'
  | 'rsassa-pss-sha1'
  | 'rsassa-pss-sha256'
  | 'rsassa-pss-sha384'
  | 'rsassa-pss-sha512'
  | 'ed25519';

interface Scheme {
  readonly oid: string;
  readonly hash: string | null;
  readonly pss?: boolean;
  readonly withNull?: boolean;
}
const rsa = (last: number, hash: string): Scheme => ({ oid: `1.2.840.113549.1.1.${last}`, hash, withNull: true });
const pss = (hash: string): Scheme => ({ oid: '1.2.840.113549.1.1.10', hash, pss: true });
const ecdsa = (tail: string, hash: string): Scheme => ({ oid: `1.2.840.10045.4.${tail}`, hash });

const SCHEMES: Readonly<Record<SignatureName, Scheme>> = {
  'ecdsa-with-SHA1': ecdsa('1', 'sha1'),
  'ecdsa-with-SHA224': ecdsa('3.1', 'sha224'),
  'ecdsa-with-SHA256': ecdsa('3.2', 'sha256'),
  'ecdsa-with-SHA384': ecdsa('3.3', 'sha384'),
  'ecdsa-with-SHA512': ecdsa('3.4', 'sha512'),
  md5WithRSAEncryption: rsa(4, 'md5'),
  sha1WithRSAEncryption: rsa(5, 'sha1'),
  sha224WithRSAEncryption: rsa(14, 'sha224'),
  sha256WithRSAEncryption: rsa(11, 'sha256'),
  sha384WithRSAEncryption: rsa(12, 'sha384'),
  sha512WithRSAEncryption: rsa(13, 'sha512'),
  'rsassa-pss-sha1': pss('sha1'),
  'rsassa-pss-sha256': pss('sha256'),
  'rsassa-pss-sha384': pss('sha384'),
  'rsassa-pss-sha512': pss('sha512'),
  ed25519: { oid: '1.3.101.112', hash: null },
};
const HASHES: Readonly<Record<string, readonly [string, number]>> = {
  sha1: ['1.3.14.3.2.26', 20],
  sha256: ['2.16.840.1.101.3.4.2.1', 32],
  sha384: ['2.16.840.1.101.3.4.2.2', 48],
  sha512: ['2.16.840.1.101.3.4.2.3', 64],
};

/** The DER AlgorithmIdentifier of a scheme. */
export function algorithmIdentifier(scheme: SignatureName): Buffer {
  const { oid: id, hash, pss: isPss, withNull } = SCHEMES[scheme];
  if (!isPss) return withNull ? sequence(oid(id), nullValue()) : sequence(oid(id));
  const [hashOid, saltLength] = HASHES[hash!]!;
  const hashId = sequence(oid(hashOid), nullValue());
  return sequence(oid(id), pssParameters(hashId, hashId, saltLength));
}

/** RSASSA-PSS-params (RFC 4055 §3.1) with every part free, so that a test can make parts that do not belong together. */
export function pssParameters(hashId: Uint8Array, mgfHashId: Uint8Array, saltLength: number): Buffer {
  return sequence(context(0, hashId), context(1, sequence(oid('1.2.840.113549.1.1.8'), mgfHashId)), context(2, integer(saltLength)));
}

/** The signature octets over `message`. ECDSA signatures are DER (r, s), as X.509 has them. */
export function signatureOver(message: Uint8Array, scheme: SignatureName, key: KeyObject): Buffer {
  const { hash, pss: isPss } = SCHEMES[scheme];
  if (!isPss) return sign(hash, message, key);
  return sign(hash, message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: HASHES[hash!]![1] });
}

/** The scheme that a CA with this key would use by default. */
export function defaultScheme(key: KeyObject): SignatureName {
  if (key.asymmetricKeyType === 'rsa') return 'sha256WithRSAEncryption';
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'secp384r1') return 'ecdsa-with-SHA384';
  return curve === 'secp521r1' ? 'ecdsa-with-SHA512' : 'ecdsa-with-SHA256';
}
