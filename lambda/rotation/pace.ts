import type { Clock } from '../ports/clock.js';
import type { Pace } from '../ports/pace.js';

/** The pace of rotations, apart from that of revocations: devices that ask in a loop must not slow down a revocation. */
const PACE = 'rotation';

/**
 * What each part of a rotation costs, in calls of DescribeCertificate: of all that it calls, the one that is nearest to its quota (10 a second, FACTS
 * B12; bench/campaign.ts counts). A rotation that goes well costs all of them once.
 *
 *     request   the old certificate three times (who asks, and before and after the activation), the new one once
 *     proof     the new one, the old one
 *     settling  both of them, when the old one is retired or the new one is taken back
 */
export const COST = { request: 4, proof: 2, settling: 2 } as const;
const COST_OF_A_ROTATION = COST.request + COST.proof + COST.settling;

/** Waits for the next free slot. `perSecond`: rotations, from request to retirement. */
export async function nextSlot(
  { pace, clock }: { readonly pace: Pace; readonly clock: Clock },
  perSecond: number,
  part: keyof typeof COST,
): Promise<void> {
  await clock.sleepUntil(await pace.reserve(PACE, COST[part], perSecond * COST_OF_A_ROTATION, clock.nowMs()));
}
