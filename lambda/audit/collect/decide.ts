/**
 * Fails towards not acting: only an audit of ours that AWS IoT itself says is over is read, and only a finding that is not suppressed calls for
 * anything. An audit, or a check, that failed is never taken for one that found nothing.
 */
import type { AuditResponse } from '../../../domain/fleet/audit-checks.js';
import type { Reason } from '../../../domain/fleet/reasons.js';

const DAY_MS = 86_400_000;
/** Asked again after so long if the finding is still there: whatever was begun then has come to nothing. */
const ASK_AGAIN_MS = 7 * DAY_MS;
/** AWS chooses the hour of a scheduled audit, and an audit takes hours. */
const SLACK_MS = 6 * 3_600_000;

export interface TaskFacts {
  /** `undefined`: AWS IoT knows no such task. */
  readonly task?: {
    readonly status: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'CANCELED';
    readonly scheduledAuditName?: string;
    readonly checks: readonly { readonly checkName: string; readonly status: string }[];
  };
  /** Is it on record as ours: an audit on demand that one of us began? */
  readonly claimed: boolean;
  /** Have all its findings been read? */
  readonly collected: boolean;
}

export type TaskDecision =
  | { readonly do: 'ignore'; readonly reason: Reason }
  /** Not over, although somebody says so. */
  | { readonly do: 'wait'; readonly reason: Reason }
  | {
      readonly do: 'collect';
      readonly reason: Reason;
      /** Checks whose findings are complete, as AWS spells them. */
      readonly complete: readonly string[];
      /** Checks that failed, were cancelled, or have an end that is not known here. */
      readonly failed: readonly string[];
    };

export function decideTask({ task, claimed, collected }: TaskFacts, ourScheduledAudit: string): TaskDecision {
  if (task === undefined) return { do: 'ignore', reason: 'audit-unknown' };
  // The topic gets every audit of the account (FACTS C5). Equality, never a prefix: `plant-audit` is not `plant-audit-2`.
  if (!claimed && task.scheduledAuditName !== ourScheduledAudit) return { do: 'ignore', reason: 'not-our-audit' };
  if (task.status === 'IN_PROGRESS') return { do: 'wait', reason: 'audit-running' };
  if (collected) return { do: 'ignore', reason: 'audit-collected' };
  const isComplete = ({ status }: { readonly status: string }): boolean =>
    status === 'COMPLETED_COMPLIANT' || status === 'COMPLETED_NON_COMPLIANT';
  const named = (complete: boolean): string[] =>
    task.checks.filter((check) => isComplete(check) === complete).map(({ checkName }) => checkName);
  // A task may be COMPLETED with checks that failed (FACTS C5), and one that was cancelled may have checks that are complete.
  return {
    do: 'collect',
    reason: task.status === 'COMPLETED' ? 'audit-completed' : 'audit-failed',
    complete: named(true),
    failed: named(false),
  };
}

export interface FindingFacts {
  readonly isSuppressed: boolean;
  /** Start of the audit that it is of. */
  readonly taskStartedMs: number;
  /** What is on record of the same check and resource. */
  readonly known?: { readonly seenAtMs: number; readonly askedAtMs?: number };
  /** What is on record of its check. */
  readonly check?: { readonly begunMs: number; readonly completedMs?: number };
}

export interface FindingPolicy {
  readonly response: AuditResponse;
  readonly rotationIsOn: boolean;
  readonly quarantineIsOn: boolean;
}

export type FindingDecision =
  | { readonly do: 'leave'; readonly reason: Reason }
  | {
      readonly do: 'record';
      readonly reason: Reason;
      /** What it calls for here: where the machine that would act is off, people are told. */
      readonly response: AuditResponse;
      /** Is a machine to be asked now? Of `notify`: are people to be told now? */
      readonly asks: boolean;
    };

export function decideFinding(
  { isSuppressed, taskStartedMs, known, check }: FindingFacts,
  policy: FindingPolicy,
  nowMs: number,
): FindingDecision {
  // A person has suppressed it in AWS IoT, with a reason and perhaps a date.
  if (isSuppressed) return { do: 'leave', reason: 'suppressed-in-aws' };
  // Audits may overlap: what a newer one says counts.
  if ((check?.begunMs ?? 0) > taskStartedMs) return { do: 'leave', reason: 'newer-audit' };
  const response = possible(policy);
  const isNew = known === undefined;
  // It was gone in a complete audit in between: whatever was done about it before is over.
  const isBack = !isNew && check?.completedMs !== undefined && known.seenAtMs < check.completedMs;
  const reason: Reason = isNew ? 'finding-new' : isBack ? 'finding-returned' : 'finding-again';
  return { do: 'record', reason, response, asks: isNew || isBack || asksAgain(response, known, nowMs) };
}

function possible({ response, rotationIsOn, quarantineIsOn }: FindingPolicy): AuditResponse {
  if (response === 'rotate' && !rotationIsOn) return 'notify';
  if (response === 'contain' && !quarantineIsOn) return 'notify';
  return response;
}

function asksAgain(response: AuditResponse, { askedAtMs }: { readonly askedAtMs?: number }, nowMs: number): boolean {
  switch (response) {
    // As long as it stands, each audit says so: an alarm that went away by itself would be taken for a cure.
    case 'notify':
    case 'revoke':
      return true;
    // Nobody has asked yet: rotation was switched on since. Or what was begun has come to nothing.
    case 'rotate':
      return askedAtMs === undefined || nowMs - askedAtMs >= ASK_AGAIN_MS;
    // A person may have released the thing meanwhile, with good reason: not contained a second time for what was known then.
    case 'contain':
      return askedAtMs === undefined;
  }
}

/** Has no scheduled audit of ours been read for two periods? */
export function isSilent(lastStartedMs: number, periodDays: number, nowMs: number): boolean {
  return nowMs - lastStartedMs > 2 * periodDays * DAY_MS + SLACK_MS;
}
