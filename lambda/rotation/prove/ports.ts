/** What `prove` needs of its neighbours, and its settings. */
import type { Mode } from '../../../domain/protocol/revocation.js';
import type { Containments } from '../../ports/containments.js';
import type { EmergencyStop } from '../../ports/emergency-stop.js';
import type { Enrolling } from '../../ports/enrolling.js';
import type { Inventory } from '../../ports/inventory.js';
import type { Pace } from '../../ports/pace.js';
import type { Registry } from '../../ports/registry.js';
import type { Rotations } from '../../ports/rotations.js';
import type { AnswerPorts } from '../answer.js';

export interface ProvePorts extends AnswerPorts {
  readonly containments: Containments;
  readonly enrolling: Pick<Enrolling, 'policiesOf' | 'publish'>;
  readonly inventory: Pick<Inventory, 'byId' | 'setStatus'>;
  readonly pace: Pace;
  readonly registry: Pick<Registry, 'describe' | 'thingsOf' | 'setStatus'>;
  readonly rotations: Pick<Rotations, 'byNew' | 'byOld' | 'move'>;
  readonly stop: Pick<EmergencyStop, 'state'>;
}

export interface ProveSettings {
  readonly mode: Mode;
  readonly topicPrefix: string;
  readonly perSecond: number;
  /** From the proof to REVOKED. */
  readonly graceMs: number;
}
