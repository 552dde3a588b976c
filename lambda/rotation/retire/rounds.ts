import { METRICS } from '../../../domain/fleet/metrics.js';
import type { RetirePorts, RetireSettings } from './ports.js';

/** What is said of one that could not be settled. */
export interface Named {
  readonly oldCertificateId: string;
  readonly newCertificateId?: string;
  readonly thingName?: string;
  readonly campaignId?: string;
}

/**
 * One after the other, until the time is short. What throws is counted, said and left to the next round: one certificate that cannot be settled
 * must not keep all behind it from being settled. Resolves to whether the end was reached.
 */
export async function eachInTime<T extends Named>(
  { clock, signals }: Pick<RetirePorts, 'clock' | 'signals'>,
  { deadlineMs }: Pick<RetireSettings, 'deadlineMs'>,
  all: AsyncIterable<T> | Iterable<T>,
  act: (one: T) => Promise<void>,
): Promise<boolean> {
  for await (const one of all) {
    if (clock.nowMs() >= deadlineMs) return false;
    try {
      await act(one);
    } catch (error) {
      signals.count(METRICS.retireFailed);
      const { oldCertificateId, newCertificateId, thingName, campaignId } = one;
      const said = error instanceof Error ? `${error.name}: ${error.message.slice(0, 300)}` : String(error);
      signals.warn('left to the next round', { certificateId: oldCertificateId, newCertificateId, thingName, campaignId, error: said });
    }
  }
  return true;
}
