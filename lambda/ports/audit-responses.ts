import type { AuditOrder } from '../../domain/protocol/audit.js';
import type { AuditContainment } from '../../domain/protocol/containment.js';

/** Who does something about findings. Each is asked by message, at least once; asked twice, each finds the first request done or under way. */
export interface AuditResponses {
  /** At most 250 certificates. Absent: rotation is off. */
  readonly rotate?: (certificateIds: readonly string[], taskId: string) => Promise<void>;
  /** Absent: quarantine is off. */
  readonly contain?: (findings: readonly AuditContainment[]) => Promise<void>;
  /** Every known CRL is looked at again. */
  readonly sweepCrls: () => Promise<void>;
}

export interface CollectQueue {
  send(order: AuditOrder): Promise<void>;
}
