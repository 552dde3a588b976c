import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import type { Response } from '../../domain/fleet/responses.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';
import type { ContainmentState } from '../../domain/protocol/containment.js';
import type { Trigger } from '../../domain/protocol/containment-workflow.js';
import type { CertificateStatus } from '../../domain/fleet/certificate-status.js';

/** One certificate as it was before anything was done to it. */
export interface CertificateSnapshot {
  readonly certificateId: CertificateId;
  readonly status: CertificateStatus;
  readonly policies: readonly string[];
  /** It was INACTIVE because its CA had it on hold (certificateHold), and for nothing else that is known. @default no */
  readonly onHold?: true;
}

/** A thing as it was before anything was done to it. Taken once, never overwritten. */
export interface Snapshot {
  readonly takenAtMs: number;
  readonly certificates: readonly CertificateSnapshot[];
  /** Static groups, with the policies that they carry, those of their parents among them. */
  readonly groups: readonly { readonly name: string; readonly policies: readonly string[] }[];
  /** Noted only: AWS IoT itself says who is in them, and they cannot carry policies. */
  readonly dynamicGroups: readonly string[];
  /** Under which the thing connects: its name, and what the inventory has seen. */
  readonly clientIds: readonly string[];
}

export interface ReleaseRequest {
  readonly by: string;
  readonly reason: string;
  readonly rekey: boolean;
  readonly force: boolean;
  readonly atMs: number;
}

export type ShutOffOutcome = 'done' | 'refused' | 'unanswered';

/** One containment: its row is there exactly as long as the thing is contained. */
export interface Containment {
  readonly containmentId: string;
  readonly thingName: ThingName;
  readonly state: ContainmentState;
  readonly response: Response;
  readonly trigger: Trigger;
  readonly snapshot: Snapshot;
  /** Certificates that appeared while the thing was contained, as they were found. */
  readonly adopted: readonly CertificateSnapshot[];
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
  /** From then on the swapped policies count. */
  readonly settledAtMs?: number;
  readonly reopenedAtMs?: number;
  /** Repair policy of this containment alone, for client ids that are not the thing's name (domain/protocol/repair-policy.ts). */
  readonly namedRepair?: { readonly policyName: string; readonly clientIds: readonly string[] };
  /** Certificates that were made ACTIVE for repair: one of them that is INACTIVE later was deactivated by somebody else. */
  readonly reopened?: readonly CertificateId[];
  readonly deactivatedAtMs?: number;
  /** End of the time box. */
  readonly endsAtMs: number;
  readonly shutOff?: {
    readonly jobId: string;
    readonly askedAtMs: number;
    /** Execution of the AWS IoT command that was started beside the job. */
    readonly executionId?: string;
    readonly outcome?: ShutOffOutcome;
    /** Which of the two the device answered with `done`. */
    readonly way?: 'job' | 'command';
  };
  readonly release?: ReleaseRequest;
  /** A new key is being made: rotation lets this thing through. */
  readonly rekeying?: boolean;
  readonly rekeyAskedAtMs?: number;
  /** Certificates that were replaced: old → new. */
  readonly replaced?: readonly { readonly old: CertificateId; readonly fresh: CertificateId }[];
  /** Wakes the workflow where it waits. */
  readonly taskToken?: string;
  /** How many executions have died on it: the one that carries it now is named after that (executionOf). */
  readonly restarts?: number;
}

/** What is changed by a move; what is `undefined` is taken out of the row. */
export type ContainmentChange = Partial<Omit<Containment, 'containmentId' | 'thingName' | 'snapshot'>>;

/** A containment that is over. */
export interface PastContainment extends Containment {
  readonly releasedAtMs: number;
}

/** Containments in the ledger. Strongly consistent; every write is conditional. */
export interface ContainmentRecords {
  get(thing: ThingName): Promise<Containment | undefined>;
  /** `ours`: this very containment is there already. `other`: the thing is contained by another one. */
  open(containment: Containment): Promise<'opened' | 'ours' | 'other'>;
  /** From one of `from`. `undefined`: it is not this containment any more, or in none of those states. */
  move(
    thing: ThingName,
    containmentId: string,
    from: readonly ContainmentState[],
    change: ContainmentChange,
  ): Promise<Containment | undefined>;
  /** The row goes, and what it said is kept as history, both at once. Done before: success. */
  close(thing: ThingName, containmentId: string, releasedAtMs: number): Promise<void>;
  /** Is this containment over? */
  past(thing: ThingName, containmentId: string): Promise<PastContainment | undefined>;
  /** All that are open. */
  all(): AsyncIterable<Containment>;
}

/**
 * Who holds a certificate in containment. One certificate may be attached to several things (not exclusively): it is given back when the last of
 * those that are contained is released, and as it was before the first of them was.
 */
export interface CertificateClaims {
  /** Adds the thing; resolves to the certificate as the first claim found it. */
  claim(seen: CertificateSnapshot, thing: ThingName): Promise<CertificateSnapshot>;
  /** Takes the thing away; resolves to who is left, `undefined`: nobody ever claimed it, or it was given back. */
  letGo(
    id: CertificateId,
    thing: ThingName,
  ): Promise<{ readonly holders: readonly string[]; readonly snapshot: CertificateSnapshot } | undefined>;
  /** Forgets the claim where nobody holds it any more. `false`: somebody has claimed it meanwhile. */
  forget(id: CertificateId): Promise<boolean>;
}
