/** Scheduled audits (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateScheduledAudit.html). */
import type { Operation } from '../../../models/service.js';
import { AUDIT_LIMITS } from '../../../world/quotas.js';
import { alreadyExists, invalidRequest, limitExceeded, notFound } from '../errors.js';
import { page } from '../paging.js';
import type { IotState } from '../state.js';
import { setTags } from '../tags.js';
import type { AuditState, ScheduledAudit } from './audit.js';
import type { AuditRunner } from './audit-runner.js';
import { checkFrequency, nextRunMs } from './schedule.js';
import { checkTargets } from './targets.js';

function byName(audit: AuditState, name: unknown): ScheduledAudit {
  const found = audit.schedules.get(String(name));
  if (!found) throw notFound(`Scheduled audit ${String(name)} not found`);
  return found;
}

const shown = ({ scheduledAuditName, arn, frequency, dayOfWeek, dayOfMonth }: ScheduledAudit): Record<string, unknown> => ({
  scheduledAuditName,
  scheduledAuditArn: arn,
  frequency,
  ...(dayOfWeek === undefined ? {} : { dayOfWeek }),
  ...(dayOfMonth === undefined ? {} : { dayOfMonth }),
});

export function scheduledAuditOperations(state: IotState, audit: AuditState, runner: AuditRunner): Record<string, Operation> {
  const arm = (schedule: ScheduledAudit): void => {
    schedule.cancel();
    const now = state.now();
    schedule.cancel = state.cloud.world.clock.after(nextRunMs(schedule, now) - now, () => {
      runner.start(schedule.targetCheckNames, schedule.scheduledAuditName);
      arm(schedule);
    });
  };
  return {
    CreateScheduledAudit: (input) => {
      const scheduledAuditName: string = input.scheduledAuditName;
      if (!/^[a-zA-Z0-9_-]{1,128}$/.test(scheduledAuditName)) throw invalidRequest(`Invalid scheduledAuditName: got ${scheduledAuditName}`);
      const arn = state.arn(`scheduledaudit/${scheduledAuditName}`);
      if (audit.schedules.has(scheduledAuditName))
        throw alreadyExists(`Scheduled audit ${scheduledAuditName} already exists`, scheduledAuditName, arn);
      if (audit.schedules.size >= AUDIT_LIMITS.scheduledAudits)
        throw limitExceeded(`At most ${AUDIT_LIMITS.scheduledAudits} scheduled audits`);
      const schedule: ScheduledAudit = {
        scheduledAuditName,
        arn,
        createdAtMs: state.now(),
        ...checkFrequency(input),
        targetCheckNames: checkTargets(audit, input.targetCheckNames),
        cancel: () => undefined,
      };
      audit.schedules.set(scheduledAuditName, schedule);
      setTags(state, arn, input.tags);
      arm(schedule);
      return { scheduledAuditArn: arn };
    },
    DescribeScheduledAudit: (input) => {
      const schedule = byName(audit, input.scheduledAuditName);
      return { ...shown(schedule), targetCheckNames: schedule.targetCheckNames };
    },
    UpdateScheduledAudit: (input) => {
      const schedule = byName(audit, input.scheduledAuditName);
      const frequency = checkFrequency({ ...schedule, ...input });
      const targets = input.targetCheckNames === undefined ? schedule.targetCheckNames : checkTargets(audit, input.targetCheckNames);
      delete schedule.dayOfWeek;
      delete schedule.dayOfMonth;
      Object.assign(schedule, frequency);
      schedule.targetCheckNames = targets;
      arm(schedule);
      return { scheduledAuditArn: schedule.arn };
    },
    ListScheduledAudits: (input) => {
      const { items, token } = page(
        [...audit.schedules.values()],
        (schedule) => schedule.scheduledAuditName,
        input.nextToken,
        input.maxResults,
      );
      return { scheduledAudits: items.map(shown), ...(token ? { nextToken: token } : {}) };
    },
    DeleteScheduledAudit: (input) => {
      const schedule = byName(audit, input.scheduledAuditName);
      schedule.cancel();
      audit.schedules.delete(schedule.scheduledAuditName);
      state.tags.delete(schedule.arn);
      return {};
    },
  };
}
