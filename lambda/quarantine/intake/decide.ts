/**
 * Fails towards not acting: a message is a hint, and what its source does not confirm now contains nobody. Whatever is left says why.
 */
import { isDestructive, RESPONSES, type Response } from '../../../domain/fleet/responses.js';
import type { Reason } from '../../../domain/fleet/reasons.js';

// --- what the source says

export interface ViolationFacts {
  readonly notified: {
    readonly eventType: string;
    readonly thingName: string;
    readonly behavior: string;
    readonly securityProfileName: string;
  };
  /** As its source has it now; `undefined`: no source knows it. */
  readonly sourced?: {
    readonly thingName: string;
    readonly behavior: string;
    readonly securityProfileName: string;
    readonly isOpen: boolean;
    readonly updatedAtMs: number;
    readonly verificationState?: string;
  };
}

export type SourceDecision = { readonly stands: boolean; readonly reason: Reason };

/** Device Defender gives a violation up after two days without metrics (FACTS C5): what has been silent for longer is no news. */
const STALE_AFTER_MS = 2 * 86_400_000;
const BENIGN: ReadonlySet<string | undefined> = new Set(['FALSE_POSITIVE', 'BENIGN_POSITIVE']);

const leave = (reason: Reason): SourceDecision => ({ stands: false, reason });

export function decideViolation({ notified, sourced }: ViolationFacts, nowMs: number): SourceDecision {
  if (notified.eventType !== 'in-alarm') return leave('not-in-alarm');
  if (sourced === undefined) return leave('forged');
  if (sourced.thingName !== notified.thingName) return leave('forged');
  if (sourced.behavior !== notified.behavior) return leave('forged');
  if (sourced.securityProfileName !== notified.securityProfileName) return leave('forged');
  if (!sourced.isOpen) return leave('alarm-over');
  if (BENIGN.has(sourced.verificationState)) return leave('marked-benign');
  if (nowMs - sourced.updatedAtMs > STALE_AFTER_MS) return leave('stale');
  return { stands: true, reason: 'violation' };
}

export interface FindingFacts {
  readonly asked: { readonly taskId: string; readonly checkName: string };
  /** `undefined`: AWS IoT has no such finding. */
  readonly found?: { readonly taskId: string; readonly checkName: string; readonly isSuppressed: boolean; readonly atMs: number };
  /** May a finding of this check mean containment at all? */
  readonly checkMayContain: boolean;
}

/** Findings recur with each audit: one of a week ago has had its turn. */
const FINDING_STALE_AFTER_MS = 7 * 86_400_000;

export function decideFinding({ asked, found, checkMayContain }: FindingFacts, nowMs: number): SourceDecision {
  if (found === undefined) return leave('forged');
  if (found.taskId !== asked.taskId) return leave('forged');
  if (found.checkName !== asked.checkName) return leave('forged');
  if (!checkMayContain) return leave('not-a-containing-check');
  if (found.isSuppressed) return leave('finding-suppressed');
  if (nowMs - found.atMs > FINDING_STALE_AFTER_MS) return leave('stale');
  return { stands: true, reason: 'audit-finding' };
}

export interface CustomFacts {
  readonly eventType: string;
  readonly account: string;
  readonly ownAccount: string;
  readonly atMs: number;
  /** Does the configuration name this source? */
  readonly isConfigured: boolean;
}

/** Clocks of detectors run ahead by so much at most: a time of tomorrow must not keep an event fresh for ever. */
const AHEAD_MS = 300_000;

export function decideCustom(
  { eventType, account, ownAccount, atMs, isConfigured }: CustomFacts,
  maxAgeMs: number,
  nowMs: number,
): SourceDecision {
  if (!isConfigured) return leave('source-not-configured');
  if (account !== ownAccount) return leave('foreign-account');
  if (eventType !== 'in-alarm') return leave('not-in-alarm');
  if (nowMs - atMs > maxAgeMs) return leave('stale');
  if (atMs - nowMs > AHEAD_MS) return leave('stale');
  return { stands: true, reason: 'custom-violation' };
}

// --- what is to be done about the thing

export interface ThingDecisionFacts {
  /** A person asked: then the never-list does not count. It is for machines. */
  readonly byPerson: boolean;
  readonly exists: boolean;
  /** By what it is on the never-list. */
  readonly neverListed?: string;
  /** `undefined`: no response is configured. */
  readonly response?: Response;
  /** The containment that is open, if there is one. */
  readonly open?: { readonly containmentId: string; readonly response: Response };
  readonly containmentId: string;
  /** This very containment is over. */
  readonly isPast: boolean;
}

export type ThingDecision =
  | { readonly do: 'leave'; readonly reason: Reason }
  /** People are told, nothing is done. */
  | { readonly do: 'tell'; readonly reason: Reason }
  /** A person must look: something that machines never touch misbehaves. */
  | { readonly do: 'page'; readonly reason: Reason }
  /** Contained already: to the higher rung of the ladder. */
  | { readonly do: 'escalate'; readonly reason: Reason; readonly response: Response }
  | { readonly do: 'contain'; readonly reason: Reason; readonly response: Response };

export function decide(facts: ThingDecisionFacts, reason: Reason): ThingDecision {
  const { response, open } = facts;
  if (!facts.exists) return { do: 'tell', reason: 'no-such-thing' };
  if (response === undefined) return { do: 'tell', reason: 'unknown-behaviour' };
  if (response === 'observe') return { do: 'leave', reason: 'only-observed' };
  if (!isDestructive(response)) return { do: 'tell', reason: 'people-told' };
  if (facts.isPast) return { do: 'leave', reason: 'contained-before' };
  if (facts.neverListed !== undefined && !facts.byPerson) return { do: 'page', reason: 'never-listed' };
  if (open !== undefined && open.containmentId !== facts.containmentId) {
    const isHigher = RESPONSES.indexOf(response) > RESPONSES.indexOf(open.response);
    return isHigher ? { do: 'escalate', reason, response } : { do: 'leave', reason: 'already-contained' };
  }
  return { do: 'contain', reason, response };
}
