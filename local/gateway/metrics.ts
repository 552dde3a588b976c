/** AWS/IoT metrics: counted, and sent once a simulated minute as AWS does (https://docs.aws.amazon.com/iot/latest/developerguide/metrics_dimensions.html). */
import type { Cloud } from '../cloud.js';

export type Count = (name: string, dimensions: Readonly<Record<string, string>>) => void;

const PERIOD_MS = 60_000;
const MAX_DATA_PER_CALL = 500;

export function createIotMetrics(cloud: Cloud): Count {
  const counts = new Map<string, number>();
  let waiting = false;
  const flush = (): void => {
    waiting = false;
    const data = [...counts].map(([key, Value]) => {
      const [MetricName, dimensions] = JSON.parse(key) as [string, Record<string, string>];
      return { MetricName, Value, Unit: 'Count', Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })) };
    });
    counts.clear();
    for (let i = 0; i < data.length; i += MAX_DATA_PER_CALL) {
      // Metrics are AWS's own bookkeeping: a desk without CloudWatch still carries messages.
      cloud
        .call('cloudwatch', 'PutMetricData', { Namespace: 'AWS/IoT', MetricData: data.slice(i, i + MAX_DATA_PER_CALL) })
        .catch(() => undefined);
    }
  };
  return (name, dimensions) => {
    const key = JSON.stringify([name, dimensions]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
    // One timer per minute with traffic, none on a silent desk.
    if (!waiting) cloud.world.clock.after(PERIOD_MS, flush);
    waiting = true;
  };
}
