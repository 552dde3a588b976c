/** One record of the stream. Fails to "unreadable", which is counted: a record that throws would be tried again until it is too old, and hold up its shard. */
import { gunzipSync } from 'node:zlib';
import { FleetRecord, IotLogLine, LogBatch, type RefusedRecord } from '../../../domain/protocol/fleet-events.js';

export type ReadRecord =
  | { readonly kind: 'event'; readonly record: FleetRecord }
  /** A batch of log lines of many clients. */
  | { readonly kind: 'refusals'; readonly refusals: readonly RefusedRecord[] }
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
  const refusals = read.data.messageType === 'CONTROL_MESSAGE' ? [] : read.data.logEvents.flatMap(({ message }) => refusalOf(message));
  return { kind: 'refusals', refusals };
}

/** None where nobody was authenticated, or where the line says something else: the filter of the subscription is not part of what we trust. */
function refusalOf(message: string): RefusedRecord[] {
  let line: unknown;
  try {
    line = JSON.parse(message);
  } catch {
    return [];
  }
  const { success, data } = IotLogLine.safeParse(line);
  if (!success || data.reason !== 'AUTHORIZATION_FAILURE') return [];
  const { eventType, sourceIp, traceId, timestamp } = data;
  // Who is refused to connect under a name has only claimed it: counted for him, not for whom he named.
  const clientId = eventType === 'Connect' ? data.principalId : data.clientId;
  if (clientId === undefined) return [];
  return [{ kind: 'refused', clientId, eventType, sourceIp, traceId, timestamp }];
}
