/**
 * Certificates that AWS IoT issues itself: by a CA of its own that is not in the registry, valid until 2049-12-31T23:59:59Z
 * (https://docs.aws.amazon.com/iot/latest/developerguide/x509-client-certs.html). Subject and key come from the CSR.
 */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { randomBytes, webcrypto } from 'node:crypto';
import { invalidRequest } from './errors.js';
import { addCertificate } from './certificates.js';
import type { Operation } from '../../models/service.js';
import type { IotState } from './state.js';
import { readCertificate } from './x509.js';

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
const ISSUER = 'OU=Amazon Web Services O\\=Amazon.com Inc. L\\=Seattle ST\\=Washington C\\=US';
const NOT_AFTER = new Date('2049-12-31T23:59:59Z');
/** AWS dates its certificates a little back, so that a device whose clock is late accepts them. */
const BACKDATED_MS = 2 * 60_000;

type CryptoKey = webcrypto.CryptoKey;
x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
let issuerKeys: Promise<webcrypto.CryptoKeyPair> | undefined;

async function issue(subject: string, publicKey: x509.PublicKey | CryptoKey, nowMs: number): Promise<string> {
  issuerKeys ??= webcrypto.subtle.generateKey(RSA, true, ['sign', 'verify']);
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial.toString('hex'),
    issuer: ISSUER,
    subject,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: NOT_AFTER,
    signingAlgorithm: RSA,
    signingKey: (await issuerKeys).privateKey,
    publicKey: publicKey as CryptoKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    ],
  });
  return certificate.toString('pem');
}

export function issuanceOperations(state: IotState): Record<string, Operation> {
  const register = (pem: string, setAsActive: boolean | undefined): Record<string, unknown> => {
    const certificate = addCertificate(state, readCertificate(pem), setAsActive ? 'ACTIVE' : 'INACTIVE', undefined, 'DEFAULT');
    return { certificateArn: certificate.arn, certificateId: certificate.certificateId, certificatePem: certificate.pem };
  };
  return {
    CreateCertificateFromCsr: async (input) => {
      let request: x509.Pkcs10CertificateRequest;
      try {
        request = new x509.Pkcs10CertificateRequest(input.certificateSigningRequest);
        if (!(await request.verify())) throw new RangeError('signature');
      } catch {
        throw invalidRequest('The certificate signing request is invalid');
      }
      return register(await issue(request.subject, await request.publicKey.export(), state.now()), input.setAsActive);
    },
    CreateKeysAndCertificate: async (input) => {
      const keys = await webcrypto.subtle.generateKey(RSA, true, ['sign', 'verify']);
      const pem = async (label: string, format: 'pkcs8' | 'spki', key: CryptoKey): Promise<string> =>
        x509.PemConverter.encode(await webcrypto.subtle.exportKey(format, key), label);
      return {
        ...register(await issue('CN=AWS IoT Certificate', keys.publicKey, state.now()), input.setAsActive),
        keyPair: {
          PublicKey: await pem('PUBLIC KEY', 'spki', keys.publicKey),
          PrivateKey: await pem('PRIVATE KEY', 'pkcs8', keys.privateKey),
        },
      };
    },
  };
}
