/**
 * Every six hours: is an audit of ours over that nobody has read (its notification was lost, a delivery died for good)? It is begun again. And has no
 * scheduled audit been read for two periods? Silence must not look like a clean fleet.
 */
import { isSilent } from './decide.js';
import { BY, type CollectPorts, type CollectSettings } from './ports.js';

const DAY_MS = 86_400_000;
/** AWS keeps tasks and findings for so long (FACTS C3). */
const RETENTION_DAYS = 90;
/** An audit that is over since a moment is being read right now, perhaps. */
const UNDER_WAY_MS = 2 * 3_600_000;

/** `true`: the audit is silent. */
export async function watch({ audits, clock, queue, records, signals }: CollectPorts, settings: CollectSettings): Promise<boolean> {
  const nowMs = clock.nowMs();
  const sinceMs = await records.watchedSince(nowMs);
  const read = new Set<string>();
  let lastStartedMs = sinceMs;
  for await (const { taskId, by, startedAtMs, collectedAtMs } of records.tasks()) {
    if (collectedAtMs === undefined) continue;
    read.add(taskId);
    if (by === settings.scheduledAuditName) lastStartedMs = Math.max(lastStartedMs, startedAtMs ?? 0);
  }
  const fromMs = Math.max(sinceMs, nowMs - Math.min(RETENTION_DAYS, 2 * settings.periodDays + 1) * DAY_MS);
  for await (const taskId of audits.ended(fromMs, nowMs - UNDER_WAY_MS)) {
    if (read.has(taskId)) continue;
    const task = await audits.describe(taskId);
    if (task === undefined || !(task.scheduledAuditName === settings.scheduledAuditName || (await records.task(taskId)) !== undefined))
      continue;
    signals.warn('audit was not read', { taskId, scheduledAuditName: task.scheduledAuditName });
    await queue.send({ kind: 'task', taskId, by: task.scheduledAuditName ?? BY });
  }
  const silent = isSilent(lastStartedMs, settings.periodDays, nowMs);
  if (silent)
    signals.warn('no scheduled audit has been read', { since: new Date(lastStartedMs).toISOString(), periodDays: settings.periodDays });
  return silent;
}
