/** A Private CA in memory: real certificates over real requests, made by @peculiar/x509 and not by the code under test. */
import 'reflect-metadata';
import { createPublicKey, randomBytes, webcrypto, type KeyObject } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { IssuingCa } from '../../../lambda/ports/issuing-ca.js';
import type { TestCa } from '../../builders/ca.js';

export const CA_ARN = 'arn:aws:acm-pca:eu-west-1:000000000000:certificate-authority/4a1f0d2e-6b3c-4d8f-9a57-0c2b1e7f3d64';
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const TOKEN_LIVES_MS = 5 * 60_000;

/** What a CA that is misconfigured, or hostile, does otherwise than it was told. */
export interface Deviation {
  readonly subject?: string;
  readonly publicKey?: KeyObject;
  readonly ca?: boolean;
  readonly usages?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly validityDays?: number;
  readonly signer?: TestCa;
}

export class MemoryIssuingCa implements IssuingCa {
  readonly issued = new Map<string, string>();
  readonly superseded: string[] = [];
  readonly tokens = new Map<string, { readonly reference: Promise<string>; readonly untilMs: number }>();
  /** So often `fetch` says that it is still at it. */
  slowness = 0;
  deviation: Deviation = {};

  constructor(
    private readonly ca: TestCa,
    private readonly nowMs: () => number,
  ) {}

  async issue(request: Parameters<IssuingCa['issue']>[0]) {
    const known = this.tokens.get(request.idempotencyToken);
    if (known !== undefined && known.untilMs > this.nowMs()) return known.reference;
    const reference = this.make(request);
    this.tokens.set(request.idempotencyToken, { reference, untilMs: this.nowMs() + TOKEN_LIVES_MS });
    return reference;
  }

  private async make({ csrDer, commonName, validityDays }: Parameters<IssuingCa['issue']>[0]): Promise<string> {
    const {
      subject = `CN=${commonName}`,
      signer = this.ca,
      usages = [x509.ExtendedKeyUsage.clientAuth] as readonly string[],
    } = this.deviation;
    const nowMs = this.nowMs();
    const serial = `4${randomBytes(16).toString('hex').slice(1)}`;
    const request = new x509.Pkcs10CertificateRequest(Buffer.from(csrDer));
    const spki = this.deviation.publicKey ?? createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
    const extensions: x509.Extension[] = [new x509.BasicConstraintsExtension(this.deviation.ca ?? false, undefined, true)];
    if (usages.length > 0) extensions.push(new x509.ExtendedKeyUsageExtension([...usages]));
    if (this.deviation.dnsNames !== undefined)
      extensions.push(new x509.SubjectAlternativeNameExtension(this.deviation.dnsNames.map((value) => ({ type: 'dns', value }))));
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial,
      issuer: new x509.X509Certificate(signer.certificatePem).subject,
      subject,
      notBefore: new Date(nowMs - HOUR_MS),
      notAfter: new Date(nowMs + (this.deviation.validityDays ?? validityDays) * DAY_MS),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      publicKey: new x509.PublicKey(spki.export({ type: 'spki', format: 'der' })),
      signingKey: await signingKey(signer.privateKey),
      extensions,
    });
    const reference = `${CA_ARN}/certificate/${serial}`;
    this.issued.set(reference, `${certificate.toString('pem')}\n`);
    return reference;
  }

  async fetch(reference: string) {
    if (this.slowness > 0) {
      this.slowness -= 1;
      return undefined;
    }
    const pem = this.issued.get(reference);
    if (pem === undefined) throw new Error(`ResourceNotFoundException: ${reference}`);
    return pem;
  }
  async supersede(serialNumber: string) {
    if (!this.superseded.includes(serialNumber)) this.superseded.push(serialNumber);
  }
}

const signingKey = (key: KeyObject) =>
  webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), { name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
  ]);
