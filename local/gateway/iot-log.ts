/**
 * Log lines of the message broker in AWSIotLogsV2 (https://docs.aws.amazon.com/iot/latest/developerguide/cwl-format.html).
 * Levels follow SetV2LoggingOptions, except Connection.AuthNError: opt-in on AWS, always written on the desk, because it is the proof that a
 * revoked device was refused.
 */
import { randomUUID } from 'node:crypto';
import type { Cloud } from '../cloud.js';

const LOG_GROUP = 'AWSIotLogsV2';
const LEVELS = ['DISABLED', 'ERROR', 'WARN', 'INFO', 'DEBUG'];

export type AuthNReason =
  'DEVICE_CERTIFICATE_INACTIVE' | 'DEVICE_CERTIFICATE_NOT_REGISTERED' | 'DEVICE_CERTIFICATE_REVOKED' | 'NOT_AUTHENTICATED' | 'SNI_MISUSED';

export interface LogEntry {
  readonly eventType: 'Connect' | 'Disconnect' | 'Connection.AuthNError' | 'Publish-In' | 'Subscribe' | 'Unsubscribe';
  readonly logLevel: 'INFO' | 'ERROR' | 'DEBUG';
  readonly clientId?: string;
  readonly principalId?: string;
  readonly sourceIp?: string;
  readonly sourcePort?: number;
  readonly topicName?: string;
  readonly disconnectReason?: string;
  readonly reason?: string;
  readonly details?: string;
}

export type LoggingOptions = () => { readonly defaultLogLevel?: string; readonly disableAllLogs?: boolean } | undefined;
export type WriteLog = (entry: LogEntry) => void;

export function createIotLog(cloud: Cloud, options: LoggingOptions): WriteLog {
  return (entry) => {
    const configured = options();
    const level = configured && !configured.disableAllLogs ? (configured.defaultLogLevel ?? 'DISABLED') : 'DISABLED';
    if (entry.eventType !== 'Connection.AuthNError' && LEVELS.indexOf(entry.logLevel) > LEVELS.indexOf(level)) return;
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
    cloud.parts.logs?.(LOG_GROUP, 'broker', [{ timestamp: clock.nowMs(), message: JSON.stringify(line) }]);
  };
}
