import type { Clock } from '../ports/clock.js';
import type { Pace } from '../ports/pace.js';

/** The pace that `record` and `reconcile` share: registry reads for the inventory. */
const PACE = 'inventory';

const MAX_ATTEMPTS = 5;

export interface Paced {
  readonly pace: Pace;
  readonly clock: Clock;
}

/** Waits for the next free slot. One slot is one certificate, or one page of the registry. */
export async function nextSlot({ pace, clock }: Paced, perSecond: number): Promise<void> {
  await clock.sleepUntil(await pace.reserve(PACE, 1, perSecond, clock.nowMs()));
}

/**
 * Does `work` for each item in a slot of its own, without waiting for the one before. What fails (throttled, lost) gets a new slot, five
 * times at most; then its failure is thrown. After `deadlineMs` nothing more is begun: resolves to what was not done. About a second's worth is always
 * done, so that a delivery which starts late still brings the run forward.
 */
export async function paced<T>(
  ports: Paced,
  perSecond: number,
  items: readonly T[],
  deadlineMs: number,
  work: (item: T) => Promise<void>,
): Promise<readonly T[]> {
  const { pace, clock } = ports;
  // About a second's worth at a time: a slot that is reserved and not used is lost to all workers.
  const chunkSize = Math.max(1, Math.min(10, Math.floor(perSecond)));
  const waiting = items.map((item) => ({ item, failures: 0 }));
  while (waiting.length > 0) {
    const chunk = waiting.splice(0, chunkSize);
    const startMs = await pace.reserve(PACE, chunk.length, perSecond, clock.nowMs());
    const results = await Promise.allSettled(
      chunk.map(async ({ item }, index) => {
        await clock.sleepUntil(startMs + (index * 1000) / perSecond);
        await work(item);
      }),
    );
    for (const [index, result] of results.entries()) {
      const tried = chunk[index];
      if (result.status === 'fulfilled' || tried === undefined) continue;
      if (tried.failures + 1 >= MAX_ATTEMPTS) throw result.reason;
      waiting.push({ item: tried.item, failures: tried.failures + 1 });
    }
    if (clock.nowMs() >= deadlineMs) break;
  }
  return waiting.map(({ item }) => item);
}
