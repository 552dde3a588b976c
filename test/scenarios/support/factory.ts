/** A CA that is not AWS's, kept in a folder: it signs the requests of devices, and CRLs of any content. */
import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as x509 from '@peculiar/x509';
import { createCa } from '../../builders/ca.js';
import { buildCrl, type CrlSigner, type CrlSpec } from '../../builders/crl.js';

x509.cryptoProvider.set(webcrypto);

/** RFC 5280 §5.3.1. */
export const REASON = { keyCompromise: 1, superseded: 4, cessationOfOperation: 5, certificateHold: 6 } as const;

export interface Listed {
  /** Canonical hex. */
  readonly serialNumber: string;
  /** @default keyCompromise */
  readonly reason?: keyof typeof REASON;
}

export interface FactoryCa extends CrlSigner {
  readonly certificatePem: string;
  /** Canonical hex: of its own certificate. */
  readonly serialNumber: string;
  /** Signs the request of a device that `at` enrols. Answers PEM. */
  sign(csrPem: string, at: Date, serialNumber?: string): Promise<string>;
  /** A CRL that is right in every way, or wrong in the one that `but` says. DER. */
  crl(number: number, listed: readonly Listed[], at: Date, but?: Partial<CrlSpec>): Buffer;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export async function createFactory(directory: string, name: string): Promise<FactoryCa> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { certificatePem, privateKeyPem } = await createCa({ name });
  writeFileSync(path.join(directory, 'ca.pem'), certificatePem);
  writeFileSync(path.join(directory, 'ca.key'), privateKeyPem, { mode: 0o600 });
  return loadFactory(directory);
}

export async function loadFactory(directory: string): Promise<FactoryCa> {
  const certificatePem = readFileSync(path.join(directory, 'ca.pem'), 'utf8');
  const privateKeyPem = readFileSync(path.join(directory, 'ca.key'), 'utf8');
  const ca = new x509.X509Certificate(certificatePem);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(privateKeyPem), ALGORITHM, true, ['sign']);
  const keyId = ca.getExtension(x509.SubjectKeyIdentifierExtension)!.keyId;
  const signer: CrlSigner = {
    nameDer: Buffer.from(ca.subjectName.toArrayBuffer()),
    keyIdentifier: Buffer.from(keyId, 'hex'),
    privateKey: createPrivateKey(privateKeyPem),
  };
  return {
    ...signer,
    certificatePem,
    serialNumber: canonical(ca.serialNumber),
    async sign(csrPem, at, serialNumber = newSerial()) {
      const csr = new x509.Pkcs10CertificateRequest(csrPem);
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber,
        subject: csr.subject,
        issuer: ca.subject,
        notBefore: new Date(at.getTime() - HOUR),
        notAfter: new Date(at.getTime() + 365 * DAY),
        signingAlgorithm: ALGORITHM,
        publicKey: csr.publicKey,
        signingKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          await x509.SubjectKeyIdentifierExtension.create(csr.publicKey),
          new x509.AuthorityKeyIdentifierExtension(keyId),
        ],
      });
      return `${certificate.toString('pem')}\n`;
    },
    crl: (number, listed, at, but) =>
      buildCrl({
        ca: signer,
        crlNumber: BigInt(number),
        thisUpdate: new Date(at.getTime() - 60_000),
        nextUpdate: new Date(at.getTime() + 7 * DAY),
        entries: listed.map(({ serialNumber, reason = 'keyCompromise' }) => ({
          serial: BigInt(`0x${serialNumber}`),
          reason: REASON[reason],
          date: new Date(at.getTime() - 120_000),
        })),
        ...but,
      }),
  };
}

/** Positive, sixteen octets, no leading zero. */
export const newSerial = (): string => `4${randomBytes(16).toString('hex').slice(1)}`;
export const canonical = (serialNumber: string): string => serialNumber.toLowerCase().replace(/^0+/, '');
