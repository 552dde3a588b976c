import type { LoggingOptions } from '../../../domain/fleet/iot-logging.js';
import type { LoggingSettings } from '../../../lambda/ports/logging-settings.js';

/** The account’s logging of AWS IoT, in memory: on at ERROR unless a test says otherwise. */
export class MemoryLogging implements LoggingSettings {
  current: LoggingOptions | undefined = {
    roleArn: 'arn:aws:iam::111122223333:role/logs',
    defaultLogLevel: 'ERROR',
    disableAllLogs: false,
    events: [],
  };
  sets = 0;
  /** Log group → days. */
  readonly groups = new Map<string, number>();

  async options() {
    return this.current;
  }
  async set(options: LoggingOptions) {
    this.sets += 1;
    this.current = options;
  }
  async createGroup(name: string, retentionDays: number) {
    if (!this.groups.has(name)) this.groups.set(name, retentionDays);
  }
}
