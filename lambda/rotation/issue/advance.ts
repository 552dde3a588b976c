import type { RotationState } from '../../../domain/protocol/rotation.js';
import type { Rotation } from '../../ports/rotations.js';
import type { IssuePorts } from './ports.js';

/**
 * Brings the rotation forward from one of `from`. Where another worker of the same request has brought it further, resolves to where it is now.
 * Throws when it is no longer this request's: withdrawn, or granted anew. The next delivery then finds that it is refused.
 */
export async function advance(
  { rotations, clock }: Pick<IssuePorts, 'rotations' | 'clock'>,
  rotation: Rotation,
  from: readonly RotationState[],
  next: Partial<Rotation> & { readonly state: RotationState },
): Promise<Rotation> {
  const moved = await rotations.move(rotation.oldCertificateId, from, { ...next, updatedAtMs: clock.nowMs() });
  const now = moved ?? (await rotations.byOld(rotation.oldCertificateId));
  if (now === undefined || now.csrSha256 !== rotation.csrSha256 || now.state === 'withdrawn')
    throw new Error(`rotation of ${rotation.oldCertificateId}: got state ${now?.state}, expected one that goes on with this request`);
  return now;
}
