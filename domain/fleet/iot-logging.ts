/** The logging of AWS IoT, of which an account has one in a region (IG configure-logging.html). */

/** What an event is logged at, and where, whatever the account’s level is. */
export interface EventLogging {
  readonly eventType: string;
  readonly logLevel?: string;
  /** A log group. @default AWSIotLogsV2 */
  readonly logDestination?: string;
}

export interface LoggingOptions {
  /** Under which AWS IoT writes. */
  readonly roleArn?: string;
  /** DISABLED, ERROR, WARN, INFO or DEBUG. */
  readonly defaultLogLevel?: string;
  readonly disableAllLogs: boolean;
  readonly events: readonly EventLogging[];
}
