/**
 * Log lines and metrics of a function, written as JSON lines to standard output: CloudWatch Logs takes the metrics out of them
 * (embedded metric format, no API call, nothing to wait for). Sixty lines of our own, because the libraries for it weigh more than the
 * rest of our code in the bundle. `process.stdout` and not `console`: Lambda's console puts a prefix before the line, and then the embedded
 * metric format is not recognised.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import { METRIC_DIMENSION, METRIC_NAMESPACE, unitOf } from '../../domain/fleet/metrics.js';
import type { Clock } from '../ports/clock.js';
import type { Signals } from '../ports/signals.js';

/** The specification allows 100 values for each metric and 100 metrics in one line. */
const MAX_VALUES = 100;

type Ids = Parameters<Signals['info']>[1];

export interface FlushingSignals extends Signals {
  /** Writes the metrics counted since the last flush. Call it at the end of every invocation, also of one that throws. */
  flush(): void;
}

export function lambdaSignals(
  application: string,
  clock: Clock,
  write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): FlushingSignals {
  const values = new Map<string, number[]>();
  const functionName = process.env['AWS_LAMBDA_FUNCTION_NAME'];

  const log = (level: 'INFO' | 'WARN', message: string, ids: Ids): void =>
    write(JSON.stringify({ level, time: new Date(clock.nowMs()).toISOString(), message, application, function: functionName, ...ids }));

  function flush(): void {
    if (values.size === 0) return;
    const metrics = [...values.keys()];
    write(
      JSON.stringify({
        _aws: {
          Timestamp: clock.nowMs(),
          CloudWatchMetrics: [
            {
              Namespace: METRIC_NAMESPACE,
              Dimensions: [[METRIC_DIMENSION]],
              Metrics: metrics.map((Name) => ({ Name, Unit: unitOf(Name) })),
            },
          ],
        },
        [METRIC_DIMENSION]: application,
        ...Object.fromEntries(values),
      }),
    );
    values.clear();
  }

  return {
    count(metric, value = 1) {
      const sofar = values.get(metric) ?? [];
      values.set(metric, sofar);
      sofar.push(value);
      if (sofar.length >= MAX_VALUES) flush();
    },
    info: (message, ids) => log('INFO', message, ids),
    warn: (message, ids) => log('WARN', message, ids),
    flush,
  };
}
