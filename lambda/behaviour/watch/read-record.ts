/** One record of the stream. Fails to "unreadable", which is counted: a record that throws would be tried again until it is too old, and hold up its shard. */
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import {
  FleetRecord,
  IotLogLine,
  LogBatch,
  REFUSABLE_EVENTS,
  REFUSAL_REASON,
  type RefusedRecord,
} from '../../../domain/protocol/fleet-events.js';
import { refusalIdentity } from './signs.js';

export type ReadRecord =
  | { readonly kind: 'event'; readonly record: FleetRecord }
  /** A batch of log lines of many clients. `unreadable`: so many of them. */
  | { readonly kind: 'refusals'; readonly refusals: readonly RefusedRecord[]; readonly unreadable: number }
  | { readonly kind: 'unreadable' };

const UNREADABLE: ReadRecord = { kind: 'unreadable' };
/** CloudWatch Logs sends at most 1 MB, gzipped; what grows beyond this is not a batch of log lines. */
const MOST_OCTETS = 32 * 1024 * 1024;

export function readRecord(base64: string): ReadRecord {
  const octets = Buffer.from(base64, 'base64');
  try {
    if (octets[0] === 0x1f && octets[1] === 0x8b) return readLogs(gunzipSync(octets, { maxOutputLength: MOST_OCTETS }).toString());
    const read = FleetRecord.safeParse(JSON.parse(octets.toString()));
    return read.success ? { kind: 'event', record: read.data } : UNREADABLE;
  } catch {
    return UNREADABLE;
  }
}

function readLogs(text: string): ReadRecord {
  const read = LogBatch.safeParse(JSON.parse(text));
  if (!read.success) return UNREADABLE;
  if (read.data.messageType === 'CONTROL_MESSAGE') return { kind: 'refusals', refusals: [], unreadable: 0 };
  const lines = read.data.logEvents.map(({ message }) => refusalOf(message));
  return {
    kind: 'refusals',
    // Each once already here: what is said to a device that may not hear it can be any number, and need not go over the stream again.
    refusals: [...new Map(lines.filter((line) => typeof line === 'object').map((line) => [refusalIdentity(line), line])).values()],
    unreadable: lines.filter((line) => line === 'unreadable').length,
  };
}

const SomeLine = z.object({ reason: z.unknown() });
/** Of the principal of a connection by client certificate. */
const CERTIFICATE_ID = /^[0-9a-f]{64}$/;

/**
 * `none`: it says something else, or nobody was authenticated; the filter of the subscription is not part of what we trust. `unreadable`: a refusal of
 * which we cannot say whose it is, which must not pass for none.
 */
function refusalOf(message: string): RefusedRecord | 'none' | 'unreadable' {
  let said: unknown;
  try {
    said = JSON.parse(message);
  } catch {
    return 'unreadable';
  }
  const some = SomeLine.safeParse(said);
  if (!some.success) return 'unreadable';
  if (some.data.reason !== REFUSAL_REASON) return 'none';
  const line = IotLogLine.safeParse(said);
  if (!line.success) return 'unreadable';
  const { eventType, topicName, sourceIp, traceId, timestamp } = line.data;
  const clientId = whose(line.data);
  return clientId === undefined ? 'none' : { kind: 'refused', clientId, eventType, topicName, sourceIp, traceId, timestamp };
}

/** On a connection that AWS IoT has let in under its client id. A call over HTTPS may name a client that it is about (`DeleteConnection`). */
const OF_CLIENT: ReadonlySet<string> = new Set(REFUSABLE_EVENTS.filter((event) => event !== 'Connect'));

/**
 * Who is refused to connect under a name has only claimed it: counted for him, not for whom he named. So is a principal that is no device (a person, an app):
 * it may be let in under the name of a thing, and the thing has done nothing.
 */
function whose({ eventType, clientId, principalId }: z.output<typeof IotLogLine>): string | undefined {
  if (!OF_CLIENT.has(eventType) || clientId === undefined) return principalId || undefined;
  return principalId === undefined || CERTIFICATE_ID.test(principalId) ? clientId : principalId;
}
