/** All log groups of the account; what arrives becomes events, embedded metrics and the metrics of filters. */
import type { Cloud, MetricValue } from '../../cloud.js';
import type { PolicyDocument } from '../../iam/principal.js';
import { AwsError } from '../../models/service.js';
import { embeddedMetrics } from './embedded-metrics.js';
import { type LogEvent, LogGroup, type LogStream, type MetricFilter } from './log-group.js';

export interface Line {
  readonly timestamp: number;
  readonly message: string;
}

/** RetentionInDays takes only these (PutRetentionPolicy API reference). */
const RETENTIONS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

export class LogGroups {
  readonly resourcePolicies = new Map<
    string,
    { readonly policyName: string; readonly policyDocument: string; readonly lastUpdatedTime: number }
  >();
  private readonly groups = new Map<string, LogGroup>();
  private eventNumber = 0n;

  constructor(private readonly cloud: Cloud) {}

  arnOf(name: string): string {
    return `arn:aws:logs:${this.cloud.world.region}:${this.cloud.world.accountId}:log-group:${name}`;
  }

  all(): readonly LogGroup[] {
    return [...this.groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string): LogGroup | undefined {
    return this.groups.get(name);
  }

  /** By name, or by ARN as `logGroupIdentifier` allows. */
  get(reference: string | undefined): LogGroup {
    const name = reference?.startsWith('arn:') ? reference.split(':')[6] : reference;
    const group = this.groups.get(name ?? '');
    if (!group) throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
    group.expire(this.cloud.world.clock.nowMs());
    return group;
  }

  create(name: string, kmsKeyId?: string, logGroupClass = 'STANDARD'): LogGroup {
    if (this.groups.has(name)) throw new AwsError('ResourceAlreadyExistsException', 'The specified log group already exists');
    if (!/^[.\-_/#A-Za-z0-9]{1,512}$/.test(name)) throw new AwsError('InvalidParameterException', `Invalid log group name ${name}.`);
    const group = new LogGroup(name, this.arnOf(name), this.cloud.world.clock.nowMs(), kmsKeyId, logGroupClass);
    this.groups.set(name, group);
    return group;
  }

  delete(name: string): void {
    this.get(name);
    this.groups.delete(name);
  }

  retain(group: LogGroup, days: number): void {
    if (!RETENTIONS.includes(days))
      throw new AwsError('InvalidParameterException', `retentionInDays: got ${days}, expected one of ${RETENTIONS.join(', ')}`);
    group.retentionInDays = days;
  }

  /** Lines from a service of AWS: group and stream come into being, as Lambda makes them on AWS. */
  writeFromService(groupName: string, streamName: string, lines: readonly Line[]): void {
    const group = this.groups.get(groupName) ?? this.create(groupName);
    this.write(group, group.streams.get(streamName) ?? group.createStream(streamName, this.cloud.world.clock.nowMs()), lines);
  }

  write(group: LogGroup, stream: LogStream, lines: readonly Line[]): void {
    const ingestionTime = this.cloud.world.clock.nowMs();
    const metrics: MetricValue[] = [];
    const events: LogEvent[] = [];
    for (const { timestamp, message } of lines) {
      const event: LogEvent = { eventId: (++this.eventNumber).toString().padStart(56, '0'), timestamp, ingestionTime, message };
      stream.add(event);
      events.push(event);
      metrics.push(...embeddedMetrics(message), ...[...group.metricFilters.values()].flatMap((filter) => filtered(filter, event)));
    }
    if (metrics.length > 0) this.cloud.parts.metrics?.(metrics);
    for (const filter of group.subscriptions.values()) filter.lines(stream.name, events);
  }

  policies(): readonly PolicyDocument[] {
    return [...this.resourcePolicies.values()].map(({ policyDocument }) => JSON.parse(policyDocument) as PolicyDocument);
  }
}

/** A filter counts what matches; its default value is published for lines that do not (PutMetricFilter API reference). */
function filtered(filter: MetricFilter, event: LogEvent): MetricValue[] {
  const matched = filter.matches(event.message);
  return filter.transformations.flatMap((transformation): MetricValue[] => {
    const value = matched ? numberIn(transformation.metricValue, event.message) : transformation.defaultValue;
    if (value === undefined || Number.isNaN(value)) return [];
    const dimensions = Object.fromEntries(
      Object.entries(transformation.dimensions ?? {}).map(([name, selector]) => [name, String(select(selector, event.message))]),
    );
    return [
      {
        namespace: transformation.metricNamespace,
        name: transformation.metricName,
        dimensions,
        value,
        unit: transformation.unit ?? 'None',
        atMs: event.timestamp,
      },
    ];
  });
}

const numberIn = (text: string, message: string): number => Number(text.startsWith('$') ? select(text, message) : text);

function select(selector: string, message: string): unknown {
  try {
    const root: unknown = JSON.parse(message.slice(message.indexOf('{')));
    return [...selector.matchAll(/[\w@-]+/g)].reduce<unknown>(
      (node, [key]) => (node !== null && typeof node === 'object' ? (node as Record<string, unknown>)[key] : undefined),
      root,
    );
  } catch {
    return undefined;
  }
}
