import type { Clock } from '../../../lambda/ports/clock.js';

/** A clock that stands still at a realistic date until somebody sleeps or moves it. */
export class TestClock implements Clock {
  constructor(private atMs = Date.parse('2026-11-22T10:00:00Z')) {}

  nowMs(): number {
    return this.atMs;
  }

  async sleepUntil(atMs: number): Promise<void> {
    await Promise.resolve();
    this.atMs = Math.max(this.atMs, atMs);
  }

  advance(ms: number): void {
    this.atMs += ms;
  }
}
