/**
 * Log lines of the message broker (https://docs.aws.amazon.com/iot/latest/developerguide/cwl-format.html). What is written, and where, says the
 * plan of the account's logging settings.
 */
import { randomUUID } from 'node:crypto';
import type { Cloud } from '../cloud.js';

export type AuthNReason =
  'DEVICE_CERTIFICATE_INACTIVE' | 'DEVICE_CERTIFICATE_NOT_REGISTERED' | 'DEVICE_CERTIFICATE_REVOKED' | 'NOT_AUTHENTICATED' | 'SNI_MISUSED';

/** Whom a line is about: levels may be set for each of these. */
export interface LogSubject {
  readonly eventType: string;
  readonly clientId?: string;
  readonly principalId?: string;
  readonly sourceIp?: string;
}

export interface LogEntry extends LogSubject {
  readonly eventType: 'Connect' | 'Disconnect' | 'Connection.AuthNError' | 'Publish-In' | 'Publish-Out' | 'Subscribe' | 'Unsubscribe';
  readonly logLevel: 'INFO' | 'ERROR' | 'DEBUG';
  readonly sourcePort?: number;
  readonly topicName?: string;
  readonly disconnectReason?: string;
  readonly reason?: string;
  readonly details?: string;
}

/** The log group of a line of this level, or `undefined`: not written. */
export type LogPlan = (subject: LogSubject, level: string) => { readonly group: string } | undefined;
export type WriteLog = (entry: LogEntry) => void;

export function createIotLog(cloud: Cloud, plan: LogPlan): WriteLog {
  return (entry) => {
    const planned = plan(entry, entry.logLevel);
    if (!planned) return;
    const { clock, accountId } = cloud.world;
    const { eventType, logLevel, ...fields } = entry;
    const line = {
      timestamp: clock.date().toISOString().replace('T', ' ').replace('Z', ''),
      logLevel,
      traceId: randomUUID(),
      accountId,
      status: logLevel === 'ERROR' ? 'Failure' : 'Success',
      eventType,
      protocol: 'MQTT',
      ...fields,
    };
    cloud.parts.logs?.(planned.group, 'broker', [{ timestamp: clock.nowMs(), message: JSON.stringify(line) }]);
  };
}
