/**
 * Fails to saying nothing. About a client of which nothing arrives, because it is away or has nothing to say: no window of the stream ever ends for it.
 */
import { meets, type Behaviour } from '../../../domain/fleet/behaviours.js';
import type { LoggingOptions } from '../../../domain/fleet/iot-logging.js';
import { IOT_LOG_GROUP, REFUSABLE_EVENTS, REFUSAL_LOG_LEVELS } from '../../../domain/protocol/fleet-events.js';
import type { MetricValue } from '../../../domain/protocol/violation.js';

export type RoundDecision =
  | { readonly do: 'nothing'; readonly reason: 'too-early' | 'waits' }
  | { readonly do: 'count'; readonly reason: 'silent' | 'away' | 'back'; readonly isNormal: boolean; readonly value: MetricValue }
  /** Published before anything else is decided. */
  | { readonly do: 'announce'; readonly reason: 'left-half-done' }
  | { readonly do: 'give-up'; readonly reason: 'behaviour-gone' | 'no-metrics' };

/** A standing, as the round finds it. */
export interface StandingFacts {
  readonly lastWindowEndMs: number;
  readonly updatedAtMs: number;
  readonly isPending: boolean;
  /** The behaviour is there still, with the criteria that the standing was counted by. */
  readonly isCurrent: boolean;
  /** Of disconnect-duration: is the client connected now? `undefined`: another metric. */
  readonly isConnected?: boolean;
  /** What a window without events is for the behaviour; `undefined`: no datapoint. */
  readonly silence?: { readonly isNormal: boolean; readonly value: MetricValue };
}

/** So long a function may be at it before somebody else takes it up. */
const HALF_DONE_MS = 120_000;
/** Lambda ends a window up to two minutes late; only then a client that is not in it was silent. */
const SETTLED_MS = 180_000;
/** DDG: without metrics for more than two days an alarm is invalidated. */
const NO_METRICS_MS = 2 * 86_400_000;

/** End of the last window that is over for sure. */
export const lastWindowOver = (windowMs: number, nowMs: number): number => Math.floor((nowMs - SETTLED_MS) / windowMs) * windowMs;

export function decideStanding(facts: StandingFacts, windowMs: number, nowMs: number): RoundDecision {
  if (facts.isPending)
    return nowMs - facts.updatedAtMs < HALF_DONE_MS ? { do: 'nothing', reason: 'too-early' } : { do: 'announce', reason: 'left-half-done' };
  if (!facts.isCurrent) return { do: 'give-up', reason: 'behaviour-gone' };
  if (facts.isConnected === true) return { do: 'count', reason: 'back', isNormal: true, value: { count: 0 } };
  if (facts.isConnected === false) return { do: 'nothing', reason: 'waits' };
  if (lastWindowOver(windowMs, nowMs) <= facts.lastWindowEndMs) return { do: 'nothing', reason: 'too-early' };
  if (facts.silence !== undefined) return { do: 'count', reason: 'silent', ...facts.silence };
  return nowMs - facts.lastWindowEndMs > NO_METRICS_MS ? { do: 'give-up', reason: 'no-metrics' } : { do: 'nothing', reason: 'waits' };
}

/** Minutes since it disconnected, against the limit. */
export function decideAway({ operator, value }: Behaviour, disconnectedAtMs: number, nowMs: number): RoundDecision {
  const minutes = Math.floor((nowMs - disconnectedAtMs) / 60_000);
  if (typeof value !== 'number' || operator === undefined || meets(operator, minutes, value)) return { do: 'nothing', reason: 'too-early' };
  return { do: 'count', reason: 'away', isNormal: false, value: { count: minutes } };
}

/** Why refusals do not come to where they are read; `eventType`: of these alone. */
export interface NotLogged {
  readonly why: 'never-set' | 'all-disabled' | 'no-role' | 'level-too-low' | 'other-log-group';
  readonly eventType?: string;
}

/** `undefined`: they do. Levels of single resources, of which the account may have a thousand, are not looked at. */
export function decideLogging(options: LoggingOptions | undefined): NotLogged | undefined {
  if (options === undefined) return { why: 'never-set' };
  if (options.disableAllLogs) return { why: 'all-disabled' };
  if (options.roleArn === undefined) return { why: 'no-role' };
  for (const eventType of REFUSABLE_EVENTS) {
    const { logLevel = options.defaultLogLevel, logDestination = IOT_LOG_GROUP } =
      options.events.find((event) => event.eventType === eventType) ?? {};
    if (!(REFUSAL_LOG_LEVELS as readonly (string | undefined)[]).includes(logLevel)) return { why: 'level-too-low', eventType };
    if (logDestination !== IOT_LOG_GROUP) return { why: 'other-log-group', eventType };
  }
  return undefined;
}
