/** Certificate requests as nobody should send them, made by @peculiar/x509 and not by the code that is to refuse them. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, webcrypto } from 'node:crypto';
import { createCertificateRequest } from '../../agent/keys/certificate-request.js';

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface CertificateRequestOptions {
  readonly commonName: string;
  readonly extensions?: readonly x509.Extension[];
  /** PEM (PKCS #8) of the key to ask for. @default a new one */
  readonly privateKeyPem?: string;
}

export interface MadeRequest {
  /** DER in base64, as it goes over the wire. */
  readonly csr: string;
  readonly privateKeyPem: string;
}

export const caFlag = (): x509.Extension => new x509.BasicConstraintsExtension(true, undefined, true);
export const alternativeName = (dns: string): x509.Extension => new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: dns }]);

/** P-256, signed with its own key. */
export async function madeRequest({ commonName, extensions = [], privateKeyPem }: CertificateRequestOptions): Promise<MadeRequest> {
  const pem =
    privateKeyPem ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const key = createPrivateKey(pem);
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), P256, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', createPublicKey(key).export({ type: 'spki', format: 'der' }), P256, true, [
      'verify',
    ]),
  };
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: P256,
    extensions: [...extensions],
  });
  return { csr: Buffer.from(request.rawData).toString('base64'), privateKeyPem: pem };
}

/** A request for a key on P-192: WebCrypto does not make any, so the device's own writer does. */
export async function weakRequest(commonName: string): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime192v1' });
  const unused = () => Promise.reject(new Error('a request needs only the key'));
  const der = await createCertificateRequest(
    {
      publicKey: () => Promise.resolve(publicKey.export({ type: 'spki', format: 'der' })),
      sign: (_, message) => Promise.resolve(sign('sha256', message, privateKey)),
      generate: unused,
      find: unused,
      tlsOptions: unused,
      remove: unused,
    },
    'weak',
    commonName,
  );
  return der.toString('base64');
}
