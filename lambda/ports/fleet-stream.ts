import type { RefusedRecord } from '../../domain/protocol/fleet-events.js';

/** The stream of fleet events, each record under its client id. */
export interface FleetStream {
  /** All of them, or throws. */
  put(records: readonly RefusedRecord[]): Promise<void>;
}
