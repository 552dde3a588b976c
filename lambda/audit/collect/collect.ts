/**
 * One audit, page by page:
 *
 *     describe the task ─► failed checks: alarm ─► page ─► page ─► … ─(time is short)─► {page, nextToken} to itself
 *                                                                    └─(last one)─► what the complete checks have not seen again is closed
 *
 * It may die anywhere: the message comes again and does its pages once more. Rows say what has been asked for, and who is asked twice finds it done.
 * Memory holds two pages.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { CheckRecord, RecordedCheck } from '../../ports/audit-record.js';
import type { AuditFindingsPage, AuditTask } from '../../ports/audits.js';
import { decideTask, type TaskDecision } from './decide.js';
import { takePage } from './page.js';
import { BY, type CollectPorts, type CollectSettings } from './ports.js';
import { recordedCheck } from './recorded-check.js';

/** The pace of ListAuditFindings, shared by all workers. */
const PACE = 'audit';

/** `wait`: the task is not over. `nextToken`: the first page that is not done; absent, the task is begun. */
export async function collect(
  ports: CollectPorts,
  settings: CollectSettings,
  taskId: string,
  nextToken?: string,
): Promise<TaskDecision['do']> {
  const { audits, records, signals } = ports;
  const task = await audits.describe(taskId);
  const record = await records.task(taskId);
  const facts = { claimed: record !== undefined, collected: record?.collectedAtMs !== undefined };
  const decision = decideTask({ ...(task && { task }), ...facts }, settings.scheduledAuditName);
  if (decision.do !== 'collect' || task === undefined) {
    signals.info('audit not read', { taskId, scheduledAuditName: task?.scheduledAuditName, reason: decision.reason });
    return decision.do;
  }
  const complete = [...new Set(decision.complete.map(recordedCheck))];
  if (nextToken === undefined) {
    await records.claim(taskId, task.scheduledAuditName ?? BY, ports.clock.nowMs());
    noteFailures(ports, task, decision);
    await records.begin(complete, task.startedAtMs);
  }
  const checks = await records.checks();
  const unread = await readPages(ports, settings, task, checks, nextToken);
  if (unread !== undefined) await ports.queue.send({ kind: 'page', taskId, nextToken: unread });
  else await finish(ports, task, decision);
  return 'collect';
}

function noteFailures({ signals }: CollectPorts, task: AuditTask, { failed }: TaskDecision & { do: 'collect' }): void {
  const { taskId, status } = task;
  if (status !== 'COMPLETED') {
    signals.count(METRICS.auditFailed);
    signals.warn('audit did not complete', { taskId, status });
  }
  if (failed.length > 0) signals.count(METRICS.auditCheckFailed, failed.length);
  for (const { checkName, status: checkStatus, errorCode, message } of task.checks)
    if (failed.includes(checkName))
      signals.warn('audit check did not complete', { taskId, checkName, status: checkStatus, errorCode, error: message });
}

/**
 * Resolves to the token of the first page that is not done; `undefined`: all are. While a page is being handled the next one is read: its token is all that
 * has to be waited for.
 *
 *     read 1 │ read 2   │ read 3   │ …
 *            │ handle 1 │ handle 2 │ …
 */
async function readPages(
  ports: CollectPorts,
  settings: CollectSettings,
  task: AuditTask,
  checks: ReadonlyMap<RecordedCheck, CheckRecord>,
  from: string | undefined,
): Promise<string | undefined> {
  let coming = readPage(ports, settings, task.taskId, from);
  for (;;) {
    const { nextToken, ...page } = await coming;
    const isLast = nextToken === undefined;
    const timeIsShort = ports.clock.nowMs() >= settings.deadlineMs;
    if (!isLast && !timeIsShort) {
      coming = readPage(ports, settings, task.taskId, nextToken);
      // Heard when it is waited for. If the page at hand fails first, nobody waits for it.
      coming.catch(() => undefined);
    }
    await takePage(ports, settings, task, checks, page);
    if (isLast || timeIsShort) return nextToken;
  }
}

async function readPage(
  { audits, clock, pace, signals }: CollectPorts,
  { pagesPerSecond }: CollectSettings,
  taskId: string,
  token: string | undefined,
): Promise<AuditFindingsPage> {
  await clock.sleepUntil(await pace.reserve(PACE, 1, pagesPerSecond, clock.nowMs()));
  try {
    return await audits.findings(taskId, token);
  } catch (error) {
    // Tried again by the queue; what fails five times lies in the dead-letter queue, and the watch begins the task anew.
    signals.count(METRICS.auditFindingsUnreadable);
    signals.warn('page of findings could not be read', { taskId, error: String(error).slice(0, 200) });
    throw error;
  }
}

async function finish(ports: CollectPorts, task: AuditTask, { complete, failed, reason }: TaskDecision & { do: 'collect' }): Promise<void> {
  const { records, decisions, clock, signals } = ports;
  const { taskId, startedAtMs } = task;
  const counts = new Map<RecordedCheck, number>();
  for (const { checkName, nonCompliant } of task.checks) {
    if (!complete.includes(checkName)) continue;
    const name = recordedCheck(checkName);
    counts.set(name, (counts.get(name) ?? 0) + nonCompliant);
  }
  for (const [checkName, nonCompliant] of counts) await records.complete(checkName, { taskId, startedAtMs, nonCompliant });
  const nonCompliant = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const atMs = clock.nowMs();
  await decisions.append({
    subject: `AUDIT#${taskId}`,
    step: 'outcome',
    act: 'audit',
    reason,
    runId: taskId,
    by: BY,
    atMs,
    detail: { status: task.status, nonCompliant, complete: complete.length, failed: failed.join(' ') },
  });
  // Last: until here a delivery that dies is done again.
  await records.collected(taskId, startedAtMs, atMs);
  if (reason === 'audit-completed') signals.count(METRICS.auditCollected);
  signals.info('audit read', { taskId, status: task.status, nonCompliant, complete: complete.length, failed });
}
