/** FIFO deduplication: for five minutes a deduplication id stands for the message that came first (SQS developer guide, exactly-once processing). */
import type { DeskClock } from '../../world/clock.js';
import type { Message } from './message.js';

const INTERVAL_MS = 5 * 60_000;

export class Deduplication {
  private readonly seen = new Map<string, { readonly message: Message; readonly untilMs: number }>();

  constructor(private readonly clock: DeskClock) {}

  find(id: string): Message | undefined {
    const nowMs = this.clock.nowMs();
    // Insertion order is expiry order.
    for (const [key, entry] of this.seen) {
      if (entry.untilMs > nowMs) break;
      this.seen.delete(key);
    }
    return this.seen.get(id)?.message;
  }

  remember(id: string, message: Message): void {
    this.seen.set(id, { message, untilMs: this.clock.nowMs() + INTERVAL_MS });
  }
}
