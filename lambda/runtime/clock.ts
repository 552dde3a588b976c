import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../ports/clock.js';

/** The wall clock: the only file of lambda/ that reads it or waits on it. At the desk, Date is moved from outside; waiting is always in real time. */
export const wallClock: Clock = {
  nowMs: () => Date.now(),
  async sleepUntil(atMs) {
    const waitMs = atMs - Date.now();
    if (waitMs > 0) await sleep(waitMs);
  },
};
