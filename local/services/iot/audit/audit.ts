/** What Device Defender audit keeps: the account's configuration, schedules, tasks, findings, suppressions. */
import type { NonCompliance } from './non-compliance.js';

export interface AuditConfiguration {
  readonly roleArn: string;
  readonly notification?: { readonly targetArn?: string; readonly roleArn?: string; readonly enabled?: boolean };
  /** checkName → its settings, for checks that were ever named. */
  readonly checks: ReadonlyMap<string, { readonly enabled: boolean; readonly configuration?: Readonly<Record<string, string>> }>;
}

export interface ScheduledAudit {
  readonly scheduledAuditName: string;
  readonly arn: string;
  readonly createdAtMs: number;
  frequency: 'DAILY' | 'WEEKLY' | 'BIWEEKLY' | 'MONTHLY';
  dayOfWeek?: string;
  dayOfMonth?: string;
  targetCheckNames: readonly string[];
  cancel: () => void;
}

export type CheckStatus = 'IN_PROGRESS' | 'CANCELED' | 'COMPLETED_COMPLIANT' | 'COMPLETED_NON_COMPLIANT' | 'FAILED';

export interface CheckRun {
  status: CheckStatus;
  total?: number;
  nonCompliant?: number;
  suppressed?: number;
  errorCode?: string;
  message?: string;
}

export interface AuditTask {
  readonly taskId: string;
  readonly taskType: 'ON_DEMAND_AUDIT_TASK' | 'SCHEDULED_AUDIT_TASK';
  readonly scheduledAuditName?: string;
  readonly startedAtMs: number;
  readonly checks: ReadonlyMap<string, CheckRun>;
  status: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'CANCELED';
}

export interface AuditFinding extends NonCompliance {
  readonly findingId: string;
  readonly task: AuditTask;
  readonly checkName: string;
  readonly foundAtMs: number;
  readonly isSuppressed: boolean;
}

export interface AuditSuppression {
  readonly checkName: string;
  readonly resourceIdentifier: Readonly<Record<string, unknown>>;
  expirationDate?: Date;
  suppressIndefinitely?: boolean;
  description?: string;
}

export class AuditState {
  configuration: AuditConfiguration | undefined;
  readonly schedules = new Map<string, ScheduledAudit>();
  readonly tasks = new Map<string, AuditTask>();
  readonly findings = new Map<string, AuditFinding>();
  /** By `suppressionKey`. */
  readonly suppressions = new Map<string, AuditSuppression>();
}

/** One suppression for a check and a resource. */
export const suppressionKey = (checkName: string, resourceIdentifier: Readonly<Record<string, unknown>>): string =>
  `${checkName} ${canonical(resourceIdentifier)}`;

export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const pairs = Object.entries(value as Record<string, unknown>).filter(([, item]) => item !== undefined);
  return `{${pairs
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
    .join()}}`;
}
