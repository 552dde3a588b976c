/** What `retire` needs of its neighbours, and its settings: one list for its kinds of messages. */
import type { Mode } from '../../../domain/protocol/revocation.js';
import type { RevocationsByHand } from '../../ports/by-hand.js';
import type { Clock } from '../../ports/clock.js';
import type { Containments } from '../../ports/containments.js';
import type { DecisionLog } from '../../ports/decision-log.js';
import type { EmergencyStop } from '../../ports/emergency-stop.js';
import type { Inventory } from '../../ports/inventory.js';
import type { IssuedCertificates } from '../../ports/issued-certificates.js';
import type { IssuingCas } from '../../ports/issuing-cas.js';
import type { CampaignGroups, Jobs } from '../../ports/jobs.js';
import type { Pace } from '../../ports/pace.js';
import type { Registry } from '../../ports/registry.js';
import type { RetireQueue } from '../../ports/rotation-queues.js';
import type { Campaigns, Rotations } from '../../ports/rotations.js';
import type { Signals } from '../../ports/signals.js';
import type { TrustAnchors } from '../../ports/trust-anchors.js';

export interface RetirePorts {
  readonly anchors: TrustAnchors;
  readonly byHand: Pick<RevocationsByHand, 'remember'>;
  readonly campaigns: Pick<Campaigns, 'get' | 'all' | 'move' | 'tidied'>;
  readonly cas: IssuingCas;
  readonly clock: Clock;
  readonly containments: Containments;
  readonly decisions: Pick<DecisionLog, 'append'>;
  readonly groups: Pick<CampaignGroups, 'remove' | 'delete'>;
  readonly inventory: Pick<Inventory, 'byId' | 'bySerial' | 'rememberRevocation' | 'setStatus'>;
  readonly issued: Pick<IssuedCertificates, 'toldBefore' | 'forget'>;
  readonly jobs: Pick<Jobs, 'describe' | 'execution' | 'cancelExecution' | 'remove'>;
  readonly pace: Pace;
  readonly queue: RetireQueue;
  readonly registry: Pick<Registry, 'describe' | 'setStatus'>;
  readonly rotations: Pick<Rotations, 'byOld' | 'ofCampaign' | 'move' | 'toRetire' | 'dueBefore'>;
  readonly signals: Signals;
  readonly stop: Pick<EmergencyStop, 'state'>;
}

export interface RetireSettings {
  /** Prefix of the installation. */
  readonly application: string;
  readonly mode: Mode;
  readonly perSecond: number;
  readonly escalateDays: readonly number[];
  readonly proofTimeoutMs: number;
  /** Nothing is begun after this: the function must have time to say where it stands. */
  readonly deadlineMs: number;
}

/** Name of `retire` in the audit trail. */
export const BY = 'retire';
