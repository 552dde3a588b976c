import type { Clock } from '../../../lambda/ports/clock.js';

/** A clock that stands still at a realistic date until somebody sleeps or moves it. Sleepers wake one by one, in the order of their times, each when the others have come to rest. */
export class TestClock implements Clock {
  private readonly sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];

  constructor(private atMs = Date.parse('2026-11-22T10:00:00Z')) {}

  nowMs(): number {
    return this.atMs;
  }

  sleepUntil(atMs: number): Promise<void> {
    return new Promise((wake) => {
      this.sleepers.push({ atMs, wake });
      setImmediate(() => this.wakeNext());
    });
  }

  advance(ms: number): void {
    this.atMs += ms;
  }

  private wakeNext(): void {
    const [next] = this.sleepers.sort((a, b) => a.atMs - b.atMs).splice(0, 1);
    if (next === undefined) return;
    this.atMs = Math.max(this.atMs, next.atMs);
    next.wake();
  }
}
