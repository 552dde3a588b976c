/** What `intake` needs of its neighbours, and its settings. */
import type { NeverList } from '../../../domain/fleet/never-list.js';
import type { Response } from '../../../domain/fleet/responses.js';
import type { WorkflowInput } from '../../../domain/protocol/containment-workflow.js';
import type { Mode } from '../../../domain/protocol/revocation.js';
import type { Clock } from '../../ports/clock.js';
import type { ContainmentRecords } from '../../ports/containment-records.js';
import type { Rights } from '../../ports/containment-rights.js';
import type {
  AuditFindings,
  ContainmentBudget,
  ContainmentHolds,
  ContainmentWorkflows,
  IntakeQueue,
} from '../../ports/containment-work.js';
import type { DecisionLog } from '../../ports/decision-log.js';
import type { EmergencyStop } from '../../ports/emergency-stop.js';
import type { Inventory } from '../../ports/inventory.js';
import type { Pace } from '../../ports/pace.js';
import type { Registry } from '../../ports/registry.js';
import type { SerialState } from '../../ports/serial-state.js';
import type { Signals } from '../../ports/signals.js';
import type { ViolationSource } from '../../ports/violations.js';
import type { ContainmentBrake } from './brake.js';

export interface IntakePorts {
  readonly budget: ContainmentBudget;
  readonly clock: Clock;
  readonly decisions: Pick<DecisionLog, 'append'>;
  readonly findings: AuditFindings;
  readonly holds: ContainmentHolds;
  readonly inventory: Pick<Inventory, 'activeCount' | 'byId' | 'byThing' | 'usersOf'>;
  /** Held lists, by `listKey`. */
  readonly lists: SerialState;
  readonly pace: Pace;
  readonly queue: IntakeQueue;
  readonly records: Pick<ContainmentRecords, 'get' | 'past' | 'move'>;
  readonly registry: Pick<Registry, 'describe' | 'thingsOf'>;
  readonly rights: Pick<Rights, 'describeThing' | 'certificatesOf' | 'groupsOf' | 'describeGroup' | 'countThings'>;
  readonly signals: Signals;
  readonly stop: Pick<EmergencyStop, 'state'>;
  readonly violations: ViolationSource;
  readonly workflows: Pick<ContainmentWorkflows, 'start' | 'wake'>;
}

export interface IntakeSettings {
  readonly mode: Mode;
  readonly accountId: string;
  readonly neverContain: NeverList;
  readonly brake: ContainmentBrake;
  /** Behaviour → response, from the list of behaviours. */
  readonly responses: Readonly<Record<string, Response>>;
  /** EventBridge source → response. */
  readonly customSources: Readonly<Record<string, Response>>;
  readonly maxEventAgeMs: number;
  /** Of the pace that all of quarantine shares. */
  readonly perSecond: number;
}

/** Until when one batch may wait for its turns: its function has ten minutes, and what has found none goes back to the queue alone. */
export interface Turns extends Pick<IntakeSettings, 'perSecond'> {
  readonly untilMs: number;
}
const LOOKING_MS = 7 * 60_000;
export const turnsOf = ({ clock }: Pick<IntakePorts, 'clock'>, { perSecond }: IntakeSettings): Turns => ({
  perSecond,
  untilMs: clock.nowMs() + LOOKING_MS,
});

/** A thing that is to be contained, by which message. */
export interface Candidate {
  readonly input: WorkflowInput;
  readonly byPerson: boolean;
}

/** Name of `intake` in the audit trail. */
export const BY = 'quarantine-intake';
