/**
 * Fails towards leaving the account as it is: logging that is on stays as it is, whatever its level; what is off is switched on at ERROR and no higher,
 * because everything more costs by the message. What single events or resources are logged at is other people’s.
 */
import type { LoggingOptions } from '../../../domain/fleet/iot-logging.js';
import { REFUSAL_LOG_LEVELS } from '../../../domain/protocol/fleet-events.js';

export interface LoggingFacts {
  /** `undefined`: nobody has ever set them. */
  readonly options?: LoggingOptions;
  /** ARNs that this installation has set before. */
  readonly ours: ReadonlySet<string>;
}

export type LoggingDecision = { readonly do: 'nothing' } | { readonly do: 'set'; readonly options: LoggingOptions };

export function decideLogging({ options, ours }: LoggingFacts, wantedRoleArn: string): LoggingDecision {
  const { roleArn, defaultLogLevel, disableAllLogs = true, events = [] } = options ?? {};
  const isOn = !disableAllLogs && (REFUSAL_LOG_LEVELS as readonly (string | undefined)[]).includes(defaultLogLevel);
  // Another role that works is left alone. One that we made may be gone with the stack that made it.
  const roleIsRight = roleArn !== undefined && (roleArn === wantedRoleArn || !ours.has(roleArn));
  if (isOn && roleIsRight) return { do: 'nothing' };
  return {
    do: 'set',
    options: {
      roleArn: roleIsRight ? roleArn : wantedRoleArn,
      // What was disabled with another level begins low: nobody has asked for a flood.
      defaultLogLevel: isOn ? defaultLogLevel! : REFUSAL_LOG_LEVELS[0],
      disableAllLogs: false,
      events,
    },
  };
}
