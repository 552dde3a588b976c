/**
 * A CA of ours as issuer of device certificates: its key in KMS, its books in the ledger. The same token gives the same certificate, for ever:
 *
 *     token ─► serial number ─► planned ─► signed by KMS ─► kept ─► reference
 *                                  ▲                          ▲
 *                                  │                          └ conditional: of two workers that sign at once, the first signature is the
 *                                  │                            certificate; the other is dropped and was never seen by anybody
 *                                  └ conditional: who comes again finds times and name, and signs the very same content
 *
 * An ECDSA signature is another one each time, and so is the certificate's hash by which AWS IoT knows it. That is why a signature is worth nothing
 * until it is kept. Dies it anywhere, the next delivery goes on from what stands there.
 */
import { createHmac } from 'node:crypto';
import { Certificate } from '../../domain/pki/certificate.js';
import { CertificateRequest } from '../../domain/pki/certificate-request.js';
import { deviceCertificateTbs } from '../../domain/pki/certificate-writer.js';
import { DerError } from '../../domain/pki/der.js';
import { derToPem } from '../../domain/pki/pem.js';
import { isAcceptedKey } from '../../domain/pki/public-key.js';
import { serialNumberFromBytes, type SerialNumber } from '../../domain/pki/serial-number.js';
import type { TrustAnchor } from '../../domain/pki/trust-anchor.js';
import { signerReference } from '../../domain/protocol/signer.js';
import type { CaRecords, SignedCertificate } from '../ports/ca-records.js';
import type { CaSigner } from '../ports/ca-signer.js';
import type { Clock } from '../ports/clock.js';
import { RequestRefusedByCa, type IssuingCa } from '../ports/issuing-ca.js';

const SERIAL_OCTETS = 16;
const DAY_MS = 86_400_000;
/** A device's clock may be behind: ACM PCA begins a certificate an hour early too (PAPI IssueCertificate). */
const BACKDATED_MS = 3_600_000;

export interface IssuingPorts {
  readonly records: CaRecords;
  readonly signer: CaSigner;
  readonly clock: Clock;
}

type Order = Parameters<IssuingCa['issue']>[0];

/**
 * 16 octets that nobody can tell beforehand who does not know the secret, always of the same length and positive. RFC 5280 §4.1.2.2 wants them unique;
 * 126 bits of a keyed hash are.
 */
export function serialNumberOf(secret: Uint8Array, idempotencyToken: string): SerialNumber {
  const octets = createHmac('sha256', secret).update(idempotencyToken).digest().subarray(0, SERIAL_OCTETS);
  octets[0] = (octets[0]! & 0x7f) | 0x40;
  return serialNumberFromBytes(octets);
}

/** Resolves to the reference of the certificate, signed and kept. Throws RequestRefusedByCa for what is never signed. */
export async function issueSigned(ports: IssuingPorts, { anchorId, certificatePem }: TrustAnchor, order: Order): Promise<string> {
  const { records, signer, clock } = ports;
  const ca = Certificate.read(certificatePem);
  const request = acceptable(order.csrDer);
  const serialNumber = serialNumberOf(await records.serialSecret(anchorId), order.idempotencyToken);
  const reference = signerReference(anchorId, serialNumber);
  const before = await records.get(anchorId, serialNumber);
  const planned = before ?? (await records.plan(anchorId, planOf(order, ca, request, serialNumber, clock.nowMs())));
  if (planned.commonName !== order.commonName || planned.keyId !== request.keyId)
    throw new Error(`${reference}: planned for another name or key than it is now asked for`);
  if (planned.certificatePem !== undefined) return reference;
  checkTimes(planned, order, ca, clock.nowMs());
  const { spkiDer } = request;
  const der = await signer.sign(ca.publicKey, (algorithm) => deviceCertificateTbs({ ...planned, spkiDer }, ca, algorithm));
  await records.keep(anchorId, serialNumber, derToPem(der, 'CERTIFICATE'));
  return reference;
}

/** Whoever called has looked at the request as well. A CA trusts nobody's look but its own. */
function acceptable(csrDer: Uint8Array): CertificateRequest {
  try {
    const request = CertificateRequest.read(csrDer);
    if (!isAcceptedKey(request.key)) throw new RequestRefusedByCa('RequestKey');
    if (request.verifySignature() !== 'verified') throw new RequestRefusedByCa('RequestSignature');
    return request;
  } catch (error) {
    if (error instanceof DerError) throw new RequestRefusedByCa('MalformedRequest');
    throw error;
  }
}

/** X.509 knows whole seconds. */
const wholeSecond = (atMs: number): number => Math.floor(atMs / 1000) * 1000;

function planOf(
  { commonName, validityDays }: Order,
  ca: Certificate,
  { keyId }: CertificateRequest,
  serialNumber: SerialNumber,
  nowMs: number,
): SignedCertificate {
  const notAfterMs = wholeSecond(nowMs + validityDays * DAY_MS);
  if (notAfterMs > ca.notAfterMs)
    throw new Error(`signer: its CA ends on ${new Date(ca.notAfterMs).toISOString()}, before a certificate of ${validityDays} days`);
  const notBeforeMs = Math.max(ca.notBeforeMs, wholeSecond(nowMs - BACKDATED_MS));
  return { serialNumber, commonName, keyId, notBeforeMs, notAfterMs, plannedAtMs: nowMs };
}

/** Who can write to the ledger must not get more signed than was ordered. */
function checkTimes(
  { serialNumber, notBeforeMs, notAfterMs }: SignedCertificate,
  { validityDays }: Order,
  ca: Certificate,
  nowMs: number,
): void {
  const isWithin = notBeforeMs <= nowMs && notAfterMs <= ca.notAfterMs && notAfterMs - notBeforeMs <= validityDays * DAY_MS + BACKDATED_MS;
  if (!isWithin) throw new Error(`signer: ${serialNumber} is planned for other times than are ordered`);
}
