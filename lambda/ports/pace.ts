/** The next free slot lies beyond what the caller can wait for. Nothing was reserved: it comes again later. */
export class NoSlotInTime extends Error {
  override readonly name = 'NoSlotInTime';
}

/** One pace for all workers: the quota is the account's, not the function's. */
export interface Pace {
  /**
   * Reserves `count` slots at `perSecond`; slot i starts at the returned time + i × 1000 / perSecond. Where the first of them would start after
   * `latestMs`, throws NoSlotInTime: who reserves what it will not live to use keeps the queue as long as it is.
   */
  reserve(name: string, count: number, perSecond: number, nowMs: number, latestMs?: number): Promise<number>;
}
