/** The time, as a port: a test or the desk can move it. Only `lambda/runtime/clock.ts` touches the wall clock. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Resolves at `atMs`, at once if that is past. */
  sleepUntil(atMs: number): Promise<void>;
}
