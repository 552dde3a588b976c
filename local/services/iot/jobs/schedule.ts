/** `schedulingConfig` of a job (https://docs.aws.amazon.com/iot/latest/apireference/API_SchedulingConfig.html, FACTS D1). */

import { invalidRequest, notServed } from '../errors.js';

export interface Schedule {
  readonly startTime?: string;
  readonly startsAtMs?: number;
  readonly endTime?: string;
  readonly endsAtMs?: number;
  readonly endBehavior?: 'STOP_ROLLOUT' | 'CANCEL' | 'FORCE_CANCEL';
}

const THIRTY_MINUTES_MS = 30 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

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
  readonly maintenanceWindows?: readonly unknown[];
}

export function readSchedule(input: SchedulingInput | undefined, nowMs: number): Schedule {
  if (!input) return {};
  const { startTime, endTime, endBehavior, maintenanceWindows } = input;
  if (maintenanceWindows?.length) throw notServed('Maintenance windows');
  const startsAtMs = startTime === undefined ? undefined : instant('startTime', startTime);
  if (startsAtMs !== undefined && startsAtMs < nowMs + THIRTY_MINUTES_MS)
    throw invalidRequest(`Invalid startTime: got ${startTime}, expected at least thirty minutes from now`);
  if (startsAtMs !== undefined && startsAtMs > nowMs + 365 * DAY_MS)
    throw invalidRequest(`Invalid startTime: got ${startTime}, expected at most a year from now`);
  const endsAtMs = endTime === undefined ? undefined : instant('endTime', endTime);
  const beginMs = startsAtMs ?? nowMs;
  if (endsAtMs !== undefined && (endsAtMs < beginMs + THIRTY_MINUTES_MS || endsAtMs > beginMs + 2 * 365 * DAY_MS))
    throw invalidRequest(`Invalid endTime: got ${endTime}, expected thirty minutes to two years after the start`);
  const start = startsAtMs === undefined ? {} : { startTime: startTime!, startsAtMs };
  if (endsAtMs === undefined) {
    if (endBehavior !== undefined) throw invalidRequest('endBehavior applies only with an endTime');
    return start;
  }
  if (endBehavior !== 'STOP_ROLLOUT' && endBehavior !== 'CANCEL' && endBehavior !== 'FORCE_CANCEL')
    throw invalidRequest(`Invalid endBehavior: got ${String(endBehavior)}, expected STOP_ROLLOUT, CANCEL or FORCE_CANCEL`);
  return { ...start, endTime: endTime!, endsAtMs, endBehavior };
}
