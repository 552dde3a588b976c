import type { Clock } from '../../ports/clock.js';
import type { Pace } from '../../ports/pace.js';

/** UpdateCertificate and DescribeCertificate have the same quota, and each certificate takes one of each: one slot for both. */
const PACE = 'iot-registry';
const MAX_THROTTLED = 5;

interface Paced {
  readonly pace: Pace;
  readonly clock: Clock;
}

/** Reserves `count` slots in one write, and hands out their starting times. */
export async function slots({ pace, clock }: Paced, perSecond: number, count: number): Promise<() => number> {
  if (count === 0) return () => clock.nowMs();
  const startMs = await pace.reserve(PACE, count, perSecond, clock.nowMs());
  let taken = 0;
  return () => startMs + (taken++ * 1000) / perSecond;
}

/**
 * Runs `act` at its slot. When AWS throttles it all the same (somebody else uses the quota too), it is repeated in a new slot, behind
 * everyone else's, and not at once: a retry outside the pace would throttle the next one.
 */
export async function inSlot<T>(paced: Paced, perSecond: number, atMs: number, act: () => Promise<T>): Promise<T> {
  let slotMs = atMs;
  for (let throttled = 0; ; throttled += 1) {
    await paced.clock.sleepUntil(slotMs);
    try {
      return await act();
    } catch (error) {
      if (throttled === MAX_THROTTLED || !isThrottled(error)) throw error;
    }
    const next = await slots(paced, perSecond, 1);
    slotMs = next();
  }
}

/** The one word that AWS IoT and its data plane use (FACTS B1, B4). */
const isThrottled = (error: unknown): boolean => error instanceof Error && error.name === 'ThrottlingException';
