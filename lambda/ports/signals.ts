/** Metrics and log of one run. One list of metric names lives in domain/fleet/metrics.ts. */
export interface Signals {
  count(metric: string, value?: number): void;
  info(message: string, ids?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>): void;
  warn(message: string, ids?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>): void;
}
