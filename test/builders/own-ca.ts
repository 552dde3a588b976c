/** A CA as `fleetwarden ca create` makes them, with its key at hand: for templates and tables, where no KMS is. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { caSignatureOf, signedDer } from '../../domain/pki/ca-signature.js';
import { rootCertificateTbs } from '../../domain/pki/certificate-writer.js';
import { derToPem } from '../../domain/pki/pem.js';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import type { CaSigner } from '../../lambda/ports/ca-signer.js';

const START = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

const PAIRS = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'secp384r1' }),
  'RSA-2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
} as const;

/** Signs as KMS does, with a key that lies here. */
export function localSigner(privateKey: KeyObject): CaSigner {
  return {
    check: () => Promise.resolve(),
    sign(publicKey, tbs) {
      const algorithm = caSignatureOf(publicKey);
      if (algorithm === undefined) throw new Error('expected a key that signs');
      const toBeSigned = tbs(algorithm);
      return Promise.resolve(signedDer(toBeSigned, algorithm, sign(algorithm.hash, toBeSigned, privateKey)));
    },
  };
}

export interface OwnCa {
  readonly certificatePem: string;
  readonly publicKey: KeyObject;
  /** PKCS #8. */
  readonly privateKeyPem: string;
  readonly signer: CaSigner;
}

export function ownCa(key: 'P-256' | 'P-384' | 'RSA-2048' = 'P-256', days = 3650): OwnCa {
  const { privateKey, publicKey } = PAIRS[key]();
  const algorithm = caSignatureOf(publicKey)!;
  const tbs = rootCertificateTbs(
    {
      serialNumber: serialNumberFromHex('4a11ce'),
      notBeforeMs: START,
      notAfterMs: START + days * DAY_MS,
      commonName: 'Own CA',
      spkiDer: publicKey.export({ type: 'spki', format: 'der' }),
    },
    algorithm,
  );
  const der = signedDer(tbs, algorithm, sign(algorithm.hash, tbs, privateKey));
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { certificatePem: derToPem(der, 'CERTIFICATE'), publicKey, privateKeyPem, signer: localSigner(privateKey) };
}

export const KEY_ARN = 'arn:aws:kms:eu-west-1:111122223333:key/0f1e2d3c-4b5a-4678-8a9b-0c1d2e3f4a5b';

/** An external anchor with a signer, as it stands in the configuration. */
export const signerAnchor = (id = 'own', { certificatePem }: Pick<OwnCa, 'certificatePem'> = ownCa()) => ({
  id,
  type: 'external' as const,
  certificatePem,
  signer: { type: 'kms' as const, keyArn: KEY_ARN },
  crl: {},
});
