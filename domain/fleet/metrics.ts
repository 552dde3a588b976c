/** One list of our own metrics: the functions emit them (EMF), the constructs alarm on them, the runbook has an article for each alarm. */
export const METRIC_NAMESPACE = 'Fleetwarden';

/** The one dimension of every metric: the name of the installation (prefix of its stacks), so that two of them in one account stay apart. */
export const METRIC_DIMENSION = 'Application';

export const METRICS = {
  crlApplied: 'CrlApplied',
  crlUnchanged: 'CrlUnchanged',
  /** The reader refused a CRL: forged, malformed, out of scope, or of a CA that is no trust anchor where it was found. */
  crlRefused: 'CrlRefused',
  crlRollback: 'CrlRollback',
  crlEquivocation: 'CrlEquivocation',
  /** Past nextUpdate: its revocations still count, but the CA has stopped talking. */
  crlExpired: 'CrlExpired',
  /** A known CRL object has disappeared. */
  crlAbsent: 'CrlAbsent',
  crlAgeSeconds: 'CrlAgeSeconds',
  /** More than half of the entries that were there are gone: legal (they expired), and worth a look. */
  crlShrunk: 'CrlShrunk',
  revocationsHeld: 'RevocationsHeld',
  /** The fast path met the brake: the revocation is left to the CRL, where the brake holds it for a person. */
  fastPathBraked: 'FastPathBraked',
  /** A held list whose stored octets do not have the hash that was approved: somebody touched it. */
  heldListAltered: 'HeldListAltered',
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
  /** In the inventory, gone from the registry. */
  inventoryDeleted: 'InventoryDeleted',
  /** A certificate turned up whose revocation was known before: handed over to the revoke queue. */
  rememberedHandedOver: 'RememberedHandedOver',
  /** Orphans, counted at the end of a complete reconciliation. */
  orphanWithoutThing: 'OrphanWithoutThing',
  orphanSharedThing: 'OrphanSharedThing',
  orphanUnknownIssuer: 'OrphanUnknownIssuer',
  /** Audits of ours that completed and whose findings have all been read. */
  auditCollected: 'AuditCollected',
  /** An audit of ours that failed or was cancelled: not one that found nothing. */
  auditFailed: 'AuditFailed',
  /** The same of single checks. */
  auditCheckFailed: 'AuditCheckFailed',
  /** No scheduled audit has been read for two periods. */
  auditSilent: 'AuditSilent',
  /** Open findings, each time that an audit sees them. */
  auditFindings: 'AuditFindings',
  auditFindingsNew: 'AuditFindingsNew',
  /** Findings, or pages of them, that could not be read or understood. */
  auditFindingsUnreadable: 'AuditFindingsUnreadable',
  /** Findings for people: about the account, a CA, a policy, a role. */
  auditAccountFinding: 'AuditAccountFinding',
  /** … about a device, where no machine does something about it. */
  auditDeviceFinding: 'AuditDeviceFinding',
  /** Certificates that were found due; in mode `observe` counted all the same. */
  rotationsFound: 'RotationsFound',
  rotationsOpened: 'RotationsOpened',
  /** Ended before they were replaced. */
  expiredUnrotated: 'ExpiredUnrotated',
  campaignLaunched: 'CampaignLaunched',
  campaignCompleted: 'CampaignCompleted',
  /** AWS IoT Jobs stopped a rollout because too many devices failed. */
  campaignAborted: 'CampaignAborted',
  rotationRetired: 'RotationRetired',
  /** Failed, timed out, cancelled or never proved: the new certificate, if any, was taken back, the old one stays. */
  rotationWithdrawn: 'RotationWithdrawn',
  /** A device comes close to its deadline: told at each mark once. */
  rotationEscalated: 'RotationEscalated',
  rotationDeadlineMissed: 'RotationDeadlineMissed',
  /** A certificate was not taken out of the fleet because the other one of its thing is not ACTIVE. */
  retirementBlocked: 'RetirementBlocked',
  retireFailed: 'RetireFailed',
  rotationIssued: 'RotationIssued',
  rotationProved: 'RotationProved',
  /** A request or a proof was refused, for whatever reason. */
  rotationRefused: 'RotationRefused',
  /** … for a reason that an honest device never gives: another's name, a key that is known, the rights of a CA. */
  rotationSuspicious: 'RotationSuspicious',
  /** … for a reason that only a person can resolve: the new certificate is not allowed what the old one was, or has been deactivated. */
  rotationNotPermitted: 'RotationNotPermitted',
  /** The CA issued something else than was ordered: it was not registered. */
  issuedNotAsOrdered: 'IssuedNotAsOrdered',
  /** The CA does not take a request that we found in order. */
  requestRefusedByCa: 'RequestRefusedByCa',
  /** A certificate was issued for a rotation and never arrived there: revoked at its CA. */
  orphanSuperseded: 'OrphanSuperseded',
  /** A certificate is out of the fleet and only people can revoke it at its CA. */
  supersedeByHand: 'SupersedeByHand',
  /** Thing group and job of a campaign were deleted, long after its end. */
  campaignTidied: 'CampaignTidied',
  /** A CRL of a CA whose key we hold was put into the bucket. */
  crlPublished: 'CrlPublished',
  crlPublishFailed: 'CrlPublishFailed',
  /** Until nextUpdate of the CRL that we published last: told at each regular look. */
  crlSecondsLeft: 'CrlSecondsLeft',
  /** Behaviours that were not met, are met again, or can be judged no more. */
  violationsRaised: 'ViolationsRaised',
  violationsCleared: 'ViolationsCleared',
  violationsInvalidated: 'ViolationsInvalidated',
  /** … of which people are told: every response but `observe`. */
  violationToNotify: 'ViolationToNotify',
  /** Events that the built-in monitor has counted. */
  monitorEvents: 'MonitorEvents',
  /** Copies of events that were counted before. */
  monitorCopies: 'MonitorCopies',
  /** Events that came so late that their window was closed. */
  monitorLate: 'MonitorLate',
  /** A record of the stream that is none of ours. */
  monitorUnreadable: 'MonitorUnreadable',
  /** A report of a device that is not in Device Defender's form. */
  reportUnreadable: 'ReportUnreadable',
  /** Size of the state of a window, of one megabyte. */
  monitorStateBytes: 'MonitorStateBytes',
  /** Events that were not counted, or clients that were given up, because the state of a window was full. */
  monitorLost: 'MonitorLost',
  /** The monitor counts refusals out of the log of AWS IoT, and AWS IoT does not write them there. */
  refusalsNotLogged: 'RefusalsNotLogged',
  /** Things that somebody wanted contained, by violation, finding, event or word; in mode `observe` counted all the same. */
  containmentsFound: 'ContainmentsFound',
  contained: 'Contained',
  released: 'Released',
  releaseRefused: 'ReleaseRefused',
  /** All that are contained at the moment. */
  thingsContained: 'ThingsContained',
  containmentsHeld: 'ContainmentsHeld',
  /** A thing that machines never contain has misbehaved. */
  neverListed: 'NeverListed',
  /** The configuration answers a violation by telling people; or nobody knows the thing or the behaviour. */
  violationNotified: 'ViolationNotified',
  /** Cleared, stale, suppressed, handled before: nothing was done. */
  violationsLeft: 'ViolationsLeft',
  /** A message named a violation or finding that its source does not know. */
  violationForged: 'ViolationForged',
  shutOffDone: 'ShutOffDone',
  /** … of them, said to an AWS IoT command before it was said to the job. */
  shutOffByCommand: 'ShutOffByCommand',
  shutOffUnanswered: 'ShutOffUnanswered',
  timeBoxOver: 'TimeBoxOver',
  containmentStuck: 'ContainmentStuck',
  /** A contained thing has rights beside repair. */
  containmentWeakened: 'ContainmentWeakened',
  certificatesAdopted: 'CertificatesAdopted',
  rekeyFailed: 'RekeyFailed',
} as const;

/** Unit in CloudWatch's own words. */
export function unitOf(metric: string): 'Seconds' | 'Count' {
  return metric.includes('Seconds') ? 'Seconds' : 'Count';
}

export type MetricName = (typeof METRICS)[keyof typeof METRICS];
