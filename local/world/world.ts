import { randomInt } from 'node:crypto';

import type { World } from '../cloud.js';
import { MovableClock } from './movable-clock.js';
import { RingJournal } from './ring-journal.js';
import { SeededFaults } from './seeded-faults.js';

export interface WorldOptions {
  /** Seed of the faults. @default drawn, to be printed */
  readonly seed?: number;
  /** Simulated time at the start. @default now */
  readonly startAt?: Date;
  readonly onTaskError?: (error: unknown) => void;
}

/** The account, the region and everything that the desk shares: clock, faults, journal. */
export function createWorld(options: WorldOptions = {}): World {
  const clock = new MovableClock({
    ...(options.startAt ? { startAt: options.startAt } : {}),
    ...(options.onTaskError ? { onError: options.onTaskError } : {}),
  });
  return {
    clock,
    faults: new SeededFaults(options.seed ?? randomInt(2 ** 31), clock),
    journal: new RingJournal(clock),
    accountId: '000000000000',
    region: 'eu-west-1',
    partition: 'aws',
  };
}
