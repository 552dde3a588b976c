/**
 * Fails towards not acting: a message is a hint, and what its source does not confirm now contains nobody. Whatever is left says why.
 */
import { isDestructive, RESPONSES, type Response } from '../../../domain/fleet/responses.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { whyOver } from '../../../domain/protocol/violation.js';

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

const leave = (reason: Reason): SourceDecision => ({ stands: false, reason });

export function decideViolation({ notified, sourced }: ViolationFacts, nowMs: number): SourceDecision {
  if (notified.eventType !== 'in-alarm') return leave('not-in-alarm');
  if (sourced === undefined) return leave('forged');
  if (sourced.thingName !== notified.thingName) return leave('forged');
  if (sourced.behavior !== notified.behavior) return leave('forged');
  if (sourced.securityProfileName !== notified.securityProfileName) return leave('forged');
  const over = whyOver(sourced);
  if (over !== undefined) return leave(over);
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

// --- whose device it is

/** Who is to be looked at, or under which name people are told that nobody is. */
export type OffenderDecision =
  | { readonly who: 'things'; readonly names: readonly string[]; readonly reason?: Reason }
  | { readonly who: 'nobody'; readonly name: string; readonly reason: Reason };

const nobody = (name: string, reason: Reason): OffenderDecision => ({ who: 'nobody', name, reason });

/** One certificate, as the registry has it now. */
export interface PrincipalFacts {
  readonly certificateId: string;
  /** `undefined`: the registry does not have it. */
  readonly status?: string;
  /** To which it is attached. */
  readonly things: readonly string[];
  /** One of these is contained: that its certificate is refused is our own doing. */
  readonly isContained?: boolean;
}

/**
 * A violation under the id of a certificate: connections that were refused are counted for the certificate that was shown (docs/behaviours.md). One that
 * is not ACTIVE is out, and says nothing about its thing: whoever has kept an old key could have the thing contained that has long had a new one. Of a
 * certificate of several things all are meant: the brake holds them for a person.
 */
export function decidePrincipal({ certificateId, status, things, isContained }: PrincipalFacts): OffenderDecision {
  if (status === undefined) return nobody(certificateId, 'no-such-thing');
  if (status !== 'ACTIVE' && isContained === true) return nobody(certificateId, 'already-contained');
  if (status !== 'ACTIVE') return nobody(certificateId, 'offender-shut-out');
  if (things.length === 0) return nobody(certificateId, 'certificate-without-thing');
  return { who: 'things', names: things };
}

/** A certificate that has used a client id. */
export interface UserFacts extends PrincipalFacts {
  /** The thing that the inventory last knew it by: where it is attached to none any more, it was that one's. */
  readonly wasOf?: string;
}

/** More than can be asked for: a client id of so many is the name of nobody. */
export type Users = readonly UserFacts[] | 'too-many';

const isOf = (thing: string, { things, wasOf }: UserFacts): boolean => things.includes(thing) || (things.length === 0 && wasOf === thing);

export interface ConflictFacts {
  readonly clientId: string;
  /** Is there a thing of that name? Then the client id is its own. */
  readonly isThing: boolean;
  readonly users: Users;
}

/**
 * Two connections under one client id threw each other out. The thing of that name may be the victim, so it is contained only where nobody else's
 * certificate is known to have used its name; whose certificate did, is the offender.
 */
export function decideConflict({ clientId, isThing, users }: ConflictFacts): OffenderDecision {
  if (users === 'too-many' || users.length === 0) return nobody(clientId, 'offender-unknown');
  if (!isThing) return decideNameless(clientId, users, 'credentials-copied');
  const strangers = users.filter((user) => !isOf(clientId, user));
  if (strangers.length > 0) return decideUsers(clientId, strangers, 'client-id-taken');
  if (users.some(({ status }) => status !== 'ACTIVE')) return nobody(clientId, 'key-changed');
  return { who: 'things', names: [clientId], reason: 'credentials-copied' };
}

/** A client id that is no thing belongs to nobody: only where one thing alone has used it, there is no question whose device it is. */
export function decideNameless(clientId: string, users: Users, reason: Reason): OffenderDecision {
  if (users === 'too-many') return nobody(clientId, 'offender-unknown');
  const names = new Set(users.flatMap(({ things }) => things));
  if (names.size !== 1 || users.some(({ things }) => things.length === 0)) return nobody(clientId, 'offender-unknown');
  return decideUsers(clientId, users, reason);
}

/**
 * A violation under the name of a thing. Who else has used that as his client id, because his policy allows any, may have done it and would have the thing
 * contained in his place: then it is for people. `others`: users of the name that are not attached to the thing.
 */
export function decideNamed(thingName: string, others: Users): OffenderDecision {
  const isTaken = others === 'too-many' || others.some((user) => !isOf(thingName, user));
  return isTaken ? nobody(thingName, 'offender-unknown') : { who: 'things', names: [thingName] };
}

/** Those of them that can still connect. */
function decideUsers(clientId: string, users: readonly UserFacts[], reason: Reason): OffenderDecision {
  const active = users.filter(({ status }) => status === 'ACTIVE');
  if (active.length === 0) return nobody(clientId, 'offender-shut-out');
  const names = [...new Set(active.flatMap(({ things }) => things))].sort();
  if (names.length === 0) return nobody(active[0]!.certificateId, 'certificate-without-thing');
  return { who: 'things', names, reason };
}

export interface AttachmentFacts {
  /** As the violation names it: the thing of an exclusive attachment, at the time of the connection. */
  readonly thingName: string;
  /** Of the certificates that are known to have used the client id: is one attached to it now? */
  readonly isAttached: boolean;
  readonly clientId: string;
  /** The certificates. */
  readonly users: Users;
}

/**
 * A violation names another thing than its client id: the one that the certificate was attached to when it connected. Attached to another one since, the
 * certificate has taken its behaviour with it. What is not known does not speak against the name.
 */
export function decideAttachment({ thingName, isAttached, clientId, users }: AttachmentFacts): OffenderDecision {
  if (users === 'too-many') return nobody(clientId, 'offender-unknown');
  if (isAttached || users.length === 0) return { who: 'things', names: [thingName] };
  return decideUsers(clientId, users, 'violation');
}

/**
 * Why a thing that a person agreed to contain is not meant any more; `undefined`: it is. He was asked because it could not be told, and answered: only what is
 * known to have changed counts. Its own containment, begun by an earlier delivery, has not.
 */
export function whyNotMeant(thingName: string, offender: OffenderDecision): Reason | undefined {
  if (offender.who === 'things') return offender.names.includes(thingName) ? undefined : 'offender-moved';
  return offender.reason === 'already-contained' || offender.reason === 'offender-unknown' ? undefined : offender.reason;
}

/** There is nobody to contain: people are told where the response is more than to note it. */
export function decideNobody(response: Response | undefined, reason: Reason): Exclude<ThingDecision, { do: 'contain' | 'escalate' }> {
  if (reason === 'already-contained') return { do: 'leave', reason };
  return response === 'observe' ? { do: 'leave', reason: 'only-observed' } : { do: 'tell', reason };
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
