/**
 * A connection with the new certificate as its proof: for devices whose own proof never arrives. AWS IoT has authenticated it, so it shows what a
 * proof shows; every check of a proof is made of it too. Fails to nothing: the rotation stays open, and the next connection, or a proof, comes.
 */
import { certificateId } from '../../../domain/fleet/certificate-id.js';
import type { RotationPresence, RotationProofEvent } from '../../../domain/protocol/rotation-events.js';
import { ROTATION_VERSION, type RotationState } from '../../../domain/protocol/rotation.js';
import type { ProvePorts } from './ports.js';

const WAITING: readonly RotationState[] = ['registered', 'escalated'];
/** Times of presence events are true to two minutes (IG life-cycle-events.html). A new connection ends the old one: that is told at the same time. */
const ABOUT_THE_SAME_TIME_MS = 120_000;

/** The proof that this connection stands for; `undefined`: it proves nothing, or is not needed any more. */
export async function proofFrom(
  { rotations, inventory, signals }: Pick<ProvePorts, 'rotations' | 'inventory' | 'signals'>,
  { principal, connectedAtMs }: RotationPresence,
): Promise<RotationProofEvent | undefined> {
  const rotation = await rotations.byNew(certificateId(principal));
  if (rotation === undefined || !WAITING.includes(rotation.state)) return undefined;
  const { thingName, jobId, oldCertificateId } = rotation;
  const old = await inventory.byId(oldCertificateId);
  if (old?.lastSeenAtMs !== undefined && old.lastSeenAtMs > connectedAtMs + ABOUT_THE_SAME_TIME_MS) {
    signals.info('connected with its old certificate since: no proof', { thingName, certificateId: principal, oldCertificateId, jobId });
    return undefined;
  }
  return { kind: 'proof', principal, thingName, jobId, receivedAtMs: connectedAtMs, request: { version: ROTATION_VERSION, jobId } };
}
