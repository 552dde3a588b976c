/** A behaviour in the words of a notification, and the names that follow from it. */
import { createHash } from 'node:crypto';
import { behaviourMetric, type CustomMetricType } from '../../../domain/fleet/behaviour-metrics.js';
import type { Behaviour } from '../../../domain/fleet/behaviours.js';
import type { BehaviorCriteria } from '../../../domain/protocol/violation.js';
import type { Criteria } from './decide.js';

export interface CriteriaOf {
  readonly prefix: string;
  readonly profileName: string;
  readonly windowSeconds: number;
  readonly customMetrics: Readonly<Record<string, CustomMetricType>>;
}

export function criteriaOf(behaviour: Behaviour, { prefix, profileName, windowSeconds, customMetrics }: CriteriaOf): Criteria {
  const kind = behaviourMetric(behaviour.metric, customMetrics)?.kind;
  const metric = behaviourMetric(behaviour.metric, customMetrics);
  const criteria: BehaviorCriteria = {
    comparisonOperator: behaviour.operator,
    ...(kind === undefined || behaviour.value === undefined ? {} : { value: { [kind]: behaviour.value } }),
    ...(behaviour.statistic === undefined ? {} : { statisticalThreshold: { statistic: behaviour.statistic } }),
    ...(metric?.timed || behaviour.statistic !== undefined ? { durationSeconds: windowSeconds } : {}),
    consecutiveDatapointsToAlarm: behaviour.datapointsToAlarm,
    consecutiveDatapointsToClear: behaviour.datapointsToClear,
  };
  const words = { name: behaviour.name, metric: behaviour.metric, criteria };
  return {
    behaviour,
    words,
    hash: sha256(JSON.stringify(words)).slice(0, 12),
    profileName,
    idOf: (client, end) => violationId(prefix, client, behaviour.name, end),
  };
}

/** 32 hexadecimal digits, as Detect's: of the client, the behaviour and the window in which it began, so that a repetition gives the same. */
const violationId = (prefix: string, clientId: string, behaviour: string, windowEndMs: number): string =>
  sha256(JSON.stringify([prefix, clientId, behaviour, windowEndMs])).slice(0, 32);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
