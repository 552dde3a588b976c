/**
 * The desk's movable clock. Every timer of the desk hangs on it, so that thirty days pass in a second; nothing else in local/ reads the
 * wall clock. Simulated time = wall time + offset; `advance` runs what falls due on the way, in order.
 */
export interface DeskClock {
  nowMs(): number;
  date(): Date;
  /** How far simulated time is ahead of the wall clock, in ms: the function runner gives it to the execution environments. */
  readonly offsetMs: number;
  /** Runs `task` once, `delayMs` of simulated time from now. Returns a cancel function. */
  after(delayMs: number, task: () => void | Promise<void>): () => void;
  /** Runs `task` every `periodMs` of simulated time; in a jump of more than a day 24 times at most (known difference from AWS, said in local/README.md). */
  every(periodMs: number, task: () => void | Promise<void>): () => void;
  /** Work that time must wait for: `advance` does not jump while it is under way (a function that runs in another process). */
  track<T>(work: Promise<T>): Promise<T>;
  /** Moves time forward, running each due task at its own time, and waits for them and for what they set off. */
  advance(ms: number): Promise<void>;
  stop(): void;
}
