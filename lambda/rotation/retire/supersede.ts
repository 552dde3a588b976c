/**
 * Takes one certificate out of the fleet for good, so that nobody else has anything left to do:
 *
 *     acting ─► registry REVOKED ─► done, in the inventory ─► revoked at the CA ─► its event, its CRL: "handled before", no brake
 *
 * The order is the point. The CA tells of a revocation within seconds; whoever hears of it asks the inventory, and must find it done there.
 * Every step may be repeated, and the next delivery does what is missing.
 */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import type { SerialNumber } from '../../../domain/pki/serial-number.js';
import { gaveReference, type TrustAnchor } from '../../../domain/pki/trust-anchor.js';
import type { RevokeOutcome } from '../../../domain/protocol/revocation.js';
import type { RegisteredCertificate } from '../../ports/registry.js';
import { BY, type RetirePorts } from './ports.js';

/** One certificate, and what is known of it. */
export interface Found {
  readonly certificateId?: CertificateId;
  readonly registered?: RegisteredCertificate;
  readonly issuerId: string;
  readonly serialNumber: SerialNumber;
  readonly notAfterMs?: number;
  readonly anchor: TrustAnchor;
}

type Lookup = Pick<RetirePorts, 'registry' | 'inventory' | 'anchors' | 'cas'>;

/**
 * By its id: the registry’s own PEM first, else what the inventory has. By the ARN that its CA gave, where it was never registered.
 * `undefined`: nobody knows it. Throws when it is of none of our trust anchors: that is not for a machine; and while its CA is still at it.
 */
export async function find(ports: Lookup, certificateId: CertificateId | undefined, certificateArn?: string): Promise<Found | undefined> {
  const anchors = await ports.anchors.all();
  const registered = certificateId && (await ports.registry.describe(certificateId));
  const pem = registered?.certificatePem ?? (certificateArn === undefined ? undefined : await issued(ports, anchors, certificateArn));
  if (pem !== undefined) {
    const certificate = Certificate.read(pem);
    const { issuerId, serialNumber, notAfterMs } = certificate;
    const anchor = anchors.find((one) => certificate.wasSignedBy(Certificate.read(one.certificatePem)));
    if (anchor === undefined) throw new Error(`certificate ${certificateId ?? certificateArn}: signed by none of the trust anchors`);
    return { certificateId, registered, issuerId, serialNumber, notAfterMs, anchor };
  }
  const record = certificateId && (await ports.inventory.byId(certificateId));
  if (record === undefined) return undefined;
  const { issuerId, serialNumber, notAfterMs } = record;
  const anchor = anchors.find((one) => Certificate.read(one.certificatePem).subjectId === issuerId);
  if (anchor === undefined) throw new Error(`certificate ${certificateId}: issued by none of the trust anchors`);
  return { certificateId, issuerId, serialNumber, notAfterMs, anchor };
}

/** Throws while its CA is still at it: what is not there yet must not be taken for what never was, or nobody would ever revoke it. */
async function issued({ cas }: Lookup, anchors: readonly TrustAnchor[], certificateArn: string): Promise<string | undefined> {
  const anchor = anchors.find((one) => gaveReference(one, certificateArn));
  if (anchor === undefined) return undefined;
  const pem = await cas.fetch(anchor, certificateArn);
  if (pem === undefined) throw new Error(`${certificateArn}: its CA has not issued it yet`);
  return pem;
}

export async function supersede(
  ports: Pick<RetirePorts, 'registry' | 'inventory' | 'cas' | 'clock' | 'signals' | 'byHand' | 'decisions'>,
  found: Found,
  runId: string,
): Promise<RevokeOutcome> {
  const { registry, inventory, cas, clock } = ports;
  const { certificateId, registered, issuerId, serialNumber, anchor } = found;
  const message = {
    version: 1,
    action: 'revoke',
    anchorId: anchor.anchorId,
    serialNumber,
    reason: 'superseded',
    source: 'rotation',
    runId,
  } as const;
  const { revocation } = await inventory.bySerial(issuerId, serialNumber);
  // Carried out before, by whomever: the record of it says who asked and why, and stays.
  const before = revocation?.state === 'done' ? revocation.outcome : undefined;
  const settled = before === 'revoked' || before === 'already-revoked' ? before : undefined;
  // `acting` is written before the status is set: a status that is right already was then set by us, and then we died.
  const resumed = revocation?.state === 'acting' && revocation.message.source === 'rotation';
  const remember = (step: { readonly state: 'acting' } | { readonly state: 'done'; readonly outcome: RevokeOutcome }): Promise<void> =>
    inventory.rememberRevocation({ issuerId, serialNumber, message, ...step, updatedAtMs: clock.nowMs() });

  let outcome: RevokeOutcome = settled ?? 'not-registered';
  if (settled === undefined) {
    await remember({ state: 'acting' });
    if (registered !== undefined && certificateId !== undefined) {
      outcome = registered.status === 'REVOKED' && !resumed ? 'already-revoked' : 'revoked';
      if (registered.status !== 'REVOKED' && !(await registry.setStatus(certificateId, 'REVOKED'))) outcome = 'deleted';
    }
    await remember({ state: 'done', outcome });
  }
  if (!(await cas.supersede(anchor, serialNumber))) await leaveToPeople(ports, found, runId);
  if (certificateId !== undefined && outcome !== 'not-registered')
    await inventory.setStatus(certificateId, outcome === 'deleted' ? 'DELETED' : 'REVOKED', 'superseded', 'revocation');
  return outcome;
}

/** No machine can ask this CA. AWS IoT refuses the certificate already; others who read the CA's CRL would take it until people revoke it there. */
async function leaveToPeople(
  { byHand, clock, decisions, signals }: Pick<RetirePorts, 'byHand' | 'clock' | 'decisions' | 'signals'>,
  { certificateId, serialNumber, anchor: { anchorId } }: Found,
  runId: string,
): Promise<void> {
  const sinceMs = clock.nowMs();
  const detail = { anchorId, serialNumber };
  if (!(await byHand.remember({ ...detail, runId, sinceMs, ...(certificateId === undefined ? {} : { certificateId }) }))) return;
  await decisions.append({
    subject: certificateId === undefined ? `SERIAL#${anchorId}#${serialNumber}` : `CERT#${certificateId}`,
    step: 'outcome',
    act: 'supersede',
    reason: 'by-hand',
    runId,
    by: BY,
    atMs: sinceMs,
    detail,
  });
  signals.count(METRICS.supersedeByHand);
  signals.warn('revoke it at its CA by hand', { certificateId, ...detail, runId, reason: 'by-hand' });
}
