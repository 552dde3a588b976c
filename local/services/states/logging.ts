/** History events in the state machine's log group (developer guide, "Using CloudWatch Logs to log execution history"). */
import type { Cloud } from '../../cloud.js';
import type { HistoryEvent } from './history.js';
import type { LoggingConfiguration } from './state-machine.js';

/** Events that the level FATAL takes; ERROR takes these and every failure, time-out and abortion on the way (the guide's table of log levels). */
const FATAL = ['ExecutionAborted', 'ExecutionFailed', 'ExecutionTimedOut'];
const ERROR = /(Failed|TimedOut|Aborted)$|^FailStateEntered$/;
/** Left out unless the execution's data are wanted. */
const DATA = ['input', 'inputDetails', 'output', 'outputDetails', 'parameters'];

export function logEvent(
  cloud: Cloud,
  logging: LoggingConfiguration,
  machineName: string,
  executionArn: string,
  redriveCount: number,
  event: HistoryEvent,
): void {
  const { level = 'OFF', destinations = [], includeExecutionData = false } = logging;
  const groupArn = destinations[0]?.cloudWatchLogsLogGroup?.logGroupArn;
  if (groupArn === undefined || level === 'OFF') return;
  if (level === 'FATAL' && !FATAL.includes(event.type)) return;
  if (level === 'ERROR' && !ERROR.test(event.type)) return;
  const details = Object.entries(event.details?.value ?? {}).filter(([name]) => includeExecutionData || !DATA.includes(name));
  const line = {
    id: String(event.id),
    type: event.type,
    details: Object.fromEntries(details),
    previous_event_id: String(event.previousEventId),
    event_timestamp: String(event.timestamp.getTime()),
    execution_arn: executionArn,
    redrive_count: String(redriveCount),
  };
  const day = event.timestamp.toISOString().slice(0, 13).replace('T', '-');
  const timestamp = event.timestamp.getTime();
  cloud.parts.logs?.(groupArn.split(':')[6]!, `states/${machineName}/${day}/${executionArn.split(':').pop()!.slice(0, 8)}`, [
    { timestamp, message: JSON.stringify(line) },
  ]);
}
