/** Embedded metric format: metrics inside a log line (CloudWatch user guide, "Specification: Embedded metric format"). */
import type { MetricValue } from '../../cloud.js';

interface Directive {
  readonly Namespace?: unknown;
  readonly Dimensions?: unknown;
  readonly Metrics?: unknown;
}

/** The metrics of one log line; none when it is not EMF or breaks the format (CloudWatch counts such a line, and makes no metric of it). */
export function embeddedMetrics(message: string): MetricValue[] {
  const start = message.indexOf('{');
  if (start < 0 || !message.includes('"CloudWatchMetrics"')) return [];
  let root: Record<string, unknown>;
  try {
    root = JSON.parse(message.slice(start)) as Record<string, unknown>;
  } catch {
    return [];
  }
  const aws = root._aws as { Timestamp?: unknown; CloudWatchMetrics?: unknown } | undefined;
  if (!Array.isArray(aws?.CloudWatchMetrics)) return [];
  const atMs = typeof aws.Timestamp === 'number' ? aws.Timestamp : undefined;
  return (aws.CloudWatchMetrics as Directive[]).flatMap((directive) => valuesOf(directive, root, atMs));
}

function valuesOf(
  { Namespace, Dimensions, Metrics }: Directive,
  root: Readonly<Record<string, unknown>>,
  atMs: number | undefined,
): MetricValue[] {
  if (typeof Namespace !== 'string' || !Array.isArray(Metrics)) return [];
  const sets = Array.isArray(Dimensions) && Dimensions.length > 0 ? (Dimensions as string[][]) : [[]];
  const values: MetricValue[] = [];
  for (const { Name, Unit } of Metrics as { Name?: unknown; Unit?: unknown }[]) {
    if (typeof Name !== 'string') continue;
    const numbers = [root[Name]].flat().filter((value): value is number => typeof value === 'number');
    for (const set of sets) {
      const dimensions = Object.fromEntries(set.map((name) => [name, String(root[name])]));
      for (const value of numbers)
        values.push({
          namespace: Namespace,
          name: Name,
          dimensions,
          value,
          ...(typeof Unit === 'string' ? { unit: Unit } : {}),
          ...(atMs === undefined ? {} : { atMs }),
        });
    }
  }
  return values;
}
