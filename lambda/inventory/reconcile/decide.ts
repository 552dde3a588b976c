/** What a message on the reconcile queue leads to. */
export type ReconcileDecision =
  | { readonly kind: 'begin'; readonly reason: 'no run yet' | 'the last run is complete' | 'the last run shows no sign of life' }
  /** Begun, and maybe died before it told itself to go on. */
  | { readonly kind: 'go-on-by-message'; readonly reason: 'begun, first page not done' }
  | { readonly kind: 'go-on'; readonly reason: 'next page' }
  /** Put back for a while: the run under way began before this was asked, and may have passed what it is about. */
  | { readonly kind: 'later'; readonly reason: 'asked for during a run' }
  | {
      readonly kind: 'ignore';
      readonly reason: 'a run is under way' | 'a run has begun since' | 'that run is complete' | 'that run was given up for another';
    };

interface Progress {
  readonly runId: string;
  readonly sequence: number;
  readonly phase: { readonly name: 'listing' | 'sweeping' | 'done' };
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
}

/**
 * A run that has not moved for so long is given up for a new one. Longer than a message of a crashed function stays invisible (six times the
 * function's time-out, 90 minutes at the most that Lambda allows), or the new run would overtake one that is about to go on.
 */
export const STALE_AFTER_MS = 6 * 3600_000;

/**
 * Fails to doing nothing: two runs at once would halve each other's pace, and a run that is missed comes again tomorrow. A new run costs
 * little where an old one came far: what the inventory knows is not looked up again.
 */
export function decide(
  message: { readonly kind: 'start'; readonly askedAtMs?: number } | { readonly kind: 'continue'; readonly runId: string },
  stored: Progress | undefined,
  nowMs: number,
): ReconcileDecision {
  if (message.kind === 'continue') {
    if (stored?.runId !== message.runId) return { kind: 'ignore', reason: 'that run was given up for another' };
    if (stored.phase.name === 'done') return { kind: 'ignore', reason: 'that run is complete' };
    return { kind: 'go-on', reason: 'next page' };
  }
  if (stored === undefined) return { kind: 'begin', reason: 'no run yet' };
  const { askedAtMs } = message;
  if (askedAtMs !== undefined && stored.startedAtMs > askedAtMs) return { kind: 'ignore', reason: 'a run has begun since' };
  if (stored.phase.name === 'done') return { kind: 'begin', reason: 'the last run is complete' };
  if (nowMs - stored.updatedAtMs >= STALE_AFTER_MS) return { kind: 'begin', reason: 'the last run shows no sign of life' };
  if (stored.sequence === 0) return { kind: 'go-on-by-message', reason: 'begun, first page not done' };
  return askedAtMs === undefined ? { kind: 'ignore', reason: 'a run is under way' } : { kind: 'later', reason: 'asked for during a run' };
}

export type ListedDecision =
  | { readonly kind: 'look-up'; readonly reason: 'new' | 'another status' | 'no thing known' }
  | { readonly kind: 'same'; readonly reason: 'as the inventory has it' };

/** One line of ListCertificates beside the inventory's record. Fails to looking up. */
export function decideListed(
  listed: { readonly status: string },
  known: { readonly status: string; readonly thingName?: string } | undefined,
): ListedDecision {
  if (known === undefined) return { kind: 'look-up', reason: 'new' };
  if (known.status !== listed.status) return { kind: 'look-up', reason: 'another status' };
  // Things are attached after registration, and no event says so: asked again until there is one.
  if (known.status === 'ACTIVE' && known.thingName === undefined) return { kind: 'look-up', reason: 'no thing known' };
  return { kind: 'same', reason: 'as the inventory has it' };
}
