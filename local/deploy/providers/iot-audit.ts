/** AWS::IoT::AccountAuditConfiguration and ::ScheduledAudit (CloudFormation template reference, AWS IoT; FACTS C3). */
import { booleanOf, onlyServed, present, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

type Properties = Readonly<Record<string, unknown>>;

/** Names of the checks in templates, one of them with a capital of its own, and in the API. */
const CHECK_NAMES: Readonly<Record<string, string>> = {
  AuthenticatedCognitoRoleOverlyPermissiveCheck: 'AUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK',
  CaCertificateExpiringCheck: 'CA_CERTIFICATE_EXPIRING_CHECK',
  CaCertificateKeyQualityCheck: 'CA_CERTIFICATE_KEY_QUALITY_CHECK',
  ConflictingClientIdsCheck: 'CONFLICTING_CLIENT_IDS_CHECK',
  DeviceCertificateAgeCheck: 'DEVICE_CERTIFICATE_AGE_CHECK',
  DeviceCertificateExpiringCheck: 'DEVICE_CERTIFICATE_EXPIRING_CHECK',
  DeviceCertificateKeyQualityCheck: 'DEVICE_CERTIFICATE_KEY_QUALITY_CHECK',
  DeviceCertificateSharedCheck: 'DEVICE_CERTIFICATE_SHARED_CHECK',
  IntermediateCaRevokedForActiveDeviceCertificatesCheck: 'INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK',
  IotPolicyOverlyPermissiveCheck: 'IOT_POLICY_OVERLY_PERMISSIVE_CHECK',
  IoTPolicyPotentialMisConfigurationCheck: 'IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK',
  IotRoleAliasAllowsAccessToUnusedServicesCheck: 'IOT_ROLE_ALIAS_ALLOWS_ACCESS_TO_UNUSED_SERVICES_CHECK',
  IotRoleAliasOverlyPermissiveCheck: 'IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK',
  LoggingDisabledCheck: 'LOGGING_DISABLED_CHECK',
  RevokedCaCertificateStillActiveCheck: 'REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK',
  RevokedDeviceCertificateStillActiveCheck: 'REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK',
  UnauthenticatedCognitoRoleOverlyPermissiveCheck: 'UNAUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK',
};
const CONFIGURATION_NAMES: Readonly<Record<string, string>> = {
  CertExpirationThresholdInDays: 'CERT_EXPIRATION_THRESHOLD_IN_DAYS',
  CertAgeThresholdInDays: 'CERT_AGE_THRESHOLD_IN_DAYS',
};

function checkConfiguration(check: Properties): Record<string, unknown> {
  onlyServed(check, ['Enabled', 'Configuration']);
  const configuration = (check['Configuration'] ?? {}) as Properties;
  onlyServed(configuration, Object.keys(CONFIGURATION_NAMES));
  const pairs = Object.keys(configuration).map((name) => [CONFIGURATION_NAMES[name], textOf(configuration, name)]);
  return { enabled: booleanOf(check, 'Enabled') ?? false, ...(pairs.length > 0 ? { configuration: Object.fromEntries(pairs) } : {}) };
}

function snsTarget(targets: Properties | undefined): Record<string, unknown> | undefined {
  if (!targets) return undefined;
  onlyServed(targets, ['Sns']);
  const sns = (targets['Sns'] ?? {}) as Properties;
  onlyServed(sns, ['TargetArn', 'RoleArn', 'Enabled']);
  return { SNS: present({ targetArn: textOf(sns, 'TargetArn'), roleArn: textOf(sns, 'RoleArn'), enabled: booleanOf(sns, 'Enabled') }) };
}

/** A singleton of the account: it is merged into what is there. Checks that the template leaves out stay as they are. */
const accountAuditConfiguration: Provider = async (properties, { cloud }) => {
  onlyServed(properties, ['AccountId', 'RoleArn', 'AuditCheckConfigurations', 'AuditNotificationTargetConfigurations']);
  const checks = properties['AuditCheckConfigurations'] as Readonly<Record<string, Properties>>;
  onlyServed(checks, Object.keys(CHECK_NAMES));
  await cloud.call(
    'iot',
    'UpdateAccountAuditConfiguration',
    present({
      roleArn: textOf(properties, 'RoleArn'),
      auditCheckConfigurations: Object.fromEntries(
        Object.entries(checks).map(([name, check]) => [CHECK_NAMES[name], checkConfiguration(check)]),
      ),
      auditNotificationTargetConfigurations: snsTarget(properties['AuditNotificationTargetConfigurations'] as Properties | undefined),
    }),
  );
  return { ref: textOf(properties, 'AccountId') ?? cloud.world.accountId, attributes: {} };
};

const scheduledAudit: Provider = async (properties, context) => {
  onlyServed(properties, ['ScheduledAuditName', 'Frequency', 'DayOfWeek', 'DayOfMonth', 'TargetCheckNames', 'Tags']);
  const scheduledAuditName = textOf(properties, 'ScheduledAuditName') ?? context.physicalName(128);
  const { scheduledAuditArn } = await context.cloud.call<{ scheduledAuditArn: string }>(
    'iot',
    'CreateScheduledAudit',
    present({
      scheduledAuditName,
      frequency: textOf(properties, 'Frequency'),
      dayOfWeek: textOf(properties, 'DayOfWeek'),
      dayOfMonth: textOf(properties, 'DayOfMonth'),
      targetCheckNames: properties['TargetCheckNames'],
      tags: properties['Tags'],
    }),
  );
  return { ref: scheduledAuditName, attributes: { ScheduledAuditArn: scheduledAuditArn } };
};

export const providers: Providers = {
  'AWS::IoT::AccountAuditConfiguration': accountAuditConfiguration,
  'AWS::IoT::ScheduledAudit': scheduledAudit,
};
