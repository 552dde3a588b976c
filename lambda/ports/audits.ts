import type { AuditCheckName, AuditSeverity } from '../../domain/fleet/audit-checks.js';

/** How one check of a task ended, or has not ended. */
export interface AuditCheckRun {
  /** As AWS spells it: perhaps in the older way, perhaps a check that is not known here. */
  readonly checkName: string;
  readonly status:
    'IN_PROGRESS' | 'WAITING_FOR_DATA_COLLECTION' | 'CANCELED' | 'COMPLETED_COMPLIANT' | 'COMPLETED_NON_COMPLIANT' | 'FAILED';
  /** Without those that are suppressed. */
  readonly nonCompliant: number;
  readonly errorCode?: string;
  readonly message?: string;
}

export interface AuditTask {
  readonly taskId: string;
  readonly status: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'CANCELED';
  readonly scheduledAuditName?: string;
  readonly startedAtMs: number;
  readonly checks: readonly AuditCheckRun[];
}

/** One finding as AWS IoT lists it. */
export interface AuditFinding {
  readonly findingId: string;
  /** As AWS spells it. */
  readonly checkName: string;
  readonly severity: AuditSeverity;
  readonly resourceType: string;
  /** Its name in one line (domain/fleet/audit-resource.ts). */
  readonly resource: string;
  /** Where it is about a certificate of a device. */
  readonly certificateId?: string;
  readonly reasonCode: string;
  readonly isSuppressed: boolean;
}

export interface AuditFindingsPage {
  readonly findings: readonly AuditFinding[];
  /** Ids of those that could not be understood. Their neighbours are. */
  readonly unreadable: readonly string[];
  /** Absent on the last page. */
  readonly nextToken?: string;
}

/** Audits of AWS IoT Device Defender. Reads only, but for `start`. */
export interface Audits {
  /** `undefined`: no such task, or older than 90 days. */
  describe(taskId: string): Promise<AuditTask | undefined>;
  /** Up to 250 findings of a task; those that are suppressed are left out by AWS. */
  findings(taskId: string, nextToken: string | undefined): Promise<AuditFindingsPage>;
  /** Ids of tasks that have ended, whoever began them. */
  ended(fromMs: number, toMs: number): AsyncIterable<string>;
  /** Begins an audit on demand; resolves to its taskId. AWS refuses a check that is not enabled. */
  start(checks: readonly AuditCheckName[]): Promise<string>;
}
