/** What the steps of a containment need of their neighbours, and their settings: one list for those that take and those that give back. */
import type { RepairRights } from '../../domain/protocol/repair-policy.js';
import type { Mode } from '../../domain/protocol/revocation.js';
import type { TimeBoxEnd } from '../../domain/fleet/time-box.js';
import type { Clock } from '../ports/clock.js';
import type { CertificateClaims, ContainmentRecords } from '../ports/containment-records.js';
import type { DeviceJobs, Rights } from '../ports/containment-rights.js';
import type { DeviceCommands } from '../ports/device-commands.js';
import type { ContainmentBudget, ContainmentWorkflows } from '../ports/containment-work.js';
import type { DecisionLog } from '../ports/decision-log.js';
import type { EmergencyStop } from '../ports/emergency-stop.js';
import type { Inventory } from '../ports/inventory.js';
import type { Jobs } from '../ports/jobs.js';
import type { Pace } from '../ports/pace.js';
import type { Registry } from '../ports/registry.js';
import type { RepairPolicies } from '../ports/repair-policies.js';
import type { RevocationHolds } from '../ports/revocation-holds.js';
import type { Rotations } from '../ports/rotations.js';
import type { Signals } from '../ports/signals.js';
import type { ViolationSource } from '../ports/violations.js';

export interface StepPorts {
  readonly budget: Pick<ContainmentBudget, 'booked' | 'free' | 'giveUp'>;
  readonly claims: CertificateClaims;
  readonly clock: Clock;
  /** `undefined`: devices are told to shut off by jobs alone. */
  readonly commands?: DeviceCommands;
  readonly decisions: Pick<DecisionLog, 'append'>;
  readonly inventory: Pick<Inventory, 'byId' | 'bySerial' | 'byThing' | 'setStatus' | 'usersOf'>;
  readonly jobs: DeviceJobs;
  readonly pace: Pace;
  readonly records: ContainmentRecords;
  readonly registry: Pick<Registry, 'describe' | 'setStatus' | 'thingsOf' | 'deleteConnection'>;
  readonly repairPolicies: RepairPolicies;
  readonly rights: Rights;
  readonly rotationJobs: Pick<Jobs, 'cancelExecution'>;
  readonly rotations: Pick<Rotations, 'byOld' | 'byNew' | 'move'>;
  readonly signals: Signals;
  readonly stop: Pick<EmergencyStop, 'state'>;
  readonly violations: ViolationSource;
  readonly workflows: Pick<ContainmentWorkflows, 'wake'>;
}

export interface ReleasePorts extends StepPorts {
  readonly revocationHolds: RevocationHolds;
  /** Asks the rotation for a new certificate; `undefined`: rotation is off. */
  readonly rekey?: { rotate(thingName: string, by: string, requestId: string): Promise<void> };
}

export interface StepSettings {
  /** Prefix of the installation: jobs, policy and group are named after it. */
  readonly application: string;
  readonly mode: Mode;
  readonly repairPolicy: string;
  /** What a repair policy of one containment says; `undefined`: this function makes none. */
  readonly repairRights?: RepairRights;
  readonly quarantineGroup: string;
  /** From the swap of the policies until they count. */
  readonly settleMs: number;
  readonly timeBoxMs: number;
  readonly timeBoxThen: TimeBoxEnd;
  readonly coolDownMs: number;
  readonly shutOffTimeoutMinutes: number;
  readonly perSecond: number;
}

/** Name of quarantine in the audit trail. */
export const BY = 'quarantine';
