/**
 * What travels on the stream `<prefix>-fleet-events` to the built-in monitor, one record for each event, by client id:
 *
 *     $aws/events/presence/…           ──(rule)──► ┐
 *     $aws/events/subscriptions/…      ──(rule)──► │
 *     every message of a device        ──(rule)──► ├─ Kinesis, partition key = client id ──► watch, in tumbling windows
 *     every message to a device        ──(rule)──► │         ▲
 *     <topicPrefix>/<thing>/report     ──(rule)──► ┘         │ one by one, under their client ids
 *     refusals in AWSIotLogsV2 ──(subscription filter)───────┴─ a batch of many devices: `watch` takes it apart and puts it back
 *
 * Topic rules pass named fields only. SQL and schema stand side by side: a field that one of them lacks is a silent hole.
 */
import { z } from 'zod';
import type { MonitorSource } from '../fleet/behaviour-metrics.js';
import { ReportFields } from './device-report.js';
import { REPORT_TOPIC } from './topics.js';

export const fleetStreamName = (prefix: string): string => `${prefix}-fleet-events`;
export const violationsTopicName = (prefix: string): string => `${prefix}-violations`;
/** `securityProfileName` of what the built-in monitor raises. */
export const builtInProfileName = (prefix: string): string => `${prefix}-built-in`;

/** Milliseconds since the epoch. A source that speaks in seconds is understood: ten digits of milliseconds would be a day of 1973. */
export const timeMs = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{10,13}$/)
      .transform(Number),
  ])
  .pipe(z.number().positive())
  .transform((time) => Math.round(time < 100_000_000_000 ? time * 1000 : time));

const clientId = z.string().min(1).max(128);

/**
 * A lifecycle event (IG life-cycle-events.html): at least once, in any order, its time ± 2 minutes. `versionNumber` orders the connections of a
 * client and starts again at 0 when it was away for about an hour.
 */
export const PresenceRecord = z.object({
  kind: z.literal('presence'),
  eventType: z.enum(['connected', 'disconnected', 'connect_failed']),
  clientId,
  /** Only for an exclusive attachment. */
  thingName: z.string().max(128).nullish(),
  /** Who was authenticated: for a device, its certificate id. Of a connection that was refused, this is true, and `clientId` is only what somebody claimed to be. */
  principalIdentifier: z.string().min(1).max(128).nullish(),
  sessionIdentifier: z.string().max(64).nullish(),
  ipAddress: z.string().max(64).nullish(),
  disconnectReason: z.string().max(64).nullish(),
  connectFailureReason: z.string().max(64).nullish(),
  versionNumber: z.number().int().nonnegative().nullish(),
  timestamp: timeMs,
});

export const SubscriptionRecord = z.object({
  kind: z.literal('subscription'),
  clientId,
  sessionIdentifier: z.string().max(64).nullish(),
  topics: z.array(z.string()).max(100),
  timestamp: timeMs,
});

/** `base64Length`, `paddingAt`: of the payload in base64, from which its size follows; the rules know no other way to measure one that is not JSON. */
export const SentRecord = z.object({
  kind: z.literal('sent'),
  clientId,
  base64Length: z.number().int().nonnegative(),
  paddingAt: z.number().int(),
  traceId: z.string().max(64).nullish(),
  timestamp: timeMs,
});

/** A message on the way to a device, counted for the thing in whose topic it is. */
export const ReceivedRecord = z.object({ kind: z.literal('received'), clientId, traceId: z.string().max(64).nullish(), timestamp: timeMs });

export const ReportRecord = z.object({ kind: z.literal('report'), clientId, timestamp: timeMs, ...ReportFields.shape });

/** One refusal, taken out of a batch of log events by `watch` and put back under whom it is counted for (`IotLogLine`). */
export const RefusedRecord = z.object({
  kind: z.literal('refused'),
  clientId,
  eventType: z.string().max(64),
  /** Of several in one packet each is a refusal of its own. */
  topicName: z.string().max(256).nullish(),
  sourceIp: z.string().max(64).nullish(),
  traceId: z.string().max(64),
  timestamp: timeMs,
});

export const FleetRecord = z.discriminatedUnion('kind', [
  PresenceRecord,
  SubscriptionRecord,
  SentRecord,
  ReceivedRecord,
  ReportRecord,
  RefusedRecord,
]);
export type FleetRecord = z.infer<typeof FleetRecord>;
export type RefusedRecord = z.infer<typeof RefusedRecord>;

/** Octets of a payload from its base64: four characters are three octets, less the padding. */
export const payloadBytes = ({ base64Length, paddingAt }: { readonly base64Length: number; readonly paddingAt: number }): number =>
  Math.floor(((paddingAt < 0 ? base64Length : paddingAt) * 3) / 4);

/**
 * What the subscription filter lets through: what the policies refused to somebody who was authenticated (IG cwl-format.html). Neither
 * `Connection.AuthNError`, which has reasons of its own and of which anybody on the internet can make any number, nor what a contained thing writes at
 * DEBUG.
 */
export const REFUSAL_REASON = 'AUTHORIZATION_FAILURE';
export const REFUSAL_FILTER = `{ $.reason = "${REFUSAL_REASON}" }`;
export const IOT_LOG_GROUP = 'AWSIotLogsV2';
/** Of AWS IoT's log levels those at which refusals are written; the first is enough. */
export const REFUSAL_LOG_LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG'] as const;
/** Events of the message broker that a policy can refuse (IG cwl-format.html); `Publish-Out` is the delivery of a message. */
export const REFUSABLE_EVENTS = ['Connect', 'Publish-In', 'Publish-Out', 'Subscribe'] as const;

/** What CloudWatch Logs puts on a stream, gzipped (AWS: "Log group-level subscription filters", SubscriptionFilters.html). */
export const LogBatch = z.object({
  /** A CONTROL_MESSAGE only asks whether the destination can be reached. */
  messageType: z.enum(['DATA_MESSAGE', 'CONTROL_MESSAGE']),
  logEvents: z.array(z.object({ id: z.string(), message: z.string() })),
});

const clipped = (most: number) => z.string().transform((text) => text.slice(0, most));

/**
 * A line of AWSIotLogsV2; its time has no zone and is UTC. What only describes (a topic that a device chose, as long as it liked) is cut and not refused:
 * nobody may hide a refusal behind a long name. HTTPS has no client; AWS IoT then writes none, or `N/A` as in its rules.
 */
export const IotLogLine = z.object({
  timestamp: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?$/)
    .transform((text) => Date.parse(`${text.replace(' ', 'T')}Z`)),
  eventType: z.string().max(64),
  traceId: z.string().max(64),
  clientId: z
    .string()
    .max(128)
    .transform((text) => (text === '' || text.toLowerCase() === 'n/a' ? undefined : text))
    .optional(),
  principalId: clipped(128).optional(),
  topicName: clipped(256).optional(),
  sourceIp: clipped(64).optional(),
});

export interface FleetRule {
  readonly source: MonitorSource;
  readonly sql: string;
  /** Substitution template of the Kinesis action. */
  readonly partitionKey: string;
  readonly description: string;
}

/** The topic rules, each with one Kinesis action. */
export function fleetRules(topicPrefix: string): readonly FleetRule[] {
  const thingLevel = topicPrefix.split('/').length + 1;
  const size = `length(encode(*, 'base64')) AS base64Length, indexof(encode(*, 'base64'), '=') AS paddingAt`;
  const byClient = '${clientId}';
  const bySender = '${clientid()}';
  return [
    {
      source: 'presence',
      sql: `SELECT 'presence' AS kind, eventType, clientId, thingName, principalIdentifier, sessionIdentifier, ipAddress, disconnectReason, connectFailureReason, versionNumber, timestamp FROM '$aws/events/presence/#'`,
      partitionKey: byClient,
      description: 'A device has connected, disconnected, or was refused',
    },
    {
      source: 'subscriptions',
      sql: `SELECT 'subscription' AS kind, clientId, sessionIdentifier, topics, timestamp FROM '$aws/events/subscriptions/subscribed/#'`,
      partitionKey: byClient,
      description: 'A device has subscribed',
    },
    {
      source: 'sent',
      // What the cloud itself publishes over HTTPS has no client.
      sql: `SELECT 'sent' AS kind, clientid() AS clientId, ${size}, traceid() AS traceId, timestamp() AS timestamp FROM '${topicPrefix}/#' WHERE lower(clientid()) <> 'n/a'`,
      partitionKey: bySender,
      description: 'A device has sent a message: counted, its size measured, its content not passed on',
    },
    {
      source: 'received',
      sql: `SELECT 'received' AS kind, topic(${thingLevel}) AS clientId, traceid() AS traceId, timestamp() AS timestamp FROM '${topicPrefix}/+/commands'`,
      partitionKey: `\${topic(${thingLevel})}`,
      description: 'A message was sent to a device: counted',
    },
    {
      source: 'reports',
      sql: `SELECT 'report' AS kind, clientid() AS clientId, timestamp() AS timestamp, header, hed, metrics, met, custom_metrics, cmet FROM '${topicPrefix}/+/${REPORT_TOPIC}'`,
      partitionKey: bySender,
      description: 'A device reports on itself, in the JSON of Device Defender',
    },
  ];
}

/**
 * The state of a window is at most one megabyte for each shard: a larger one would end the window early (services-kinesis-windows.html).
 *
 *       0 ─────────── alarmBytes ─── fullBytes ──────── mostBytes
 *       all is well   people are told  no further client   all clients are given up, loudly
 *
 * What one invocation of `batchSize` records can add fits between the last two.
 */
export const MONITOR_LIMITS = { alarmBytes: 500_000, fullBytes: 650_000, mostBytes: 1_000_000, batchSize: 5000 } as const;
