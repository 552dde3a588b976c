/**
 * Certificate requests (RFC 2986) as devices make them, and as they should not: by @peculiar/x509, and by hand where no library lets one.
 *
 *     const request = await createRequest({ subject: 'CN=dev-1' });
 */
import 'reflect-metadata';
import { createSign, generateKeyPairSync, KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { bitString, context, integer, name, nullValue, oid, sequence } from './der.js';

x509.cryptoProvider.set(webcrypto);

export interface RequestSpec {
  /** RFC 4514; `''`: an empty subject. @default '' */
  readonly subject?: string;
  /** @default P-256 */
  readonly key?: 'P-256' | 'P-384' | 'P-521' | 'RSA-1024' | 'RSA-2048' | 'RSA-3072';
  /** A key pair that exists already, in place of a new one; ECDSA P-256. */
  readonly keys?: webcrypto.CryptoKeyPair;
  readonly dnsNames?: readonly string[];
  readonly ca?: boolean;
  /** DER of further extensions. */
  readonly extensions?: readonly x509.Extension[];
}

export interface BuiltRequest {
  readonly der: Buffer;
  /** As it travels. */
  readonly base64: string;
  readonly publicKey: KeyObject;
  readonly keys: webcrypto.CryptoKeyPair;
}

const algorithmOf = (key: NonNullable<RequestSpec['key']>) =>
  key.startsWith('RSA')
    ? {
        name: 'RSASSA-PKCS1-v1_5',
        modulusLength: Number(key.slice(4)),
        publicExponent: new Uint8Array([1, 0, 1]),
        hash: 'SHA-256',
      }
    : { name: 'ECDSA', namedCurve: key, hash: { 'P-256': 'SHA-256', 'P-384': 'SHA-384', 'P-521': 'SHA-512' }[key as 'P-256'] };

export async function createRequest(spec: RequestSpec = {}): Promise<BuiltRequest> {
  const signingAlgorithm = algorithmOf(spec.key ?? 'P-256');
  const keys = spec.keys ?? ((await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair);
  const extensions: x509.Extension[] = [...(spec.extensions ?? [])];
  if (spec.dnsNames !== undefined)
    extensions.push(new x509.SubjectAlternativeNameExtension(spec.dnsNames.map((value) => ({ type: 'dns', value }))));
  if (spec.ca !== undefined) extensions.push(new x509.BasicConstraintsExtension(spec.ca, undefined, true));
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: spec.subject ?? '', keys, signingAlgorithm, extensions });
  const der = Buffer.from(request.rawData);
  return { der, base64: der.toString('base64'), publicKey: KeyObject.from(keys.publicKey), keys };
}

/** A request over this SubjectPublicKeyInfo, signed with that key: for forms of writing a key that no library produces. P-256 and SHA-256. */
export function requestOver(spkiDer: Uint8Array, privateKey: KeyObject, commonName?: string): Buffer {
  const info = sequence(integer(0), name(commonName === undefined ? [] : [['CN', commonName]]), spkiDer, context(0));
  const signature = createSign('sha256').update(info).sign(privateKey);
  const algorithm =
    privateKey.asymmetricKeyType === 'ec' ? sequence(oid('1.2.840.10045.4.3.2')) : sequence(oid('1.2.840.113549.1.1.11'), nullValue());
  return sequence(info, algorithm, bitString(signature));
}

/** SubjectPublicKeyInfo of a P-256 key with its point compressed (SEC 1 §2.3.3): the same key in another form. */
export function compressedSpki(publicKey: KeyObject): Buffer {
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
  const compressed = Buffer.concat([Buffer.from([point[64]! % 2 === 0 ? 2 : 3]), point.subarray(1, 33)]);
  return sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), bitString(compressed));
}

/** SubjectPublicKeyInfo of an RSA key whose parameters are left out instead of NULL. */
export function spkiWithoutNull(publicKey: KeyObject): Buffer {
  const pkcs1 = publicKey.export({ type: 'pkcs1', format: 'der' });
  return sequence(sequence(oid('1.2.840.113549.1.1.1')), bitString(pkcs1));
}

/** A key pair of node:crypto, for what web cryptography does not make. */
export const rsaPair = (modulusLength: number, publicExponent = 65_537): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent });
