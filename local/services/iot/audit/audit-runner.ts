/**
 * Runs an audit: each check under the rights of the audit role, findings, metrics, and the message to the topic when it is over.
 * https://docs.aws.amazon.com/iot-device-defender/latest/devguide/device-defender-audit.html
 */
import { randomBytes } from 'node:crypto';
import type { IotState } from '../state.js';
import { suppressionKey, type AuditFinding, type AuditState, type AuditTask, type CheckRun } from './audit.js';
import { AUDIT_CHECKS } from './checks.js';
import { completionMessage } from './completion-message.js';
import type { Evaluation } from './non-compliance.js';

const SERVICE = 'iot.amazonaws.com';
/** AWS takes minutes to hours. */
const DURATION_MS = 1000;
const RETENTION_MS = 90 * 24 * 60 * 60_000;
const hex32 = (): string => randomBytes(16).toString('hex');

class CheckFailed extends Error {
  constructor(
    message: string,
    readonly errorCode?: 'INSUFFICIENT_PERMISSIONS' | 'AUDIT_CHECK_DISABLED',
  ) {
    super(message);
  }
}

export class AuditRunner {
  constructor(
    private readonly state: IotState,
    private readonly audit: AuditState,
  ) {}

  /** The task is IN_PROGRESS when this returns; its checks are evaluated a moment later. */
  start(checkNames: readonly string[], scheduledAuditName?: string): AuditTask {
    this.forgetOld();
    const task: AuditTask = {
      taskId: hex32(),
      taskType: scheduledAuditName === undefined ? 'ON_DEMAND_AUDIT_TASK' : 'SCHEDULED_AUDIT_TASK',
      ...(scheduledAuditName === undefined ? {} : { scheduledAuditName }),
      startedAtMs: this.state.now(),
      checks: new Map(checkNames.map((name) => [name, { status: 'IN_PROGRESS' }])),
      status: 'IN_PROGRESS',
    };
    this.audit.tasks.set(task.taskId, task);
    this.state.cloud.world.clock.after(DURATION_MS, () => this.run(task));
    return task;
  }

  async cancel(task: AuditTask): Promise<void> {
    task.status = 'CANCELED';
    for (const run of task.checks.values()) if (run.status === 'IN_PROGRESS') run.status = 'CANCELED';
    await this.notify(task);
  }

  private async run(task: AuditTask): Promise<void> {
    if (task.status !== 'IN_PROGRESS') return;
    for (const [checkName, run] of task.checks) this.runCheck(task, checkName, run);
    task.status = 'COMPLETED';
    this.countMetrics(task);
    await this.notify(task);
  }

  private runCheck(task: AuditTask, checkName: string, run: CheckRun): void {
    try {
      const { total, nonCompliant } = this.evaluate(checkName);
      run.total = total;
      // "Of the non-compliant resources", so many are suppressed (API_AuditCheckDetails): they count as non-compliant.
      run.nonCompliant = nonCompliant.length;
      run.suppressed = 0;
      for (const found of nonCompliant) {
        const isSuppressed = this.isSuppressed(checkName, found.resource.resourceIdentifier);
        if (isSuppressed) run.suppressed += 1;
        const finding: AuditFinding = { ...found, findingId: hex32(), task, checkName, foundAtMs: this.state.now(), isSuppressed };
        this.audit.findings.set(finding.findingId, finding);
      }
      run.status = run.nonCompliant > 0 ? 'COMPLETED_NON_COMPLIANT' : 'COMPLETED_COMPLIANT';
    } catch (error) {
      if (!(error instanceof CheckFailed)) throw error;
      run.status = 'FAILED';
      run.message = error.message;
      if (error.errorCode) run.errorCode = error.errorCode;
    }
  }

  private evaluate(checkName: string): Evaluation {
    const check = AUDIT_CHECKS[checkName]!;
    const { configuration } = this.audit;
    const settings = configuration?.checks.get(checkName);
    if (!configuration || !settings?.enabled) throw new CheckFailed('The check is disabled', 'AUDIT_CHECK_DISABLED');
    this.checkRole(configuration.roleArn, check.actions);
    if (!check.evaluate) throw new CheckFailed('The desk does not evaluate this check');
    const [[name, byDefault] = ['', 0]] = Object.entries(check.configuration ?? {});
    return check.evaluate(this.state, Number(settings.configuration?.[name] ?? byDefault));
  }

  /** Device Defender reads in the name of the role that the account's configuration gives it. */
  private checkRole(roleArn: string, actions: readonly string[]): void {
    const { iam, world } = this.state.cloud;
    try {
      iam.assume(roleArn, SERVICE, 'DeviceDefenderAudit', `arn:${world.partition}:iot:${world.region}:${world.accountId}:`);
    } catch {
      throw new CheckFailed('Not enough permission to run the check', 'INSUFFICIENT_PERMISSIONS');
    }
    if (!actions.every((action) => iam.roleAllows(roleArn, { action, resource: '*' }).allowed))
      throw new CheckFailed('Not enough permission to run the check', 'INSUFFICIENT_PERMISSIONS');
  }

  private isSuppressed(checkName: string, resourceIdentifier: Readonly<Record<string, unknown>>): boolean {
    const held = this.audit.suppressions.get(suppressionKey(checkName, resourceIdentifier));
    return held !== undefined && (held.suppressIndefinitely === true || (held.expirationDate?.getTime() ?? 0) > this.state.now());
  }

  private async notify(task: AuditTask): Promise<void> {
    const { targetArn, roleArn, enabled } = this.audit.configuration?.notification ?? {};
    if (!enabled || !targetArn || !roleArn) return;
    const { world } = this.state.cloud;
    const { allowed } = await this.state.cloud.deliver({
      service: SERVICE,
      // Sic, without a resource: https://docs.aws.amazon.com/iot/latest/developerguide/cross-service-confused-deputy-prevention.html.
      sourceArn: `arn:${world.partition}:iot:${world.region}:${world.accountId}:`,
      targetArn,
      roleArn,
      payload: JSON.stringify(completionMessage(task, world.accountId)),
    });
    if (!allowed) this.count('MisconfiguredDeviceDefenderNotification', {}, 1);
  }

  private countMetrics({ checks, scheduledAuditName }: AuditTask): void {
    if (scheduledAuditName === undefined) return;
    for (const [CheckName, { total, nonCompliant }] of checks) {
      if (total === undefined || nonCompliant === undefined) continue;
      this.count('NonCompliantResources', { ScheduledAuditName: scheduledAuditName, CheckName }, nonCompliant);
      this.count('ResourcesEvaluated', { ScheduledAuditName: scheduledAuditName, CheckName }, total);
    }
  }

  private count(name: string, dimensions: Readonly<Record<string, string>>, value: number): void {
    this.state.cloud.parts.metrics?.([{ namespace: 'AWS/IoT', name, dimensions, value, unit: 'Count' }]);
  }

  private forgetOld(): void {
    const oldest = this.state.now() - RETENTION_MS;
    for (const [id, { foundAtMs }] of this.audit.findings) if (foundAtMs < oldest) this.audit.findings.delete(id);
    for (const [id, { startedAtMs }] of this.audit.tasks) if (startedAtMs < oldest) this.audit.tasks.delete(id);
  }
}
