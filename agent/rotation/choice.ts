/**
 * With which pair to connect. A rotation on its way wants the old pair until its certificate is stored, and the new one from then on; one that is given up
 * wants the old one back. When the wanted pair is refused again and again, the other one gets its turn, because a device without a connection is lost:
 *
 *     certificate-stored            no turn: after its tries the rotation fails, and failing wants the old pair
 *     trial-connected … proved      the old pair; if it is let in, the cloud withdrew the new certificate, or was not asked yet
 *     failing, with a certificate   the new pair; if it is let in, the cloud took the proof: the rotation goes on
 *     switched, old-deleted         none: there is only the new pair
 */
import type { Device, Session } from '../device.js';
import type { Pair } from '../storage/identities.js';
import { failing } from './failing.js';
import { isJobOver } from './steps.js';
import type { Rotation } from './record.js';

export function wantedPair(rotation: Rotation): Pair {
  switch (rotation.state) {
    case 'accepted':
    case 'key-made':
    case 'request-sent':
    case 'failing':
      return rotation.old;
    case 'certificate-stored':
    case 'trial-connected':
    case 'proof-sent':
    case 'proved':
    case 'switched':
    case 'old-deleted':
      return rotation.fresh;
  }
}

export function otherPair(rotation: Rotation): Pair | undefined {
  switch (rotation.state) {
    case 'trial-connected':
    case 'proof-sent':
    case 'proved':
      return rotation.old;
    case 'failing':
      return rotation.fresh;
    case 'accepted':
    case 'key-made':
    case 'request-sent':
    case 'certificate-stored':
    case 'switched':
    case 'old-deleted':
      return undefined;
  }
}

/** Connected with the pair that was not wanted: where the rotation stands after that. The connection is given up afterwards and the wanted pair tried again. */
export async function onOtherPair(rotation: Rotation, device: Device, session: Session): Promise<Rotation> {
  const { clock, settings } = device;
  if (rotation.state === 'failing' && rotation.fresh && rotation.certificateId !== undefined) {
    // Having been refused the proof once, it is not asked for all the time.
    if (rotation.proofSent) await clock.sleep(settings.settleMs, session.signal);
    const { jobId, executionNumber, versionNumber, label, old, fresh, certificateId } = rotation;
    return {
      state: rotation.proofSent ? 'proof-sent' : 'trial-connected',
      jobId,
      executionNumber,
      versionNumber,
      label,
      old,
      fresh,
      certificateId,
    };
  }
  if (rotation.state !== 'proved' && (await isJobOver(rotation, session))) return failing(rotation, 'job-over');
  await clock.sleep(settings.settleMs, session.signal);
  return rotation;
}
