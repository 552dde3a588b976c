/** What `start` needs of its neighbours, and its settings: one list for its kinds of messages. */
import type { RotationWindow } from '../../../domain/fleet/rotation-window.js';
import type { Mode } from '../../../domain/protocol/revocation.js';
import type { Clock } from '../../ports/clock.js';
import type { Containments } from '../../ports/containments.js';
import type { DecisionLog } from '../../ports/decision-log.js';
import type { EmergencyStop } from '../../ports/emergency-stop.js';
import type { Inventory } from '../../ports/inventory.js';
import type { CampaignGroups, JobRollout, Jobs } from '../../ports/jobs.js';
import type { Pace } from '../../ports/pace.js';
import type { StartQueue } from '../../ports/rotation-queues.js';
import type { Campaigns, Rotations } from '../../ports/rotations.js';
import type { Signals } from '../../ports/signals.js';
import type { TrustAnchors } from '../../ports/trust-anchors.js';

export interface StartPorts {
  readonly anchors: TrustAnchors;
  readonly campaigns: Pick<Campaigns, 'get' | 'all' | 'put' | 'move' | 'takeTurn'>;
  readonly clock: Clock;
  readonly containments: Containments;
  readonly decisions: Pick<DecisionLog, 'append'>;
  readonly groups: Pick<CampaignGroups, 'create' | 'add'>;
  readonly inventory: Pick<Inventory, 'byExpiryDay' | 'byId' | 'byThing'>;
  readonly jobs: Pick<Jobs, 'create' | 'describe' | 'cancel' | 'execution'>;
  readonly pace: Pace;
  readonly queue: StartQueue;
  readonly rotations: Pick<Rotations, 'byOld' | 'ofCampaign' | 'open' | 'move'>;
  readonly signals: Signals;
  readonly stop: Pick<EmergencyStop, 'state'>;
}

export interface StartSettings {
  /** Prefix of the installation: thing groups and jobs are named after it. */
  readonly application: string;
  readonly mode: Mode;
  readonly window: RotationWindow;
  readonly rollout: JobRollout;
  /** At most so many devices in one campaign of the expiry query: `MAX_CAMPAIGN_SIZE`. */
  readonly campaignSize: number;
  /** Things a second that may be added to a group. */
  readonly groupsPerSecond: number;
  /** Nothing is begun after this: the function must have time to say where it stands. */
  readonly deadlineMs: number;
}

/** Name of `start` in the audit trail. */
export const BY = 'start';
