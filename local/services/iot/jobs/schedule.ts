/** `schedulingConfig` of a job (https://docs.aws.amazon.com/iot/latest/apireference/API_SchedulingConfig.html, FACTS D1). */

import type { AwsError } from '../../../models/service.js';
import { parseSchedule } from '../../events/schedule.js';
import { invalidRequest } from '../errors.js';

export interface Schedule {
  readonly startTime?: string;
  readonly startsAtMs?: number;
  readonly endTime?: string;
  readonly endsAtMs?: number;
  readonly endBehavior?: 'STOP_ROLLOUT' | 'CANCEL' | 'FORCE_CANCEL';
  readonly maintenanceWindows?: readonly MaintenanceWindow[];
}

/** https://docs.aws.amazon.com/iot/latest/apireference/API_MaintenanceWindow.html */
export interface MaintenanceWindow {
  readonly startTime: string;
  readonly durationInMinutes: number;
}

const THIRTY_MINUTES_MS = 30 * 60_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const LONGEST_WINDOW_MINUTES = 1430;

/** `2026-11-22T15:30`, with seconds and an offset if wanted; without an offset it is UTC. */
function instant(label: string, value: string): number {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?$/.exec(value);
  const ms = match ? Date.parse(`${match[1]}${match[2] ?? 'Z'}`) : Number.NaN;
  if (Number.isNaN(ms)) throw invalidRequest(`Invalid ${label}: got ${value}, expected YYYY-MM-DDTHH:MM`);
  return ms;
}

interface SchedulingInput {
  readonly startTime?: string;
  readonly endTime?: string;
  readonly endBehavior?: string;
  readonly maintenanceWindows?: readonly Partial<MaintenanceWindow>[];
}

/** The syntax of the times is not on the pages of AWS IoT: the desk reads them as EventBridge does, in UTC. */
function opens(startTime: string): (ms: number) => number | undefined {
  const refused = (): AwsError => invalidRequest(`Invalid startTime of a maintenance window: got ${startTime}, expected cron(…)`);
  try {
    const schedule = parseSchedule(startTime);
    if (schedule.kind === 'cron') return schedule.nextAfter;
  } catch {
    throw refused();
  }
  throw refused();
}

function readWindows(windows: readonly Partial<MaintenanceWindow>[], isContinuous: boolean): readonly MaintenanceWindow[] {
  if (windows.length > 0 && !isContinuous) throw invalidRequest('Maintenance windows apply only to continuous jobs');
  return windows.map(({ startTime = '', durationInMinutes = 0 }) => {
    opens(startTime);
    if (!Number.isInteger(durationInMinutes) || durationInMinutes < 1 || durationInMinutes > LONGEST_WINDOW_MINUTES)
      throw invalidRequest(`Invalid durationInMinutes: got ${durationInMinutes}, expected 1 to ${LONGEST_WINDOW_MINUTES}`);
    return { startTime, durationInMinutes };
  });
}

/** From `nowMs` on, when devices may be told of the job: `nowMs` itself where no window is set or one is open. */
export function opensAtMs({ maintenanceWindows = [] }: Schedule, nowMs: number): number {
  if (maintenanceWindows.length === 0) return nowMs;
  const times = maintenanceWindows.map(({ startTime, durationInMinutes }) => {
    // The first opening whose end is still to come: one that has begun counts as open now.
    const opening = opens(startTime)(nowMs - durationInMinutes * MINUTE_MS) ?? Number.POSITIVE_INFINITY;
    return Math.max(opening, nowMs);
  });
  return Math.min(...times);
}

export function readSchedule(input: SchedulingInput | undefined, nowMs: number, isContinuous = false): Schedule {
  if (!input) return {};
  const { startTime, endTime, endBehavior, maintenanceWindows } = input;
  const windows = readWindows(maintenanceWindows ?? [], isContinuous);
  const startsAtMs = startTime === undefined ? undefined : instant('startTime', startTime);
  if (startsAtMs !== undefined && startsAtMs < nowMs + THIRTY_MINUTES_MS)
    throw invalidRequest(`Invalid startTime: got ${startTime}, expected at least thirty minutes from now`);
  if (startsAtMs !== undefined && startsAtMs > nowMs + 365 * DAY_MS)
    throw invalidRequest(`Invalid startTime: got ${startTime}, expected at most a year from now`);
  const endsAtMs = endTime === undefined ? undefined : instant('endTime', endTime);
  const beginMs = startsAtMs ?? nowMs;
  if (endsAtMs !== undefined && (endsAtMs < beginMs + THIRTY_MINUTES_MS || endsAtMs > beginMs + 2 * 365 * DAY_MS))
    throw invalidRequest(`Invalid endTime: got ${endTime}, expected thirty minutes to two years after the start`);
  const start = {
    ...(startsAtMs === undefined ? {} : { startTime: startTime!, startsAtMs }),
    ...(windows.length === 0 ? {} : { maintenanceWindows: windows }),
  };
  if (endsAtMs === undefined) {
    if (endBehavior !== undefined) throw invalidRequest('endBehavior applies only with an endTime');
    return start;
  }
  if (endBehavior !== 'STOP_ROLLOUT' && endBehavior !== 'CANCEL' && endBehavior !== 'FORCE_CANCEL')
    throw invalidRequest(`Invalid endBehavior: got ${String(endBehavior)}, expected STOP_ROLLOUT, CANCEL or FORCE_CANCEL`);
  return { ...start, endTime: endTime!, endsAtMs, endBehavior };
}
