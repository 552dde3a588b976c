/** Metric data queries, as GetMetricData and alarms on expressions give them: metrics with a statistic, and math over them. */
import { AwsError } from '../../models/service.js';
import { type Expression, compileMath } from './metric-math.js';
import type { MetricId, MetricStore } from './metric-store.js';
import { type Statistic, statisticNamed } from './statistic.js';

export interface Dimension {
  readonly Name?: string;
  readonly Value?: string;
}
export interface MetricDataQuery {
  readonly Id?: string;
  readonly MetricStat?: {
    readonly Metric?: { readonly Namespace?: string; readonly MetricName?: string; readonly Dimensions?: readonly Dimension[] };
    readonly Period?: number;
    readonly Stat?: string;
    readonly Unit?: string;
  };
  readonly Expression?: string;
  readonly Label?: string;
  readonly ReturnData?: boolean;
  readonly Period?: number;
  readonly AccountId?: string;
}

export interface Query {
  readonly id: string;
  readonly label: string;
  readonly returned: boolean;
  readonly periodSeconds: number;
  readonly metric?: { readonly id: MetricId; readonly statisticName: string; readonly statistic: Statistic };
  readonly expression?: Expression;
}

export const dimensionsOf = (dimensions: readonly Dimension[] | undefined): Record<string, string> =>
  Object.fromEntries((dimensions ?? []).map(({ Name = '', Value = '' }) => [Name, Value]));

const invalid = (message: string): never => {
  throw new AwsError('ValidationException', message);
};

/** Checks and compiles a list of queries; an expression may name those before and after it. Throws what the desk cannot compute. */
export function compileQueries(queries: readonly MetricDataQuery[]): readonly Query[] {
  const metricIds = queries.filter((query) => query.MetricStat).map((query) => query.Id ?? '');
  const longest = Math.max(60, ...queries.map((query) => query.MetricStat?.Period ?? query.Period ?? 0));
  return queries.map((query): Query => {
    const id = query.Id ?? '';
    if (!/^[a-z]\w*$/.test(id)) invalid(`The value for Id must match ^[a-z][a-zA-Z0-9_]*$: got ${id}`);
    const base = { id, label: query.Label ?? query.MetricStat?.Metric?.MetricName ?? id, returned: query.ReturnData ?? true };
    if (query.Expression !== undefined) {
      return { ...base, periodSeconds: query.Period ?? longest, expression: compileMath(query.Expression, metricIds) };
    }
    const { Metric, Period = 0, Stat = '' } = query.MetricStat ?? {};
    if (!Metric) return invalid(`Query ${id} has neither MetricStat nor Expression.`);
    checkPeriod(Period);
    const metricId = { namespace: Metric.Namespace ?? '', name: Metric.MetricName ?? '', dimensions: dimensionsOf(Metric.Dimensions) };
    return { ...base, periodSeconds: Period, metric: { id: metricId, statisticName: Stat, statistic: statisticNamed(Stat) } };
  });
}

/** The desk keeps minutes: high-resolution periods below a minute are refused. */
export function checkPeriod(seconds: number): void {
  if (seconds < 60 || seconds % 60 !== 0) invalid(`Period: got ${seconds}, expected a multiple of 60 (the desk keeps one-minute values)`);
}

/** The value of one query in the period that starts at `fromMs`; `undefined`: no data. */
export function valueOf(query: Query, all: readonly Query[], store: MetricStore, fromMs: number): number | undefined {
  const toMs = fromMs + query.periodSeconds * 1000;
  if (query.metric) {
    const bucket = store.period(query.metric.id, fromMs, toMs);
    return bucket ? query.metric.statistic(bucket) : undefined;
  }
  const values = Object.fromEntries(
    all
      .filter((other) => other.metric)
      .map((other) => [other.id, valueOf({ ...other, periodSeconds: query.periodSeconds }, all, store, fromMs)]),
  );
  return query.expression!(values);
}
