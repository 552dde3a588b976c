/**
 * The words and messages of the audit capability.
 *
 *     Device Defender audit ─► SNS topic ─► collect queue ─► collect: describe the task, page its findings ─► start queue of rotation
 *     operator: `fleetwarden audit` ──────► {task} ─┘             │  {page} … to itself                    ─► intake queue of quarantine
 *     every six hours ────────────────────► {watch} ┘             └─► ledger, metrics, alarms
 *
 * The notification holds counts, no findings (FACTS C5), and everybody who may publish to the topic can write one: it is a hint that a task has ended.
 */
import { z } from 'zod';

/** `[a-zA-Z0-9-]{1,40}` in the API of AWS IoT. */
const taskId = z.string().regex(/^[a-zA-Z0-9-]{1,40}$/);

/**
 * What Device Defender writes when an audit of the account is over, of whatever name (schema `auditnotification/1.0`, FACTS C5). Only the id is
 * used: everything else is read again.
 */
export const AuditNotification = z.object({ taskId, taskStatus: z.string(), scheduledAuditName: z.string().optional() });
export type AuditNotification = z.infer<typeof AuditNotification>;

/** How far the findings of one task are read. `nextToken`: of the first page that is not done. */
export const AuditPage = z.object({
  kind: z.literal('page'),
  taskId,
  nextToken: z.string().min(1),
});
export type AuditPage = z.infer<typeof AuditPage>;

/** What is sent to the collect queue by this application and its people. */
export const AuditOrder = z.discriminatedUnion('kind', [
  AuditPage,
  /** A task of ours: an on-demand audit that a person began, or one whose notification was lost. */
  z.object({ kind: z.literal('task'), taskId, by: z.string().min(1).max(2048) }),
  /** Has an audit of ours come to its end lately? Is one left that nobody has collected? */
  z.object({ kind: z.literal('watch') }),
]);
export type AuditOrder = z.infer<typeof AuditOrder>;

/** A message that SNS has wrapped: a subscription without raw message delivery. */
const Wrapped = z.object({ Type: z.literal('Notification'), Message: z.string() }).transform(({ Message }, context): unknown => {
  try {
    return JSON.parse(Message);
  } catch {
    context.addIssue({ code: 'custom', message: 'expected JSON in Message' });
    return z.NEVER;
  }
});

/** One message on the collect queue. */
export const AuditMessage = z.union([AuditOrder, AuditNotification, Wrapped.pipe(AuditNotification)]);
export type AuditMessage = z.infer<typeof AuditMessage>;

/** How the scheduled audit is named. AWS takes `[a-zA-Z0-9_-]` (FACTS C3). */
export const scheduledAuditName = (prefix: string): string => `${prefix}-audit`;

export const AUDIT_FREQUENCIES = ['DAILY', 'WEEKLY', 'BIWEEKLY', 'MONTHLY'] as const;
export type AuditFrequency = (typeof AUDIT_FREQUENCIES)[number];

/** The longest time between two audits, in days. */
export const AUDIT_PERIOD_DAYS: Readonly<Record<AuditFrequency, number>> = { DAILY: 1, WEEKLY: 7, BIWEEKLY: 14, MONTHLY: 31 };
