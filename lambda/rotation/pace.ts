import type { Clock } from '../ports/clock.js';
import type { Pace } from '../ports/pace.js';

/** The pace of rotations, apart from that of revocations: devices that ask in a loop must not slow down a revocation. */
const PACE = 'rotation';

/** Waits for the next free slot. One slot is one message that costs calls of the registry. */
export async function nextSlot({ pace, clock }: { readonly pace: Pace; readonly clock: Clock }, perSecond: number): Promise<void> {
  await clock.sleepUntil(await pace.reserve(PACE, 1, perSecond, clock.nowMs()));
}
