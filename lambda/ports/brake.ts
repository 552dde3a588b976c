/** The limit on destructive actions, shared by all runs. */
export interface Brake {
  /**
   * Counts `count` actions of run `runId` into the rolling hour, before the first call, if the sum stays within `limit`.
   * Idempotent by runId: a retry of a granted run is granted and counted once. Atomic: two runs at once cannot both take the rest.
   */
  reserve(
    runId: string,
    count: number,
    limit: number,
    nowMs: number,
  ): Promise<{ readonly granted: boolean; readonly usedInWindow: number }>;
}
