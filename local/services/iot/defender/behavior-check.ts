/** What is wrong with the behaviours of a security profile (API_Behavior, API_BehaviorCriteria; quotas: General Reference, iot_device_defender.html). */
import type { Behavior, BehaviorCriteria, DetectState } from './detect.js';
import { type DetectMetric, OPERATORS, detectMetric } from './detect-metrics.js';

const MOST_BEHAVIORS = 100;
const DURATIONS = [300, 600, 900, 1800, 3600];
const STATISTIC = /^(p0|p0\.1|p0\.01|p1|p10|p50|p90|p99|p99\.9|p99\.99|p100|Average)$/;
const CONFIDENCE = ['LOW', 'MEDIUM', 'HIGH'];
/** Rules only: no machine learning (detect-cloud-side-metrics.html). */
const NOT_LEARNED = [
  'aws:disconnect-duration',
  'aws:source-ip-address',
  'aws:destination-ip-addresses',
  'aws:listening-tcp-ports',
  'aws:listening-udp-ports',
];

export function behaviorErrors(behaviors: readonly Behavior[], detect: DetectState): string[] {
  const errors: string[] = [];
  if (behaviors.length > MOST_BEHAVIORS) errors.push(`A security profile can have at most ${MOST_BEHAVIORS} behaviors`);
  const names = behaviors.map(({ name }) => name);
  for (const name of new Set(names)) if (names.indexOf(name) !== names.lastIndexOf(name)) errors.push(`Duplicate behavior name: ${name}`);
  for (const behavior of behaviors) errors.push(...errorsOf(behavior, detect).map((error) => `Behavior ${behavior.name}: ${error}`));
  return errors;
}

function errorsOf(behavior: Behavior, detect: DetectState): string[] {
  const { name, metric: metricName, metricDimension, criteria } = behavior;
  if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(name)) return ['the name must match [a-zA-Z0-9:_-]+'];
  if (metricName === undefined) return ['metric is required'];
  const metric = detectMetric(metricName, detect.customMetrics);
  if (!metric) return [`unknown metric ${metricName}`];
  const errors: string[] = [];
  if (metricDimension) {
    if (!metric.dimension) errors.push(`metric ${metricName} takes no dimension`);
    if (!detect.dimensions.has(metricDimension.dimensionName ?? '')) errors.push(`unknown dimension ${metricDimension.dimensionName}`);
    if (!['IN', 'NOT_IN', undefined].includes(metricDimension.operator)) errors.push(`unknown operator ${metricDimension.operator}`);
  }
  if (!criteria) return [...errors, 'criteria is required'];
  return [...errors, ...criteriaErrors(criteria, metricName, metric)];
}

function criteriaErrors(criteria: BehaviorCriteria, metricName: string, metric: DetectMetric): string[] {
  const errors: string[] = [];
  for (const member of ['consecutiveDatapointsToAlarm', 'consecutiveDatapointsToClear'] as const) {
    const value = criteria[member];
    if (value !== undefined && (value < 1 || value > 10)) errors.push(`${member} must be 1 to 10`);
  }
  const { durationSeconds, value, statisticalThreshold, mlDetectionConfig } = criteria;
  if (durationSeconds !== undefined && !DURATIONS.includes(durationSeconds))
    errors.push(`durationSeconds must be one of ${DURATIONS.join(', ')}`);
  const kinds = [value, statisticalThreshold, mlDetectionConfig].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) return [...errors, 'criteria needs exactly one of value, statisticalThreshold and mlDetectionConfig'];
  if (mlDetectionConfig) {
    if (NOT_LEARNED.includes(metricName) || !['count', 'number'].includes(metric.kind))
      errors.push(`metric ${metricName} is not for ML Detect`);
    if (!CONFIDENCE.includes(mlDetectionConfig.confidenceLevel ?? '')) errors.push('confidenceLevel must be LOW, MEDIUM or HIGH');
    return errors;
  }
  if (!OPERATORS[metric.kind].includes(criteria.comparisonOperator ?? ''))
    errors.push(`comparisonOperator ${criteria.comparisonOperator} does not fit metric ${metricName}`);
  if (statisticalThreshold) {
    if (!STATISTIC.test(statisticalThreshold.statistic ?? '')) errors.push(`unknown statistic ${statisticalThreshold.statistic}`);
    if (durationSeconds === undefined) errors.push('durationSeconds is required with a statisticalThreshold');
    return errors;
  }
  const given = Object.keys(value!).filter((kind) => value![kind as keyof typeof value] !== undefined);
  if (given.length !== 1 || given[0] !== metric.kind) errors.push(`value must have ${metric.kind} for metric ${metricName}`);
  if (metric.counted && durationSeconds === undefined) errors.push(`durationSeconds is required for metric ${metricName}`);
  return errors;
}
