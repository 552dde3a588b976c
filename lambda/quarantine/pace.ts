/**
 * When a call may be made of which an account has few a second (FACTS B12; jobs: FACTS D). What has fifty and more (things, groups, connections) takes no
 * slot: a thing is in ten groups at most.
 *
 *     certificates   DescribeCertificate, UpdateCertificate 10 a second; AttachPolicy, DetachPolicy, ListAttachedPolicies (of groups, too) 15
 *     jobs           CreateJob, DescribeJobExecution 10
 *
 * What stands between the word and the cut goes first. Everything else queues beside it, and goes to the one who is at its head only where next to nobody
 * waits for a cut:
 *
 *     record, cut, shut again    ─────────────────────────────► quarantine ─► call
 *     lock, reopen, give back    ─► quarantine-later ─► short? ────┘
 *                                        └──── no: to the end ◄┘
 */
import { NoSlotInTime, type Pace } from '../ports/pace.js';
import type { Clock } from '../ports/clock.js';

const PACES = { certificates: 'quarantine', jobs: 'quarantine-jobs' } as const;
const LATER = 'quarantine-later';
/** So long a queue is short. */
const SHORT_MS = 1000;
/** A step of an approved list of thousands must not die with slots in hand (its function has five minutes): it fails, and the workflow tries it again. */
const LONGEST_WAIT_MS = 60_000;

export interface Slot {
  /** So many calls of any one API are made in it. @default 1: of each at most one */
  readonly calls?: number;
  /** @default certificates */
  readonly of?: keyof typeof PACES;
  /** Before it the device is not out. @default false */
  readonly isUrgent?: boolean;
  /** @default a minute */
  readonly waitMs?: number;
}

/** So many slots are so many calls of one API of policies: an account has half as many again of them. */
export const ofPolicies = (calls: number): number => (calls * 10) / 15;

/** Waits for the next free slot of the pace that all workers of quarantine share. Throws NoSlotInTime: nothing is reserved then. */
export async function nextSlot(
  { pace, clock }: { readonly pace: Pace; readonly clock: Clock },
  { perSecond }: { readonly perSecond: number },
  { calls = 1, of = 'certificates', isUrgent = false, waitMs = LONGEST_WAIT_MS }: Slot = {},
): Promise<void> {
  const untilMs = clock.nowMs() + waitMs;
  const take = async (name: string, latestMs: number): Promise<void> =>
    clock.sleepUntil(await pace.reserve(name, Math.max(1, calls), perSecond, clock.nowMs(), latestMs));
  if (isUrgent || of !== 'certificates') return take(PACES[of], untilMs);
  for (;;) {
    await take(LATER, untilMs);
    try {
      return await take(PACES[of], clock.nowMs() + SHORT_MS);
    } catch (error) {
      if (!(error instanceof NoSlotInTime) || clock.nowMs() >= untilMs) throw error;
    }
  }
}
