/**
 * Test CAs and the certificates that they issue, made by @peculiar/x509: not by the code under test.
 *
 *     const ca = await createCa({ name: 'CN=Fleet CA,O=Example,C=DE' });
 *     const device = await ca.issue({ subject: 'CN=dev-1', serialNumber: '0b7c2' });
 */
import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { CrlSigner } from './crl.js';

x509.cryptoProvider.set(webcrypto);

type SigningAlgorithm = { readonly name: string; readonly hash: string };

/** KeyUsage bits, so that a test need not import the library. */
export const { KeyUsageFlags } = x509;

export type KeyName = 'P-256' | 'P-384' | 'P-521' | 'RSA-2048' | 'RSA-3072';

export interface CaSpec {
  /** RFC 4514, e.g. `CN=Fleet CA,O=Example,C=DE`; written in encoding order as @peculiar/x509 reads it. @default `CN=Test CA` */
  readonly name?: string;
  /** @default P-256 */
  readonly key?: KeyName;
  /** `null`: no keyUsage extension. @default cRLSign and keyCertSign */
  readonly keyUsages?: x509.KeyUsageFlags | null;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** @default true; `false`: no subjectKeyIdentifier extension. */
  readonly withSubjectKeyIdentifier?: boolean;
  /** @default true */
  readonly ca?: boolean;
}

export interface IssueSpec {
  readonly subject: string;
  /** Hex. @default random, 16 octets */
  readonly serialNumber?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly key?: KeyName;
  readonly ca?: boolean;
}

export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly certificateDer: Buffer;
  readonly privateKeyPem: string;
  readonly privateKey: KeyObject;
  /** Canonical hex, no leading zeros. */
  readonly serialNumber: string;
}

export interface TestCa extends CrlSigner {
  readonly certificatePem: string;
  readonly certificateDer: Buffer;
  readonly nameDer: Buffer;
  readonly keyIdentifier: Buffer;
  readonly privateKey: KeyObject;
  readonly privateKeyPem: string;
  issue(spec: IssueSpec): Promise<IssuedCertificate>;
}

const NOT_BEFORE = new Date('2026-01-01T00:00:00Z');
const NOT_AFTER = new Date('2036-01-01T00:00:00Z');

export async function createCa(spec: CaSpec = {}): Promise<TestCa> {
  const { keys, signingAlgorithm } = await generateKeys(spec.key ?? 'P-256');
  const extensions: x509.Extension[] = [new x509.BasicConstraintsExtension(spec.ca ?? true, undefined, true)];
  const keyUsages = spec.keyUsages === undefined ? x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.keyCertSign : spec.keyUsages;
  if (keyUsages !== null) extensions.push(new x509.KeyUsagesExtension(keyUsages, true));
  const ski = await x509.SubjectKeyIdentifierExtension.create(keys.publicKey);
  if (spec.withSubjectKeyIdentifier !== false) extensions.push(ski);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: spec.name ?? 'CN=Test CA',
    notBefore: spec.notBefore ?? NOT_BEFORE,
    notAfter: spec.notAfter ?? NOT_AFTER,
    signingAlgorithm,
    keys,
    extensions,
  });
  const privateKey = KeyObject.from(keys.privateKey);
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    certificateDer: Buffer.from(certificate.rawData),
    nameDer: Buffer.from(certificate.subjectName.toArrayBuffer()),
    keyIdentifier: Buffer.from(ski.keyId, 'hex'),
    privateKey,
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    issue: (wanted) => issue(certificate, keys, signingAlgorithm, wanted),
  };
}

async function issue(
  issuer: x509.X509Certificate,
  issuerKeys: webcrypto.CryptoKeyPair,
  signingAlgorithm: SigningAlgorithm,
  spec: IssueSpec,
): Promise<IssuedCertificate> {
  const { keys } = await generateKeys(spec.key ?? 'P-256');
  // The first digit keeps it positive: the library writes the octets as they are given.
  const serialNumber = spec.serialNumber ?? `4${Buffer.from(webcrypto.getRandomValues(new Uint8Array(16))).toString('hex').slice(1)}`;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber,
    subject: spec.subject,
    issuer: issuer.subject,
    notBefore: spec.notBefore ?? NOT_BEFORE,
    notAfter: spec.notAfter ?? new Date('2027-12-31T00:00:00Z'),
    signingAlgorithm,
    publicKey: keys.publicKey,
    signingKey: issuerKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(spec.ca ?? false, undefined, true),
      new x509.KeyUsagesExtension(
        spec.ca ? x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.keyCertSign : x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuerKeys.publicKey),
    ],
  });
  const privateKey = KeyObject.from(keys.privateKey);
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    certificateDer: Buffer.from(certificate.rawData),
    privateKey,
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    serialNumber: serialNumber.toLowerCase().replace(/^0+/, ''),
  };
}

async function generateKeys(name: KeyName): Promise<{ keys: webcrypto.CryptoKeyPair; signingAlgorithm: SigningAlgorithm }> {
  if (name.startsWith('RSA')) {
    const modulusLength = Number(name.slice(4));
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
    return {
      keys: (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair,
      signingAlgorithm: algorithm,
    };
  }
  const hash = { 'P-256': 'SHA-256', 'P-384': 'SHA-384', 'P-521': 'SHA-512' }[name as 'P-256' | 'P-384' | 'P-521'];
  const keys = (await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: name }, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  return { keys, signingAlgorithm: { name: 'ECDSA', hash } };
}
