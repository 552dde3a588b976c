/** A log group, its streams, and their newest events. Memory is bounded: the oldest events leave first. */
import { AwsError } from '../../models/service.js';
import type { LineMatcher } from './filter-pattern.js';

export interface LogEvent {
  readonly eventId: string;
  readonly timestamp: number;
  readonly ingestionTime: number;
  readonly message: string;
}

export interface MetricFilter {
  readonly filterName: string;
  readonly filterPattern: string;
  readonly matches: LineMatcher;
  readonly transformations: readonly MetricTransformation[];
  readonly createdAtMs: number;
}
export interface MetricTransformation {
  readonly metricName: string;
  readonly metricNamespace: string;
  readonly metricValue: string;
  readonly defaultValue?: number;
  readonly dimensions?: Readonly<Record<string, string>>;
  readonly unit?: string;
}

export interface SubscriptionInput {
  readonly filterName: string;
  readonly filterPattern: string;
  readonly destinationArn: string;
  readonly roleArn?: string;
  readonly distribution?: string;
}

/** Who gets the lines of a group as they come. */
export interface Subscription {
  readonly input: SubscriptionInput;
  readonly createdAtMs: number;
  lines(logStream: string, events: readonly LogEvent[]): void;
}

/** Events that a stream keeps, and streams that a group keeps. */
const EVENTS_PER_STREAM = 5000;
const STREAMS_PER_GROUP = 200;

export class LogStream {
  readonly events: LogEvent[] = [];

  constructor(
    readonly name: string,
    readonly createdAtMs: number,
  ) {}

  add(event: LogEvent): void {
    this.events.push(event);
    if (this.events.length > EVENTS_PER_STREAM) this.events.splice(0, this.events.length - EVENTS_PER_STREAM);
  }
}

export class LogGroup {
  readonly streams = new Map<string, LogStream>();
  readonly metricFilters = new Map<string, MetricFilter>();
  readonly subscriptions = new Map<string, Subscription>();
  readonly tags = new Map<string, string>();
  retentionInDays: number | undefined;

  constructor(
    readonly name: string,
    readonly arn: string,
    readonly createdAtMs: number,
    readonly kmsKeyId: string | undefined,
    readonly logGroupClass: string,
  ) {}

  stream(name: string): LogStream {
    const stream = this.streams.get(name);
    if (!stream) throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
    return stream;
  }

  createStream(name: string, nowMs: number): LogStream {
    const stream = new LogStream(name, nowMs);
    this.streams.set(name, stream);
    const oldest = this.streams.keys().next().value;
    if (this.streams.size > STREAMS_PER_GROUP && oldest !== undefined) this.streams.delete(oldest);
    return stream;
  }

  /** Drops what is past its retention. */
  expire(nowMs: number): void {
    if (this.retentionInDays === undefined) return;
    const oldestMs = nowMs - this.retentionInDays * 86_400_000;
    for (const stream of this.streams.values()) {
      const kept = stream.events.findIndex((event) => event.timestamp >= oldestMs);
      if (kept !== 0) stream.events.splice(0, kept < 0 ? stream.events.length : kept);
    }
  }
}
