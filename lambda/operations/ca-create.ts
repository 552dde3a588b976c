/**
 * `fleetwarden ca create`: the certificate of a CA whose key is a key of AWS KMS, signed by that key. It needs no installation, and changes nothing in the
 * account: what it makes is pinned in the configuration afterwards (docs/signer.md).
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Certificate } from '../../domain/pki/certificate.js';
import { rootCertificateTbs } from '../../domain/pki/certificate-writer.js';
import { derToPem } from '../../domain/pki/pem.js';
import { serialNumberFromBytes } from '../../domain/pki/serial-number.js';
import { KMS_KEY_ARN } from '../../domain/protocol/signer.js';
import { kmsCaSigner, kmsClient, kmsPublicKey } from '../aws/kms-ca-signer.js';
import type { Clock } from '../ports/clock.js';
import { Misused, Refused, type Answer } from './answer.js';
import { facts, time } from './words.js';

export interface CaCreateOptions {
  readonly key: string;
  readonly commonName: string;
  readonly days: string;
  readonly out?: string;
}

const DAY_MS = 86_400_000;
const MAX_DAYS = 36_500;
/** As certificates of devices: whose clock is behind should take it too. */
const BACKDATED_MS = 3_600_000;

/** Throws Misused for what cannot be, Refused where the file is there already. */
export async function createCa(clock: Clock, { key, commonName, days, out }: CaCreateOptions): Promise<Answer> {
  if (!KMS_KEY_ARN.test(key)) throw new Misused(`--key: got "${key}", expected arn:<partition>:kms:<region>:<account>:key/<id>`);
  const validityDays = Number(days);
  if (!Number.isInteger(validityDays) || validityDays < 1 || validityDays > MAX_DAYS)
    throw new Misused(`--days: got "${days}", expected a whole number from 1 to ${MAX_DAYS}`);
  const { length } = Array.from(commonName);
  if (length < 1 || length > 64) throw new Misused(`--common-name: got ${length} characters, expected 1 to 64`);

  const pem = await selfSigned(clock.nowMs(), key, commonName, validityDays);
  if (out !== undefined) await writeNew(out, pem);
  const { subject, serialNumber, notAfterMs } = Certificate.read(pem);
  return {
    json: {
      certificatePem: pem,
      keyArn: key,
      subject,
      serialNumber,
      notAfter: time(notAfterMs),
      ...(out === undefined ? {} : { file: out }),
    },
    text: () =>
      // Alone on standard output, so that it can be sent into a file.
      out === undefined
        ? pem.trimEnd()
        : facts([
            ['written', out],
            ['subject', subject],
            ['key', key],
            ['valid until', time(notAfterMs)],
          ]),
  };
}

async function selfSigned(nowMs: number, keyArn: string, commonName: string, days: number): Promise<string> {
  const client = kmsClient();
  const publicKey = await kmsPublicKey(client, keyArn);
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const nowSeconds = Math.floor(nowMs / 1000);
  const root = {
    serialNumber: serialNumberFromBytes(serial),
    notBeforeMs: nowSeconds * 1000 - BACKDATED_MS,
    notAfterMs: nowSeconds * 1000 + days * DAY_MS,
    commonName,
    spkiDer: publicKey.export({ type: 'spki', format: 'der' }),
  };
  const der = await kmsCaSigner(client, keyArn).sign(publicKey, (algorithm) => rootCertificateTbs(root, algorithm));
  return derToPem(der, 'CERTIFICATE');
}

/** Never over another file: the certificate that is pinned exists once, and a second one of the same key is another CA. */
async function writeNew(file: string, pem: string): Promise<void> {
  try {
    await writeFile(file, pem, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new Refused(`${file} is there already, and is not written over`);
    throw error;
  }
}
