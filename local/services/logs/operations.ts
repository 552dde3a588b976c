/** The CloudWatch Logs operations that the desk serves (CloudWatch Logs API reference). */
import { randomUUID } from 'node:crypto';
import type { World } from '../../cloud.js';
import { readPolicy } from '../../iam/policy.js';
import { AwsError, type Operation } from '../../models/service.js';
import { compileFilterPattern } from './filter-pattern.js';
import type { LogEvent, LogGroup, LogStream, MetricTransformation } from './log-group.js';
import type { Line, LogGroups } from './log-groups.js';

interface OfGroup {
  readonly logGroupName?: string;
  readonly logGroupIdentifier?: string;
}
interface Paged {
  readonly nextToken?: string;
  readonly limit?: number;
}
interface Range {
  readonly startTime?: number;
  readonly endTime?: number;
}

/** PutLogEvents takes events from 14 days back to two hours ahead; the others are reported, not stored. */
const OLDEST_MS = 14 * 86_400_000;
const NEWEST_MS = 2 * 3_600_000;
/** From the first to the last event of one request. */
const LONGEST_BATCH_MS = 86_400_000;
const MOST_EVENTS = 10_000;
const LOG_GROUP_CLASSES = ['STANDARD', 'INFREQUENT_ACCESS', 'DELIVERY'];

export function logsOperations(groups: LogGroups, world: World): Readonly<Record<string, Operation>> {
  const of = (input: OfGroup): LogGroup => groups.get(input.logGroupIdentifier ?? input.logGroupName);
  const queries = new Map<string, Record<string, unknown>>();
  return {
    CreateLogGroup: (input: { logGroupName: string; kmsKeyId?: string; logGroupClass?: string; tags?: Record<string, string> }) => {
      const group = groups.create(input.logGroupName, input.kmsKeyId, input.logGroupClass);
      for (const [key, value] of Object.entries(input.tags ?? {})) group.tags.set(key, value);
      return {};
    },
    DeleteLogGroup: (input: { logGroupName: string }) => {
      groups.delete(input.logGroupName);
      return {};
    },
    DescribeLogGroups: (input: Paged & { logGroupNamePrefix?: string; logGroupNamePattern?: string; logGroupClass?: string }) => {
      const { logGroupNamePrefix: prefix = '', logGroupNamePattern: pattern = '', logGroupClass } = input;
      if (logGroupClass !== undefined && !LOG_GROUP_CLASSES.includes(logGroupClass))
        throw new AwsError(
          'InvalidParameterException',
          `logGroupClass: got ${logGroupClass}, expected one of ${LOG_GROUP_CLASSES.join(', ')}.`,
        );
      const wanted = groups
        .all()
        .filter(({ name }) => name.startsWith(prefix) && name.includes(pattern))
        .filter((group) => logGroupClass === undefined || group.logGroupClass === logGroupClass);
      const { items, next } = page(wanted, input, 50);
      return { logGroups: items.map(describeGroup), ...next };
    },
    PutRetentionPolicy: (input: { logGroupName: string; retentionInDays: number }) => {
      groups.retain(of(input), input.retentionInDays);
      return {};
    },
    DeleteRetentionPolicy: (input: { logGroupName: string }) => {
      of(input).retentionInDays = undefined;
      return {};
    },
    CreateLogStream: (input: { logGroupName: string; logStreamName: string }) => {
      const group = of(input);
      if (group.streams.has(input.logStreamName))
        throw new AwsError('ResourceAlreadyExistsException', 'The specified log stream already exists');
      group.createStream(input.logStreamName, world.clock.nowMs());
      return {};
    },
    DescribeLogStreams: (input: OfGroup & Paged & { logStreamNamePrefix?: string; orderBy?: string; descending?: boolean }) => {
      const group = of(input);
      const streams = [...group.streams.values()].filter((stream) => stream.name.startsWith(input.logStreamNamePrefix ?? ''));
      streams.sort(input.orderBy === 'LastEventTime' ? (a, b) => lastMs(a) - lastMs(b) : (a, b) => (a.name < b.name ? -1 : 1));
      if (input.descending) streams.reverse();
      const { items, next } = page(streams, input, 50);
      return { logStreams: items.map((stream) => describeStream(group, stream)), ...next };
    },
    PutLogEvents: (input: { logGroupName: string; logStreamName: string; logEvents: readonly Line[] }) => {
      const group = of(input);
      const stream = group.stream(input.logStreamName);
      checkBatch(input.logEvents);
      const nowMs = world.clock.nowMs();
      const tooOld = input.logEvents.filter((event) => event.timestamp < nowMs - OLDEST_MS).length;
      const accepted = input.logEvents.filter((event) => event.timestamp >= nowMs - OLDEST_MS && event.timestamp <= nowMs + NEWEST_MS);
      groups.write(group, stream, accepted);
      const tooNew = input.logEvents.findIndex((event) => event.timestamp > nowMs + NEWEST_MS);
      const rejected = {
        ...(tooOld > 0 ? { tooOldLogEventEndIndex: tooOld } : {}),
        ...(tooNew >= 0 ? { tooNewLogEventStartIndex: tooNew } : {}),
      };
      return { nextSequenceToken: randomUUID(), ...(Object.keys(rejected).length > 0 ? { rejectedLogEventsInfo: rejected } : {}) };
    },
    GetLogEvents: (input: OfGroup & Paged & Range & { logStreamName: string; startFromHead?: boolean }) =>
      getLogEvents(of(input).stream(input.logStreamName), input),
    FilterLogEvents: (
      input: OfGroup & Paged & Range & { filterPattern?: string; logStreamNames?: readonly string[]; logStreamNamePrefix?: string },
    ) => {
      const matches = compileFilterPattern(input.filterPattern);
      const streams = [...of(input).streams.values()].filter(
        (stream) => (input.logStreamNames?.includes(stream.name) ?? true) && stream.name.startsWith(input.logStreamNamePrefix ?? ''),
      );
      const found = streams.flatMap((stream) =>
        stream.events
          .filter((event) => within(event, input) && matches(event.message))
          .map((event) => ({ logStreamName: stream.name, ...event })),
      );
      found.sort((a, b) => a.timestamp - b.timestamp || (a.eventId < b.eventId ? -1 : 1));
      const { items, next } = page(found, input, 10_000);
      return { events: items, searchedLogStreams: [], ...next };
    },
    PutMetricFilter: (input: {
      logGroupName: string;
      filterName: string;
      filterPattern: string;
      metricTransformations: readonly MetricTransformation[];
    }) => {
      const { filterName, filterPattern, metricTransformations: transformations } = input;
      of(input).metricFilters.set(filterName, {
        filterName,
        filterPattern,
        transformations,
        matches: compileFilterPattern(filterPattern),
        createdAtMs: world.clock.nowMs(),
      });
      return {};
    },
    DescribeMetricFilters: (input: OfGroup & Paged) => {
      const chosen = input.logGroupName === undefined ? groups.all() : [of(input)];
      const all = chosen.flatMap((group) =>
        [...group.metricFilters.values()].map(({ filterName, filterPattern, transformations, createdAtMs }) => ({
          filterName,
          filterPattern,
          metricTransformations: transformations,
          creationTime: createdAtMs,
          logGroupName: group.name,
        })),
      );
      const { items, next } = page(all, input, 50);
      return { metricFilters: items, ...next };
    },
    PutResourcePolicy: (input: { policyName?: string; policyDocument?: string; resourceArn?: string }) => {
      const { policyName, policyDocument } = checkResourcePolicy(input);
      const resourcePolicy = { policyName, policyDocument, lastUpdatedTime: world.clock.nowMs() };
      groups.resourcePolicies.set(policyName, resourcePolicy);
      return { resourcePolicy };
    },
    DescribeResourcePolicies: () => ({ resourcePolicies: [...groups.resourcePolicies.values()] }),
    PutQueryDefinition: (input: { name: string; queryString: string; logGroupNames?: readonly string[]; queryDefinitionId?: string }) => {
      const queryDefinitionId = input.queryDefinitionId ?? randomUUID();
      const { name, queryString, logGroupNames } = input;
      queries.set(queryDefinitionId, {
        queryDefinitionId,
        name,
        queryString,
        ...(logGroupNames ? { logGroupNames } : {}),
        lastModified: world.clock.nowMs(),
      });
      return { queryDefinitionId };
    },
    DescribeQueryDefinitions: (input: { queryDefinitionNamePrefix?: string }) => ({
      queryDefinitions: [...queries.values()].filter((query) => String(query.name).startsWith(input.queryDefinitionNamePrefix ?? '')),
    }),
    DeleteLogStream: (input: { logGroupName: string; logStreamName: string }) => {
      const group = of(input);
      group.streams.delete(group.stream(input.logStreamName).name);
      return {};
    },
    DeleteMetricFilter: (input: { logGroupName: string; filterName: string }) => {
      if (!of(input).metricFilters.delete(input.filterName)) throw notFound('metric filter');
      return {};
    },
    DeleteResourcePolicy: (input: { policyName: string }) => {
      if (!groups.resourcePolicies.delete(input.policyName)) throw notFound('resource policy');
      return {};
    },
    DeleteQueryDefinition: (input: { queryDefinitionId: string }) => {
      if (!queries.delete(input.queryDefinitionId)) throw notFound('query definition');
      return { success: true };
    },
    ListTagsForResource: (input: { resourceArn: string }) => ({ tags: Object.fromEntries(groups.get(input.resourceArn).tags) }),
    TagResource: (input: { resourceArn: string; tags: Record<string, string> }) => {
      for (const [key, value] of Object.entries(input.tags)) groups.get(input.resourceArn).tags.set(key, value);
      return {};
    },
    UntagResource: (input: { resourceArn: string; tagKeys: readonly string[] }) => {
      for (const key of input.tagKeys) groups.get(input.resourceArn).tags.delete(key);
      return {};
    },
  };
}

const notFound = (what: string): AwsError => new AwsError('ResourceNotFoundException', `The specified ${what} does not exist.`);
const lastMs = (stream: LogStream): number => stream.events.at(-1)?.timestamp ?? 0;
const within = (event: LogEvent, { startTime = 0, endTime = Number.MAX_SAFE_INTEGER }: Range): boolean =>
  event.timestamp >= startTime && event.timestamp <= endTime;

function page<T>(all: readonly T[], { nextToken, limit }: Paged, most: number): { items: T[]; next: { nextToken?: string } } {
  const from = Number(nextToken ?? 0);
  const to = from + Math.min(limit ?? most, most);
  return { items: all.slice(from, to), next: to < all.length ? { nextToken: String(to) } : {} };
}

function describeGroup(group: LogGroup): Record<string, unknown> {
  return {
    logGroupName: group.name,
    creationTime: group.createdAtMs,
    arn: `${group.arn}:*`,
    logGroupArn: group.arn,
    logGroupClass: group.logGroupClass,
    metricFilterCount: group.metricFilters.size,
    storedBytes: [...group.streams.values()].reduce(
      (sum, stream) => sum + stream.events.reduce((bytes, event) => bytes + event.message.length, 0),
      0,
    ),
    ...(group.retentionInDays === undefined ? {} : { retentionInDays: group.retentionInDays }),
    ...(group.kmsKeyId === undefined ? {} : { kmsKeyId: group.kmsKeyId }),
  };
}

function describeStream(group: LogGroup, stream: LogStream): Record<string, unknown> {
  const first = stream.events[0];
  const last = stream.events.at(-1);
  return {
    logStreamName: stream.name,
    creationTime: stream.createdAtMs,
    arn: `${group.arn}:log-stream:${stream.name}`,
    ...(first && last
      ? { firstEventTimestamp: first.timestamp, lastEventTimestamp: last.timestamp, lastIngestionTime: last.ingestionTime }
      : {}),
  };
}

/** Tokens say where a page ended: `f/<n>` forward, `b/<n>` backward. At the end the token stays the same, as on AWS. */
function getLogEvents(stream: LogStream, input: Paged & Range & { startFromHead?: boolean }): Record<string, unknown> {
  const all = stream.events.filter((event) => within(event, input));
  const limit = Math.min(input.limit ?? 10_000, 10_000);
  const [direction, position] = (input.nextToken ?? (input.startFromHead ? 'f/0' : `b/${all.length}`)).split('/');
  const from = direction === 'f' ? Number(position) : Math.max(0, Number(position) - limit);
  const to = direction === 'f' ? Math.min(all.length, from + limit) : Number(position);
  const events = all.slice(from, to).map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime }));
  return { events, nextForwardToken: `f/${to}`, nextBackwardToken: `b/${from}` };
}

/** A batch that AWS would refuse as a whole (API_PutLogEvents); the words of the first refusal are AWS's. */
function checkBatch(events: readonly Line[]): void {
  const invalid = (message: string): AwsError => new AwsError('InvalidParameterException', message);
  if (events.length < 1 || events.length > MOST_EVENTS) throw invalid(`logEvents: got ${events.length}, expected 1 to ${MOST_EVENTS}.`);
  if (events.some(({ timestamp }, index) => index > 0 && timestamp < events[index - 1]!.timestamp))
    throw invalid('Log events in a single PutLogEvents request must be in chronological order.');
  if (events.at(-1)!.timestamp - events[0]!.timestamp > LONGEST_BATCH_MS)
    throw invalid('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.');
}

/** The account's policies go by their name; one of a single log group is not served. */
function checkResourcePolicy(input: { policyName?: string; policyDocument?: string; resourceArn?: string }): {
  readonly policyName: string;
  readonly policyDocument: string;
} {
  const { policyName, policyDocument = '', resourceArn } = input;
  if (resourceArn !== undefined)
    throw new AwsError('NotImplemented', 'Resource policies of a single log group are not served by the desk.', 501);
  if (policyName === undefined) throw new AwsError('InvalidParameterException', 'policyName is required.');
  try {
    readPolicy(policyDocument, 'resource');
  } catch (error) {
    throw new AwsError('InvalidParameterException', `policyDocument: ${(error as Error).message}`);
  }
  return { policyName, policyDocument };
}
