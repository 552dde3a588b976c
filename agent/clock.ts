/** Time, as a port: the one file of the device that reads the wall clock and waits. */
export interface Clock {
  /** Milliseconds since 1970. A device's clock may be wrong: nothing that matters is decided by it. */
  nowMs(): number;
  /** Rejects with the reason of `signal` as soon as that is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Longest delay that setTimeout takes. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const aborted = (): void => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener('abort', aborted);
          resolve();
        },
        Math.min(Math.max(0, ms), LONGEST_MS),
      );
      signal.addEventListener('abort', aborted, { once: true });
    }),
};
