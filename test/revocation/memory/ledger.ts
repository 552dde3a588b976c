import type { Brake } from '../../../lambda/ports/brake.js';
import type { Decision, DecisionLog } from '../../../lambda/ports/decision-log.js';
import type { DueRevocations } from '../../../lambda/ports/due.js';
import type { EmergencyStop } from '../../../lambda/ports/emergency-stop.js';
import type { HighWater, HighWaterMarks } from '../../../lambda/ports/high-water.js';
import type { Hold, Holds } from '../../../lambda/ports/holds.js';
import { NoSlotInTime, type Pace } from '../../../lambda/ports/pace.js';
import type { RevokeMessage } from '../../../domain/protocol/revocation.js';

export class MemoryMarks implements HighWaterMarks {
  readonly marks = new Map<string, HighWater>();

  async get(issuerKeyId: string, partition: string) {
    return this.marks.get(`${issuerKeyId} ${partition}`);
  }
  async ofObject(bucket: string, key: string) {
    return [...this.marks.values()]
      .filter((mark) => mark.bucket === bucket && mark.key === key)
      .sort((a, b) => b.appliedAtMs - a.appliedAtMs)[0];
  }
  async raise(mark: HighWater, previous: HighWater | undefined) {
    const name = `${mark.issuerKeyId} ${mark.partition}`;
    const stored = this.marks.get(name);
    if (stored?.digest !== previous?.digest || stored?.crlNumber !== previous?.crlNumber) return false;
    this.marks.set(name, mark);
    return true;
  }
  async *all() {
    yield* this.marks.values();
  }
}

export class MemoryHolds implements Holds {
  readonly holds = new Map<string, Hold>();

  async put(hold: Hold) {
    if (this.holds.has(hold.hash)) return false;
    this.holds.set(hold.hash, hold);
    return true;
  }
  async get(hash: string) {
    return this.holds.get(hash);
  }
  async *all() {
    yield* this.holds.values();
  }
  async move(hash: string, from: Hold['state'], to: Hold['state'], by: string, atMs: number) {
    const hold = this.holds.get(hash);
    if (hold?.state !== from) return false;
    this.holds.set(hash, { ...hold, state: to, ...(to !== 'APPLIED' && { decidedBy: by, decidedAtMs: atMs }) });
    return true;
  }
  async advance(hash: string, handedOver: number) {
    const hold = this.holds.get(hash);
    if (hold?.state !== 'APPROVED' || (hold.handedOver ?? 0) > handedOver) return false;
    this.holds.set(hash, { ...hold, handedOver });
    return true;
  }
}

export class MemoryDecisions implements DecisionLog {
  readonly rows: Decision[] = [];

  async append(decision: Decision) {
    this.rows.push(decision);
  }
  async *of(subject: string) {
    yield* this.rows.filter((row) => row.subject === subject);
  }
}

export class MemoryBrake implements Brake {
  readonly runs = new Map<string, { readonly count: number; readonly atMs: number }>();

  constructor(private readonly windowMinutes: number) {}

  async reserve(runId: string, count: number, limit: number, nowMs: number) {
    const usedInWindow = [...this.runs.values()]
      .filter(({ atMs }) => atMs > nowMs - this.windowMinutes * 60_000)
      .reduce((sum, run) => sum + run.count, 0);
    if (count === 0 || this.runs.has(runId)) return { granted: true, usedInWindow };
    if (usedInWindow + count > limit) return { granted: false, usedInWindow };
    this.runs.set(runId, { count, atMs: nowMs });
    return { granted: true, usedInWindow: usedInWindow + count };
  }
}

export class MemoryPace implements Pace {
  readonly nextAtMs = new Map<string, number>();

  async reserve(name: string, count: number, perSecond: number, nowMs: number, latestMs = Number.MAX_SAFE_INTEGER) {
    const startMs = Math.max(nowMs, this.nextAtMs.get(name) ?? 0);
    if (startMs > nowMs && startMs > latestMs) throw new NoSlotInTime(name);
    this.nextAtMs.set(name, startMs + Math.ceil((count * 1000) / perSecond));
    return startMs;
  }
}

export class MemoryStop implements EmergencyStop {
  private now: Awaited<ReturnType<EmergencyStop['state']>> = { stopped: false };

  async state() {
    return this.now;
  }
  async set(stopped: boolean, by: string, reason: string, atMs: number) {
    this.now = { stopped, by, reason, atMs };
  }
}

export class MemoryDue implements DueRevocations {
  readonly rows = new Map<string, { readonly message: RevokeMessage; readonly dueAtMs: number }>();

  async put(message: RevokeMessage, issuerId: string, dueAtMs: number) {
    const name = `${issuerId}#${message.serialNumber}`;
    if (!this.rows.has(name)) this.rows.set(name, { message, dueAtMs });
  }
  async *dueBy(nowMs: number) {
    for (const [key, { message, dueAtMs }] of this.rows) if (dueAtMs <= nowMs) yield { message, key };
  }
  async done(key: string) {
    this.rows.delete(key);
  }
}
