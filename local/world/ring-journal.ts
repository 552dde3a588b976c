import type { Journal, JournalEntry } from '../cloud.js';
import type { DeskClock } from './clock.js';

/** Entries kept; the counters go on for ever. */
const CAPACITY = 20_000;

/** A bounded ring of what happened, and counters of every call. */
export class RingJournal implements Journal {
  private readonly ring: JournalEntry[] = [];
  private start = 0;
  private readonly calls = new Map<string, number>();
  private readonly listeners = new Set<(entry: JournalEntry) => void>();

  constructor(private readonly clock: DeskClock) {}

  add(entry: Omit<JournalEntry, 'atMs'>): void {
    const full: JournalEntry = { atMs: this.clock.nowMs(), ...entry };
    if (this.ring.length < CAPACITY) this.ring.push(full);
    else {
      this.ring[this.start] = full;
      this.start = (this.start + 1) % CAPACITY;
    }
    if (entry.kind === 'call') this.calls.set(entry.what, (this.calls.get(entry.what) ?? 0) + 1);
    for (const listener of this.listeners) listener(full);
  }

  entries(): readonly JournalEntry[] {
    return [...this.ring.slice(this.start), ...this.ring.slice(0, this.start)];
  }

  counts(): ReadonlyMap<string, number> {
    return this.calls;
  }

  on(listener: (entry: JournalEntry) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
