/** Custom metrics and dimensions (API_CreateCustomMetric, API_CreateDimension and their neighbours). */
import type { Operation } from '../../../models/service.js';
import { alreadyExists, conflict, invalidRequest, limitExceeded, notFound } from '../errors.js';
import { page } from '../paging.js';
import type { IotState } from '../state.js';
import { setTags } from '../tags.js';
import type { CustomMetric, Dimension } from './detect.js';
import { CUSTOM_METRIC_KINDS } from './detect-metrics.js';
import { checkDetectName } from './names.js';

/** Quotas: General Reference, iot_device_defender.html. */
const MOST_CUSTOM_METRICS = 100;
const MOST_DIMENSIONS = 10;
const MOST_VALUES = 100;

export function detectMetricOperations(state: IotState): Record<string, Operation> {
  const { detect } = state;
  const metric = (name: unknown): CustomMetric => {
    const found = detect.customMetrics.get(checkDetectName('metricName', name));
    if (!found) throw notFound(`Custom metric ${String(name)} does not exist`);
    return found;
  };
  const dimension = (name: unknown): Dimension => {
    const found = detect.dimensions.get(checkDetectName('name', name));
    if (!found) throw notFound(`Dimension ${String(name)} does not exist`);
    return found;
  };
  const usedBy = (uses: (behavior: { metric?: string; metricDimension?: { dimensionName?: string } }) => boolean): string | undefined =>
    [...detect.profiles.values()].find(({ settings: { behaviors = [] } }) => behaviors.some(uses))?.name;
  return {
    CreateCustomMetric: (input) => {
      const metricName = checkDetectName('metricName', input.metricName);
      if (metricName.startsWith('aws:')) throw invalidRequest('The name of a custom metric can not begin with aws:');
      if (!CUSTOM_METRIC_KINDS[input.metricType]) throw invalidRequest(`Invalid metricType ${input.metricType}`);
      const held = detect.customMetrics.get(metricName);
      const arn = state.arn(`custommetric/${metricName}`);
      // The same token again is the same request.
      if (held) {
        if (held.token === undefined || held.token !== input.clientRequestToken)
          throw alreadyExists(`Custom metric ${metricName} already exists`, metricName, arn);
        return { metricName, metricArn: arn };
      }
      if (detect.customMetrics.size >= MOST_CUSTOM_METRICS)
        throw limitExceeded(`An account can have at most ${MOST_CUSTOM_METRICS} custom metrics`);
      const now = state.now();
      const { metricType, displayName, clientRequestToken: token } = input;
      detect.customMetrics.set(metricName, { metricName, arn, metricType, displayName, token, createdAtMs: now, modifiedAtMs: now });
      setTags(state, arn, input.tags);
      return { metricName, metricArn: arn };
    },
    DescribeCustomMetric: (input) => describeMetric(metric(input.metricName)),
    UpdateCustomMetric: (input) => {
      const held = metric(input.metricName);
      held.displayName = input.displayName;
      held.modifiedAtMs = state.now();
      return describeMetric(held);
    },
    DeleteCustomMetric: (input) => {
      const user = usedBy((behavior) => behavior.metric === input.metricName);
      if (user !== undefined) throw conflict(`Custom metric ${input.metricName} is used by security profile ${user}`, user);
      detect.customMetrics.delete(input.metricName);
      state.tags.delete(state.arn(`custommetric/${input.metricName}`));
      return {};
    },
    ListCustomMetrics: (input) => {
      const { items, token } = page([...detect.customMetrics.keys()], (name) => name, input.nextToken, input.maxResults);
      return { metricNames: items, ...(token ? { nextToken: token } : {}) };
    },
    CreateDimension: (input) => {
      const name = checkDetectName('name', input.name);
      checkValues(input.type, input.stringValues);
      const held = detect.dimensions.get(name);
      const arn = state.arn(`dimension/${name}`);
      if (held) {
        if (held.token === undefined || held.token !== input.clientRequestToken)
          throw alreadyExists(`Dimension ${name} already exists`, name, arn);
        return { name, arn };
      }
      if (detect.dimensions.size >= MOST_DIMENSIONS) throw limitExceeded(`An account can have at most ${MOST_DIMENSIONS} dimensions`);
      const now = state.now();
      const { type, stringValues, clientRequestToken: token } = input;
      detect.dimensions.set(name, { name, arn, type, stringValues, token, createdAtMs: now, modifiedAtMs: now });
      setTags(state, arn, input.tags);
      return { name, arn };
    },
    DescribeDimension: (input) => describeDimension(dimension(input.name)),
    UpdateDimension: (input) => {
      const held = dimension(input.name);
      checkValues(held.type, input.stringValues);
      held.stringValues = input.stringValues;
      held.modifiedAtMs = state.now();
      return describeDimension(held);
    },
    DeleteDimension: (input) => {
      const user = usedBy((behavior) => behavior.metricDimension?.dimensionName === input.name);
      if (user !== undefined) throw invalidRequest(`Dimension ${input.name} is used by security profile ${user}`);
      detect.dimensions.delete(input.name);
      state.tags.delete(state.arn(`dimension/${input.name}`));
      return {};
    },
    ListDimensions: (input) => {
      const { items, token } = page([...detect.dimensions.keys()], (name) => name, input.nextToken, input.maxResults);
      return { dimensionNames: items, ...(token ? { nextToken: token } : {}) };
    },
  };
}

function checkValues(type: string, values: readonly string[]): void {
  if (type !== 'TOPIC_FILTER') throw invalidRequest(`Invalid dimension type ${type}`);
  if (values.length < 1 || values.length > MOST_VALUES)
    throw invalidRequest(`stringValues: got ${values.length}, expected 1 to ${MOST_VALUES}`);
}

const times = ({ createdAtMs, modifiedAtMs }: { createdAtMs: number; modifiedAtMs: number }): Record<string, Date> => ({
  creationDate: new Date(createdAtMs),
  lastModifiedDate: new Date(modifiedAtMs),
});

const describeMetric = (held: CustomMetric): Record<string, unknown> => ({
  metricName: held.metricName,
  metricArn: held.arn,
  metricType: held.metricType,
  ...(held.displayName === undefined ? {} : { displayName: held.displayName }),
  ...times(held),
});

const describeDimension = (held: Dimension): Record<string, unknown> => ({
  name: held.name,
  arn: held.arn,
  type: held.type,
  stringValues: held.stringValues,
  ...times(held),
});
