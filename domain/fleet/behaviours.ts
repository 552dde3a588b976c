/**
 * A behaviour says what is NORMAL, in the words of Device Defender: a violation is that it is not met. One list yields the security profiles of Detect and
 * drives the built-in monitor; the defaults are in default-behaviours.ts.
 */
import { z } from 'zod';
import { CUSTOM_METRIC_TYPES, METRIC_KINDS, behaviourMetric, type BehaviourMetric } from './behaviour-metrics.js';
import { parseAddress, parseCidr, isInCidr, type Cidr } from './cidr.js';
import { RESPONSES } from './responses.js';

export const COMPARISON_OPERATORS = [
  'less-than',
  'less-than-equals',
  'greater-than',
  'greater-than-equals',
  'in-cidr-set',
  'not-in-cidr-set',
  'in-port-set',
  'not-in-port-set',
  'in-set',
  'not-in-set',
] as const;
export type ComparisonOperator = (typeof COMPARISON_OPERATORS)[number];

/** `pattern` of the API: no other percentile is taken. */
export const STATISTICS = ['p0', 'p0.1', 'p0.01', 'p1', 'p10', 'p50', 'p90', 'p99', 'p99.9', 'p99.99', 'p100'] as const;
export type Statistic = (typeof STATISTICS)[number];
export const CONFIDENCE_LEVELS = ['LOW', 'MEDIUM', 'HIGH'] as const;
export const DURATIONS_SECONDS = [300, 600, 900, 1800, 3600] as const;

export const Behaviour = z.strictObject({
  name: z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/),
  metric: z.string().min(1).max(128),
  /** Absent: learned by ML Detect (`ml`). */
  operator: z.enum(COMPARISON_OPERATORS).optional(),
  /** One number, or the elements of a set. Absent: `statistic` or `ml`. */
  value: z.union([z.number(), z.array(z.union([z.string(), z.number()])).readonly()]).optional(),
  statistic: z.enum(STATISTICS).optional(),
  ml: z.enum(CONFIDENCE_LEVELS).optional(),
  durationSeconds: z.literal(DURATIONS_SECONDS).optional(),
  datapointsToAlarm: z.number().int().min(1).max(10),
  datapointsToClear: z.number().int().min(1).max(10),
  response: z.enum(RESPONSES),
});
export type Behaviour = z.infer<typeof Behaviour>;

/** Everything that a function must know to evaluate: the behaviours, and the types of the custom metrics that they are about. */
export const BehaviourList = z.strictObject({
  behaviours: z.array(Behaviour).max(100),
  customMetrics: z.record(z.string(), z.enum(CUSTOM_METRIC_TYPES)),
});
export type BehaviourList = z.infer<typeof BehaviourList>;

const NUMERIC = ['less-than', 'less-than-equals', 'greater-than', 'greater-than-equals'] as const;
const OPERATORS_OF = {
  count: NUMERIC,
  number: NUMERIC,
  cidrs: ['in-cidr-set', 'not-in-cidr-set'],
  ports: ['in-port-set', 'not-in-port-set'],
  numbers: ['in-set', 'not-in-set'],
  strings: ['in-set', 'not-in-set'],
} as const satisfies Record<(typeof METRIC_KINDS)[number], readonly ComparisonOperator[]>;

/** What is wrong with a behaviour: the field, and what was expected. `undefined`: nothing. */
export function behaviourFault(
  behaviour: Behaviour,
  customMetrics: BehaviourList['customMetrics'],
): { readonly field: keyof Behaviour; readonly expected: string } | undefined {
  const metric = behaviourMetric(behaviour.metric, customMetrics);
  if (metric === undefined) return { field: 'metric', expected: 'expected a metric of AWS IoT Device Defender, or one of customMetrics' };
  const { operator, value, statistic, ml } = behaviour;
  if ([value, statistic, ml].filter((criterion) => criterion !== undefined).length !== 1)
    return { field: 'value', expected: 'expected exactly one of value, statistic and ml' };
  if (ml !== undefined) {
    if (!metric.ml) return { field: 'ml', expected: 'expected value or statistic: ML Detect does not know this metric' };
    return operator === undefined ? undefined : { field: 'operator', expected: 'expected no operator beside ml' };
  }
  const operators: readonly string[] = OPERATORS_OF[metric.kind];
  if (operator === undefined || !operators.includes(operator))
    return { field: 'operator', expected: `expected one of ${operators.join(', ')}` };
  // Whoever is away too briefly does not violate anything that a schedule could find.
  if (metric.gathering === 'offline' && !isUpperLimit(operator))
    return { field: 'operator', expected: 'expected less-than or less-than-equals' };
  if (statistic !== undefined)
    return metric.kind === 'count' && metric.gathering !== 'offline'
      ? undefined
      : { field: 'statistic', expected: 'expected value: percentiles are of counts' };
  const expected = valueFault(metric, value);
  return expected === undefined ? undefined : { field: 'value', expected };
}

function valueFault({ kind }: BehaviourMetric, value: Behaviour['value']): string | undefined {
  if (kind === 'count')
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? undefined : 'expected a whole number, 0 or above';
  if (kind === 'number') return typeof value === 'number' && Number.isFinite(value) ? undefined : 'expected a number';
  if (typeof value === 'number' || value === undefined || value.length === 0) return 'expected a list with at least one element';
  const isElement: (element: string | number) => boolean = {
    cidrs: (element: string | number) => typeof element === 'string' && parseCidr(element) !== undefined,
    ports: (element: string | number) => Number.isInteger(element) && Number(element) >= 0 && Number(element) <= 65_535,
    numbers: (element: string | number) => typeof element === 'number' && Number.isFinite(element),
    strings: (element: string | number) => typeof element === 'string',
  }[kind];
  if (value.every(isElement)) return undefined;
  return { cidrs: 'expected CIDR blocks', ports: 'expected port numbers', numbers: 'expected numbers', strings: 'expected texts' }[kind];
}

/** Does a number meet the criterion? */
export function meets(operator: ComparisonOperator, observed: number, limit: number): boolean {
  if (operator === 'less-than') return observed < limit;
  if (operator === 'less-than-equals') return observed <= limit;
  if (operator === 'greater-than') return observed > limit;
  if (operator === 'greater-than-equals') return observed >= limit;
  throw new RangeError(`operator: got ${operator}, expected one that compares numbers`);
}

export const isUpperLimit = (operator: ComparisonOperator | undefined): boolean =>
  operator === 'less-than' || operator === 'less-than-equals';

/** Does one element of a list meet the criterion? A text that is no address is in no block. */
export function elementTest(behaviour: Behaviour): (element: string | number) => boolean {
  const wanted = behaviour.operator?.startsWith('not-') === false;
  const elements = typeof behaviour.value === 'object' ? behaviour.value : [];
  if (behaviour.operator?.endsWith('in-cidr-set')) {
    const blocks = elements.map((element) => parseCidr(String(element))).filter((block): block is Cidr => block !== undefined);
    return (element) => {
      const address = parseAddress(String(element));
      return (address !== undefined && blocks.some((block) => isInCidr(address, block))) === wanted;
    };
  }
  const known = new Set(elements);
  return (element) => known.has(element) === wanted;
}

/** Nearest rank: the smallest value that at least so many per cent of all do not exceed. `values` is not empty. */
export function percentile(values: readonly number[], statistic: Statistic): number {
  const sorted = values.toSorted((one, other) => one - other);
  const rank = Math.ceil((Number(statistic.slice(1)) / 100) * sorted.length);
  return sorted[Math.max(0, rank - 1)]!;
}
