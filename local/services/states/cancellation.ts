import type { DeskClock } from '../../world/clock.js';
import { Stopped } from './failure.js';

/** Stops a branch from outside, and with it every branch inside it. */
export class Cancellation {
  private stopped = false;
  private readonly listeners = new Set<() => void>();

  /** A branch within this one. */
  child(): Cancellation {
    const child = new Cancellation();
    this.onCancel(() => child.cancel());
    return child;
  }

  cancel(): void {
    if (this.stopped) return;
    this.stopped = true;
    for (const listener of this.listeners) listener();
    this.listeners.clear();
  }

  /** Throws Stopped when it was. After every wait: what happened meanwhile must not go into the history of a branch that is over. */
  check(): void {
    if (this.stopped) throw new Stopped();
  }

  /** Calls `listener` when stopped, at once if that was before. Returns the removal. */
  onCancel(listener: () => void): () => void {
    if (this.stopped) listener();
    else this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The work's outcome, or Stopped as soon as the branch is stopped. The work itself goes on: nobody can call back an invocation. */
  async race<T>(work: Promise<T>): Promise<T> {
    let remove = (): void => undefined;
    const stop = new Promise<never>((_, reject) => {
      remove = this.onCancel(() => reject(new Stopped()));
    });
    try {
      return await Promise.race([work, stop]);
    } finally {
      remove();
      stop.catch(() => undefined);
    }
  }

  /** Waits on the desk's clock. */
  async sleep(clock: DeskClock, ms: number): Promise<void> {
    if (ms <= 0) return this.check();
    let cancelTimer = (): void => undefined;
    const elapsed = new Promise<void>((resolve) => {
      cancelTimer = clock.after(ms, () => resolve());
    });
    try {
      await this.race(elapsed);
    } finally {
      cancelTimer();
    }
  }
}
