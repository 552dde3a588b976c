/** A rotation that is given up: what there is of the new pair goes, when the old one has proved that it still works. */
import type { In, Rotation } from './record.js';

/** Up to here nothing has been proved: a rotation may be given up because the storage does not take a step. */
const BEFORE_PROOF: ReadonlySet<Rotation['state']> = new Set([
  'accepted',
  'key-made',
  'request-sent',
  'certificate-stored',
  'trial-connected',
]);
export const isBeforeProof = (rotation: Rotation): boolean =>
  BEFORE_PROOF.has(rotation.state) || (rotation.state === 'failing' && !rotation.proofSent);

/**
 * May the cloud take the new certificate for proved, and the old one out of use? From the first connection with the new one on: a connection that stands
 * is a proof too, and the cloud may hear late that it ended.
 */
const mayBeProved = (rotation: Rotation): boolean => rotation.state === 'trial-connected' || !isBeforeProof(rotation);

/** `reason`: a word of DEVICE_FAILURES or ROTATION_REFUSALS. */
export function failing(rotation: Rotation, reason: string): In<'failing'> {
  const { jobId, executionNumber, versionNumber, label, old } = rotation;
  const fresh = 'fresh' in rotation && rotation.fresh ? { fresh: rotation.fresh } : {};
  const id = 'certificateId' in rotation && rotation.certificateId ? { certificateId: rotation.certificateId } : {};
  return {
    state: 'failing',
    jobId,
    executionNumber,
    versionNumber,
    label,
    old,
    reason: reason.slice(0, 64),
    proofSent: mayBeProved(rotation),
    ...fresh,
    ...id,
  };
}
