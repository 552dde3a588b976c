/** The behaviours that are evaluated now: of profiles with a target, compared with a value or a statistic. ML Detect is not: the desk learns nothing. */
import { topicMatches } from '../../../gateway/topic-filter.js';
import type { Behavior, BehaviorCriteria, DetectState, SecurityProfile } from './detect.js';
import { type DetectMetric, detectMetric } from './detect-metrics.js';

/** Cloud-side metrics without a duration are looked at in periods of five minutes, as the page's examples speak of them. */
export const PERIOD_MS = 300_000;

export interface Watched {
  /** Of profile, version and behaviour: a profile that is changed begins to count anew. */
  readonly key: string;
  readonly profile: SecurityProfile;
  readonly behavior: Behavior;
  readonly criteria: BehaviorCriteria;
  readonly metricName: string;
  readonly metric: DetectMetric;
  readonly durationMs: number;
  /** Does a dimension let it through? */
  readonly covers: (clientId: string, topic: string | undefined) => boolean;
}

export function watchedBehaviors(detect: DetectState): readonly Watched[] {
  const watched: Watched[] = [];
  for (const profile of detect.profiles.values()) {
    if (profile.targets.size === 0) continue;
    for (const behavior of profile.settings.behaviors ?? []) {
      const { metric: metricName = '', criteria } = behavior;
      const metric = detectMetric(metricName, detect.customMetrics);
      if (!metric || !criteria || criteria.mlDetectionConfig) continue;
      watched.push({
        key: JSON.stringify([profile.name, profile.version, behavior.name]),
        profile,
        behavior,
        criteria,
        metricName,
        metric,
        durationMs: criteria.durationSeconds === undefined ? PERIOD_MS : criteria.durationSeconds * 1000,
        covers: dimensionOf(behavior, detect),
      });
    }
  }
  return watched;
}

/** A topic filter with wildcards and `${iot:ClientId}` (DDG scoping-security-behavior.html). What has no topic is in no filter. */
function dimensionOf({ metricDimension }: Behavior, detect: DetectState): Watched['covers'] {
  if (!metricDimension) return () => true;
  const wanted = metricDimension.operator !== 'NOT_IN';
  return (clientId, topic) => {
    const filters = detect.dimensions.get(metricDimension.dimensionName ?? '')?.stringValues ?? [];
    return topic !== undefined && filters.some((filter) => topicMatches(filter.replaceAll('${iot:ClientId}', clientId), topic)) === wanted;
  };
}
