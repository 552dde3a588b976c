/**
 * Where the command line finds an installation: one SSM parameter for each name, written by the app stack, read by `fleetwarden`.
 *
 *     /<prefix>/application/<name>
 *
 * One list: the construct writes exactly these, the command line asks for exactly these.
 */

/** Name of the parameter → what its value is. */
export const APPLICATION_PARAMETERS = {
  inventoryTable: 'name of the inventory table',
  ledgerTable: 'name of the ledger table',
  stateBucket: 'name of the bucket with exact serial states and held lists',
  crlBucket: 'name of the bucket that the CAs write their CRLs to',
  syncQueueUrl: 'URL of the sync queue',
  fastQueueUrl: 'URL of the fast-path queue',
  revokeQueueUrl: 'URL of the revoke queue',
  inventoryQueueUrl: 'URL of the inventory queue',
  reconcileQueueUrl: 'URL of the reconcile queue',
  syncDeadLetterQueueUrl: 'URL of the dead-letter queue of the sync queue',
  fastDeadLetterQueueUrl: 'URL of the dead-letter queue of the fast-path queue',
  revokeDeadLetterQueueUrl: 'URL of the dead-letter queue of the revoke queue',
  inventoryDeadLetterQueueUrl: 'URL of the dead-letter queue of the inventory queue',
  reconcileDeadLetterQueueUrl: 'URL of the dead-letter queue of the reconcile queue',
  trustParameterPath: 'SSM path below which the trust anchors lie, without a slash at its end',
  mode: 'off, observe or enforce',
  brakeFloor: 'so many new revocations are always let through',
  brakeShare: 'share of the ACTIVE certificates that may be revoked within the window, 0.01 for 1 %',
  brakeWindowMinutes: 'length of that window in minutes',
} as const;

export type ApplicationParameter = keyof typeof APPLICATION_PARAMETERS;

export const APPLICATION_PARAMETER_NAMES = Object.keys(APPLICATION_PARAMETERS) as readonly ApplicationParameter[];

/** The same for what an installation has only where rotation is on: a command that needs one of them says so when it is not there. */
export const ROTATION_PARAMETERS = {
  startQueueUrl: 'URL of the start queue of rotation',
  issueQueueUrl: 'URL of the queue of certificate requests',
  proveQueueUrl: 'URL of the queue of proofs',
  retireQueueUrl: 'URL of the retire queue of rotation',
  startDeadLetterQueueUrl: 'URL of the dead-letter queue of the start queue',
  issueDeadLetterQueueUrl: 'URL of the dead-letter queue of the certificate requests',
  proveDeadLetterQueueUrl: 'URL of the dead-letter queue of the proofs',
  retireDeadLetterQueueUrl: 'URL of the dead-letter queue of the retire queue',
  rotationMode: 'observe or enforce',
} as const;

export type RotationParameter = keyof typeof ROTATION_PARAMETERS;

export const ROTATION_PARAMETER_NAMES = Object.keys(ROTATION_PARAMETERS) as readonly RotationParameter[];

/** The same where the audit is on. */
export const AUDIT_PARAMETERS = {
  auditQueueUrl: 'URL of the collect queue of the audit',
  auditDeadLetterQueueUrl: 'URL of the dead-letter queue of the collect queue',
} as const;

export type AuditParameter = keyof typeof AUDIT_PARAMETERS;

export const AUDIT_PARAMETER_NAMES = Object.keys(AUDIT_PARAMETERS) as readonly AuditParameter[];

/** The same where an anchor has a signer. */
export const SIGNER_PARAMETERS = {
  publishQueueUrl: 'URL of the queue on which CRLs of our own CAs are asked for',
  publishDeadLetterQueueUrl: 'URL of the dead-letter queue of the publish queue',
} as const;

export type SignerParameter = keyof typeof SIGNER_PARAMETERS;

export const SIGNER_PARAMETER_NAMES = Object.keys(SIGNER_PARAMETERS) as readonly SignerParameter[];

/** The same where quarantine is on. */
export const QUARANTINE_PARAMETERS = {
  intakeQueueUrl: 'URL of the intake queue of quarantine',
  watchQueueUrl: 'URL of the queue on which looks at what is contained are asked for',
  intakeDeadLetterQueueUrl: 'URL of the dead-letter queue of the intake queue',
  watchDeadLetterQueueUrl: 'URL of the dead-letter queue of the watch queue',
  quarantineMachineArn: 'ARN of the state machine of containments',
  quarantineMode: 'observe or enforce',
} as const;

export type QuarantineParameter = keyof typeof QUARANTINE_PARAMETERS;

export const QUARANTINE_PARAMETER_NAMES = Object.keys(QUARANTINE_PARAMETERS) as readonly QuarantineParameter[];

/** The same where behaviour is watched, by whomever. */
export const BEHAVIOUR_PARAMETERS = { detect: 'who detects violations: device-defender, built-in or both' } as const;

/** The same where Device Defender Detect is one of those. */
export const DETECT_PARAMETERS = { detectProfiles: 'names of the security profiles, separated by commas' } as const;

/** The same where the built-in monitor is. */
export const MONITOR_PARAMETERS = {
  offlineQueueUrl: 'URL of the queue on which looks for absent devices are asked for',
  offlineDeadLetterQueueUrl: 'URL of the dead-letter queue of the offline queue',
  monitorDeadLetterQueueUrl: 'URL of the queue for what the monitor, or a rule to its stream, has given up',
} as const;

export type MonitorParameter = keyof typeof MONITOR_PARAMETERS;

/** What an installation has only where the capability is on. */
export type OptionalParameter =
  | RotationParameter
  | AuditParameter
  | QuarantineParameter
  | SignerParameter
  | keyof typeof BEHAVIOUR_PARAMETERS
  | keyof typeof DETECT_PARAMETERS
  | MonitorParameter;

/** All of those lists together: a new one is added here, and is written and read then. */
export const OPTIONAL_PARAMETERS: Readonly<Record<OptionalParameter, string>> = {
  ...ROTATION_PARAMETERS,
  ...AUDIT_PARAMETERS,
  ...QUARANTINE_PARAMETERS,
  ...SIGNER_PARAMETERS,
  ...BEHAVIOUR_PARAMETERS,
  ...DETECT_PARAMETERS,
  ...MONITOR_PARAMETERS,
};

/** What an installation says about itself: all of the first list, and of each other one all or nothing. */
export type Parameters = Readonly<Record<ApplicationParameter, string>> & Readonly<Partial<Record<OptionalParameter, string>>>;

/** The queues with work in them, by the noun that the command line prints; each has a dead-letter queue. Those of a capability only where it is on. */
export const WORK_QUEUES = {
  sync: { queue: 'syncQueueUrl', deadLetters: 'syncDeadLetterQueueUrl' },
  fast: { queue: 'fastQueueUrl', deadLetters: 'fastDeadLetterQueueUrl' },
  revoke: { queue: 'revokeQueueUrl', deadLetters: 'revokeDeadLetterQueueUrl' },
  inventory: { queue: 'inventoryQueueUrl', deadLetters: 'inventoryDeadLetterQueueUrl' },
  reconcile: { queue: 'reconcileQueueUrl', deadLetters: 'reconcileDeadLetterQueueUrl' },
  start: { queue: 'startQueueUrl', deadLetters: 'startDeadLetterQueueUrl' },
  issue: { queue: 'issueQueueUrl', deadLetters: 'issueDeadLetterQueueUrl' },
  prove: { queue: 'proveQueueUrl', deadLetters: 'proveDeadLetterQueueUrl' },
  retire: { queue: 'retireQueueUrl', deadLetters: 'retireDeadLetterQueueUrl' },
  intake: { queue: 'intakeQueueUrl', deadLetters: 'intakeDeadLetterQueueUrl' },
  watch: { queue: 'watchQueueUrl', deadLetters: 'watchDeadLetterQueueUrl' },
  audit: { queue: 'auditQueueUrl', deadLetters: 'auditDeadLetterQueueUrl' },
  offline: { queue: 'offlineQueueUrl', deadLetters: 'offlineDeadLetterQueueUrl' },
  publish: { queue: 'publishQueueUrl', deadLetters: 'publishDeadLetterQueueUrl' },
} as const satisfies Record<
  string,
  { readonly queue: ApplicationParameter | OptionalParameter; readonly deadLetters: ApplicationParameter | OptionalParameter }
>;

export const DEFAULT_PREFIX = 'fleetwarden';

/** `/<prefix>/application`: all of them by one GetParametersByPath. */
export function applicationParameterPath(prefix: string): string {
  return `/${prefix}/application`;
}

export function applicationParameterName(prefix: string, name: ApplicationParameter | OptionalParameter): string {
  return `${applicationParameterPath(prefix)}/${name}`;
}
