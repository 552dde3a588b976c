/**
 * Metric values in minutes: for each series and minute the sum, count, extremes, and the values themselves as far as percentiles need them.
 * Memory is bounded: fifteen days of minutes (AWS keeps one-minute data that long) and at most a thousand distinct values a minute.
 */
import type { MetricValue } from '../../cloud.js';

export interface Bucket {
  readonly minuteMs: number;
  sum: number;
  count: number;
  minimum: number;
  maximum: number;
  /** Value → how often. */
  readonly values: Map<number, number>;
}

export interface Series {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  unit: string;
  readonly buckets: Map<number, Bucket>;
}

export interface MetricId {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

const MINUTE_MS = 60_000;
const KEPT_MINUTES = 15 * 24 * 60;
const DISTINCT_VALUES = 1000;

export const keyOf = ({ namespace, name, dimensions }: MetricId): string =>
  JSON.stringify([namespace, name, Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1))]);

export class MetricStore {
  private readonly series = new Map<string, Series>();

  /** Adds `count` times one value. Answers the key of the series. */
  add(value: MetricValue, atMs: number, count = 1): string {
    const { key, bucket } = this.bucket(value, atMs);
    bucket.sum += value.value * count;
    bucket.count += count;
    bucket.minimum = Math.min(bucket.minimum, value.value);
    bucket.maximum = Math.max(bucket.maximum, value.value);
    const { values } = bucket;
    if (values.has(value.value) || values.size < DISTINCT_VALUES) values.set(value.value, (values.get(value.value) ?? 0) + count);
    return key;
  }

  /** Adds a statistic set (PutMetricData): percentiles know only its mean. */
  addStatistics(
    id: MetricValue,
    atMs: number,
    set: { readonly sum: number; readonly count: number; readonly minimum: number; readonly maximum: number },
  ): string {
    const { key, bucket } = this.bucket(id, atMs);
    bucket.sum += set.sum;
    bucket.count += set.count;
    bucket.minimum = Math.min(bucket.minimum, set.minimum);
    bucket.maximum = Math.max(bucket.maximum, set.maximum);
    const mean = set.sum / set.count;
    bucket.values.set(mean, (bucket.values.get(mean) ?? 0) + set.count);
    return key;
  }

  find(id: MetricId): Series | undefined {
    return this.series.get(keyOf(id));
  }

  all(): readonly Series[] {
    return [...this.series.values()];
  }

  /** The buckets of one period `[fromMs, toMs)` as one, or nothing. */
  period(id: MetricId, fromMs: number, toMs: number): Bucket | undefined {
    const series = this.find(id);
    if (!series) return undefined;
    let merged: Bucket | undefined;
    const minutes = (toMs - fromMs) / MINUTE_MS;
    // A long period over few minutes of values: look at what is there rather than at every minute.
    const candidates = minutes > series.buckets.size ? series.buckets.values() : minutesBetween(series, fromMs, toMs);
    for (const bucket of candidates) {
      if (bucket.minuteMs < fromMs || bucket.minuteMs >= toMs) continue;
      merged = merged ? merge(merged, bucket) : merge(empty(fromMs), bucket);
    }
    return merged;
  }

  private bucket(value: MetricValue, atMs: number): { key: string; bucket: Bucket } {
    const key = keyOf(value);
    let series = this.series.get(key);
    if (!series) {
      const { namespace, name, dimensions } = value;
      series = { namespace, name, dimensions, unit: value.unit ?? 'None', buckets: new Map() };
      this.series.set(key, series);
    }
    const minuteMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    let bucket = series.buckets.get(minuteMs);
    if (!bucket) {
      bucket = empty(minuteMs);
      series.buckets.set(minuteMs, bucket);
      const oldest = series.buckets.keys().next().value;
      if (series.buckets.size > KEPT_MINUTES && oldest !== undefined) series.buckets.delete(oldest);
    }
    return { key, bucket };
  }
}

function* minutesBetween(series: Series, fromMs: number, toMs: number): Iterable<Bucket> {
  for (let minuteMs = Math.floor(fromMs / MINUTE_MS) * MINUTE_MS; minuteMs < toMs; minuteMs += MINUTE_MS) {
    const bucket = series.buckets.get(minuteMs);
    if (bucket) yield bucket;
  }
}

const empty = (minuteMs: number): Bucket => ({
  minuteMs,
  sum: 0,
  count: 0,
  minimum: Number.POSITIVE_INFINITY,
  maximum: Number.NEGATIVE_INFINITY,
  values: new Map(),
});

function merge(into: Bucket, bucket: Bucket): Bucket {
  into.sum += bucket.sum;
  into.count += bucket.count;
  into.minimum = Math.min(into.minimum, bucket.minimum);
  into.maximum = Math.max(into.maximum, bucket.maximum);
  for (const [value, times] of bucket.values) into.values.set(value, (into.values.get(value) ?? 0) + times);
  return into;
}
