/** The behaviours, made ready once at cold start: which of them are about a metric, and how an element of a list is judged. */
import { behaviourMetric, type BehaviourMetric } from '../../../domain/fleet/behaviour-metrics.js';
import { elementTest, type Behaviour, type BehaviourList } from '../../../domain/fleet/behaviours.js';

export interface Planned {
  readonly behaviour: Behaviour;
  readonly metric: BehaviourMetric;
  /** Is this element of a list normal? */
  readonly isNormal: (element: string | number) => boolean;
}

export interface Plan {
  readonly all: readonly Planned[];
  /** By the name of the metric; a metric that no behaviour is about is not kept. */
  readonly byMetric: ReadonlyMap<string, readonly Planned[]>;
}

/** Throws RangeError for a metric that is not known: a behaviour that nobody looks at must not go unnoticed. */
export function planOf({ behaviours, customMetrics }: BehaviourList): Plan {
  const all = behaviours
    .filter(({ ml }) => ml === undefined)
    .map((behaviour): Planned => {
      const metric = behaviourMetric(behaviour.metric, customMetrics);
      if (metric === undefined)
        throw new RangeError(`behaviour "${behaviour.name}": got metric "${behaviour.metric}", expected a known one`);
      return { behaviour, metric, isNormal: elementTest(behaviour) };
    });
  const byMetric = new Map<string, Planned[]>();
  for (const planned of all) byMetric.set(planned.behaviour.metric, [...(byMetric.get(planned.behaviour.metric) ?? []), planned]);
  return { all, byMetric };
}
