/** The neighbours of `collect` in memory: Device Defender with its tasks and findings, the ledger's side, and those who act. */
import { createHash } from 'node:crypto';
import { AUDIT_CHECKS, type AuditCheckName, type AuditResponse } from '../../../domain/fleet/audit-checks.js';
import type { AuditMessage, AuditOrder } from '../../../domain/protocol/audit.js';
import type { AuditContainment } from '../../../domain/protocol/containment.js';
import type { CollectPorts, CollectSettings } from '../../../lambda/audit/collect/ports.js';
import { run } from '../../../lambda/audit/collect/run.js';
import {
  findingKey,
  isOpen,
  type AuditRecord,
  type AuditRecords,
  type CheckRecord,
  type FindingRecord,
  type RecordedCheck,
} from '../../../lambda/ports/audit-record.js';
import type { AuditFinding, AuditTask, Audits } from '../../../lambda/ports/audits.js';
import type { AuditResponses } from '../../../lambda/ports/audit-responses.js';
import { TestClock } from '../../revocation/memory/clock.js';
import { MemoryDecisions, MemoryPace } from '../../revocation/memory/ledger.js';
import { MemorySignals } from '../../revocation/memory/world.js';

export const SCHEDULE = 'fleetwarden-audit';
const DAY = 86_400_000;

export const certificateIdOf = (name: string): string => createHash('sha256').update(name).digest('hex');

export class MemoryAudits implements Audits {
  readonly tasks = new Map<string, AuditTask>();
  readonly found = new Map<string, AuditFinding[]>();
  /** Findings on one page. */
  pageSize = 250;
  /** The next so many pages fail. */
  failures = 0;

  async describe(taskId: string) {
    return this.tasks.get(taskId);
  }
  async findings(taskId: string, token: string | undefined) {
    if (this.failures > 0) {
      this.failures -= 1;
      throw Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' });
    }
    const all = this.found.get(taskId) ?? [];
    const from = Number(token ?? 0);
    const to = from + this.pageSize;
    const page = all.slice(from, to);
    return {
      findings: page.filter(({ resource }) => resource !== ''),
      unreadable: page.filter(({ resource }) => resource === '').map(({ findingId }) => findingId),
      ...(to < all.length && { nextToken: String(to) }),
    };
  }
  async *ended(fromMs: number, toMs: number) {
    for (const { taskId, status, startedAtMs } of this.tasks.values())
      if (status !== 'IN_PROGRESS' && startedAtMs >= fromMs && startedAtMs <= toMs) yield taskId;
  }
  async start(): Promise<string> {
    throw new Error('collect begins no audit');
  }
}

export class MemoryAuditRecords implements AuditRecords {
  readonly audits = new Map<string, AuditRecord>();
  readonly checkRows = new Map<RecordedCheck, CheckRecord>();
  readonly findings = new Map<string, FindingRecord>();
  sinceMs: number | undefined;

  async task(taskId: string) {
    return this.audits.get(taskId);
  }
  async *tasks() {
    yield* this.audits.values();
  }
  async claim(taskId: string, by: string) {
    if (!this.audits.has(taskId)) this.audits.set(taskId, { taskId, by });
  }
  async collected(taskId: string, startedAtMs: number, atMs: number) {
    this.audits.set(taskId, { by: '', ...this.audits.get(taskId), taskId, startedAtMs, collectedAtMs: atMs });
  }
  async watchedSince(nowMs: number) {
    this.sinceMs ??= nowMs;
    return this.sinceMs;
  }
  async checks() {
    return new Map(this.checkRows);
  }
  async begin(checks: readonly RecordedCheck[], startedAtMs: number) {
    for (const checkName of checks) {
      const before = this.checkRows.get(checkName);
      this.checkRows.set(checkName, { ...before, checkName, begunMs: Math.max(before?.begunMs ?? 0, startedAtMs) });
    }
  }
  async complete(checkName: RecordedCheck, run: { readonly taskId: string; readonly startedAtMs: number; readonly nonCompliant: number }) {
    const before = this.checkRows.get(checkName) ?? { checkName, begunMs: run.startedAtMs };
    if ((before.completedMs ?? -1) >= run.startedAtMs) return;
    this.checkRows.set(checkName, { ...before, completedMs: run.startedAtMs, taskId: run.taskId, nonCompliant: run.nonCompliant });
  }
  async known(findings: readonly Pick<FindingRecord, 'checkName' | 'resource'>[]) {
    return new Map(
      findings.flatMap((finding) => {
        const row = this.findings.get(findingKey(finding));
        return row ? [[findingKey(finding), row] as const] : [];
      }),
    );
  }
  async put(findings: readonly FindingRecord[]) {
    for (const finding of findings) this.findings.set(findingKey(finding), finding);
  }
  async *of(checkName: RecordedCheck) {
    for (const finding of this.findings.values()) if (finding.checkName === checkName) yield finding;
  }
}

/** A finding about a device certificate, unless told otherwise. */
export function finding(name: string, changes: Partial<AuditFinding> = {}): AuditFinding {
  const certificateId = certificateIdOf(name);
  return {
    findingId: `finding-of-${name}`,
    checkName: 'DEVICE_CERTIFICATE_EXPIRING_CHECK',
    severity: 'MEDIUM',
    resourceType: 'DEVICE_CERTIFICATE',
    resource: certificateId,
    certificateId,
    reasonCode: 'CERTIFICATE_APPROACHING_EXPIRATION',
    isSuppressed: false,
    ...changes,
  };
}

/** A finding about something else than a certificate. */
export function otherFinding(checkName: string, resource: string): AuditFinding {
  const { certificateId: _id, ...rest } = finding(resource, { checkName, resource, resourceType: 'IOT_POLICY', reasonCode: 'ALLOWS' });
  return rest;
}

export class AuditWorld {
  readonly clock = new TestClock();
  readonly signals = new MemorySignals();
  readonly decisions = new MemoryDecisions();
  readonly pace = new MemoryPace();
  readonly audits = new MemoryAudits();
  readonly records = new MemoryAuditRecords();
  readonly orders: AuditOrder[] = [];
  readonly queue = { send: async (order: AuditOrder) => void this.orders.push(order) };
  readonly rotated: { readonly certificateIds: readonly string[]; readonly taskId: string }[] = [];
  readonly contained: AuditContainment[] = [];
  sweeps = 0;
  readonly responses: AuditResponses;
  /** Of each call: so long after its beginning nothing new is begun. */
  callMs = 240_000;

  constructor({ rotation = true, quarantine = false }: { readonly rotation?: boolean; readonly quarantine?: boolean } = {}) {
    this.responses = {
      ...(rotation && {
        rotate: async (certificateIds: readonly string[], taskId: string) => void this.rotated.push({ certificateIds, taskId }),
      }),
      ...(quarantine && { contain: async (findings: readonly AuditContainment[]) => void this.contained.push(...findings) }),
      sweepCrls: async () => void (this.sweeps += 1),
    };
  }

  get ports(): CollectPorts {
    return this;
  }
  get settings(): CollectSettings {
    const response = Object.fromEntries(Object.entries(AUDIT_CHECKS).map(([name, check]) => [name, check.response])) as Record<
      AuditCheckName,
      AuditResponse
    >;
    return { scheduledAuditName: SCHEDULE, periodDays: 1, pagesPerSecond: 9, response, deadlineMs: this.clock.nowMs() + this.callMs };
  }

  /** An audit that is over, with these findings. Checks without one are compliant, unless `checks` says otherwise. */
  audit(taskId: string, findings: readonly AuditFinding[], changes: Partial<AuditTask> = {}): string {
    const named = new Map<string, number>([
      ['LOGGING_DISABLED_CHECK', 0],
      ['DEVICE_CERTIFICATE_EXPIRING_CHECK', 0],
    ]);
    for (const { checkName } of findings) named.set(checkName, (named.get(checkName) ?? 0) + 1);
    this.audits.found.set(taskId, [...findings]);
    this.audits.tasks.set(taskId, {
      taskId,
      status: 'COMPLETED',
      scheduledAuditName: SCHEDULE,
      startedAtMs: this.clock.nowMs(),
      checks: [...named].map(([checkName, nonCompliant]) => ({
        checkName,
        status: nonCompliant > 0 ? ('COMPLETED_NON_COMPLIANT' as const) : ('COMPLETED_COMPLIANT' as const),
        nonCompliant,
      })),
      ...changes,
    });
    return taskId;
  }

  /** Delivers a message, and what comes of it, until the queue is empty. */
  async deliver(message: AuditMessage): Promise<void> {
    await run(this.ports, this.settings, message);
    for (let next = this.orders.shift(); next !== undefined; next = this.orders.shift()) await run(this.ports, this.settings, next);
  }
  notify(taskId: string): Promise<void> {
    return this.deliver({ taskId, taskStatus: 'COMPLETED' });
  }
  nextDay(): void {
    this.clock.advance(DAY);
  }

  get open(): readonly FindingRecord[] {
    return [...this.records.findings.values()].filter((row) => isOpen(row, this.records.checkRows.get(row.checkName)));
  }
  metric(name: string): number {
    return this.signals.metrics.get(name) ?? 0;
  }
  /** Everything that must be the same whether or not a process has died on the way. */
  endState(): object {
    const { audits, checkRows, findings } = this.records;
    const withoutTimes = [...findings].map(([key, { askedAtMs, ...row }]) => [key, { ...row, asked: askedAtMs !== undefined }]);
    return {
      audits: [...audits].map(([key, { collectedAtMs, ...row }]) => [key, { ...row, collected: collectedAtMs !== undefined }]),
      checks: [...checkRows],
      findings: withoutTimes,
      rotated: [...new Set(this.rotated.flatMap(({ certificateIds }) => certificateIds))].toSorted(),
      contained: [...new Set(this.contained.map(({ findingId }) => findingId))].toSorted(),
      swept: this.sweeps > 0,
      reasons: [...new Set(this.decisions.rows.map(({ subject, act, reason }) => `${subject} ${act} ${reason}`))].toSorted(),
    };
  }
}
