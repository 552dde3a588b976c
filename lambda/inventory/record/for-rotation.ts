/**
 * What the inventory hears and rotation needs to know. The inventory hears of every connection and of every issuance of our CAs anyway; it passes on
 * only what an open rotation waits for, so that the connections of a fleet do not become calls of another function.
 */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import { commonNameOf } from '../../../domain/fleet/subject-name.js';
import { DAY_MS } from '../../../domain/fleet/rotation-window.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import { PRESENCE_PROVES_AFTER_SECONDS } from '../../../domain/protocol/rotation-events.js';
import type { RotationState } from '../../../domain/protocol/rotation.js';
import type { Clock } from '../../ports/clock.js';
import type { CertificateRecord } from '../../ports/inventory.js';
import type { IssuedCertificates } from '../../ports/issued-certificates.js';
import type { ProveQueue } from '../../ports/rotation-queues.js';
import type { Rotations } from '../../ports/rotations.js';
import type { InventoryMessage } from './event.js';

export interface RotationNeighbours {
  readonly rotations: Pick<Rotations, 'byOld' | 'byNew' | 'claimantOf'>;
  readonly issued: Pick<IssuedCertificates, 'remember'>;
  readonly proveQueue: ProveQueue;
}

/**
 * Only a certificate as young as this may be the new one of an open rotation: one that is not proved is taken back after 14 days at the most. So the
 * ledger is asked about the connections of a few per cent of the fleet, one read each.
 */
const YOUNG_MS = 30 * DAY_MS;
const LAGGING_MS = 60_000;
const WAITING: readonly RotationState[] = ['registered', 'escalated'];

/** A device has connected with the new certificate of a rotation that waits for its proof: `prove` is told, some minutes later. */
export async function tellOfConnection(
  { rotations, proveQueue }: RotationNeighbours,
  message: InventoryMessage,
  known: Pick<CertificateRecord, 'certificateId' | 'notBeforeMs'> | undefined,
  nowMs: number,
): Promise<void> {
  if (!('kind' in message) || message.kind !== 'presence' || message.eventType !== 'connected') return;
  if (known === undefined || nowMs - known.notBeforeMs > YOUNG_MS) return;
  // We lag behind: the end of this connection may be among what waits, and would not be known when it is taken for a proof.
  if (nowMs - message.timestamp > LAGGING_MS) return;
  const rotation = await rotations.byNew(known.certificateId);
  if (rotation?.activatedAtMs === undefined || !WAITING.includes(rotation.state)) return;
  await proveQueue.send(
    { kind: 'presence', principal: known.certificateId, connectedAtMs: message.timestamp },
    PRESENCE_PROVES_AFTER_SECONDS,
  );
}

/**
 * A CA has issued this certificate. Where its key is that of a rotation, and its name that of the rotation's thing, it was issued for that rotation:
 * `retire` will look whether it ever arrived. Every other certificate is somebody else's.
 */
export async function rememberIssued(
  { rotations, issued }: RotationNeighbours,
  clock: Clock,
  pem: string,
  newCertificateId: CertificateId,
  certificateArn: string,
): Promise<boolean> {
  const { issuerKeyId: keyId, subject } = Certificate.read(pem);
  const oldCertificateId = await rotations.claimantOf(keyId);
  const rotation = oldCertificateId === undefined ? undefined : await rotations.byOld(oldCertificateId);
  if (rotation === undefined || subject !== `CN=${commonNameOf(rotation.thingName)}`) return false;
  const { oldCertificateId: of } = rotation;
  await issued.remember({ oldCertificateId: of, newCertificateId, certificateArn, toldAtMs: clock.nowMs() });
  return true;
}
