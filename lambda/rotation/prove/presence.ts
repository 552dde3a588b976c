/**
 * A connection with the new certificate as its proof: for devices whose own proof never arrives. AWS IoT has authenticated it, so it shows what a
 * proof shows; every check of a proof is made of it too. Fails to nothing: the rotation stays open, and the next connection, or a proof, comes.
 */
import { certificateId } from '../../../domain/fleet/certificate-id.js';
import type { RotationPresence, RotationProofEvent } from '../../../domain/protocol/rotation-events.js';
import { ROTATION_VERSION, type RotationState } from '../../../domain/protocol/rotation.js';
import type { ProvePorts } from './ports.js';

const WAITING: readonly RotationState[] = ['registered', 'escalated'];

/**
 * The proof that this connection stands for; `undefined`: it proves nothing, or is not needed any more. Only a connection that still stands, minutes
 * later, counts: a device that tries its new certificate, does not like what it finds and throws it away must not lose its old one for having tried.
 */
export async function proofFrom(
  { rotations, inventory, signals }: Pick<ProvePorts, 'rotations' | 'inventory' | 'signals'>,
  { principal, connectedAtMs }: RotationPresence,
): Promise<RotationProofEvent | undefined> {
  const id = certificateId(principal);
  const rotation = await rotations.byNew(id);
  if (rotation === undefined || !WAITING.includes(rotation.state)) return undefined;
  const { thingName, jobId } = rotation;
  // Whatever else was heard of it since is its disconnection, or a connection that is told of by itself.
  if ((await inventory.byId(id))?.lastSeenAtMs !== connectedAtMs) {
    signals.info('the connection ended: no proof', { thingName, certificateId: principal, jobId });
    return undefined;
  }
  return { kind: 'proof', principal, thingName, jobId, receivedAtMs: connectedAtMs, request: { version: ROTATION_VERSION, jobId } };
}
