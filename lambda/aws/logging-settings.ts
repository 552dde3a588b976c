import { CreateLogGroupCommand, PutRetentionPolicyCommand, type CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { GetV2LoggingOptionsCommand, SetV2LoggingOptionsCommand, type IoTClient, type LogLevel } from '@aws-sdk/client-iot';
import type { LoggingOptions } from '../../domain/fleet/iot-logging.js';
import type { LoggingSettings } from '../ports/logging-settings.js';
import { errorName } from './retry.js';

/**
 * API_GetV2LoggingOptions: `NotConfiguredException` where nobody has ever set them. Without `verbose`, which names every event type that there is: what is read
 * is written back, and must be no more than what somebody has set.
 */
export async function iotLoggingOptions(client: IoTClient): Promise<LoggingOptions | undefined> {
  try {
    const {
      roleArn,
      defaultLogLevel,
      disableAllLogs = false,
      eventConfigurations = [],
    } = await client.send(new GetV2LoggingOptionsCommand({}));
    return {
      ...(roleArn ? { roleArn } : {}),
      ...(defaultLogLevel ? { defaultLogLevel } : {}),
      disableAllLogs,
      events: eventConfigurations.map(({ eventType = '', logLevel, logDestination }) => ({
        eventType,
        ...(logLevel ? { logLevel } : {}),
        ...(logDestination ? { logDestination } : {}),
      })),
    };
  } catch (error) {
    if (errorName(error) === 'NotConfiguredException') return undefined;
    throw error;
  }
}

export function iotLoggingSettings(iot: IoTClient, logs: CloudWatchLogsClient): LoggingSettings {
  return {
    options: () => iotLoggingOptions(iot),

    async set({ roleArn, defaultLogLevel, disableAllLogs, events }) {
      await iot.send(
        new SetV2LoggingOptionsCommand({
          roleArn,
          defaultLogLevel: defaultLogLevel as LogLevel | undefined,
          disableAllLogs,
          // An empty list would say something; none is what was there.
          ...(events.length > 0 && {
            eventConfigurations: events.map((event) => ({ ...event, logLevel: event.logLevel as LogLevel | undefined })),
          }),
        }),
      );
    },

    async createGroup(logGroupName, retentionInDays) {
      try {
        await logs.send(new CreateLogGroupCommand({ logGroupName }));
      } catch (error) {
        // Somebody’s: with the retention that they want.
        if (errorName(error) === 'ResourceAlreadyExistsException') return;
        throw error;
      }
      await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays }));
    },
  };
}
