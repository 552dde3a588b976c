/**
 * Where a containment goes on, by what the ledger says of it. Fails towards staying contained: only a release on record leads to what gives back, and
 * what cannot be told apart waits.
 */
import { LONGEST_WAIT_SECONDS, type StepAnswer } from '../../domain/protocol/containment-workflow.js';
import type { Containment } from '../ports/containment-records.js';

/** How often the answer of a device is asked for, at first. */
export const POLL_SECONDS = 15;
const MOST_POLL_SECONDS = 900;
/** Where a command is under way, the device may answer at once: 3, 3, 6, 12 and 15 seconds, and from then on as without. */
const FIRST_POLL_SECONDS = 3;
/** From being asked for a new key to its proof: the device has to find its job, make a key and connect twice. */
export const REKEY_TIMEOUT_MS = 3_600_000;

/** The longer something has lasted, the less often it is looked at: an execution has 25,000 events for all of its life, and a look takes nine. */
export const patience = (sinceMs: number, nowMs: number, leastSeconds: number, mostSeconds: number): number =>
  Math.min(mostSeconds, Math.max(leastSeconds, Math.floor((nowMs - sinceMs) / 20_000)));

const go = (next: StepAnswer['next'], seconds = 0): StepAnswer => ({ next, seconds });

export function nextOf(containment: Containment, nowMs: number): StepAnswer {
  const { state, response, release, rekeying, rekeyAskedAtMs = nowMs, settledAtMs, shutOff } = containment;
  if (state === 'released') return go('Released');
  if (state === 'releasing') return go('Restore');
  if (release !== undefined) {
    if (!release.rekey) return go('Restore');
    return rekeying === true ? go('AwaitKey', patience(rekeyAskedAtMs, nowMs, POLL_SECONDS, MOST_POLL_SECONDS)) : go('ReKey');
  }
  switch (state) {
    case 'recorded':
      return response === 'shut-off' ? afterShutOff(shutOff, nowMs) : go('Cut');
    case 'cut':
      return go('Lock');
    case 'locked':
      if (response === 'deactivate') return go('Deactivate');
      // Without the time from which the policies count, it is not known that they do: it stays shut.
      if (settledAtMs === undefined) return go('Lock');
      return settledAtMs > nowMs ? go('Settle', secondsUntil(settledAtMs, nowMs)) : go('Reopen');
    case 'reopened':
      return response === 'deactivate' ? go('Deactivate') : afterShutOff(shutOff, nowMs);
    case 'deactivated':
      return go('Watch');
  }
}

function afterShutOff(shutOff: Containment['shutOff'], nowMs: number): StepAnswer {
  if (shutOff === undefined) return go('ShutOff');
  const { askedAtMs, executionId, outcome } = shutOff;
  if (outcome === undefined) {
    const least = executionId === undefined ? POLL_SECONDS : Math.max(FIRST_POLL_SECONDS, Math.floor((nowMs - askedAtMs) / 1000));
    return go('AwaitAnswer', patience(askedAtMs, nowMs, Math.min(POLL_SECONDS, least), MOST_POLL_SECONDS));
  }
  return outcome === 'done' ? go('Watch') : go('Deactivate');
}

/** Within what the workflow may wait in one piece. */
export function secondsUntil(atMs: number, nowMs: number): number {
  return Math.min(LONGEST_WAIT_SECONDS, Math.max(1, Math.ceil((atMs - nowMs) / 1000)));
}
