import type { Behaviour } from '../../../domain/fleet/behaviours.js';
import type { MonitorSource } from '../../../domain/fleet/behaviour-metrics.js';
import type { FleetStream } from '../../ports/fleet-stream.js';
import type { Presences } from '../../ports/presences.js';
import type { Announcing, StandingPorts } from '../standing/apply.js';
import type { Criteria } from '../standing/decide.js';
import type { Plan } from './plan.js';

export interface WatchPorts extends StandingPorts {
  readonly presences: Pick<Presences, 'note' | 'get'>;
  readonly stream: FleetStream;
}

export interface WatchSettings {
  readonly plan: Plan;
  readonly sources: ReadonlySet<MonitorSource>;
  readonly ignored: ReadonlySet<string>;
  readonly announcing: Announcing;
  readonly criteriaOf: (behaviour: Behaviour) => Criteria;
}
