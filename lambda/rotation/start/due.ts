/**
 * The expiry query: every day of the window, record by record in the order in which they end, into the campaigns of this run.
 *
 *     {due} ─► day, day, day … ─(time is short)─► {continue: day, notAfter, part, size} ─► … ─► {launch} for each campaign
 *
 * It may die anywhere: the message comes again, finds what it has opened, and counts it as its own. Memory holds one handful of records.
 */
import { METRICS } from '../../../domain/fleet/metrics.js';
import { DAY_MS, daysAhead } from '../../../domain/fleet/rotation-window.js';
import type { DueCursor } from '../../../domain/protocol/rotation-work.js';
import type { CertificateRecord } from '../../ports/inventory.js';
import { expiryQuery, issuerIds, judge, type Judged, makeCampaign, noteLeft, open } from './open.js';
import { BY, type StartPorts, type StartSettings } from './ports.js';

/** So many are judged at the same time: they wait for the ledger, not for each other. */
const AT_ONCE = 20;
/** A campaign that has been planned for so long was left behind by a run that died for good. */
const LEFT_BEHIND_MS = 3_600_000;

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** The run of a day has the day as its name: repeated on the same day, it is the same run. */
export function firstCursor(nowMs: number): DueCursor {
  const day = dayOf(nowMs);
  return { runId: `due-${day}`, day, fromMs: 0, filling: { part: 1, size: 0 } };
}

export const campaignOf = ({ runId, filling }: Pick<DueCursor, 'runId' | 'filling'>): string =>
  filling.part === 1 ? runId : `${runId}-${filling.part}`;

export async function findDue(ports: StartPorts, settings: StartSettings, cursor: DueCursor, acting: boolean): Promise<void> {
  const ours = await issuerIds(ports.anchors);
  const lastDay = dayOf(ports.clock.nowMs() + (daysAhead(settings.window) - 1) * DAY_MS);
  const run = new DueRun(ports, settings, ours, acting, cursor.runId, cursor.filling);
  for (let at = Date.parse(cursor.day); dayOf(at) <= lastDay; at += DAY_MS) {
    const day = dayOf(at);
    const fromMs = day === cursor.day ? cursor.fromMs : 0;
    const seen = await run.day(day, fromMs);
    if (seen !== undefined) return ports.queue.send({ kind: 'continue', cursor: { ...run.cursor, day, fromMs: seen } });
    // Thousands of days with a handful each take long too: a window by share looks decades ahead.
    if (dayOf(at) < lastDay && ports.clock.nowMs() >= settings.deadlineMs)
      return ports.queue.send({ kind: 'continue', cursor: { ...run.cursor, day: dayOf(at + DAY_MS), fromMs: 0 } });
  }
  await run.finish();
}

class DueRun {
  private readonly made = new Set<string>();

  constructor(
    private readonly ports: StartPorts,
    private readonly settings: StartSettings,
    private readonly ours: ReadonlySet<string>,
    private readonly acting: boolean,
    private readonly runId: string,
    private filling: DueCursor['filling'],
  ) {}

  get cursor() {
    return { runId: this.runId, filling: this.filling };
  }

  /** `undefined`: the whole day is done. Otherwise the notAfter up to which it is. */
  async day(day: string, fromMs: number): Promise<number | undefined> {
    let handful: CertificateRecord[] = [];
    // The index gives them in the order of notAfter. Those that end in the same millisecond as the last one done are looked at again.
    for await (const record of this.ports.inventory.byExpiryDay(day)) {
      if (record.notAfterMs < fromMs) continue;
      handful.push(record);
      if (handful.length < AT_ONCE) continue;
      await this.take(handful);
      handful = [];
      if (this.ports.clock.nowMs() >= this.settings.deadlineMs) return record.notAfterMs;
    }
    await this.take(handful);
    return undefined;
  }

  private async take(records: readonly CertificateRecord[]): Promise<void> {
    const occasion = expiryQuery(this.settings);
    const judged = await Promise.all(records.map((record) => judge(this.ports, this.settings, occasion, record, this.ours)));
    for (const one of judged) {
      noteLeft(this.ports, one);
      // Opened by this very run, in a delivery that died: it fills the campaign as if it were opened now.
      if (one.open?.campaignId === campaignOf(this.cursor)) await this.fill();
    }
    // Two certificates of one thing may be among them: each has a rotation of its own, the group has the thing once.
    for (const one of judged) if (one.decision.do === 'open') await this.open(one, one.decision.deadlineMs);
  }

  private async open(one: Judged, deadlineMs: number): Promise<void> {
    const { ports, settings } = this;
    ports.signals.count(METRICS.rotationsFound);
    if (!this.acting) {
      ports.signals.info('would rotate', { certificateId: one.record.certificateId, thingName: one.record.thingName, runId: this.runId });
      return this.fill();
    }
    const campaignId = campaignOf(this.cursor);
    const occasion = expiryQuery(settings);
    if (!this.made.has(campaignId)) await makeCampaign(ports, settings, campaignId, occasion, deadlineMs);
    this.made.add(campaignId);
    if (await open(ports, settings, campaignId, occasion, one)) await this.fill();
  }

  private async fill(): Promise<void> {
    const { part, size } = this.filling;
    this.filling = { part, size: size + 1 };
    if (this.filling.size < this.settings.campaignSize) return;
    if (this.acting) await this.ports.queue.send({ kind: 'launch', campaignId: campaignOf(this.cursor) });
    this.filling = { part: part + 1, size: 0 };
  }

  /** What this run has filled, and what an earlier one has left behind. */
  async finish(): Promise<void> {
    const { campaigns, clock, decisions, queue, signals } = this.ports;
    const { part, size } = this.filling;
    const found = (part - 1) * this.settings.campaignSize + size;
    signals.info('expiry query complete', { runId: this.runId, found, acting: this.acting });
    if (!this.acting) {
      return decisions.append({
        subject: `CAMPAIGN-LOG#${this.runId}`,
        step: 'outcome',
        act: 'plan',
        reason: this.settings.mode === 'enforce' ? 'emergency-stop' : 'mode-observe',
        runId: this.runId,
        by: BY,
        atMs: clock.nowMs(),
        detail: { found },
      });
    }
    for await (const { campaignId, state, createdAtMs, turnAtMs } of campaigns.all()) {
      const mine = campaignId === this.runId || campaignId.startsWith(`${this.runId}-`);
      // Waits for its turn: its launch comes by itself.
      if (turnAtMs !== undefined && clock.nowMs() - turnAtMs <= LEFT_BEHIND_MS) continue;
      if (state === 'planned' && (mine || clock.nowMs() - createdAtMs > LEFT_BEHIND_MS)) await queue.send({ kind: 'launch', campaignId });
    }
  }
}
