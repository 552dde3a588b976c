/** What has arrived and not been looked at. One taker at a time; the oldest is dropped when nobody looks for long. */
import type { Clock } from './clock.js';

const LIMIT = 32;

export class Inbox<T> {
  private readonly held: T[] = [];
  private wake: (() => void) | undefined;

  put(item: T): void {
    this.held.push(item);
    if (this.held.length > LIMIT) this.held.shift();
    this.wake?.();
  }

  /** The next one; `undefined` when none has come within `timeoutMs`. Without a time it waits for ever. Rejects when `signal` is aborted. */
  async take(clock: Clock, signal: AbortSignal, timeoutMs = Number.POSITIVE_INFINITY): Promise<T | undefined> {
    signal.throwIfAborted();
    if (this.held.length === 0) {
      const arrived = new AbortController();
      this.wake = () => arrived.abort();
      try {
        await clock.sleep(timeoutMs, AbortSignal.any([signal, arrived.signal]));
      } catch (error) {
        if (signal.aborted || !arrived.signal.aborted) throw error;
      } finally {
        this.wake = undefined;
      }
    }
    return this.held.shift();
  }
}
