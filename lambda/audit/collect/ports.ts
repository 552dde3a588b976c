/** What `collect` needs of its neighbours, and its settings: one list for its kinds of messages. */
import type { AuditCheckName, AuditResponse } from '../../../domain/fleet/audit-checks.js';
import type { AuditRecords } from '../../ports/audit-record.js';
import type { AuditResponses, CollectQueue } from '../../ports/audit-responses.js';
import type { Audits } from '../../ports/audits.js';
import type { Clock } from '../../ports/clock.js';
import type { DecisionLog } from '../../ports/decision-log.js';
import type { Pace } from '../../ports/pace.js';
import type { Signals } from '../../ports/signals.js';

export interface CollectPorts {
  readonly audits: Pick<Audits, 'describe' | 'findings' | 'ended'>;
  readonly clock: Clock;
  readonly decisions: Pick<DecisionLog, 'append'>;
  readonly pace: Pace;
  readonly queue: CollectQueue;
  readonly records: Omit<AuditRecords, 'of'>;
  readonly responses: AuditResponses;
  readonly signals: Signals;
}

export interface CollectSettings {
  readonly scheduledAuditName: string;
  /** Longest time between two scheduled audits. */
  readonly periodDays: number;
  readonly pagesPerSecond: number;
  readonly response: Readonly<Record<AuditCheckName, AuditResponse>>;
  /** Nothing is begun after this: the function must have time to say where it stands. */
  readonly deadlineMs: number;
}

/** Name of `collect` in the audit trail. */
export const BY = 'audit-collect';
