/**
 * What a device says of its own accord: telemetry, and reports on itself. It speaks only when it has looked at its jobs, because one of them may be to shut
 * off; and it goes quiet where speaking ends its connections:
 *
 *     contained: connected ─ telemetry ─► not allowed: cut off ─► connected ─ telemetry ─► cut off ─► connected, quiet … the shut-off job comes
 *
 * AWS IoT ends the connection of a device that publishes what its policy does not allow. A device that went on like that could not be told anything any more.
 */
import { defenderTopic, deviceTopic } from '../../domain/protocol/topics.js';
import type { Device, Session } from '../device.js';
import { jitteredMs } from '../retry.js';
import type { Metrics } from './device-metrics.js';
import { Reports } from './report.js';

export class Speaker {
  private readonly reports = new Reports();
  private lastReportMs: number | undefined;
  /** Connections in a row that ended soon after the device had spoken. */
  private cuts = 0;
  private spoke = false;

  constructor(
    private readonly device: Device,
    private readonly telemetry: (() => object) | undefined,
    private readonly metrics: Metrics | undefined,
  ) {}

  /** Speaks as long as the connection lasts. `looked` resolves when the jobs that wait have been looked at; Jobs may also be silent. */
  async speak(session: Session, looked: Promise<unknown>): Promise<void> {
    const { clock, settings } = this.device;
    this.spoke = false;
    try {
      await Promise.race([looked, clock.sleep(settings.jobAnswerMs, session.signal)]);
      await this.beQuiet(session);
      await Promise.all([this.publishTelemetry(session), this.publishReports(session)]);
    } catch {
      // The connection is over: the agent knows it too.
    }
  }

  /** The connection has ended, after so long a time. */
  ended(lastedMs: number, isOwn: boolean): void {
    if (lastedMs >= this.device.settings.stableAfterMs) this.cuts = 0;
    else if (this.spoke && !isOwn) this.cuts += 1;
  }

  private async beQuiet({ signal }: Session): Promise<void> {
    const { clock, random, settings, tell } = this.device;
    const attempt = this.cuts - settings.cutsUntilQuiet;
    if (attempt < 0) return;
    const quietMs = Math.round(settings.quiet.firstMs / 2 + jitteredMs(settings.quiet, attempt, random));
    tell({ kind: 'quiet', ms: quietMs });
    await clock.sleep(quietMs, signal);
  }

  private async publishTelemetry(session: Session): Promise<void> {
    if (!this.telemetry) return;
    const { clock, random, settings, shutOff, tell } = this.device;
    for (;;) {
      if (!shutOff.isOff) {
        await this.publish(session, 'telemetry', this.telemetry(), 0);
        tell({ kind: 'published' });
      }
      await clock.sleep(settings.telemetryEveryMs * (0.8 + random() * 0.4), session.signal);
    }
  }

  private async publishReports(session: Session): Promise<void> {
    if (!this.metrics) return;
    const { clock, random, settings, shutOff, tell } = this.device;
    // Not all at the same time after a restart of the fleet; and not more often because a connection was lost.
    this.lastReportMs ??= clock.nowMs() - settings.reportEveryMs * random();
    for (;;) {
      const waitMs = this.lastReportMs + settings.reportEveryMs - clock.nowMs();
      await clock.sleep(Math.max(0, waitMs), session.signal);
      this.lastReportMs = clock.nowMs();
      if (shutOff.isOff) continue;
      const metrics = await this.metrics();
      // Told to stop while it was measured.
      if (shutOff.isOff) continue;
      const report = this.reports.of(metrics, clock.nowMs());
      await this.publish(session, 'report', report, 1);
      if (settings.reportsToDetect) await session.connection.publish(defenderTopic(this.device.thingName), JSON.stringify(report), 1);
      tell({ kind: 'reported' });
    }
  }

  private async publish({ connection }: Session, topic: 'telemetry' | 'report', message: object, qos: 0 | 1): Promise<void> {
    const { topicPrefix, thingName } = this.device;
    this.spoke = true;
    await connection.publish(deviceTopic(topicPrefix, thingName, topic), JSON.stringify(message), qos);
  }
}
