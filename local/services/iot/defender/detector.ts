/**
 * Device Defender Detect evaluates: what the gateway sees and what devices report → datapoints → so many in a row → violation.
 *
 *     window      │ events, counted reports  │ datapoint of each device at its end; multiples of the duration since the epoch
 *     report      · a gauge, a list, a custom metric: a datapoint at once ("evaluated upon receipt of metrics data")
 *     away        · every five minutes, from when the duration would be too long
 *     two days    · nothing came: alarm-invalidated
 *
 * AWS documents neither how windows are cut nor when their end is judged (README). Everything hangs on what happens: with no profile attached nothing
 * is kept, and on a silent desk no timer runs.
 */
import type { ClientTraffic } from '../../../cloud.js';
import type { IotState } from '../state.js';
import { conforms, isUpperLimit, statisticOf } from './criteria.js';
import type { MetricValue } from './detect.js';
import { LastHeard, MOST_DEVICES } from './last-heard.js';
import { measurementsOf } from './measurements.js';
import { MetricWindow } from './metric-window.js';
import { OfflineDevices, lookAgainAt } from './offline-devices.js';
import type { Violations } from './violations.js';
import { type Watched, watchedBehaviors } from './watched.js';

const AWAY = 'aws:disconnect-duration';
/** device-defender-troubleshoot.html. */
const INVALID_AFTER_MS = 2 * 86_400_000;

interface InARow {
  abnormal: number;
  normal: number;
}

export class Detector {
  private watched: readonly Watched[] = [];
  private revision = -1;
  /** Behaviours for which nobody has been looked at yet. */
  private isChanged = true;
  /** Length → the window that is open. */
  private readonly windows = new Map<number, MetricWindow>();
  /** Key of the behaviour → what its statistic stands for: that of the window before. */
  private readonly limits = new Map<string, number>();
  private readonly rows = new Map<string, InARow>();
  private readonly heard = new LastHeard();
  private readonly offline = new OfflineDevices();
  private dueMs = Infinity;
  private cancel = (): void => undefined;

  constructor(
    private readonly state: IotState,
    private readonly violations: Violations,
  ) {}

  /** An event at the gateway. */
  readonly traffic = (event: ClientTraffic): void => {
    const watched = this.current();
    if (watched.length === 0) return;
    const now = this.begin(event.clientId);
    this.offline.note(event.clientId, event.what, now);
    for (const { metric, value, topic } of measurementsOf(event))
      for (const each of watched)
        if (each.metricName === metric && each.covers(event.clientId, topic)) this.windowOf(each, now).add(each, event.clientId, value);
    if (event.what !== 'Disconnect' && event.what !== 'Connect.Success') return;
    // The others are planned already: to go through all of them with each would take a fleet that reconnects minutes.
    this.plan(this.nextLook(now, this.isChanged ? undefined : event.clientId));
    this.isChanged = false;
  };

  /** A report that has been accepted. */
  reported(thingName: string, values: ReadonlyMap<string, MetricValue>): void {
    const watched = this.current();
    if (watched.length === 0) return;
    const now = this.begin(thingName);
    for (const each of watched) {
      const value = values.get(each.metricName);
      if (value === undefined || each.metric.cloud || !(each.metric.kind in value)) continue;
      if (each.metric.counted || each.criteria.statisticalThreshold)
        this.windowOf(each, now).add(each, thingName, value.count ?? value.number ?? 0);
      else this.judge(each, thingName, value);
    }
    this.plan(this.nextInvalid());
  }

  private current(): readonly Watched[] {
    const { detect } = this.state;
    if (this.revision !== detect.revision) {
      this.revision = detect.revision;
      this.isChanged = true;
      this.watched = watchedBehaviors(detect);
      const keys = new Set(this.watched.map(({ key }) => key));
      for (const key of this.limits.keys()) if (!keys.has(key)) this.limits.delete(key);
    }
    return this.watched;
  }

  /** A device is heard: the windows that are over are judged first. */
  private begin(device: string): number {
    const now = this.state.now();
    this.close(now);
    this.heard.note(device, now);
    for (const each of this.watched) if (each.metric.cloud && each.metric.counted) this.windowOf(each, now).hear(device);
    return now;
  }

  private windowOf({ durationMs }: Watched, now: number): MetricWindow {
    const held = this.windows.get(durationMs);
    if (held) return held;
    const opened = new MetricWindow(Math.floor(now / durationMs) * durationMs, durationMs);
    this.windows.set(durationMs, opened);
    this.plan(opened.endMs);
    return opened;
  }

  private close(now: number): void {
    for (const [durationMs, window] of this.windows) {
      if (window.endMs > now) continue;
      this.windows.delete(durationMs);
      for (const each of this.current()) if (each.durationMs === durationMs && each.metricName !== AWAY) this.conclude(each, window);
      this.plan(this.nextInvalid());
    }
  }

  private conclude(watched: Watched, window: MetricWindow): void {
    const limit = this.limits.get(watched.key);
    const all: number[] = [];
    for (const [device, value] of window.measured(watched)) {
      if (!this.violations.watches(watched.profile, device)) continue;
      this.judge(watched, device, value, limit);
      if (value.count !== undefined) all.push(value.count);
    }
    const { statistic } = watched.criteria.statisticalThreshold ?? {};
    if (statistic !== undefined && all.length > 0) this.limits.set(watched.key, statisticOf(statistic, all));
  }

  private judge(watched: Watched, device: string, value: MetricValue, limit?: number): void {
    const { profile, behavior, criteria, key } = watched;
    const normal = conforms(criteria, value, limit);
    if (normal === undefined || !this.violations.watches(profile, device)) return;
    const open = this.violations.openOf(profile.name, behavior.name, device);
    const rowKey = `${key}\n${device}`;
    const { abnormal: abnormalBefore, normal: normalBefore } = this.rows.get(rowKey) ?? { abnormal: 0, normal: 0 };
    const row = normal ? { abnormal: 0, normal: normalBefore + 1 } : { abnormal: abnormalBefore + 1, normal: 0 };
    if (normal && !open) this.rows.delete(rowKey);
    else this.rows.set(rowKey, row);
    if (!normal && (open || row.abnormal >= (criteria.consecutiveDatapointsToAlarm ?? 1)))
      this.track(this.violations.begin(profile.name, behavior, device, value));
    if (!normal || !open || open.byHand || row.normal < (criteria.consecutiveDatapointsToClear ?? 1)) return;
    this.rows.delete(rowKey);
    this.track(this.violations.clear(open.violationId, value));
  }

  private track(work: Promise<unknown>): void {
    void this.state.cloud.world.clock.track(work);
  }

  private plan(atMs: number): void {
    if (atMs >= this.dueMs) return;
    this.cancel();
    this.dueMs = atMs;
    this.cancel = this.state.cloud.world.clock.after(atMs - this.state.now(), () => this.tick());
  }

  private tick(): void {
    const dueMs = this.dueMs;
    this.dueMs = Infinity;
    const now = this.state.now();
    this.close(now);
    this.lookForAbsent(dueMs);
    this.invalidate(now);
    this.forget(now);
    for (const { endMs } of this.windows.values()) this.plan(endMs);
    this.plan(this.nextLook(now));
    this.plan(this.nextInvalid());
  }

  private lookForAbsent(dueMs: number): void {
    for (const each of this.absences())
      for (const device of this.offline.toLookAt(this.openDevices(each)))
        if (lookAgainAt(each.criteria, this.offline.sinceMs(device), dueMs - 1) === dueMs)
          this.judge(each, device, { count: this.offline.minutes(device, dueMs) });
  }

  private readonly absences = (): Watched[] =>
    this.current().filter(({ metricName, criteria }) => metricName === AWAY && isUpperLimit(criteria) && !criteria.statisticalThreshold);

  private openDevices({ profile, behavior }: Watched): string[] {
    return [...this.state.detect.active.values()]
      .filter(({ securityProfileName, behavior: { name } }) => securityProfileName === profile.name && name === behavior.name)
      .map(({ thingName }) => thingName);
  }

  /** When the absence of one device, or of anybody, could be worth another look. */
  private nextLook(now: number, one?: string): number {
    let next = Infinity;
    for (const each of this.absences())
      for (const device of one === undefined ? this.offline.toLookAt(this.openDevices(each)) : [one]) {
        const sinceMs = this.offline.sinceMs(device);
        const isOpen = this.violations.openOf(each.profile.name, each.behavior.name, device) !== undefined;
        // In alarm and still away: nothing new until it is back.
        if (isOpen === (sinceMs === undefined)) next = Math.min(next, lookAgainAt(each.criteria, sinceMs, now));
      }
    return next;
  }

  private invalidAtMs({ thingName, lastAtMs }: { readonly thingName: string; readonly lastAtMs: number }): number {
    return Math.max(lastAtMs, this.heard.of(thingName) ?? 0) + INVALID_AFTER_MS;
  }

  /** How long a device is away is measured while it is silent: that is never without data. */
  private readonly waiting = () =>
    [...this.state.detect.active.values()].filter(({ byHand, behavior }) => byHand !== true && behavior.metric !== AWAY);

  private nextInvalid(): number {
    return Math.min(Infinity, ...this.waiting().map((violation) => this.invalidAtMs(violation)));
  }

  private invalidate(now: number): void {
    for (const violation of this.waiting())
      if (this.invalidAtMs(violation) <= now) this.track(this.violations.invalidate(violation.violationId));
  }

  private forget(now: number): void {
    this.heard.forgetBefore(now - INVALID_AFTER_MS);
    if (this.rows.size > MOST_DEVICES) this.rows.clear();
    const keys = new Set(this.current().map(({ key }) => key));
    for (const row of this.rows.keys()) if (!keys.has(row.slice(0, row.indexOf('\n')))) this.rows.delete(row);
  }
}
