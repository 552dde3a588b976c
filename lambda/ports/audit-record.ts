import type { AuditCheckName, AuditResponse, AuditSeverity } from '../../domain/fleet/audit-checks.js';

/** A finding in the ledger: one row for a check and a resource, over all audits. */
export interface FindingRecord {
  /** Of our table; `UNKNOWN` for a check that is not in it. */
  readonly checkName: AuditCheckName | typeof UNKNOWN_CHECK;
  readonly resource: string;
  readonly resourceType: string;
  readonly severity: AuditSeverity;
  readonly reasonCode: string;
  readonly firstSeenAtMs: number;
  /** Start of the newest audit that saw it. */
  readonly seenAtMs: number;
  readonly taskId: string;
  readonly findingId: string;
  /** What it called for when it was last seen. */
  readonly response: AuditResponse;
  /** When a machine was last asked to do something about it. */
  readonly askedAtMs?: number;
}

export const UNKNOWN_CHECK = 'UNKNOWN';
export type RecordedCheck = FindingRecord['checkName'];

/** What is known of one check over all audits. */
export interface CheckRecord {
  readonly checkName: RecordedCheck;
  /** Start of the newest audit whose findings of this check are being read, or have been. */
  readonly begunMs: number;
  /** Start of the newest audit whose findings of this check have all been read: what is not in it is closed. */
  readonly completedMs?: number;
  readonly taskId?: string;
  readonly nonCompliant?: number;
}

/** What is on record about one audit of ours. */
export interface AuditRecord {
  readonly taskId: string;
  /** Who asked for it, or the name of the schedule. */
  readonly by: string;
  readonly startedAtMs?: number;
  /** All its findings have been read. */
  readonly collectedAtMs?: number;
}

/** The ledger’s side of the audit. Reads by key are strongly consistent. */
export interface AuditRecords {
  task(taskId: string): Promise<AuditRecord | undefined>;
  tasks(): AsyncIterable<AuditRecord>;
  /** Writes down that a task is ours. There already: left as it is. */
  claim(taskId: string, by: string, atMs: number): Promise<void>;
  collected(taskId: string, startedAtMs: number, atMs: number): Promise<void>;
  /** When audits were first watched here: written by the first call, and never changed. */
  watchedSince(nowMs: number): Promise<number>;

  checks(): Promise<ReadonlyMap<RecordedCheck, CheckRecord>>;
  /** Raises `begunMs`; never lowers it. */
  begin(checks: readonly RecordedCheck[], startedAtMs: number): Promise<void>;
  /** Raises `completedMs` and what belongs to it; never lowers it. */
  complete(
    checkName: RecordedCheck,
    run: { readonly taskId: string; readonly startedAtMs: number; readonly nonCompliant: number },
  ): Promise<void>;

  /** Those of these findings that are known, by `findingKey`. */
  known(findings: readonly Pick<FindingRecord, 'checkName' | 'resource'>[]): Promise<ReadonlyMap<string, FindingRecord>>;
  put(findings: readonly FindingRecord[]): Promise<void>;
  /** All findings of a check that are on record, open ones and closed ones. */
  of(checkName: RecordedCheck): AsyncIterable<FindingRecord>;
}

export const findingKey = ({ checkName, resource }: Pick<FindingRecord, 'checkName' | 'resource'>): string => `${checkName} ${resource}`;

/** A finding that the newest complete audit of its check has not seen is closed. */
export const isOpen = ({ seenAtMs }: Pick<FindingRecord, 'seenAtMs'>, check: Pick<CheckRecord, 'completedMs'> | undefined): boolean =>
  check?.completedMs === undefined || seenAtMs >= check.completedMs;
