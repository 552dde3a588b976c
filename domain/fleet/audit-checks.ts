/**
 * The audit checks of AWS IoT Device Defender: the one table that construct, function and command line share. What AWS adds later is not in it, and is
 * then reported as unknown, never taken for nothing.
 * https://docs.aws.amazon.com/iot-device-defender/latest/devguide/device-defender-audit-checks.html (FACTS C2)
 */

export const AUDIT_SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'] as const;
export type AuditSeverity = (typeof AUDIT_SEVERITIES)[number];

/**
 * What a finding of a check calls for:
 *
 *     notify    people are told what to do
 *     rotate    the certificate goes to the rotation; where rotation is off, people are told
 *     contain   the finding goes to quarantine, which reads it again and has a brake; where quarantine is off, people are told
 *     revoke    the CRLs are read again at once, and people are told: only what stands on a verified CRL is ever revoked
 */
export const AUDIT_RESPONSES = ['notify', 'rotate', 'contain', 'revoke'] as const;
export type AuditResponse = (typeof AUDIT_RESPONSES)[number];

export interface AuditCheck {
  readonly severity: AuditSeverity;
  /** What its findings are about. `account`: the account, a CA, a policy, a role: not one device. */
  readonly about: 'device' | 'account';
  readonly response: AuditResponse;
  /** Responses that make sense for it; the configuration may choose among them. */
  readonly responses: readonly AuditResponse[];
  /** The name of the same check in AWS’s older notifications and in its table of mitigation actions (FACTS C2). */
  readonly alias?: string;
  /** Configuration name of its threshold, a number of days as a string. */
  readonly threshold?: 'CERT_EXPIRATION_THRESHOLD_IN_DAYS' | 'CERT_AGE_THRESHOLD_IN_DAYS';
  /** Switched on unless the configuration says otherwise. The age of a certificate is no fault by itself: only where a threshold is chosen. */
  readonly enabled: boolean;
  /** For the person who reads the finding. */
  readonly advice: string;
}

const NOTIFY = { response: 'notify', responses: ['notify'] } as const;
const ROTATE = { response: 'rotate', responses: ['notify', 'rotate'] } as const;
const about = (what: AuditCheck['about'], severity: AuditSeverity) => ({ about: what, severity, enabled: true }) as const;

export const AUDIT_CHECKS = {
  DEVICE_CERTIFICATE_EXPIRING_CHECK: {
    ...about('device', 'MEDIUM'),
    ...ROTATE,
    alias: 'DEVICE_CERT_APPROACHING_EXPIRATION_CHECK',
    threshold: 'CERT_EXPIRATION_THRESHOLD_IN_DAYS',
    advice:
      'Give the device a new certificate before this one ends: fleetwarden rotate THING. If it has ended, the device cannot connect any more.',
  },
  CA_CERTIFICATE_EXPIRING_CHECK: {
    ...about('account', 'MEDIUM'),
    ...NOTIFY,
    alias: 'CA_CERT_APPROACHING_EXPIRATION_CHECK',
    threshold: 'CERT_EXPIRATION_THRESHOLD_IN_DAYS',
    advice: 'Add the CA’s successor as a trust anchor, let it issue, rotate the devices to it, and take this CA out before it ends.',
  },
  DEVICE_CERTIFICATE_AGE_CHECK: {
    ...about('device', 'LOW'),
    ...ROTATE,
    enabled: false,
    threshold: 'CERT_AGE_THRESHOLD_IN_DAYS',
    advice: 'Give the device a new certificate: fleetwarden rotate THING. Or raise audit.ageThresholdDays if certificates may be that old.',
  },
  REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK: {
    ...about('device', 'MEDIUM'),
    response: 'revoke',
    responses: ['notify', 'revoke'],
    alias: 'REVOKED_DEVICE_CERT_CHECK',
    advice:
      'The CA has revoked it and AWS IoT still accepts it. Look why its CRL did not bring it here: fleetwarden why CERTIFICATE, fleetwarden status, fleetwarden holds.',
  },
  REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK: {
    ...about('account', 'CRITICAL'),
    ...NOTIFY,
    alias: 'REVOKED_CA_CERT_CHECK',
    advice:
      'A CA of the fleet is revoked. Find out why before anything else; move the devices to another CA, then set this one INACTIVE in AWS IoT.',
  },
  INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK: {
    ...about('account', 'CRITICAL'),
    ...NOTIFY,
    advice:
      'An intermediate CA is revoked: aws iot list-related-resources-for-audit-finding names the device certificates. Move those devices to another CA.',
  },
  DEVICE_CERTIFICATE_SHARED_CHECK: {
    ...about('device', 'CRITICAL'),
    response: 'contain',
    responses: ['notify', 'rotate', 'contain'],
    advice:
      'Several devices use one certificate: its key was copied. Contain the thing, give each device an identity of its own, then revoke this one at its CA.',
  },
  DEVICE_CERTIFICATE_KEY_QUALITY_CHECK: {
    ...about('device', 'CRITICAL'),
    ...ROTATE,
    advice:
      'The key can be computed by others. Rotate the device (it makes a new key), update the library that made the old one, then revoke the old certificate.',
  },
  CA_CERTIFICATE_KEY_QUALITY_CHECK: {
    ...about('account', 'CRITICAL'),
    ...NOTIFY,
    advice: 'The CA’s key can be computed by others, who can then issue certificates. Replace the CA and every certificate that it issued.',
  },
  CONFLICTING_CLIENT_IDS_CHECK: {
    ...about('device', 'HIGH'),
    // Not contained unless somebody chooses it: a device with a bad connection is found by it as well (audit-chk-conflicting-client-ids.html).
    response: 'notify',
    responses: ['notify', 'contain'],
    advice:
      'Two connections throw each other out under one client id: a copied identity, or a device that reconnects before it has closed. See which addresses they come from.',
  },
  IOT_POLICY_OVERLY_PERMISSIVE_CHECK: {
    ...about('account', 'CRITICAL'),
    ...NOTIFY,
    advice:
      'Replace the policy by one with policy variables, as <prefix>-device is: each device may use its own topics and client id alone.',
  },
  IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK: {
    ...about('account', 'MEDIUM'),
    ...NOTIFY,
    advice:
      'A deny with MQTT wildcards (+ #) denies less than it looks: in policies only * and ? are wildcards. Name what is allowed instead.',
  },
  UNAUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK: {
    ...about('account', 'CRITICAL'),
    ...NOTIFY,
    advice:
      'Anybody on the internet has the rights of this role. Take AWS IoT out of it, or switch off unauthenticated identities in the pool.',
  },
  AUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK: {
    ...about('account', 'CRITICAL'),
    ...NOTIFY,
    advice: 'Every signed-in user has the rights of this role. Narrow it to the topics of that user by policy variables.',
  },
  IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK: {
    ...about('account', 'CRITICAL'),
    ...NOTIFY,
    advice: 'Devices get these rights at other AWS services by the role alias. Narrow the role to what a device needs, by resource.',
  },
  IOT_ROLE_ALIAS_ALLOWS_ACCESS_TO_UNUSED_SERVICES_CHECK: {
    ...about('account', 'MEDIUM'),
    ...NOTIFY,
    advice: 'The role of the alias allows services that no device has used for a year. Take them out of it.',
  },
  LOGGING_DISABLED_CHECK: {
    ...about('account', 'LOW'),
    ...NOTIFY,
    advice: 'Switch AWS IoT logging on (ERROR at least): without it nobody can say afterwards who connected, or was refused.',
  },
} as const satisfies Readonly<Record<string, AuditCheck>>;

export type AuditCheckName = keyof typeof AUDIT_CHECKS;
export const AUDIT_CHECK_NAMES = Object.keys(AUDIT_CHECKS) as readonly AuditCheckName[];

export const auditCheck = (name: AuditCheckName): AuditCheck => AUDIT_CHECKS[name];

const BY_EITHER_NAME: ReadonlyMap<string, AuditCheckName> = new Map(
  AUDIT_CHECK_NAMES.flatMap((name) => {
    const { alias } = auditCheck(name);
    return alias === undefined
      ? [[name, name]]
      : [
          [name, name],
          [alias, name],
        ];
  }),
);

/** The check that AWS means, in either spelling. `undefined`: none that is known here. */
export function auditCheckNamed(name: string): AuditCheckName | undefined {
  return BY_EITHER_NAME.get(name);
}

/** Severity of a finding, most severe first. */
export function bySeverity(one: AuditSeverity, other: AuditSeverity): number {
  return AUDIT_SEVERITIES.indexOf(one) - AUDIT_SEVERITIES.indexOf(other);
}

/** Limits of both thresholds (FACTS C2). */
export const AUDIT_THRESHOLD_DAYS = { least: 30, most: 3652 } as const;
