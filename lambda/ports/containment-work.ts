/** What sets containments off and what they wait for: the workflow engine, the queue, the budget, findings of the audit. */
import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';
import type { IntakeMessage } from '../../domain/protocol/containment.js';
import type { WorkflowInput } from '../../domain/protocol/containment-workflow.js';
import type { HoldState } from '../../domain/protocol/revocation.js';

export interface ContainmentWorkflows {
  /** Idempotent by the name of the execution: the containmentId, unless that one has died. */
  start(input: WorkflowInput, name?: string): Promise<void>;
  /** `false`: no execution of this name is at work: it has ended, or never was. */
  isRunning(name: string): Promise<boolean>;
  /** Wakes an execution that waits with this token. `false`: it does not wait any more. */
  wake(taskToken: string): Promise<boolean>;
}

export interface IntakeQueue {
  /** At most 900 s. */
  send(message: IntakeMessage, delaySeconds?: number): Promise<void>;
}

/** One containment that counts: it is open, or was begun within the last hour. */
export interface Booking {
  readonly thingName: ThingName;
  readonly containmentId: string;
  readonly sinceMs: number;
  /** When a later delivery of the same message counted on it again; absent: none has. */
  readonly renewedAtMs?: number;
  /** Absent: open. */
  readonly freedAtMs?: number;
  /** Static groups that the thing was in. */
  readonly groups: readonly string[];
}

/**
 * What the brake counts. A booking is made before anything is done and freed when the thing is released: a containment that is stuck goes on
 * counting.
 */
export interface ContainmentBudget {
  /**
   * Books all of `wanted` or none. `admits` is asked with what is booked, without those of `wanted` that are: repeated, a booking counts once. Atomic:
   * two runs at once cannot both take the rest. Who resolves to true may count on his bookings for an hour: `giveUp` leaves them alone.
   */
  book(wanted: readonly Booking[], admits: (booked: readonly Booking[]) => Promise<boolean>): Promise<boolean>;
  free(thing: ThingName, containmentId: string, atMs: number): Promise<void>;
  /** Frees a booking that nobody has freed, or counted on, since it was read. `false`: somebody has. */
  giveUp(seen: Booking, atMs: number): Promise<boolean>;
  /** Everything that counts now. */
  booked(): Promise<readonly Booking[]>;
}

/** A list of containments over the brake, kept until a person decides. The list itself lies in the state bucket under `listKey`. */
export interface ContainmentHold {
  readonly hash: string;
  readonly kind: 'contain';
  readonly state: HoldState;
  readonly count: number;
  readonly reason: string;
  readonly listKey: string;
  readonly createdAtMs: number;
  readonly decidedBy?: string;
  readonly decidedAtMs?: number;
}

export interface ContainmentHolds {
  /** Idempotent by hash. `false`: it was there. */
  put(hold: ContainmentHold): Promise<boolean>;
  get(hash: string): Promise<ContainmentHold | undefined>;
  all(): AsyncIterable<ContainmentHold>;
  /** Conditional: `false` when the hold is not in `from`. */
  move(hash: string, from: HoldState, to: HoldState, by: string, atMs: number): Promise<boolean>;
}

/** A finding of the Device Defender audit, as AWS IoT has it (DescribeAuditFinding, 25 a second). */
export interface AuditFinding {
  readonly findingId: string;
  readonly taskId: string;
  readonly checkName: string;
  readonly isSuppressed: boolean;
  readonly atMs: number;
  readonly certificateId?: string;
  readonly clientId?: string;
  /** Of a client id: the certificates that AWS IoT says have used it. Absent: it names none. */
  readonly principals?: readonly CertificateId[];
}

export interface AuditFindings {
  /** `undefined`: there is no such finding. */
  read(findingId: string): Promise<AuditFinding | undefined>;
}
