/** What `issue` needs of its neighbours, and its settings. */
import type { Mode } from '../../../domain/protocol/revocation.js';
import type { Containments } from '../../ports/containments.js';
import type { EmergencyStop } from '../../ports/emergency-stop.js';
import type { Enrolling } from '../../ports/enrolling.js';
import type { Inventory } from '../../ports/inventory.js';
import type { IssuingCa } from '../../ports/issuing-ca.js';
import type { Jobs } from '../../ports/jobs.js';
import type { Pace } from '../../ports/pace.js';
import type { Registry } from '../../ports/registry.js';
import type { Rotations } from '../../ports/rotations.js';
import type { TrustAnchors } from '../../ports/trust-anchors.js';
import type { AnswerPorts } from '../answer.js';

export interface IssuePorts extends AnswerPorts {
  readonly anchors: TrustAnchors;
  readonly ca: Pick<IssuingCa, 'issue' | 'fetch'>;
  readonly containments: Containments;
  readonly enrolling: Pick<Enrolling, 'register' | 'policiesOf' | 'attachPolicy' | 'attachThing' | 'certificatesOf' | 'publish'>;
  readonly inventory: Pick<Inventory, 'byId' | 'record' | 'setStatus'>;
  readonly jobs: Pick<Jobs, 'execution'>;
  readonly pace: Pace;
  readonly registry: Pick<Registry, 'describe' | 'thingsOf' | 'setStatus'>;
  readonly rotations: Pick<Rotations, 'byOld' | 'reserve' | 'move' | 'keyIsKnown' | 'rememberKey'>;
  readonly stop: Pick<EmergencyStop, 'state'>;
}

export interface IssueSettings {
  readonly mode: Mode;
  readonly topicPrefix: string;
  readonly perSecond: number;
  readonly issuingAnchorId: string;
  readonly validityDays: number;
}
