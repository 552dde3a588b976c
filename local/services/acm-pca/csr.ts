import 'reflect-metadata';

import { Pkcs10CertificateRequest } from '@peculiar/x509';

import { AwsError } from '../../models/service.js';
import type { Extension } from './extensions.js';
import { fromPem } from './pem.js';

/** IssueCertificate, Csr: at most 32 768 octets (API reference). */
const LARGEST = 32_768;

export interface Csr {
  /** Name, DER. */
  readonly subject: Buffer;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  readonly extensions: readonly Extension[];
}

/** Reads a PEM request and checks its proof of possession. Throws MalformedCSRException. */
export async function readCsr(pem: Uint8Array): Promise<Csr> {
  const malformed = (message: string): AwsError => new AwsError('MalformedCSRException', message);
  if (pem.length > LARGEST) throw malformed(`The certificate signing request has ${pem.length} octets, at most ${LARGEST} are allowed.`);
  const [der, ...more] = fromPem('CERTIFICATE REQUEST', Buffer.from(pem).toString('latin1'));
  if (!der || more.length > 0) throw malformed('The certificate signing request is not in PEM form.');
  let request: Pkcs10CertificateRequest;
  try {
    request = new Pkcs10CertificateRequest(der);
    if (!(await request.verify())) throw new Error('the signature does not verify');
  } catch (error) {
    throw malformed(`The certificate signing request is not valid: ${error instanceof Error ? error.message : String(error)}`);
  }
  return {
    subject: Buffer.from(request.subjectName.toArrayBuffer()),
    publicKey: Buffer.from(request.publicKey.rawData),
    extensions: request.extensions.map((extension) => ({ oid: extension.type, der: Buffer.from(extension.rawData) })),
  };
}
