/** Asks the inventory to read the registry: for certificates of which no event has told, because AWS IoT sends none for a registration by API. */
export interface ReconcileRequests {
  /**
   * A reconciliation that begins at `nowMs` or later will follow. At most one request a minute leaves, however often this is called: a CRL
   * with a million serials of long-gone devices must not be a million reconciliations.
   */
  ask(nowMs: number): Promise<void>;
}
