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
  /** Runs `task` every `periodMs` of simulated time; a jump over several periods runs it once (known difference from AWS, said in local/README.md). */
  every(periodMs: number, task: () => void | Promise<void>): () => void;
  /** Moves time forward, running each due task at its own time, and waits for them. */
  advance(ms: number): Promise<void>;
  stop(): void;
}
