/** When a scheduled audit runs next. AWS picks the time of the day; the desk takes one from the name, so that it is the same on every run. */
import { createHash } from 'node:crypto';
import { invalidRequest } from '../errors.js';
import type { ScheduledAudit } from './audit.js';

const DAY_MS = 24 * 60 * 60_000;
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

type Frequency = Pick<ScheduledAudit, 'frequency' | 'dayOfWeek' | 'dayOfMonth'>;

/** The combinations that CreateScheduledAudit documents: a day of the week for (bi)weekly, a day of the month for monthly. */
export function checkFrequency({ frequency, dayOfWeek, dayOfMonth }: Readonly<Partial<Record<keyof Frequency, unknown>>>): Frequency {
  const weekly = frequency === 'WEEKLY' || frequency === 'BIWEEKLY';
  if (frequency !== 'DAILY' && frequency !== 'MONTHLY' && !weekly) throw invalidRequest(`Invalid frequency: got ${String(frequency)}`);
  if (weekly && (typeof dayOfWeek !== 'string' || !DAYS.includes(dayOfWeek)))
    throw invalidRequest(`Invalid dayOfWeek: got ${String(dayOfWeek)}, expected one of ${DAYS.join(', ')}`);
  if (frequency === 'MONTHLY' && (typeof dayOfMonth !== 'string' || !/^([1-9]|[12][0-9]|3[01]|LAST)$/.test(dayOfMonth)))
    throw invalidRequest(`Invalid dayOfMonth: got ${String(dayOfMonth)}, expected "1" to "31" or LAST`);
  return {
    frequency,
    ...(weekly ? { dayOfWeek: dayOfWeek as string } : {}),
    ...(frequency === 'MONTHLY' ? { dayOfMonth: dayOfMonth as string } : {}),
  };
}

export function nextRunMs(schedule: ScheduledAudit, afterMs: number): number {
  const timeOfDayMs = (createHash('sha256').update(schedule.scheduledAuditName).digest().readUInt32BE(0) % 1440) * 60_000;
  const firstDay = Math.floor(afterMs / DAY_MS);
  for (let day = firstDay; ; day++) {
    const atMs = day * DAY_MS + timeOfDayMs;
    if (atMs > afterMs && isDay(schedule, day)) return atMs;
  }
}

function isDay({ frequency, dayOfWeek, dayOfMonth, createdAtMs }: ScheduledAudit, day: number): boolean {
  const date = new Date(day * DAY_MS);
  if (frequency === 'DAILY') return true;
  if (frequency === 'MONTHLY') {
    const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
    // A day that the month does not have is its last one (API_CreateScheduledAudit).
    return date.getUTCDate() === (dayOfMonth === 'LAST' ? last : Math.min(Number(dayOfMonth), last));
  }
  if (DAYS[date.getUTCDay()] !== dayOfWeek) return false;
  // Every second week from the one in which the audit was made. Day 0 of the epoch was a Thursday: weeks begin on Sunday here.
  const week = (ofDay: number): number => Math.floor((ofDay + 4) / 7);
  return frequency === 'WEEKLY' || (week(day) - week(Math.floor(createdAtMs / DAY_MS))) % 2 === 0;
}
