/** What one record says about one client, metric by metric. Pure. */
import { readReport } from '../../../domain/protocol/device-report.js';
import { payloadBytes, type FleetRecord, type RefusedRecord } from '../../../domain/protocol/fleet-events.js';

export interface Sign {
  readonly clientId: string;
  readonly thingName?: string;
  /** The same for every copy of the record. Absent: its source gives it none, and a copy cannot be told from another event. */
  readonly identity?: string;
  /** One of the many: told apart by a memory of their own, so that a flood of messages does not push out what is rare. */
  readonly isMessage: boolean;
  /** Out of the log, where what presence events tell of as well stands once more: counted beside it, never added to it. */
  readonly isFromLog?: true;
  readonly atMs: number;
  /** Metric → its value in this record: a number, or the elements of a list. */
  readonly values: readonly (readonly [metric: string, value: number | readonly (string | number)[]])[];
  readonly presence?: Presence;
}

/** The last that is known of a client's connection. */
export interface Presence {
  readonly versionNumber: number;
  readonly connected: boolean;
  readonly atMs: number;
  readonly address?: string;
}

/**
 * How AWS IoT ends the connection of one that tries what it may not (IG life-cycle-events.html). FORBIDDEN_ACCESS stands for a broken rule of the
 * protocol as well; an honest client is not ended by either.
 */
const REFUSALS = new Set(['AUTH_ERROR', 'FORBIDDEN_ACCESS']);

/** `undefined`: a report that is none, or a refusal of nobody: counted. */
export function signOf(record: FleetRecord): Sign | undefined {
  const { clientId, timestamp: atMs } = record;
  const base = { clientId, atMs, isMessage: false } as const;
  switch (record.kind) {
    case 'presence':
      return presenceSign(record);
    case 'subscription': {
      const identity = `s|${clientId}|${record.sessionIdentifier ?? ''}|${atMs}|${record.topics.join(' ')}`;
      return { ...base, identity, values: [['fleetwarden:num-subscriptions', record.topics.length]] };
    }
    case 'sent':
      return {
        ...base,
        ...(record.traceId ? { identity: `m|${record.traceId}` } : {}),
        isMessage: true,
        values: [
          ['aws:num-messages-sent', 1],
          ['aws:message-byte-size', payloadBytes(record)],
        ],
      };
    case 'received':
      return {
        ...base,
        ...(record.traceId ? { identity: `v|${record.traceId}` } : {}),
        isMessage: true,
        values: [['aws:num-messages-received', 1]],
      };
    case 'refused':
      return {
        ...base,
        identity: refusalIdentity(record),
        isFromLog: true,
        values: [['aws:num-authorization-failures', 1]],
      };
    case 'report': {
      const report = readReport(record);
      return report && { ...base, identity: `d|${clientId}|${report.reportId}`, values: [...report.values] };
    }
  }
}

/**
 * A message that was not delivered is an attempt of the device only in so far as it has subscribed to more than it may receive: how many come, and on which
 * topics below a filter with a wildcard, is for others to say, and nobody may be contained by being written to. So all of them together count once.
 */
export function refusalIdentity({ clientId, eventType, topicName, traceId, timestamp }: RefusedRecord): string {
  if (eventType === 'Publish-Out') return `o|${clientId}`;
  return `r|${clientId}|${topicName ?? ''}|${traceId}|${eventType}|${timestamp}`;
}

type PresenceRecord = Extract<FleetRecord, { readonly kind: 'presence' }>;

/**
 * A connection that was refused says nothing about the client whose id it claimed: anybody with any certificate of the fleet may claim any, and six such
 * attempts would have it contained. It is counted for the principal, under the certificate id, which is no thing: people are told of it.
 */
function presenceSign(record: PresenceRecord): Sign | undefined {
  const clientId = record.eventType === 'connect_failed' ? record.principalIdentifier : record.clientId;
  if (!clientId) return undefined;
  const { eventType, timestamp: atMs, sessionIdentifier, versionNumber, ipAddress, thingName } = record;
  const isAttempt = eventType !== 'disconnected';
  const isRefusal = eventType === 'connect_failed' || (eventType === 'disconnected' && REFUSALS.has(record.disconnectReason ?? ''));
  const values: [string, number | readonly string[]][] = [
    ['aws:num-connection-attempts', isAttempt ? 1 : 0],
    ['aws:num-disconnects', eventType === 'disconnected' ? 1 : 0],
    ['aws:num-authorization-failures', isRefusal ? 1 : 0],
  ];
  if (isAttempt && ipAddress) values.push(['aws:source-ip-address', [ipAddress]]);
  return {
    clientId,
    atMs,
    isMessage: false,
    // A session connects once and ends once: the time, which may differ between copies by clock skew, is not part of it.
    identity: `p|${clientId}|${eventType}|${sessionIdentifier ?? atMs}|${versionNumber ?? ''}`,
    ...(thingName ? { thingName } : {}),
    values,
    ...(eventType === 'connect_failed'
      ? {}
      : {
          presence: {
            versionNumber: versionNumber ?? 0,
            connected: eventType === 'connected',
            atMs,
            ...(ipAddress ? { address: ipAddress } : {}),
          },
        }),
  };
}
