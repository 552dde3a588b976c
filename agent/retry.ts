/**
 * Waiting times between attempts: exponential with "full jitter". A fleet that lost its connection in the same second, or was offered the same job,
 * must not come back in the same second: AWS IoT lets an account connect and a CA issue only so many times a second.
 */
export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** A random time below the ceiling, which is `firstMs` for attempt 0 and doubles up to `longestMs`. `random` is in [0, 1). */
export function jitteredMs({ firstMs, longestMs }: Backoff, attempt: number, random: () => number): number {
  return random() * Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 30));
}
