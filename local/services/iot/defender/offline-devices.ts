/** Who is away, and since when: `aws:disconnect-duration`, in minutes (DDG detect-cloud-side-metrics.html). Devices that were never seen to disconnect are not tracked. */
import type { BehaviorCriteria } from './detect.js';
import { MOST_DEVICES } from './last-heard.js';
import { PERIOD_MS } from './watched.js';

const MINUTE_MS = 60_000;

export class OfflineDevices {
  private readonly since = new Map<string, number>();

  note(device: string, what: string, nowMs: number): void {
    if (what === 'Connect.Success') this.since.delete(device);
    if (what !== 'Disconnect') return;
    if (this.since.size >= MOST_DEVICES) this.since.delete(this.since.keys().next().value!);
    this.since.set(device, nowMs);
  }

  /** `undefined`: it is here. */
  sinceMs(device: string): number | undefined {
    return this.since.get(device);
  }

  minutes(device: string, nowMs: number): number {
    return Math.floor((nowMs - (this.since.get(device) ?? nowMs)) / MINUTE_MS);
  }

  /** Those that are away, and those of `inAlarm`, which may be back. */
  toLookAt(inAlarm: Iterable<string>): Set<string> {
    return new Set([...this.since.keys(), ...inAlarm]);
  }
}

/** The next multiple of five minutes at which a look can say something new: of one that is here the next, of one that may be away for so long when that is over. */
export function lookAgainAt(criteria: BehaviorCriteria, sinceMs: number | undefined, nowMs: number): number {
  const next = (ms: number): number => Math.ceil(ms / PERIOD_MS) * PERIOD_MS;
  if (sinceMs === undefined) return next(nowMs + 1);
  const minutes = (criteria.value?.count ?? 0) + (criteria.comparisonOperator === 'less-than' ? 0 : 1);
  return Math.max(next(nowMs + 1), next(sinceMs + minutes * MINUTE_MS));
}
