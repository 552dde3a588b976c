import type { IotState } from '../state.js';
import type { Evaluation } from './non-compliance.js';

/** Logging is off: never set up, all logs disabled, or the default level DISABLED (https://docs.aws.amazon.com/iot-device-defender/latest/devguide/audit-chk-logging-disabled.html). */
export function loggingDisabled(state: IotState): Evaluation {
  const { logging } = state.settings;
  const isOn = logging !== undefined && !logging.disableAllLogs && (logging.defaultLogLevel ?? 'DISABLED') !== 'DISABLED';
  if (isOn) return { total: 1, nonCompliant: [] };
  return {
    total: 1,
    nonCompliant: [
      {
        resource: { resourceType: 'ACCOUNT_SETTINGS', resourceIdentifier: { account: state.cloud.world.accountId } },
        reason: 'Logging is disabled.',
        reasonCode: 'LOGGING_DISABLED',
      },
    ],
  };
}
