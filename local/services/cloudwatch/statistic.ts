/** Statistics of one period: the five classic ones and percentiles `p0` … `p100` (CloudWatch user guide, "Statistics definitions"). */
import { AwsError } from '../../models/service.js';
import type { Bucket } from './metric-store.js';

const CLASSIC: Readonly<Record<string, (bucket: Bucket) => number>> = {
  Sum: (bucket) => bucket.sum,
  SampleCount: (bucket) => bucket.count,
  Average: (bucket) => bucket.sum / bucket.count,
  Minimum: (bucket) => bucket.minimum,
  Maximum: (bucket) => bucket.maximum,
};

export type Statistic = (bucket: Bucket) => number;

/** Throws for a statistic that the desk cannot compute (trimmed means, IQM …): an alarm on a wrong number would be worse than none. */
export function statisticNamed(name: string): Statistic {
  const classic = CLASSIC[name];
  if (classic) return classic;
  const percentile = /^p(\d{1,2}(\.\d{0,10})?|100)$/.exec(name);
  if (percentile) return (bucket) => percentileOf(bucket, Number(percentile[1]));
  throw new AwsError('InvalidParameterValueException', `The value ${name} for parameter Statistic is not supported by the desk.`);
}

function percentileOf(bucket: Bucket, percent: number): number {
  const sorted = [...bucket.values].sort(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, times]) => sum + times, 0);
  const wanted = (percent / 100) * total;
  let seen = 0;
  for (const [value, times] of sorted) {
    seen += times;
    if (seen >= wanted) return value;
  }
  return bucket.maximum;
}

/**
 * Whether more values in the same period can only push the statistic further towards the alarm: then an unfinished period may raise it, as
 * soon as the value arrives. An average may still change its mind.
 */
export function onlyGrowsTowards(statistic: string, comparison: string): boolean {
  if (comparison.startsWith('GreaterThan')) return statistic === 'Sum' || statistic === 'SampleCount' || statistic === 'Maximum';
  return comparison.startsWith('LessThan') && statistic === 'Minimum';
}
