/**
 * Fails to saying nothing: a datapoint that was counted is not counted again, one that is older than the last is ignored, and criteria that have changed
 * begin anew.
 *
 *     datapoints   a a n a a a n n n          a: abnormal, n: normal; three to alarm, three to clear
 *     in a row     1 2 0 1 2 3 1 2 3
 *                            │     └─ alarm-cleared
 *                            └─ in-alarm
 */
import type { Behaviour } from '../../../domain/fleet/behaviours.js';
import type { BehaviorCriteria, MetricValue, ViolationEventType, ViolationNotification } from '../../../domain/protocol/violation.js';
import type { Standing } from '../../../domain/fleet/standing.js';

export interface Datapoint {
  readonly clientId: string;
  readonly thingName: string;
  readonly isNormal: boolean;
  readonly value: MetricValue;
  readonly windowStartMs: number;
  readonly windowEndMs: number;
  /** Does a window without any event count as a normal one? Then a gap ends a row. */
  readonly silenceIsNormal: boolean;
}

export interface Criteria {
  readonly behaviour: Behaviour;
  /** In the words of the API. */
  readonly words: { readonly name: string; readonly metric: string; readonly criteria: BehaviorCriteria };
  readonly hash: string;
  readonly profileName: string;
  readonly idOf: (clientId: string, windowEndMs: number) => string;
}

export type StandingDecision =
  | { readonly do: 'nothing'; readonly reason: 'counted-before' | 'normal' }
  | { readonly do: 'remove'; readonly reason: 'normal-again' }
  | { readonly do: 'write'; readonly reason: 'counting' | ViolationEventType; readonly standing: Standing };

export function decide(standing: Standing | undefined, datapoint: Datapoint, of: Criteria, nowMs: number): StandingDecision {
  const { windowEndMs } = datapoint;
  if (standing !== undefined && standing.criteria !== of.hash) {
    if (standing.violationId !== undefined) return invalidate(standing, of.profileName, nowMs, of.words);
    return decide(undefined, datapoint, of, nowMs);
  }
  if (standing !== undefined && windowEndMs <= standing.lastWindowEndMs) return { do: 'nothing', reason: 'counted-before' };
  if (datapoint.isNormal) return normal(standing, datapoint, of, nowMs);

  const before = standing ?? none(datapoint, of, nowMs);
  const windowMs = windowEndMs - datapoint.windowStartMs;
  const isGap = datapoint.silenceIsNormal && standing !== undefined && datapoint.windowStartMs - standing.lastWindowEndMs >= windowMs;
  const counted: Standing = {
    ...before,
    lastWindowEndMs: windowEndMs,
    abnormalInRow: (isGap ? 0 : before.abnormalInRow) + 1,
    normalInRow: 0,
    metricValue: datapoint.value,
    updatedAtMs: nowMs,
  };
  if (before.violationId !== undefined || counted.abnormalInRow < of.behaviour.datapointsToAlarm)
    return { do: 'write', reason: 'counting', standing: counted };
  const violationId = of.idOf(datapoint.clientId, windowEndMs);
  const raised: Standing = { ...counted, violationId, startedAtMs: nowMs };
  return announce(raised, 'in-alarm', of.profileName, nowMs, of.words);
}

function normal(standing: Standing | undefined, datapoint: Datapoint, of: Criteria, nowMs: number): StandingDecision {
  if (standing === undefined) return { do: 'nothing', reason: 'normal' };
  if (standing.violationId === undefined) return { do: 'remove', reason: 'normal-again' };
  const counted: Standing = {
    ...standing,
    lastWindowEndMs: datapoint.windowEndMs,
    abnormalInRow: 0,
    normalInRow: standing.normalInRow + 1,
    metricValue: datapoint.value,
    updatedAtMs: nowMs,
  };
  if (counted.normalInRow < of.behaviour.datapointsToClear) return { do: 'write', reason: 'counting', standing: counted };
  return announce(counted, 'alarm-cleared', of.profileName, nowMs, of.words);
}

const none = ({ clientId, thingName }: Datapoint, { behaviour, hash }: Criteria, nowMs: number): Standing => ({
  clientId,
  thingName,
  behaviour: behaviour.name,
  criteria: hash,
  lastWindowEndMs: 0,
  abnormalInRow: 0,
  normalInRow: 0,
  updatedAtMs: nowMs,
});

/** The violation can be judged no more: its behaviour is gone or another one, or nothing has been heard for two days. */
export function invalidate(
  standing: Standing,
  profileName: string,
  nowMs: number,
  words: ViolationNotification['behavior'] = { name: standing.behaviour },
): StandingDecision {
  return announce({ ...standing, updatedAtMs: nowMs }, 'alarm-invalidated', profileName, nowMs, words);
}

function announce(
  standing: Standing,
  violationEventType: ViolationEventType,
  securityProfileName: string,
  nowMs: number,
  behavior: ViolationNotification['behavior'],
): StandingDecision {
  const pending: ViolationNotification = {
    violationEventTime: nowMs,
    thingName: standing.thingName,
    behavior,
    violationEventType,
    ...(violationEventType === 'alarm-invalidated' || standing.metricValue === undefined ? {} : { metricValue: standing.metricValue }),
    violationId: standing.violationId!,
    securityProfileName,
    ...(violationEventType === 'alarm-invalidated' ? { verificationState: 'UNKNOWN' } : {}),
  };
  return { do: 'write', reason: violationEventType, standing: { ...standing, pending } };
}
