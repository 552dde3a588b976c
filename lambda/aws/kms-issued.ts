/** What may be asked of a CA of ours without its key: what it has signed, and to revoke it. */
import { Certificate } from '../../domain/pki/certificate.js';
import type { CrlReason } from '../../domain/pki/crl-reason.js';
import type { SerialNumber } from '../../domain/pki/serial-number.js';
import { serialNumberFromHex } from '../../domain/pki/serial-number.js';
import type { TrustAnchor } from '../../domain/pki/trust-anchor.js';
import { readSignerReference } from '../../domain/protocol/signer.js';
import type { CaRecords } from '../ports/ca-records.js';
import type { Clock } from '../ports/clock.js';
import type { PublishQueue } from '../ports/publish-queue.js';

/**
 * A revocation waits so long for others: the old certificates of a campaign are superseded one after the other, and one CRL names them all. AWS Private CA
 * takes half an hour (FACTS A1).
 */
const GATHER_SECONDS = 60;

/** PEM by its reference; `undefined`: it is being signed at this moment. Throws where this CA never planned it. */
export async function fetchSigned(records: CaRecords, { anchorId }: TrustAnchor, reference: string): Promise<string | undefined> {
  const named = readSignerReference(reference);
  const record = named?.anchorId === anchorId ? await records.get(anchorId, named.serialNumber) : undefined;
  if (record === undefined) throw new Error(`signer of ${anchorId}: got the reference "${reference}", which it never gave`);
  return record.certificatePem;
}

export interface RevokingPorts {
  readonly records: Pick<CaRecords, 'get' | 'revoke'>;
  readonly clock: Clock;
  readonly publish: PublishQueue;
  /**
   * The clock is that of a person's computer: an hour behind, it would let a CRL that was begun before the revocation pass for one that names it. Then the
   * list is read whatever the times say. @default false
   */
  readonly isForeignClock?: boolean;
}

/** Puts it on the next CRL, and asks for that one. `false`: revoked before; a CRL is asked for all the same, the first time may have died before it. */
export async function revokeSigned(
  { records, clock, publish, isForeignClock = false }: RevokingPorts,
  { anchorId, certificatePem }: TrustAnchor,
  serialNumber: SerialNumber,
  reason: CrlReason,
): Promise<boolean> {
  const record = await records.get(anchorId, serialNumber);
  // Signed by this CA elsewhere: when it ends is not known, but no certificate outlives its CA.
  const notAfterMs = record?.notAfterMs ?? Certificate.read(certificatePem).notAfterMs;
  const revokedAtMs = clock.nowMs();
  const isNew = await records.revoke(anchorId, { serialNumber, reason, revokedAtMs, notAfterMs });
  await publish.send({ kind: 'publish', anchorId, ...(isForeignClock ? {} : { revokedAtMs: clock.nowMs() }) }, GATHER_SECONDS);
  return isNew;
}

/** Throws where the configuration lets an anchor be superseded whose CRL this function cannot ask for. */
export async function supersedeSigned(
  { publish, ...ports }: Omit<RevokingPorts, 'publish'> & { readonly publish?: PublishQueue },
  anchor: TrustAnchor,
  serialNumber: string,
): Promise<void> {
  if (publish === undefined) throw new Error(`signer of ${anchor.anchorId}: got no publish queue, expected its URL in the environment`);
  await revokeSigned({ ...ports, publish }, anchor, serialNumberFromHex(serialNumber), 'superseded');
}
