/** One list of our own metrics: the functions emit them (EMF), the constructs alarm on them, the runbook has an article for each alarm. */
export const METRIC_NAMESPACE = 'Fleetwarden';

export const METRICS = {
  crlApplied: 'CrlApplied',
  crlUnchanged: 'CrlUnchanged',
  /** The reader refused a CRL: forged, malformed, out of scope. */
  crlRefused: 'CrlRefused',
  crlRollback: 'CrlRollback',
  crlEquivocation: 'CrlEquivocation',
  /** Past nextUpdate: its revocations still count, but the CA has stopped talking. */
  crlExpired: 'CrlExpired',
  /** A known CRL object has disappeared. */
  crlAbsent: 'CrlAbsent',
  crlAgeSeconds: 'CrlAgeSeconds',
  revocationsHeld: 'RevocationsHeld',
  revocationsQueued: 'RevocationsQueued',
  holdRemoved: 'HoldRemoved',
  caCertificateListed: 'CaCertificateListed',
  revoked: 'Revoked',
  deactivated: 'Deactivated',
  alreadyRevoked: 'AlreadyRevoked',
  notRegistered: 'NotRegistered',
  mismatch: 'CertificateMismatch',
  revokeFailed: 'RevokeFailed',
  secondsToRevoke: 'SecondsToRevoke',
  stopped: 'EmergencyStopActive',
  inventoryRecorded: 'InventoryRecorded',
  inventoryReconciled: 'InventoryReconciled',
  inventoryUnreadable: 'InventoryUnreadable',
} as const;
export type MetricName = (typeof METRICS)[keyof typeof METRICS];
