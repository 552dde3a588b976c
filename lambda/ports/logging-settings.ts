import type { LoggingOptions } from '../../domain/fleet/iot-logging.js';

/** The account’s logging of AWS IoT, and the log group that it writes to. */
export interface LoggingSettings {
  /** `undefined`: nobody has ever set them. */
  options(): Promise<LoggingOptions | undefined>;
  /** All of them: what the API does with those that are left out is not documented. */
  set(options: LoggingOptions): Promise<void>;
  /** A log group that is there stays as it is. */
  createGroup(name: string, retentionDays: number): Promise<void>;
}
