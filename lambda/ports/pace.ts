/** One pace for all workers: the quota is the account's, not the function's. */
export interface Pace {
  /** Reserves `count` slots at `perSecond`; slot i starts at the returned time + i × 1000 / perSecond. */
  reserve(name: string, count: number, perSecond: number, nowMs: number): Promise<number>;
}
