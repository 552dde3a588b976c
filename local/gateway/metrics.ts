/** AWS/IoT metrics: counted, and sent once a simulated minute as AWS does (https://docs.aws.amazon.com/iot/latest/developerguide/metrics_dimensions.html). */
import type { ClientTraffic, Cloud } from '../cloud.js';

/** `of`: whose doing it was, for who looks at each client by itself. */
export type Count = (name: string, dimensions: Readonly<Record<string, string>>, of?: Omit<ClientTraffic, 'what'>) => void;

const PERIOD_MS = 60_000;

export function createIotMetrics(cloud: Cloud): Count {
  const counts = new Map<string, number>();
  let waiting = false;
  const flush = (): void => {
    waiting = false;
    const values = [...counts].map(([key, value]) => {
      const [name, dimensions] = JSON.parse(key) as [string, Record<string, string>];
      return { namespace: 'AWS/IoT', name, dimensions, value, unit: 'Count' };
    });
    counts.clear();
    // Not PutMetricData: namespaces that begin with AWS/ are closed to callers. A desk without CloudWatch still carries messages.
    cloud.parts.metrics?.(values);
  };
  return (name, dimensions, of) => {
    if (of) cloud.parts.traffic?.({ ...of, what: name });
    const key = JSON.stringify([name, dimensions]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
    // One timer per minute with traffic, none on a silent desk.
    if (!waiting) cloud.world.clock.after(PERIOD_MS, flush);
    waiting = true;
  };
}
