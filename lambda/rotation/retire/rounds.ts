import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Rotation } from '../../ports/rotations.js';
import type { RetirePorts, RetireSettings } from './ports.js';

/**
 * One after the other, until the time is short. What throws is counted, said and left to the next round: one certificate that cannot be settled
 * must not keep all behind it from being settled. Resolves to whether the end was reached.
 */
export async function eachInTime(
  { clock, signals }: Pick<RetirePorts, 'clock' | 'signals'>,
  { deadlineMs }: Pick<RetireSettings, 'deadlineMs'>,
  rotations: AsyncIterable<Rotation> | Iterable<Rotation>,
  act: (rotation: Rotation) => Promise<void>,
): Promise<boolean> {
  for await (const rotation of rotations) {
    if (clock.nowMs() >= deadlineMs) return false;
    try {
      await act(rotation);
    } catch (error) {
      signals.count(METRICS.retireFailed);
      const { oldCertificateId, newCertificateId, thingName, campaignId } = rotation;
      const said = error instanceof Error ? `${error.name}: ${error.message.slice(0, 300)}` : String(error);
      signals.warn('left to the next round', { certificateId: oldCertificateId, newCertificateId, thingName, campaignId, error: said });
    }
  }
  return true;
}
