import {
  type AuditCheckConfiguration,
  DescribeAccountAuditConfigurationCommand,
  DescribeEventConfigurationsCommand,
  type EventType,
  type IoTClient,
  UpdateAccountAuditConfigurationCommand,
  UpdateEventConfigurationsCommand,
} from '@aws-sdk/client-iot';
import type { AccountSettings } from '../ports/account-settings.js';

export function iotAccountSettings(client: IoTClient): AccountSettings {
  return {
    async auditConfiguration() {
      const {
        roleArn,
        auditNotificationTargetConfigurations,
        auditCheckConfigurations = {},
      } = await client.send(new DescribeAccountAuditConfigurationCommand({}));
      const target = auditNotificationTargetConfigurations?.SNS;
      const checks = Object.entries(auditCheckConfigurations).map(([name, { enabled = false, configuration = {} }]) => [
        name,
        { enabled, configuration },
      ]);
      return {
        // Empty where none is set.
        ...(roleArn ? { roleArn } : {}),
        ...(target
          ? {
              target: {
                enabled: target.enabled === true,
                ...(target.targetArn ? { targetArn: target.targetArn } : {}),
                ...(target.roleArn ? { roleArn: target.roleArn } : {}),
              },
            }
          : {}),
        checks: Object.fromEntries(checks) as Awaited<ReturnType<AccountSettings['auditConfiguration']>>['checks'],
      };
    },

    async patchAuditConfiguration({ roleArn, target, checks }) {
      const auditCheckConfigurations = Object.fromEntries(
        Object.entries(checks).map(([name, { configuration }]): [string, AuditCheckConfiguration] => [
          name,
          { enabled: true, ...(configuration && { configuration: { ...configuration } }) },
        ]),
      );
      await client.send(
        new UpdateAccountAuditConfigurationCommand({
          ...(roleArn !== undefined && { roleArn }),
          ...(target !== undefined && { auditNotificationTargetConfigurations: { SNS: { ...target, enabled: true } } }),
          ...(Object.keys(checks).length > 0 && { auditCheckConfigurations }),
        }),
      );
    },

    async enabledEvents() {
      const { eventConfigurations = {} } = await client.send(new DescribeEventConfigurationsCommand({}));
      return new Set(Object.entries(eventConfigurations).flatMap(([type, { Enabled }]) => (Enabled === true ? [type] : [])));
    },

    async enableEvents(types) {
      // A patch: types that are not named stay as they are (FACTS D4).
      const eventConfigurations = Object.fromEntries(types.map((type) => [type as EventType, { Enabled: true }]));
      await client.send(new UpdateEventConfigurationsCommand({ eventConfigurations }));
    },
  };
}
