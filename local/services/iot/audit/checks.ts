/**
 * The audit checks of Device Defender: name, severity, what the audit role must be allowed, and how the desk evaluates them. The table is the one
 * list of checks (https://docs.aws.amazon.com/iot-device-defender/latest/devguide/device-defender-audit-checks.html, FACTS C2).
 */
import type { IotState } from '../state.js';
import { conflictingClientIds, sharedCertificates } from './connection-checks.js';
import { caCertificatesExpiring, deviceCertificatesAged, deviceCertificatesExpiring } from './certificate-checks.js';
import { caKeyQuality, deviceKeyQuality } from './key-checks.js';
import type { Evaluation } from './non-compliance.js';
import { misconfiguredPolicies, overlyPermissivePolicies } from './policy-checks.js';
import { loggingDisabled } from './settings-checks.js';

export interface AuditCheck {
  readonly severity: 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW';
  readonly actions: readonly string[];
  /** Configuration names that the check knows, with their defaults in days. */
  readonly configuration?: Readonly<Record<string, number>>;
  /** Absent: the desk does not evaluate this check, and says so in the task (README). */
  readonly evaluate?: (state: IotState, days: number) => Evaluation;
}

/** There are no Cognito pools and no role aliases on the desk, so there is nothing that could be wrong with them. */
const nothing = (): Evaluation => ({ total: 0, nonCompliant: [] });
const CERTIFICATES = ['iot:ListCertificates', 'iot:DescribeCertificate'];
const CAS = ['iot:ListCACertificates', 'iot:DescribeCACertificate'];
const ROLES = ['iam:ListRolePolicies', 'iam:ListAttachedRolePolicies', 'iam:GetRolePolicy', 'iam:GetPolicy', 'iam:GetPolicyVersion'];

export const AUDIT_CHECKS: Readonly<Record<string, AuditCheck>> = {
  DEVICE_CERTIFICATE_EXPIRING_CHECK: {
    severity: 'MEDIUM',
    actions: CERTIFICATES,
    configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: 30 },
    evaluate: deviceCertificatesExpiring,
  },
  CA_CERTIFICATE_EXPIRING_CHECK: {
    severity: 'MEDIUM',
    actions: CAS,
    configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: 30 },
    evaluate: caCertificatesExpiring,
  },
  DEVICE_CERTIFICATE_AGE_CHECK: {
    severity: 'LOW',
    actions: CERTIFICATES,
    configuration: { CERT_AGE_THRESHOLD_IN_DAYS: 365 },
    evaluate: deviceCertificatesAged,
  },
  DEVICE_CERTIFICATE_SHARED_CHECK: { severity: 'CRITICAL', actions: CERTIFICATES, evaluate: sharedCertificates },
  CONFLICTING_CLIENT_IDS_CHECK: { severity: 'HIGH', actions: [], evaluate: conflictingClientIds },
  LOGGING_DISABLED_CHECK: { severity: 'LOW', actions: ['iot:GetLoggingOptions', 'iot:GetV2LoggingOptions'], evaluate: loggingDisabled },
  UNAUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK: {
    severity: 'CRITICAL',
    actions: ['cognito-identity:GetIdentityPoolRoles', ...ROLES],
    evaluate: nothing,
  },
  AUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK: {
    severity: 'CRITICAL',
    actions: ['cognito-identity:GetIdentityPoolRoles', ...ROLES],
    evaluate: nothing,
  },
  IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK: {
    severity: 'CRITICAL',
    actions: ['iot:ListRoleAliases', 'iot:DescribeRoleAlias', ...ROLES],
    evaluate: nothing,
  },
  IOT_ROLE_ALIAS_ALLOWS_ACCESS_TO_UNUSED_SERVICES_CHECK: {
    severity: 'MEDIUM',
    actions: ['iot:ListRoleAliases', 'iot:DescribeRoleAlias', ...ROLES],
    evaluate: nothing,
  },
  REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK: { severity: 'MEDIUM', actions: CERTIFICATES },
  REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK: { severity: 'CRITICAL', actions: CAS },
  INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK: { severity: 'CRITICAL', actions: CERTIFICATES },
  DEVICE_CERTIFICATE_KEY_QUALITY_CHECK: { severity: 'CRITICAL', actions: CERTIFICATES, evaluate: deviceKeyQuality },
  CA_CERTIFICATE_KEY_QUALITY_CHECK: { severity: 'CRITICAL', actions: CAS, evaluate: caKeyQuality },
  IOT_POLICY_OVERLY_PERMISSIVE_CHECK: {
    severity: 'CRITICAL',
    actions: ['iot:ListPolicies', 'iot:GetPolicy'],
    evaluate: overlyPermissivePolicies,
  },
  IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK: {
    severity: 'MEDIUM',
    actions: ['iot:ListPolicies', 'iot:GetPolicy'],
    evaluate: misconfiguredPolicies,
  },
};

export const AUDIT_CHECK_NAMES = Object.keys(AUDIT_CHECKS);
