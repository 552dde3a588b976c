/**
 * Schedule expressions of rules, in UTC: `rate(5 minutes)` and `cron(minutes hours day-of-month month day-of-week year)` with `* ? , - /`
 * and `L`, `W`, `#` (EventBridge user guide, "Setting a schedule pattern for scheduled rules (legacy)").
 */
import { AwsError } from '../../models/service.js';

export type Schedule =
  { readonly kind: 'rate'; readonly periodMs: number } | { readonly kind: 'cron'; readonly nextAfter: (ms: number) => number | undefined };

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const DAY_MS = 86_400_000;

const invalid = (): never => {
  throw new AwsError('ValidationException', 'Parameter ScheduleExpression is not valid.');
};

export function parseSchedule(expression: string): Schedule {
  const rate = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(expression);
  if (rate) {
    const count = Number(rate[1]);
    // "rate(1 hours)" and "rate(5 minute)" are not valid.
    if (count < 1 || (count === 1) !== (rate[3] === '')) return invalid();
    return { kind: 'rate', periodMs: count * UNIT_MS[rate[2]!]! };
  }
  const cron = /^cron\((.+)\)$/.exec(expression);
  return cron ? { kind: 'cron', nextAfter: parseCron(cron[1]!) } : invalid();
}

type DayTest = (date: Date) => boolean;

function parseCron(text: string): (ms: number) => number | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 6) return invalid();
  const [minutes, hours, dayOfMonth, months, dayOfWeek, years] = fields as [string, string, string, string, string, string];
  // One of the two day fields must be `?`.
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) return invalid();
  const minuteSet = [...numbers(minutes, 0, 59)].sort((a, b) => a - b);
  const hourSet = [...numbers(hours, 0, 23)].sort((a, b) => a - b);
  const monthSet = numbers(months, 1, 12, MONTHS, 1);
  const yearSet = numbers(years, 1970, 2199);
  const day: DayTest = dayOfMonth === '?' ? dayOfWeekTest(dayOfWeek) : dayOfMonthTest(dayOfMonth);
  return (ms) => {
    const firstDay = Math.floor(ms / DAY_MS) * DAY_MS;
    // Leap days repeat after at most eight years.
    for (let dayMs = firstDay; dayMs < firstDay + 8 * 366 * DAY_MS; dayMs += DAY_MS) {
      const date = new Date(dayMs);
      if (!yearSet.has(date.getUTCFullYear()) || !monthSet.has(date.getUTCMonth() + 1) || !day(date)) continue;
      for (const hour of hourSet) {
        for (const minute of minuteSet) {
          const atMs = dayMs + hour * 3_600_000 + minute * 60_000;
          if (atMs > ms) return atMs;
        }
      }
    }
    return undefined;
  };
}

function numbers(field: string, from: number, to: number, names: readonly string[] = [], firstName = 0): Set<number> {
  const result = new Set<number>();
  const value = (text: string): number => {
    const named = names.indexOf(text.toUpperCase());
    const number = named >= 0 ? named + firstName : /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return number >= from && number <= to ? number : invalid();
  };
  for (const part of field.split(',')) {
    const [range = '', stepText] = part.split('/');
    const step = stepText === undefined ? 1 : /^[1-9]\d*$/.test(stepText) ? Number(stepText) : invalid();
    const [low, high] =
      range === '*'
        ? [from, to]
        : range.includes('-')
          ? range.split('-').map(value)
          : [value(range), stepText === undefined ? value(range) : to];
    for (let number = low!; number <= high!; number += step) result.add(number);
  }
  return result;
}

const lastDayOf = (date: Date): number => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();

function dayOfMonthTest(field: string): DayTest {
  if (field === 'L') return (date) => date.getUTCDate() === lastDayOf(date);
  const weekday = /^(\d{1,2})W$/.exec(field);
  if (!weekday) {
    const set = numbers(field, 1, 31);
    return (date) => set.has(date.getUTCDate());
  }
  const wanted = Number(weekday[1]);
  return (date) => date.getUTCDate() === nearestWeekday(date, wanted);
}

/** `15W`: the working day nearest to the 15th, within the month. */
function nearestWeekday(date: Date, wanted: number): number {
  const day = Math.min(wanted, lastDayOf(date));
  const weekday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day)).getUTCDay();
  if (weekday === 6) return day > 1 ? day - 1 : day + 2;
  if (weekday === 0) return day < lastDayOf(date) ? day + 1 : day - 2;
  return day;
}

/** 1 is Sunday. `6L`: the last Friday; `3#2`: the second Tuesday. */
function dayOfWeekTest(field: string): DayTest {
  const special = /^(\w{1,3})(L|#([1-5]))$/.exec(field);
  if (!special) {
    const set = numbers(field === 'L' ? '7' : field, 1, 7, DAYS, 1);
    return (date) => set.has(date.getUTCDay() + 1);
  }
  const [wanted] = numbers(special[1]!, 1, 7, DAYS, 1);
  const occurrence = special[3] === undefined ? undefined : Number(special[3]);
  return (date) => {
    if (date.getUTCDay() + 1 !== wanted) return false;
    if (occurrence === undefined) return date.getUTCDate() + 7 > lastDayOf(date);
    return Math.ceil(date.getUTCDate() / 7) === occurrence;
  };
}
