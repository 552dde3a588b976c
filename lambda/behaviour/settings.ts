/** From the environment to what both functions work with. */
import type { z } from 'zod';
import type { Behaviour } from '../../domain/fleet/behaviours.js';
import { builtInProfileName } from '../../domain/protocol/fleet-events.js';
import type { common } from './env.js';
import type { Announcing } from './standing/apply.js';
import { criteriaOf } from './standing/criteria.js';
import type { Criteria } from './standing/decide.js';
import { planOf, type Plan } from './watch/plan.js';

type Environment = { readonly [Name in keyof typeof common]: z.output<(typeof common)[Name]> };

export interface BehaviourSettings {
  readonly plan: Plan;
  readonly sources: Environment['SOURCES'];
  readonly windowMs: number;
  readonly profileName: string;
  readonly announcing: Announcing;
  readonly criteriaOf: (behaviour: Behaviour) => Criteria;
}

export function settingsOf({ APPLICATION, BEHAVIOURS, SOURCES, WINDOW_SECONDS }: Environment, by: string): BehaviourSettings {
  const { behaviours, customMetrics } = BEHAVIOURS;
  const profileName = builtInProfileName(APPLICATION);
  const naming = { prefix: APPLICATION, profileName, windowSeconds: WINDOW_SECONDS, customMetrics };
  const criteria = new Map(behaviours.map((behaviour) => [behaviour.name, criteriaOf(behaviour, naming)]));
  const silent = new Set(behaviours.filter(({ response }) => response === 'observe').map(({ name }) => name));
  return {
    plan: planOf(BEHAVIOURS),
    sources: SOURCES,
    windowMs: WINDOW_SECONDS * 1000,
    profileName,
    announcing: { by, notifies: (behaviour) => !silent.has(behaviour) },
    criteriaOf: (behaviour) => criteria.get(behaviour.name)!,
  };
}
