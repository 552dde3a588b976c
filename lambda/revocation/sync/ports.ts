/** What the sync needs of its neighbours, and its settings: one list for its three kinds of message. */
import type { BrakeSettings } from '../../../domain/fleet/brake-limit.js';
import type { Mode } from '../../../domain/protocol/revocation.js';
import type { Brake } from '../../ports/brake.js';
import type { Clock } from '../../ports/clock.js';
import type { CrlStore } from '../../ports/crl-store.js';
import type { DecisionLog } from '../../ports/decision-log.js';
import type { DueRevocations } from '../../ports/due.js';
import type { EmergencyStop } from '../../ports/emergency-stop.js';
import type { HighWaterMarks } from '../../ports/high-water.js';
import type { Holds } from '../../ports/holds.js';
import type { Inventory } from '../../ports/inventory.js';
import type { RevokeQueue, SyncQueue } from '../../ports/queues.js';
import type { SerialState } from '../../ports/serial-state.js';
import type { Signals } from '../../ports/signals.js';
import type { TrustAnchors } from '../../ports/trust-anchors.js';

export interface SyncPorts {
  readonly anchors: TrustAnchors;
  readonly brake: Brake;
  readonly clock: Clock;
  readonly crls: CrlStore;
  readonly decisions: Pick<DecisionLog, 'append'>;
  readonly due: Pick<DueRevocations, 'dueBy' | 'done'>;
  readonly holds: Pick<Holds, 'put' | 'get' | 'all' | 'move' | 'advance'>;
  readonly inventory: Pick<Inventory, 'alreadyDone' | 'activeCount'>;
  readonly marks: HighWaterMarks;
  readonly revokeQueue: Pick<RevokeQueue, 'sendAll'>;
  readonly signals: Signals;
  readonly states: SerialState;
  readonly stop: Pick<EmergencyStop, 'state'>;
  readonly syncQueue: SyncQueue;
}

export interface SyncSettings {
  readonly mode: Mode;
  readonly brake: BrakeSettings;
  readonly clockSkewMs: number;
  readonly crlBucket: string;
}

/** Name of the sync in the audit trail. */
export const BY = 'sync';

/** May anything be changed now? Reading goes on in any case. */
export async function mayAct({ stop }: Pick<SyncPorts, 'stop'>, { mode }: SyncSettings): Promise<boolean> {
  return mode === 'enforce' && !(await stop.state()).stopped;
}
