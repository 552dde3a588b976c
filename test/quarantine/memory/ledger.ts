/** The ledger's part of quarantine in memory, with the same conditions as the tables have. */
import type { CertificateId } from '../../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../../domain/fleet/thing-name.js';
import type { ContainmentState } from '../../../domain/protocol/containment.js';
import type {
  CertificateClaims,
  CertificateSnapshot,
  Containment,
  ContainmentChange,
  ContainmentRecords,
  PastContainment,
} from '../../../lambda/ports/containment-records.js';
import type { Booking, ContainmentBudget, ContainmentHold, ContainmentHolds } from '../../../lambda/ports/containment-work.js';

const HOUR_MS = 3_600_000;
const RENEWED_AFTER_MS = 10 * 60_000;

export class MemoryRecords implements ContainmentRecords {
  readonly rows = new Map<string, Containment>();
  readonly over = new Map<string, PastContainment>();

  async get(thing: ThingName) {
    return this.rows.get(thing);
  }
  async open(containment: Containment) {
    const there = this.rows.get(containment.thingName);
    if (there !== undefined) return there.containmentId === containment.containmentId ? 'ours' : 'other';
    this.rows.set(containment.thingName, containment);
    return 'opened';
  }
  async move(thing: ThingName, containmentId: string, from: readonly ContainmentState[], change: ContainmentChange) {
    const there = this.rows.get(thing);
    if (there?.containmentId !== containmentId || !from.includes(there.state)) return undefined;
    const after = Object.fromEntries(
      Object.entries({ ...there, ...change }).filter(([, value]) => value !== undefined),
    ) as unknown as Containment;
    this.rows.set(thing, after);
    return after;
  }
  async close(thing: ThingName, containmentId: string, releasedAtMs: number) {
    const there = this.rows.get(thing);
    if (there?.containmentId !== containmentId) return;
    this.rows.delete(thing);
    const { taskToken: _token, ...kept } = there;
    this.over.set(`${thing} ${containmentId}`, { ...kept, state: 'released', releasedAtMs });
  }
  async past(thing: ThingName, containmentId: string) {
    return this.over.get(`${thing} ${containmentId}`);
  }
  async *all() {
    yield* this.rows.values();
  }
}

export class MemoryClaims implements CertificateClaims {
  readonly claims = new Map<CertificateId, { readonly holders: Set<string>; readonly snapshot: CertificateSnapshot }>();

  async claim(seen: CertificateSnapshot, thing: ThingName) {
    const claim = this.claims.get(seen.certificateId) ?? { holders: new Set<string>(), snapshot: seen };
    claim.holders.add(thing);
    this.claims.set(seen.certificateId, claim);
    return claim.snapshot;
  }
  async letGo(id: CertificateId, thing: ThingName) {
    const claim = this.claims.get(id);
    claim?.holders.delete(thing);
    return claim && { holders: [...claim.holders].sort(), snapshot: claim.snapshot };
  }
  async forget(id: CertificateId) {
    const claim = this.claims.get(id);
    if (claim !== undefined && claim.holders.size > 0) return false;
    this.claims.delete(id);
    return true;
  }
}

export class MemoryBudget implements ContainmentBudget {
  readonly rows = new Map<string, Booking>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly nowMs: () => number) {}

  async booked() {
    return [...this.rows.values()].filter(({ freedAtMs, sinceMs }) => freedAtMs === undefined || sinceMs > this.nowMs() - HOUR_MS);
  }
  /** One after the other: two at once cannot both take the rest. */
  book(wanted: readonly Booking[], admits: (booked: readonly Booking[]) => Promise<boolean>) {
    const booked = this.turn.then(() => this.bookInTurn(wanted, admits));
    this.turn = booked.catch(() => undefined);
    return booked;
  }
  private async bookInTurn(wanted: readonly Booking[], admits: (booked: readonly Booking[]) => Promise<boolean>) {
    const ids = new Set(wanted.map(({ containmentId }) => containmentId));
    const missing = wanted.filter(
      ({ containmentId }) => this.rows.get(containmentId)?.freedAtMs !== undefined || !this.rows.has(containmentId),
    );
    const others = (await this.booked()).filter(({ containmentId }) => !ids.has(containmentId));
    if (missing.length > 0 && !(await admits(others))) return false;
    for (const { containmentId } of wanted) {
      const there = this.rows.get(containmentId);
      if (there !== undefined && (there.renewedAtMs ?? there.sinceMs) < this.nowMs() - RENEWED_AFTER_MS)
        this.rows.set(containmentId, { ...there, renewedAtMs: this.nowMs() });
    }
    for (const booking of missing) this.rows.set(booking.containmentId, booking);
    return true;
  }
  async free(_thing: ThingName, containmentId: string, atMs: number) {
    const booking = this.rows.get(containmentId);
    if (booking !== undefined) this.rows.set(containmentId, { freedAtMs: atMs, ...booking });
  }
  async giveUp({ containmentId, sinceMs, renewedAtMs }: Booking, atMs: number) {
    const there = this.rows.get(containmentId);
    const isAsRead = there?.sinceMs === sinceMs && there.renewedAtMs === renewedAtMs && there.freedAtMs === undefined;
    if (isAsRead) await this.free(there.thingName, containmentId, atMs);
    return isAsRead;
  }
}

export class MemoryContainmentHolds implements ContainmentHolds {
  readonly rows = new Map<string, ContainmentHold>();

  async put(hold: ContainmentHold) {
    if (this.rows.has(hold.hash)) return false;
    this.rows.set(hold.hash, hold);
    return true;
  }
  async get(hash: string) {
    return this.rows.get(hash);
  }
  async *all() {
    yield* this.rows.values();
  }
  async move(hash: string, from: ContainmentHold['state'], to: ContainmentHold['state'], by: string, atMs: number) {
    const hold = this.rows.get(hash);
    if (hold?.state !== from) return false;
    this.rows.set(hash, { ...hold, state: to, ...(to === 'APPLIED' ? {} : { decidedBy: by, decidedAtMs: atMs }) });
    return true;
  }
}
