/**
 * Fails towards leaving the account as it is: only what is missing is added, only what this installation itself has set is replaced, and nothing is ever
 * switched off. What cannot be added without taking something away from somebody is refused, with a sentence that says what to do.
 */
import { auditCheck } from '../../../domain/fleet/audit-checks.js';
import type { WantedAudit } from './event.js';

/** As AWS IoT has it. */
export interface AuditFacts {
  readonly roleArn?: string;
  readonly target?: { readonly targetArn?: string; readonly roleArn?: string; readonly enabled: boolean };
  readonly checks: Readonly<Record<string, { readonly enabled: boolean; readonly configuration: Readonly<Record<string, string>> }>>;
  /** ARNs that this installation has set before. */
  readonly ours: ReadonlySet<string>;
}

export interface AuditPatch {
  readonly roleArn?: string;
  readonly target?: { readonly targetArn: string; readonly roleArn: string };
  readonly checks: Readonly<Record<string, { readonly configuration?: Readonly<Record<string, string>> }>>;
}

export type AuditDecision =
  { readonly do: 'nothing' } | { readonly do: 'patch'; readonly patch: AuditPatch } | { readonly do: 'refuse'; readonly because: string };

export function decideAudit(facts: AuditFacts, wanted: WantedAudit): AuditDecision {
  const target = decideTarget(facts, wanted);
  if (target.do === 'refuse') return target;
  // Another role that works is left alone: audits under it are as good. One that we made may be gone with the stack that made it.
  const roleIsFree = facts.roleArn === undefined || facts.ours.has(facts.roleArn);
  const patch = {
    ...(roleIsFree && facts.roleArn !== wanted.RoleArn ? { roleArn: wanted.RoleArn } : {}),
    ...(target.do === 'set' ? { target: target.target } : {}),
    checks: missingChecks(facts, wanted),
  };
  const isEmpty = patch.roleArn === undefined && patch.target === undefined && Object.keys(patch.checks).length === 0;
  return isEmpty ? { do: 'nothing' } : { do: 'patch', patch };
}

type TargetDecision =
  | { readonly do: 'keep' }
  | { readonly do: 'set'; readonly target: NonNullable<AuditPatch['target']> }
  | { readonly do: 'refuse'; readonly because: string };

/** An account has one SNS target for its audits. Ours in place of another’s would make somebody else deaf. */
function decideTarget({ target, ours }: AuditFacts, { TopicArn, NotificationRoleArn }: WantedAudit): TargetDecision {
  const inUse = target?.enabled === true ? target.targetArn : undefined;
  if (NotificationRoleArn === undefined) {
    if (inUse === TopicArn) return { do: 'keep' };
    return { do: 'refuse', because: `SNS target of the account’s audits: got ${inUse ?? 'none'}, expected ${TopicArn} (audit.topicArn)` };
  }
  if (inUse === TopicArn && target?.roleArn === NotificationRoleArn) return { do: 'keep' };
  if (inUse === undefined || inUse === TopicArn || ours.has(inUse))
    return { do: 'set', target: { targetArn: TopicArn, roleArn: NotificationRoleArn } };
  return {
    do: 'refuse',
    because: `SNS target of the account’s audits: got ${inUse}, which is not this installation’s; expected none. Set audit.topicArn to that topic: its messages are then read, and the target stays`,
  };
}

/** Checks that are off, or whose threshold is another one. A check that is on and not wanted here stays on. */
function missingChecks({ checks }: AuditFacts, wanted: WantedAudit): AuditPatch['checks'] {
  const days = { CERT_EXPIRATION_THRESHOLD_IN_DAYS: wanted.ExpirationThresholdDays, CERT_AGE_THRESHOLD_IN_DAYS: wanted.AgeThresholdDays };
  const missing: Record<string, { readonly configuration?: Readonly<Record<string, string>> }> = {};
  for (const name of wanted.Checks) {
    const { threshold } = auditCheck(name);
    const value = threshold && days[threshold];
    const has = checks[name];
    const isThere = has?.enabled === true && (threshold === undefined || value === undefined || has.configuration[threshold] === value);
    if (isThere) continue;
    // Strings: AWS IoT takes no numbers here (FACTS C2).
    missing[name] = threshold === undefined || value === undefined ? {} : { configuration: { [threshold]: value } };
  }
  return missing;
}

/** Event types that are not enabled yet. */
export function missingEvents(enabled: ReadonlySet<string>, wanted: readonly string[]): readonly string[] {
  return wanted.filter((type) => !enabled.has(type));
}
